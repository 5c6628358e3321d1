//! `/api/v4/hooks/outgoing`, the same in both versions: `api4/webhook.go`, `app/webhook.go`,
//! `model/outgoing_webhook.go`; `hooks-outgoing-*.http`.

use super::{check_change, visible_owner};
use crate::api::{ApiRequest, ApiResult, Reply};
use crate::app_error::AppError;
use crate::database::Database;
use crate::go::printed_length;
use crate::ids::is_id;
use crate::model::{ChannelKind, OutgoingWebhook, is_http_url};
use crate::shape;
use http::StatusCode;
use serde::Deserialize;
use serde_json::Value;

#[derive(Deserialize, Default)]
#[serde(default)]
struct Body {
    id: String,
    token: String,
    creator_id: String,
    channel_id: String,
    team_id: String,
    trigger_words: Vec<String>,
    trigger_when: u8,
    callback_urls: Vec<String>,
    display_name: String,
    description: String,
    content_type: String,
    username: String,
    icon_url: String,
}

fn missing() -> AppError {
    AppError::missing("app.webhooks.get_outgoing.app_error", "Unable to get the webhook.")
}

fn disabled(status: StatusCode) -> AppError {
    let text = "Outgoing webhooks have been disabled by the system admin.";
    AppError::new(status, "api.outgoing_webhook.disabled.app_error", text)
}

fn enabled(db: &Database) -> Result<(), AppError> {
    if db.settings.enable_outgoing_webhooks { Ok(()) } else { Err(disabled(StatusCode::NOT_IMPLEMENTED)) }
}

/// `OutgoingWebhook.IsValid`.
fn check(body: &Body) -> Result<(), AppError> {
    let rules: [(bool, &'static str, &'static str); 10] = [
        (
            printed_length(&body.trigger_words) > 1024,
            "model.outgoing_hook.is_valid.words.app_error",
            "Invalid trigger words.",
        ),
        (
            body.trigger_words.iter().any(String::is_empty),
            "model.outgoing_hook.is_valid.trigger_words.app_error",
            "Invalid trigger words.",
        ),
        (
            body.callback_urls.is_empty() || printed_length(&body.callback_urls) > 1024,
            "model.outgoing_hook.is_valid.callback.app_error",
            "Invalid callback URLs.",
        ),
        (
            !body.callback_urls.iter().all(|url| is_http_url(url)),
            "model.outgoing_hook.is_valid.url.app_error",
            "Invalid callback URLs. Each must be a valid URL and start with http:// or https://.",
        ),
        (
            body.display_name.len() > 64,
            "model.outgoing_hook.is_valid.display_name.app_error",
            "Invalid title.",
        ),
        (
            body.description.len() > 500,
            "model.outgoing_hook.is_valid.description.app_error",
            "Invalid description.",
        ),
        (
            body.content_type.len() > 128 || body.trigger_when > 1,
            "model.outgoing_hook.is_valid.content_type.app_error",
            "Invalid value for content_type.",
        ),
        (body.username.len() > 64, "model.outgoing_hook.username.app_error", "Invalid username."),
        (body.icon_url.len() > 1024, "model.outgoing_hook.icon_url.app_error", "Invalid icon."),
        (!is_id(&body.team_id), "model.outgoing_hook.is_valid.team_id.app_error", "Invalid team ID."),
    ];
    match rules.into_iter().find(|(broken, ..)| *broken) {
        Some((_, id, message)) => Err(AppError::bad(id, message)),
        None => Ok(()),
    }
}

/// Checks that the channel is public and in the team. Without a channel there must be trigger words.
fn check_channel(db: &Database, body: &Body, is_new: bool) -> Result<(), AppError> {
    if body.channel_id.is_empty() {
        if !body.trigger_words.is_empty() {
            return Ok(());
        }
        let status = if is_new { StatusCode::BAD_REQUEST } else { StatusCode::INTERNAL_SERVER_ERROR };
        return Err(AppError::new(
            status,
            "api.webhook.create_outgoing.triggers.app_error",
            "Either trigger_words or channel_id must be set.",
        ));
    }
    let channel = db.channel(&body.channel_id);
    let channel = channel.ok_or_else(|| AppError::no_channel(db.version, &body.channel_id))?;
    if channel.kind != ChannelKind::Public {
        // The id does not fit the case, but it is what the server answers.
        return Err(if is_new {
            disabled(StatusCode::FORBIDDEN)
        } else {
            AppError::new(
                StatusCode::FORBIDDEN,
                "api.webhook.create_outgoing.not_open.app_error",
                "Outgoing webhooks can only be created for public channels.",
            )
        });
    }
    if channel.team_id != body.team_id {
        return Err(AppError::new(
            StatusCode::FORBIDDEN,
            "api.webhook.create_outgoing.permissions.app_error",
            "Invalid permissions to create outgoing webhook.",
        ));
    }
    Ok(())
}

/// Whether another webhook of the channel has the same trigger word and URL. A webhook without trigger words never has:
/// `hooks-outgoing-create-duplicate.http`.
fn intersects(db: &Database, body: &Body) -> bool {
    db.outgoing_webhooks.iter().any(|hook| {
        hook.team_id == body.team_id
            && hook.channel_id == body.channel_id
            && hook.id != body.id
            && hook.callback_urls.iter().any(|url| body.callback_urls.contains(url))
            && hook.trigger_words.iter().any(|word| body.trigger_words.contains(word))
    })
}

const INTERSECT: &str =
    "Outgoing webhooks from the same channel cannot have the same trigger words/callback URLs.";

impl Body {
    /// Sets what a registration and an update both can set.
    fn write_to(self, hook: &mut OutgoingWebhook) {
        hook.token = self.token;
        hook.channel_id = self.channel_id;
        hook.trigger_words = self.trigger_words;
        hook.trigger_when = self.trigger_when;
        hook.callback_urls = self.callback_urls;
        hook.display_name = self.display_name;
        hook.description = self.description;
        hook.content_type = self.content_type;
        hook.username = self.username;
        hook.icon_url = self.icon_url;
    }
}

pub(in crate::rest) fn create(db: &mut Database, request: &ApiRequest) -> ApiResult {
    let mut body: Body = request.body("outgoing_webhook")?;
    let whose = visible_owner(db, &request.user, &body.team_id)?;
    if body.creator_id.is_empty() {
        body.creator_id.clone_from(&request.user);
    } else {
        if whose.is_some() {
            return Err(AppError::forbidden());
        }
        db.user(&body.creator_id).ok_or_else(AppError::no_user)?;
    }
    enabled(db)?;
    check_channel(db, &body, true)?;
    body.id.clear();
    if intersects(db, &body) {
        return Err(AppError::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "api.webhook.create_outgoing.intersect.app_error",
            INTERSECT,
        ));
    }
    check(&body)?;
    let mut hook = OutgoingWebhook {
        id: db.ids.next(),
        create_at: db.now,
        update_at: db.now,
        creator_id: body.creator_id.clone(),
        team_id: body.team_id.clone(),
        ..OutgoingWebhook::default()
    };
    // A caller can choose the token.
    if body.token.is_empty() {
        body.token = db.ids.next();
    }
    body.write_to(&mut hook);
    let shape = shape::outgoing_webhook(&hook);
    db.outgoing_webhooks.push(hook);
    Reply::created(shape)
}

/// The webhooks of a channel, of a team, or of the whole server; in pages.
pub(in crate::rest) fn list(db: &mut Database, request: &ApiRequest) -> ApiResult {
    let (channel, team) =
        (request.query("channel_id").unwrap_or_default(), request.query("team_id").unwrap_or_default());
    let whose = if !channel.is_empty() {
        visible_owner(db, &request.user, db.channel(channel).map_or("", |channel| &channel.team_id))?
    } else if !team.is_empty() {
        visible_owner(db, &request.user, team)?
    } else if db.is_admin(&request.user) {
        None
    } else {
        return Err(AppError::forbidden());
    };
    enabled(db)?;
    let hooks = db.outgoing_webhooks.iter().filter(|hook| {
        (channel.is_empty() || hook.channel_id == channel)
            && (!channel.is_empty() || team.is_empty() || hook.team_id == team)
            && whose.as_ref().is_none_or(|own| hook.creator_id == *own)
    });
    let list: Vec<Value> = hooks.map(shape::outgoing_webhook).collect();
    Reply::ok(request.page(list, 60).into())
}

/// The position of the webhook in the path, for those who manage it.
fn find(db: &Database, request: &ApiRequest) -> Result<usize, AppError> {
    let id = request.id("hook_id")?;
    enabled(db)?;
    let at = db.outgoing_webhooks.iter().position(|hook| hook.id == id).ok_or_else(missing)?;
    let hook = db.outgoing_webhooks.get(at).ok_or_else(missing)?;
    check_change(db, &request.user, &hook.team_id, &hook.creator_id)?;
    Ok(at)
}

pub(in crate::rest) fn get(db: &mut Database, request: &ApiRequest) -> ApiResult {
    let at = find(db, request)?;
    db.outgoing_webhooks.get(at).map(shape::outgoing_webhook).ok_or_else(missing).and_then(Reply::ok)
}

/// Replaces the webhook with its token: an update without a token leaves a webhook without one.
pub(in crate::rest) fn update(db: &mut Database, request: &ApiRequest) -> ApiResult {
    let mut body: Body = request.body("outgoing_webhook")?;
    if body.id != request.id("hook_id")? {
        return Err(AppError::bad_body("hook_id"));
    }
    let at = find(db, request)?;
    let old = db.outgoing_webhooks.get(at).cloned().ok_or_else(missing)?;
    if body.team_id.is_empty() {
        body.team_id.clone_from(&old.team_id);
    }
    if body.team_id != old.team_id {
        return Err(AppError::bad(
            "api.webhook.team_mismatch.app_error",
            "Unable to update webhook across teams.",
        ));
    }
    check_channel(db, &body, false)?;
    if intersects(db, &body) {
        return Err(AppError::bad("api.webhook.update_outgoing.intersect.app_error", INTERSECT));
    }
    let mut hook = OutgoingWebhook { update_at: db.now, ..old };
    body.write_to(&mut hook);
    let shape = shape::outgoing_webhook(&hook);
    if let Some(known) = db.outgoing_webhooks.get_mut(at) {
        *known = hook;
    }
    Reply::ok(shape)
}

pub(in crate::rest) fn delete(db: &mut Database, request: &ApiRequest) -> ApiResult {
    let at = find(db, request)?;
    db.outgoing_webhooks.remove(at);
    Reply::done()
}

pub(in crate::rest) fn regenerate_token(db: &mut Database, request: &ApiRequest) -> ApiResult {
    let at = find(db, request)?;
    let (token, now) = (db.ids.next(), db.now);
    let hook = db.outgoing_webhooks.get_mut(at).ok_or_else(missing)?;
    hook.token = token;
    hook.update_at = now;
    Reply::ok(shape::outgoing_webhook(hook))
}
