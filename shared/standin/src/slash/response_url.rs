//! Answers to a slash command that come later, by `response_url`: `HandleCommandWebhook` in `app/command.go`. Anybody
//! who knows the id can answer, in the name of the user who typed the command.

use super::post::{Place, post_all};
use super::response::CommandResponse;
use crate::api::{ApiRequest, ApiResult, Reply};
use crate::app_error::AppError;
use crate::database::Database;
use crate::model::{Millis, ResponseHook};
use http::StatusCode;

/// How long a `response_url` works: `CommandWebhookLifetime`.
const LIFETIME: Millis = 30 * 60 * 1000;
/// How often a `response_url` works: `TryUse(hook.Id, 5)`.
const USES: u32 = 5;

/// Adds a new `response_url`, and removes those that no longer work, because a server can run for days.
pub(super) fn add(db: &mut Database, hook: ResponseHook) {
    let now = db.now;
    db.response_hooks.retain(|hook| now < hook.create_at + LIFETIME);
    db.response_hooks.push(hook);
}

/// `POST /hooks/commands/{id}`: `response-url-*.http`
pub(crate) fn respond_later(db: &mut Database, request: &ApiRequest) -> ApiResult {
    let id = request.path("hook_id")?.to_owned();
    let mut response =
        CommandResponse::read(request.content_type.as_deref(), &request.body).map_err(|_| {
            AppError::bad(
                "web.command_webhook.parse.app_error",
                format!("Unable to parse incoming data for webhook {id}."),
            )
        })?;
    let since_11 = db.version.since_11();
    // 11 gives all errors the same id, and keeps the status.
    let wrap = |error: AppError| {
        if !since_11 {
            return error;
        }
        AppError {
            id: "web.command_webhook.general.app_error",
            message: format!("Failed to handle command webhook {id}."),
            ..error
        }
    };
    let now = db.now;
    let known = db.response_hooks.iter_mut().find(|hook| hook.id == id && now < hook.create_at + LIFETIME);
    let Some(hook) = known else {
        return Err(wrap(AppError::missing("app.command_webhook.get.missing", "Unable to get the webhook.")));
    };
    let command = db.commands.iter().find(|command| command.id == hook.command_id).cloned();
    let Some(command) = command else {
        let gone = AppError::bad("web.command_webhook.command.app_error", "Couldn't find the command.");
        return Err(wrap(gone));
    };
    if hook.uses >= USES {
        return Err(wrap(AppError::bad("app.command_webhook.try_use.invalid", "Invalid webhook.")));
    }
    // The use counts even if the post then fails.
    hook.uses += 1;
    let hook = hook.clone();
    let place = Place { user: &hook.user_id, channel: &hook.channel_id, root: &hook.root_id };
    // The server does not know the trigger here, so the text of an error has an empty one.
    post_all(db, &command, &place, "", &mut response).map_err(wrap)?;
    Ok(Reply::Text(StatusCode::OK, "ok".to_owned()))
}
