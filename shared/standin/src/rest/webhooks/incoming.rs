//! `/api/v4/hooks/incoming`, and `/hooks/{id}` by which they are used: `api4/webhook.go`, `web/webhook.go`,
//! `app/webhook.go`. `hooks-incoming-*.http`

use super::{may_change, seen};
use crate::action::attachment::Attachment;
use crate::error::AppError;
use crate::markup;
use crate::rest::{Answer, Ask, Reply, channels, users};
use crate::shape;
use crate::webhook::{self, WebhookPost};
use crate::world::{Channel, ChannelKind, IncomingWebhook, World};
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

fn enabled(world: &World) -> Result<(), AppError> {
    if world.settings.enable_incoming_webhooks {
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

/// The channel that a webhook posts to, for a caller who may read it.
fn place(world: &World, ask: &Ask, channel_id: &str) -> Result<Channel, AppError> {
    let channel = world.channel(channel_id).ok_or_else(|| channels::missing(world, channel_id))?;
    let open = channel.kind == ChannelKind::Public && !world.version.is_11();
    let readable = open || world.may_see_channel(&ask.user, channel);
    if readable { Ok(channel.clone()) } else { Err(AppError::forbidden()) }
}

/// Names and pictures are kept only where they may be overridden.
fn overridden(world: &World, body: &mut Body) {
    if !world.settings.enable_post_username_override {
        body.username.clear();
    }
    if !world.settings.enable_post_icon_override {
        body.icon_url.clear();
    }
}

pub(in crate::rest) fn create(world: &mut World, ask: &Ask) -> Answer {
    let mut body: Body = ask.body("incoming_webhook")?;
    let team = world.channel(&body.channel_id).map(|channel| channel.team_id.clone());
    let team = team.ok_or_else(|| channels::missing(world, &body.channel_id))?;
    let whose = seen(world, &ask.user, &team)?;
    let channel = place(world, ask, &body.channel_id)?;
    let mut user_id = ask.user.clone();
    if !body.user_id.is_empty() && body.user_id != ask.user {
        if whose.is_some() {
            return Err(AppError::forbidden());
        }
        world.user(&body.user_id).ok_or_else(users::missing)?;
        user_id.clone_from(&body.user_id);
    }
    enabled(world)?;
    overridden(world, &mut body);
    check(&body)?;
    let hook = IncomingWebhook {
        id: world.ids.next(),
        create_at: world.now,
        update_at: world.now,
        user_id,
        channel_id: channel.id,
        team_id: channel.team_id,
        display_name: body.display_name,
        description: body.description,
        username: body.username,
        icon_url: body.icon_url,
        // 11 locks those of who may not bypass it: `bypass_incoming_webhook_channel_lock`.
        channel_locked: body.channel_locked || (world.version.is_11() && whose.is_some()),
    };
    let shape = shape::incoming_webhook(&hook);
    world.incoming_webhooks.push(hook);
    Reply::created(shape)
}

pub(in crate::rest) fn list(world: &mut World, ask: &Ask) -> Answer {
    let team = ask.query("team_id").unwrap_or_default();
    let whose = match team {
        "" if world.is_admin(&ask.user) => None,
        "" => return Err(AppError::forbidden()),
        team => seen(world, &ask.user, team)?,
    };
    enabled(world)?;
    if ask.query("include_total_count") == Some("true") {
        return Err(AppError::not_served("GET /api/v4/hooks/incoming?include_total_count=true"));
    }
    let hooks = world.incoming_webhooks.iter().filter(|hook| {
        (team.is_empty() || hook.team_id == team) && whose.as_ref().is_none_or(|own| hook.user_id == *own)
    });
    let list: Vec<Value> = hooks.map(shape::incoming_webhook).collect();
    Reply::ok(ask.page(list, 60).into())
}

/// Where the webhook in the path stands, for those who manage it.
fn find(world: &World, ask: &Ask) -> Result<usize, AppError> {
    let id = ask.id("hook_id")?;
    enabled(world)?;
    let at = world.incoming_webhooks.iter().position(|hook| hook.id == id).ok_or_else(missing)?;
    let hook = world.incoming_webhooks.get(at).ok_or_else(missing)?;
    place(world, ask, &hook.channel_id)?;
    may_change(world, &ask.user, &hook.team_id, &hook.user_id)?;
    Ok(at)
}

pub(in crate::rest) fn get(world: &mut World, ask: &Ask) -> Answer {
    let at = find(world, ask)?;
    world.incoming_webhooks.get(at).map(shape::incoming_webhook).ok_or_else(missing).and_then(Reply::ok)
}

/// Answers 201, as the server does.
pub(in crate::rest) fn update(world: &mut World, ask: &Ask) -> Answer {
    let mut body: Body = ask.body("incoming_webhook")?;
    if body.id != ask.id("hook_id")? {
        return Err(AppError::bad_body("hook_id"));
    }
    let at = find(world, ask)?;
    let old = world.incoming_webhooks.get(at).cloned().ok_or_else(missing)?;
    if !body.team_id.is_empty() && body.team_id != old.team_id {
        return Err(AppError::bad(
            "api.webhook.team_mismatch.app_error",
            "Unable to update webhook across teams.",
        ));
    }
    let channel = place(world, ask, &body.channel_id)?;
    if channel.team_id != old.team_id {
        return Err(AppError::bad_body("channel_id"));
    }
    overridden(world, &mut body);
    check(&body)?;
    let locks = world.version.is_11() && !world.may_manage_team(&ask.user, &old.team_id);
    let hook = IncomingWebhook {
        update_at: world.now,
        channel_id: channel.id,
        display_name: body.display_name,
        description: body.description,
        username: body.username,
        icon_url: body.icon_url,
        channel_locked: body.channel_locked || locks,
        ..old
    };
    let shape = shape::incoming_webhook(&hook);
    if let Some(known) = world.incoming_webhooks.get_mut(at) {
        *known = hook;
    }
    Reply::created(shape)
}

pub(in crate::rest) fn delete(world: &mut World, ask: &Ask) -> Answer {
    let at = find(world, ask)?;
    world.incoming_webhooks.remove(at);
    Reply::done()
}

/// What may be sent to a webhook.
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
}

/// `POST /hooks/{id}`: anybody who knows the id.
pub(in crate::rest) fn use_it(world: &mut World, ask: &Ask) -> Answer {
    let id = ask.path("incoming_id")?.to_owned();
    let kind = ask.content_type.as_deref().unwrap_or_default().split(';').next().unwrap_or_default().trim();
    let (eleven, kind) = (world.version.is_11(), kind.to_owned());
    // 11 hides why behind one id and keeps the status.
    let wrap = |error: AppError| {
        if !eleven {
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
    let payload = read(&kind, &ask.body).map_err(wrap)?;
    deliver(world, &id, payload).map_err(wrap)?;
    Ok(Reply::Text(StatusCode::OK, "ok".to_owned()))
}

const UNREADABLE: &str = "web.incoming_webhook.parse.app_error";

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
fn deliver(world: &mut World, id: &str, payload: Payload) -> Result<(), AppError> {
    if !world.settings.enable_incoming_webhooks {
        return Err(AppError::new(
            StatusCode::NOT_IMPLEMENTED,
            "web.incoming_webhook.disabled.app_error",
            "Incoming webhooks have been disabled by the system admin.",
        ));
    }
    if payload.text.is_empty() && payload.attachments.as_ref().is_none_or(Vec::is_empty) {
        return Err(AppError::bad("web.incoming_webhook.text.app_error", "No text specified."));
    }
    let hook = world.incoming_webhooks.iter().find(|hook| hook.id == id).cloned();
    let hook =
        hook.ok_or_else(|| AppError::bad("web.incoming_webhook.invalid.app_error", "Invalid webhook."))?;
    let channel = target(world, &hook, &payload.channel)?;
    if hook.channel_locked && hook.channel_id != channel.id {
        return Err(AppError::new(
            StatusCode::FORBIDDEN,
            "web.incoming_webhook.channel_locked.app_error",
            "This webhook is not permitted to post to the requested channel.",
        ));
    }
    if channel.kind != ChannelKind::Public && !world.may_read(&hook.user_id, &channel.id) {
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
        root_id: "",
        text: markup::to_markdown(world, &payload.text),
        username: first(payload.username, &hook.username),
        icon_url: first(payload.icon_url, &hook.icon_url),
        kind: payload.kind,
        props,
        attachments: markup::in_attachments(world, payload.attachments.unwrap_or_default()),
    };
    webhook::post(world, draft)
}

/// The channel that the payload names, or the webhook's own.
fn target(world: &mut World, hook: &IncomingWebhook, name: &str) -> Result<Channel, AppError> {
    if name.is_empty() {
        let own = world.channel(&hook.channel_id).cloned();
        return own.ok_or_else(|| channels::missing(world, &hook.channel_id));
    }
    if let Some(user) = name.strip_prefix('@') {
        let user = world.user_named(user).map(|user| user.id.clone());
        let unknown = || AppError::bad("web.incoming_webhook.user.app_error", "Couldn't find the user.");
        return Ok(world.direct_channel(&hook.user_id, &hook.user_id, &user.ok_or_else(unknown)?));
    }
    let named = world.channel_named(&hook.team_id, name.trim_start_matches('#')).cloned();
    let unknown =
        || AppError::missing("web.incoming_webhook.channel.app_error", "Couldn't find the channel.");
    named.ok_or_else(unknown)
}
