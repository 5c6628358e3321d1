//! `/api/v4/hooks/incoming`, and `/hooks/{id}`, where an incoming webhook gets its posts: `api4/webhook.go`,
//! `web/webhook.go`, `app/webhook.go`; `hooks-incoming-*.http`.

use super::{check_change, visible_owner};
use crate::api::{ApiRequest, ApiResult, Reply};
use crate::app_error::AppError;
use crate::blocks::{self, BLOCKS};
use crate::database::Database;
use crate::markup;
use crate::model::{Attachment, Channel, ChannelKind, IncomingWebhook};
use crate::shape;
use crate::version::Ability;
use crate::webhook::{self, WebhookPost};
use http::StatusCode;
use serde::Deserialize;
use serde_json::{Map, Value};

#[derive(Deserialize, Default)]
#[serde(default)]
struct Body {
    id: String,
    user_id: String,
    channel_id: String,
    team_id: String,
    display_name: String,
    description: String,
    username: String,
    icon_url: String,
    channel_locked: bool,
}

fn missing() -> AppError {
    AppError::missing("app.webhooks.get_incoming.app_error", "Unable to get the webhook.")
}

fn enabled(db: &Database) -> Result<(), AppError> {
    if db.settings.enable_incoming_webhooks {
        return Ok(());
    }
    Err(AppError::new(
        StatusCode::NOT_IMPLEMENTED,
        "api.incoming_webhook.disabled.app_error",
        "Incoming webhooks have been disabled by the system admin.",
    ))
}

/// `IncomingWebhook.IsValid`.
fn check(body: &Body) -> Result<(), AppError> {
    if body.display_name.len() > 64 {
        return Err(AppError::bad("model.incoming_hook.display_name.app_error", "Invalid title."));
    }
    if body.description.len() > 500 {
        return Err(AppError::bad("model.incoming_hook.description.app_error", "Invalid description."));
    }
    if body.username.len() > 64 {
        return Err(AppError::bad("model.incoming_hook.username.app_error", "Invalid username."));
    }
    if body.icon_url.len() > 1024 {
        return Err(AppError::bad("model.incoming_hook.icon_url.app_error", "Invalid post icon."));
    }
    Ok(())
}

/// The channel that a webhook posts to, if the caller may read it.
fn readable_channel(db: &Database, request: &ApiRequest, channel_id: &str) -> Result<Channel, AppError> {
    let channel = db.channel(channel_id).ok_or_else(|| AppError::no_channel(db.version, channel_id))?;
    let open = channel.kind == ChannelKind::Public && !db.version.since_11();
    let readable = open || db.may_see_channel(&request.user, channel);
    if readable { Ok(channel.clone()) } else { Err(AppError::forbidden()) }
}

/// Removes the name and the picture, unless the server allows integrations to choose them.
fn clear_overrides(db: &Database, body: &mut Body) {
    if !db.settings.enable_post_username_override {
        body.username.clear();
    }
    if !db.settings.enable_post_icon_override {
        body.icon_url.clear();
    }
}

pub(in crate::rest) fn create(db: &mut Database, request: &ApiRequest) -> ApiResult {
    let mut body: Body = request.body("incoming_webhook")?;
    let team = db.channel(&body.channel_id).map(|channel| channel.team_id.clone());
    let team = team.ok_or_else(|| AppError::no_channel(db.version, &body.channel_id))?;
    let whose = visible_owner(db, &request.user, &team)?;
    let channel = readable_channel(db, request, &body.channel_id)?;
    let mut user_id = request.user.clone();
    if !body.user_id.is_empty() && body.user_id != request.user {
        if whose.is_some() {
            return Err(AppError::forbidden());
        }
        db.user(&body.user_id).ok_or_else(AppError::no_user)?;
        user_id.clone_from(&body.user_id);
    }
    enabled(db)?;
    clear_overrides(db, &mut body);
    check(&body)?;
    let hook = IncomingWebhook {
        id: db.ids.next(),
        create_at: db.now,
        update_at: db.now,
        user_id,
        channel_id: channel.id,
        team_id: channel.team_id,
        display_name: body.display_name,
        description: body.description,
        username: body.username,
        icon_url: body.icon_url,
        // 11 locks the webhook to its channel unless the user has `bypass_incoming_webhook_channel_lock`.
        channel_locked: body.channel_locked || (db.version.since_11() && whose.is_some()),
    };
    let shape = shape::incoming_webhook(&hook);
    db.incoming_webhooks.push(hook);
    Reply::created(shape)
}

pub(in crate::rest) fn list(db: &mut Database, request: &ApiRequest) -> ApiResult {
    let team = request.query("team_id").unwrap_or_default();
    let whose = match team {
        "" if db.is_admin(&request.user) => None,
        "" => return Err(AppError::forbidden()),
        team => visible_owner(db, &request.user, team)?,
    };
    enabled(db)?;
    if request.query("include_total_count") == Some("true") {
        return Err(AppError::not_served("GET /api/v4/hooks/incoming?include_total_count=true"));
    }
    let hooks = db.incoming_webhooks.iter().filter(|hook| {
        (team.is_empty() || hook.team_id == team) && whose.as_ref().is_none_or(|own| hook.user_id == *own)
    });
    let list: Vec<Value> = hooks.map(shape::incoming_webhook).collect();
    Reply::ok(request.page(list, 60).into())
}

/// The position of the webhook in the path, for those who manage it.
fn find(db: &Database, request: &ApiRequest) -> Result<usize, AppError> {
    let id = request.id("hook_id")?;
    enabled(db)?;
    let at = db.incoming_webhooks.iter().position(|hook| hook.id == id).ok_or_else(missing)?;
    let hook = db.incoming_webhooks.get(at).ok_or_else(missing)?;
    readable_channel(db, request, &hook.channel_id)?;
    check_change(db, &request.user, &hook.team_id, &hook.user_id)?;
    Ok(at)
}

pub(in crate::rest) fn get(db: &mut Database, request: &ApiRequest) -> ApiResult {
    let at = find(db, request)?;
    db.incoming_webhooks.get(at).map(shape::incoming_webhook).ok_or_else(missing).and_then(Reply::ok)
}

/// Answers with 201, as the server does.
pub(in crate::rest) fn update(db: &mut Database, request: &ApiRequest) -> ApiResult {
    let mut body: Body = request.body("incoming_webhook")?;
    if body.id != request.id("hook_id")? {
        return Err(AppError::bad_body("hook_id"));
    }
    let at = find(db, request)?;
    let old = db.incoming_webhooks.get(at).cloned().ok_or_else(missing)?;
    if !body.team_id.is_empty() && body.team_id != old.team_id {
        return Err(AppError::bad(
            "api.webhook.team_mismatch.app_error",
            "Unable to update webhook across teams.",
        ));
    }
    let channel = readable_channel(db, request, &body.channel_id)?;
    if channel.team_id != old.team_id {
        return Err(AppError::bad_body("channel_id"));
    }
    clear_overrides(db, &mut body);
    check(&body)?;
    let locks = db.version.since_11() && !db.may_manage_team(&request.user, &old.team_id);
    let hook = IncomingWebhook {
        update_at: db.now,
        channel_id: channel.id,
        display_name: body.display_name,
        description: body.description,
        username: body.username,
        icon_url: body.icon_url,
        channel_locked: body.channel_locked || locks,
        ..old
    };
    let shape = shape::incoming_webhook(&hook);
    if let Some(known) = db.incoming_webhooks.get_mut(at) {
        *known = hook;
    }
    Reply::created(shape)
}

pub(in crate::rest) fn delete(db: &mut Database, request: &ApiRequest) -> ApiResult {
    let at = find(db, request)?;
    db.incoming_webhooks.remove(at);
    Reply::done()
}

/// What can be sent to a webhook.
#[derive(Deserialize, Default)]
#[serde(default)]
struct Payload {
    text: String,
    username: String,
    icon_url: String,
    channel: String,
    props: Option<Map<String, Value>>,
    attachments: Option<Vec<Attachment>>,
    #[serde(rename = "type")]
    kind: String,
    /// Since 11.8: the thread to post in.
    root_id: String,
}

/// `POST /hooks/{id}`: for anybody who knows the id.
pub(in crate::rest) fn receive(db: &mut Database, request: &ApiRequest) -> ApiResult {
    let id = request.path("incoming_id")?.to_owned();
    let (since_11, kind) = (db.version.since_11(), request.media_type());
    // 11 gives almost all errors the same id, and keeps the status.
    let wrap = |error: AppError| {
        if !since_11 || error.id == UNPAIRED {
            return error;
        }
        let what = format!("payload of media type {kind} for incoming webhook {id}.");
        let (id, message) = if error.id == UNREADABLE {
            ("web.incoming_webhook.decode.app_error", format!("Failed to decode the {what}"))
        } else {
            ("web.incoming_webhook.general.app_error", format!("Failed to handle the {what}"))
        };
        AppError { id, message, ..error }
    };
    let payload = read(kind, &request.body).map_err(wrap)?;
    post(db, &id, payload).map_err(wrap)?;
    Ok(Reply::Text(StatusCode::OK, "ok".to_owned()))
}

const UNREADABLE: &str = "web.incoming_webhook.parse.app_error";
const UNPAIRED: &str = "api.context.invalid_body.app_error";

fn read(kind: &str, body: &[u8]) -> Result<Payload, AppError> {
    let unreadable = |_| AppError::bad(UNREADABLE, "Unable to parse incoming data.");
    match kind {
        "multipart/form-data" => Err(AppError::not_served("multipart bodies of incoming webhooks")),
        "application/x-www-form-urlencoded" => {
            let payload = form_urlencoded::parse(body).find(|(name, _)| name == "payload");
            let json = payload.map(|(_, json)| json.into_owned()).unwrap_or_default();
            serde_json::from_str(&json).map_err(unreadable)
        }
        _ => serde_json::from_slice(body).map_err(unreadable),
    }
}

/// `HandleIncomingWebhook` and `CreateWebhookPost`.
fn post(db: &mut Database, id: &str, payload: Payload) -> Result<(), AppError> {
    if !db.settings.enable_incoming_webhooks {
        return Err(AppError::new(
            StatusCode::NOT_IMPLEMENTED,
            "web.incoming_webhook.disabled.app_error",
            "Incoming webhooks have been disabled by the system admin.",
        ));
    }
    let blocks = db.version.has(Ability::Blocks) && db.settings.mm_blocks_enabled;
    let props = payload.props.as_ref().filter(|_| blocks);
    let drawn = props.and_then(|props| props.get(BLOCKS)?.as_array()).is_some_and(|list| !list.is_empty());
    if payload.text.is_empty() && payload.attachments.as_ref().is_none_or(Vec::is_empty) && !drawn {
        return Err(AppError::bad("web.incoming_webhook.text.app_error", "No text specified."));
    }
    if let Some(problem) = props.and_then(|props| blocks::check(props, &payload.text).err()) {
        return Err(AppError::bad(UNPAIRED, problem));
    }
    let hook = db.incoming_webhooks.iter().find(|hook| hook.id == id).cloned();
    let hook =
        hook.ok_or_else(|| AppError::bad("web.incoming_webhook.invalid.app_error", "Invalid webhook."))?;
    let channel = target_channel(db, &hook, &payload.channel)?;
    if hook.channel_locked && hook.channel_id != channel.id {
        return Err(AppError::new(
            StatusCode::FORBIDDEN,
            "web.incoming_webhook.channel_locked.app_error",
            "This webhook is not permitted to post to the requested channel.",
        ));
    }
    if channel.kind != ChannelKind::Public && !db.may_read(&hook.user_id, &channel.id) {
        return Err(AppError::new(
            StatusCode::FORBIDDEN,
            "web.incoming_webhook.permissions.app_error",
            "Inappropriate channel permissions.",
        ));
    }
    let first = |theirs: String, mine: &str| if theirs.is_empty() { mine.to_owned() } else { theirs };
    let mut props = payload.props.unwrap_or_default();
    props.insert("webhook_display_name".to_owned(), hook.display_name.into());
    let draft = WebhookPost {
        user_id: &hook.user_id,
        channel_id: &channel.id,
        root_id: if db.version.has(Ability::WebhookThreads) { &payload.root_id } else { "" },
        text: markup::to_markdown(db, &payload.text),
        username: first(payload.username, &hook.username),
        icon_url: first(payload.icon_url, &hook.icon_url),
        kind: payload.kind,
        props,
        attachments: markup::in_attachments(db, payload.attachments.unwrap_or_default()),
    };
    webhook::post(db, draft)
}

/// The channel that the payload names, or the channel of the webhook.
fn target_channel(db: &mut Database, hook: &IncomingWebhook, name: &str) -> Result<Channel, AppError> {
    if name.is_empty() {
        let own = db.channel(&hook.channel_id).cloned();
        return own.ok_or_else(|| AppError::no_channel(db.version, &hook.channel_id));
    }
    if let Some(user) = name.strip_prefix('@') {
        let user = db.user_named(user).map(|user| user.id.clone());
        let unknown = || AppError::bad("web.incoming_webhook.user.app_error", "Couldn't find the user.");
        return Ok(db.direct_channel(&hook.user_id, &hook.user_id, &user.ok_or_else(unknown)?));
    }
    let named = db.channel_named(&hook.team_id, name.trim_start_matches('#')).cloned();
    let unknown =
        || AppError::missing("web.incoming_webhook.channel.app_error", "Couldn't find the channel.");
    named.ok_or_else(unknown)
}
