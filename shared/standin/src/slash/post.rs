//! Posts the answer to a slash command.

use super::response::CommandResponse;
use crate::app_error::AppError;
use crate::blocks::ACTIONS;
use crate::database::Database;
use crate::markup;
use crate::model::{Command, Post};
use crate::version::Ability;
use http::StatusCode;

/// Where an answer is posted if it does not name another channel.
pub(super) struct Place<'a> {
    pub user: &'a str,
    pub channel: &'a str,
    pub root: &'a str,
}

/// Posts the answer and its extra answers; if one fails, the others are still posted: `HandleCommandResponse`.
pub(super) fn post_all(
    db: &mut Database,
    command: &Command,
    place: &Place<'_>,
    trigger: &str,
    response: &mut CommandResponse,
) -> Result<(), AppError> {
    let mut result = post_one(db, command, place, response);
    for extra in response.extra_responses.iter_mut().flatten() {
        result = post_one(db, command, place, extra).and(result);
    }
    result.map_err(|cause| {
        tracing::info!(cause = cause.id, trigger, "the answer could not be posted");
        AppError::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "api.command.execute_command.create_post_failed.app_error",
            format!("Command '{trigger}' failed to post response. Please contact your System Administrator."),
        )
    })
}

/// Posts one answer: `HandleCommandResponsePost` and `CreateCommandPost`.
fn post_one(
    db: &mut Database,
    command: &Command,
    place: &Place<'_>,
    response: &mut CommandResponse,
) -> Result<(), AppError> {
    let mut post = Post::draft(place.user, place.channel, place.root, "");
    post.kind.clone_from(&response.kind);
    post.props = response.props.clone().unwrap_or_default();
    // The post is the user's own, and a user may not bring actions. An ephemeral post hides them in a cookie.
    if response.is_in_channel() && db.version.has(Ability::BlockActions) {
        post.props.remove(ACTIONS);
    }
    if !response.channel_id.is_empty() {
        if db.channel_member(&response.channel_id, place.user).is_none() {
            return Err(AppError::new(
                StatusCode::FORBIDDEN,
                "api.command.command_post.forbidden.app_error",
                "Specified user is not a member of specified channel.",
            ));
        }
        post.channel_id.clone_from(&response.channel_id);
    }
    let first = |mine: &str, theirs: &str| if mine.is_empty() { theirs.into() } else { String::from(mine) };
    if db.settings.enable_post_username_override {
        let name = first(&command.username, &response.username);
        if !name.is_empty() {
            post.props.insert("override_username".to_owned(), name.into());
        }
    }
    if db.settings.enable_post_icon_override {
        let icon = first(&command.icon_url, &response.icon_url);
        if !icon.is_empty() || db.version.since_11() {
            post.props.insert("override_icon_url".to_owned(), icon.into());
        }
    }
    post.props.insert("from_webhook".to_owned(), "true".into());
    if !response.skip_slack_parsing {
        response.text = markup::to_markdown(db, &response.text);
        let attachments = response.attachments.take();
        response.attachments = attachments.map(|list| markup::in_attachments(db, list));
    }
    // The server does this even if the answer says `skip_slack_parsing`.
    markup::links_in_attachments(response.attachments.as_deref_mut().unwrap_or_default());
    post.message.clone_from(&response.text);
    if post.kind.starts_with("system_") {
        return Err(AppError::bad("api.context.invalid_param.app_error", "Invalid type parameter."));
    }
    let in_channel = response.is_in_channel();
    if let Some(attachments) = response.attachments.as_mut() {
        for attachment in attachments.iter_mut() {
            attachment.add_action_ids(&mut db.ids);
        }
        if post.kind.is_empty() {
            "slack_attachment".clone_into(&mut post.kind);
        }
        post.attachments.clone_from(attachments);
    }
    let empty = post.message.is_empty() && post.attachments.is_empty();
    if empty {
        return Ok(());
    }
    if in_channel {
        db.add_post_for_webhooks(post)?;
    } else if response.response_type.is_empty() || response.response_type == "ephemeral" {
        let shown = db.add_ephemeral(place.user, post);
        // The client gets the answer too, and finds the cookies there: `commands-execute-ephemeral.http`.
        if let Some(attachments) = response.attachments.as_mut() {
            *attachments = shown.attachments;
        }
    }
    Ok(())
}
