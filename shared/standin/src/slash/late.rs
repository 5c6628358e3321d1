//! Answers that come later, by `response_url`: `HandleCommandWebhook` in `app/command.go`. Whoever knows the id may
//! answer, in the name of who typed the command.

use super::answer::CommandResponse;
use super::{Place, show};
use crate::error::AppError;
use crate::rest::{Answer, Ask, Reply};
use crate::world::{Millis, ResponseHook, World};
use http::StatusCode;

/// How long a `response_url` works: `CommandWebhookLifetime`.
const LIFETIME: Millis = 30 * 60 * 1000;
/// How often: `TryUse(hook.Id, 5)`.
const USES: u32 = 5;

/// Keeps a new one. Those that no longer work only take room in a server that runs for days.
pub(super) fn keep(world: &mut World, hook: ResponseHook) {
    let now = world.now;
    world.hooks.retain(|hook| now < hook.create_at + LIFETIME);
    world.hooks.push(hook);
}

/// `POST /hooks/commands/{id}`: an answer that comes later. Recorded: `response-url-*.http`.
pub(crate) fn respond_later(world: &mut World, ask: &Ask) -> Answer {
    let id = ask.path("hook_id")?.to_owned();
    let mut response = CommandResponse::read(ask.content_type.as_deref(), &ask.body).map_err(|_| {
        AppError::bad(
            "web.command_webhook.parse.app_error",
            format!("Unable to parse incoming data for webhook {id}."),
        )
    })?;
    let eleven = world.version.is_11();
    // 11 hides why behind one id and keeps the status.
    let wrap = |error: AppError| {
        if !eleven {
            return error;
        }
        AppError {
            id: "web.command_webhook.general.app_error",
            message: format!("Failed to handle command webhook {id}."),
            ..error
        }
    };
    let now = world.now;
    let known = world.hooks.iter_mut().find(|hook| hook.id == id && now < hook.create_at + LIFETIME);
    let Some(hook) = known else {
        return Err(wrap(AppError::missing("app.command_webhook.get.missing", "Unable to get the webhook.")));
    };
    let command = world.commands.iter().find(|command| command.id == hook.command_id).cloned();
    let Some(command) = command else {
        let gone = AppError::bad("web.command_webhook.command.app_error", "Couldn't find the command.");
        return Err(wrap(gone));
    };
    if hook.uses >= USES {
        return Err(wrap(AppError::bad("app.command_webhook.try_use.invalid", "Invalid webhook.")));
    }
    // Counted even if the post then fails.
    hook.uses += 1;
    let hook = hook.clone();
    let place = Place { user: &hook.user_id, channel: &hook.channel_id, root: &hook.root_id };
    // The server knows no trigger here and says so in the error's text.
    show(world, &command, &place, "", &mut response).map_err(wrap)?;
    Ok(Reply::Text(StatusCode::OK, "ok".to_owned()))
}
