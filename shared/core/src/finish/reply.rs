//! Messages for one user beside the answer: to the `response_url` of a slash command, else as a direct message of the bot
//! (section 14.2, *Reply*).

use super::{
    Message,
    confirm::BotActions,
    layout::{Layout, Stage, Unsent},
    mentions::Mentions,
    text::{POST_LIMIT, with_note},
};
use crate::{
    finish::{
        actions::Audience,
        blocks::{self, Rendered, ServerAbilities},
    },
    http::LogLine,
};
use cloud_apps_protocol::UserId;
use serde::Serialize;

/// What is sent to a `response_url`.
#[derive(Serialize)]
pub(super) struct ReplyBody<'a> {
    response_type: &'static str,
    text: &'a str,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    attachments: &'a [cloud_apps_protocol::Attachment],
    skip_slack_parsing: bool,
}

/// Sends a message to the acting user alone, with a note under it. Where there is a `response_url`, it is tried first; whatever it
/// answers, nothing is lost, because a direct message of the bot follows.
pub(super) async fn send(
    stage: &Stage<'_>,
    layout: &mut Layout,
    user: &UserId,
    note: &str,
    line: &mut LogLine,
) -> Result<(), Unsent> {
    if let Some(reply) = &stage.surface.reply {
        let audience = audience(stage, user, true);
        let rendered = layout.rendered(stage, &audience, ServerAbilities::ephemeral()).await?;
        let text = text(&layout.message, note, POST_LIMIT);
        let body = ReplyBody {
            response_type: "ephemeral",
            text: &text,
            attachments: &rendered.attachments,
            skip_slack_parsing: true,
        };
        match stage.bot.reply(reply, &body).await {
            Ok(()) => return Ok(()),
            Err(error) => line.failed(&error),
        }
    }
    let rendered = layout.rendered(stage, &audience(stage, user, false), stage.bot.server()).await?;
    let text = text(&layout.message, note, stage.bot.server().post);
    direct_message(stage.bot, user, &text, &rendered).await
}

fn audience(stage: &Stage<'_>, user: &UserId, ephemeral: bool) -> Audience {
    // A reply is shown where the request came from; a direct message is not.
    let surface = stage.surface;
    Audience::User {
        user: user.clone(),
        ephemeral,
        channel: surface.channel.clone().filter(|_| ephemeral),
        root: surface.root.as_ref().map(ToString::to_string).filter(|_| ephemeral),
    }
}

async fn direct_message(
    bot: &BotActions,
    user: &UserId,
    text: &str,
    rendered: &Rendered,
) -> Result<(), Unsent> {
    let channel = bot.direct(user).await?;
    bot.post(&channel, None, text, blocks::props(rendered)).await?;
    Ok(())
}

/// The text of a message with a note, in at most so many characters.
fn text(message: &Message, note: &str, limit: usize) -> String {
    with_note(&message.text, note, limit, Mentions::of(message.notify))
}
