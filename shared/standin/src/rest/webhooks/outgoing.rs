//! `/api/v4/hooks/outgoing`: `api4/webhook.go`, `app/webhook.go`, `model/outgoing_webhook.go`, the same in both
//! versions. `hooks-outgoing-*.http`

use super::{is_http_url, may_change, printed, seen};
use crate::error::AppError;
use crate::rest::{Answer, Ask, Reply, channels, users};
use crate::shape;
use crate::world::{ChannelKind, OutgoingWebhook, World};
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
    // What the server says when the catalogue of texts has none is the id.
    AppError::missing("app.webhooks.get_outgoing.app_error", "Unable to get the webhook.")
}

fn disabled(status: StatusCode) -> AppError {
    let text = "Outgoing webhooks have been disabled by the system admin.";
    AppError::new(status, "api.outgoing_webhook.disabled.app_error", text)
}

fn enabled(world: &World) -> Result<(), AppError> {
    if world.settings.enable_outgoing_webhooks { Ok(()) } else { Err(disabled(StatusCode::NOT_IMPLEMENTED)) }
}

/// `OutgoingWebhook.IsValid`.
fn check(body: &Body) -> Result<(), AppError> {
    let rules: [(bool, &'static str, &'static str); 10] = [
        (
            printed(&body.trigger_words) > 1024,
            "model.outgoing_hook.is_valid.words.app_error",
            "Invalid trigger words.",
        ),
        (
            body.trigger_words.iter().any(String::is_empty),
            "model.outgoing_hook.is_valid.trigger_words.app_error",
            "Invalid trigger words.",
        ),
        (
            body.callback_urls.is_empty() || printed(&body.callback_urls) > 1024,
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
        (
            !crate::ids::is_id(&body.team_id),
            "model.outgoing_hook.is_valid.team_id.app_error",
            "Invalid team ID.",
        ),
    ];
    match rules.into_iter().find(|(broken, ..)| *broken) {
        Some((_, id, message)) => Err(AppError::bad(id, message)),
        None => Ok(()),
    }
}

/// The channel must be public and in the team; without one there must be trigger words.
fn check_place(world: &World, body: &Body, is_new: bool) -> Result<(), AppError> {
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
    let channel = world.channel(&body.channel_id);
    let channel = channel.ok_or_else(|| channels::missing(world, &body.channel_id))?;
    if channel.kind != ChannelKind::Public {
        // The misleading id is the server's.
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

/// Whether another webhook of the channel has a trigger word and a URL in common. Without trigger words none
/// has: `hooks-outgoing-create-duplicate.http`.
fn intersects(world: &World, body: &Body) -> bool {
    world.outgoing_webhooks.iter().any(|hook| {
        hook.team_id == body.team_id
            && hook.channel_id == body.channel_id
            && hook.id != body.id
            && hook.callback_urls.iter().any(|url| body.callback_urls.contains(url))
            && hook.trigger_words.iter().any(|word| body.trigger_words.contains(word))
    })
}

const INTERSECT: &str =
    "Outgoing webhooks from the same channel cannot have the same trigger words/callback URLs.";

pub(in crate::rest) fn create(world: &mut World, ask: &Ask) -> Answer {
    let mut body: Body = ask.body("outgoing_webhook")?;
    let whose = seen(world, &ask.user, &body.team_id)?;
    if body.creator_id.is_empty() {
        body.creator_id.clone_from(&ask.user);
    } else {
        if whose.is_some() {
            return Err(AppError::forbidden());
        }
        world.user(&body.creator_id).ok_or_else(users::missing)?;
    }
    enabled(world)?;
    check_place(world, &body, true)?;
    body.id.clear();
    if intersects(world, &body) {
        return Err(AppError::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "api.webhook.create_outgoing.intersect.app_error",
            INTERSECT,
        ));
    }
    check(&body)?;
    let hook = OutgoingWebhook {
        id: world.ids.next(),
        // Whoever registers may bring a token of his own.
        token: if body.token.is_empty() { world.ids.next() } else { body.token },
        create_at: world.now,
        update_at: world.now,
        creator_id: body.creator_id,
        channel_id: body.channel_id,
        team_id: body.team_id,
        trigger_words: body.trigger_words,
        trigger_when: body.trigger_when,
        callback_urls: body.callback_urls,
        display_name: body.display_name,
        description: body.description,
        content_type: body.content_type,
        username: body.username,
        icon_url: body.icon_url,
    };
    let shape = shape::outgoing_webhook(&hook);
    world.outgoing_webhooks.push(hook);
    Reply::created(shape)
}

/// Of a channel, of a team, or of the whole server; in pages.
pub(in crate::rest) fn list(world: &mut World, ask: &Ask) -> Answer {
    let (channel, team) =
        (ask.query("channel_id").unwrap_or_default(), ask.query("team_id").unwrap_or_default());
    let whose = if !channel.is_empty() {
        seen(world, &ask.user, world.channel(channel).map_or("", |channel| &channel.team_id))?
    } else if !team.is_empty() {
        seen(world, &ask.user, team)?
    } else if world.is_admin(&ask.user) {
        None
    } else {
        return Err(AppError::forbidden());
    };
    enabled(world)?;
    let hooks = world.outgoing_webhooks.iter().filter(|hook| {
        (channel.is_empty() || hook.channel_id == channel)
            && (!channel.is_empty() || team.is_empty() || hook.team_id == team)
            && whose.as_ref().is_none_or(|own| hook.creator_id == *own)
    });
    let list: Vec<Value> = hooks.map(shape::outgoing_webhook).collect();
    Reply::ok(ask.page(list, 60).into())
}

/// Where the webhook in the path stands, for those who manage it.
fn find(world: &World, ask: &Ask) -> Result<usize, AppError> {
    let id = ask.id("hook_id")?;
    enabled(world)?;
    let at = world.outgoing_webhooks.iter().position(|hook| hook.id == id).ok_or_else(missing)?;
    let hook = world.outgoing_webhooks.get(at).ok_or_else(missing)?;
    may_change(world, &ask.user, &hook.team_id, &hook.creator_id)?;
    Ok(at)
}

pub(in crate::rest) fn get(world: &mut World, ask: &Ask) -> Answer {
    let at = find(world, ask)?;
    world.outgoing_webhooks.get(at).map(shape::outgoing_webhook).ok_or_else(missing).and_then(Reply::ok)
}

/// The whole webhook, its token too: whoever leaves that out has a webhook without one.
pub(in crate::rest) fn update(world: &mut World, ask: &Ask) -> Answer {
    let mut body: Body = ask.body("outgoing_webhook")?;
    if body.id != ask.id("hook_id")? {
        return Err(AppError::bad_body("hook_id"));
    }
    let at = find(world, ask)?;
    let old = world.outgoing_webhooks.get(at).cloned().ok_or_else(missing)?;
    if body.team_id.is_empty() {
        body.team_id.clone_from(&old.team_id);
    }
    if body.team_id != old.team_id {
        return Err(AppError::bad(
            "api.webhook.team_mismatch.app_error",
            "Unable to update webhook across teams.",
        ));
    }
    check_place(world, &body, false)?;
    if intersects(world, &body) {
        return Err(AppError::bad("api.webhook.update_outgoing.intersect.app_error", INTERSECT));
    }
    let hook = OutgoingWebhook {
        token: body.token,
        update_at: world.now,
        channel_id: body.channel_id,
        trigger_words: body.trigger_words,
        trigger_when: body.trigger_when,
        callback_urls: body.callback_urls,
        display_name: body.display_name,
        description: body.description,
        content_type: body.content_type,
        username: body.username,
        icon_url: body.icon_url,
        ..old
    };
    let shape = shape::outgoing_webhook(&hook);
    if let Some(known) = world.outgoing_webhooks.get_mut(at) {
        *known = hook;
    }
    Reply::ok(shape)
}

pub(in crate::rest) fn delete(world: &mut World, ask: &Ask) -> Answer {
    let at = find(world, ask)?;
    world.outgoing_webhooks.remove(at);
    Reply::done()
}

pub(in crate::rest) fn regenerate_token(world: &mut World, ask: &Ask) -> Answer {
    let at = find(world, ask)?;
    let (token, now) = (world.ids.next(), world.now);
    let hook = world.outgoing_webhooks.get_mut(at).ok_or_else(missing)?;
    hook.token = token;
    hook.update_at = now;
    Reply::ok(shape::outgoing_webhook(hook))
}
