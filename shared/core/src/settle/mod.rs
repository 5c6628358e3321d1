//! What the bundle does with an app's answer before any dialect renders it (section 4): mentions are made quiet,
//! what this version cannot show is said so, and a message to the channel is posted by the bot.

mod attachment;
mod post;
pub mod text;

use crate::log::LogLine;
use cloud_app::Mattermost;
use cloud_apps_protocol::{
    Answer, ChannelId, PostId,
    answer::{Kind, Message, To},
    command::{Bot, Context},
    limits,
};

/// Where a request's answers are posted, and by whom.
pub struct Place {
    channel: Option<ChannelId>,
    root: Option<PostId>,
    bot: Bot,
    mattermost: Mattermost,
}

impl Place {
    /// The request's channel and thread, and the bot with its client.
    pub fn new(context: &Context, bot: &Bot, mattermost: Mattermost) -> Self {
        Self {
            channel: context.channel.as_ref().map(|channel| channel.id.clone()),
            root: context.root_post.as_ref().map(|post| post.id.clone()),
            bot: bot.clone(),
            mattermost,
        }
    }
}

/// Settles an answer: what comes out is shown as it is, in any dialect.
pub async fn settle(answer: Answer, place: &Place, line: &mut LogLine) -> Answer {
    let Answer { kind, mut warnings } = answer;
    let kind = match kind {
        Kind::Message(message) => {
            let message = presentable(message, &mut warnings);
            match message.to {
                To::User => Kind::Message(shortened(message, "")),
                To::Channel => post::post(message, place, line).await,
            }
        }
        Kind::Navigate { url } if !is_address(&url) => error(
            "The app wanted to open something that is no address, so nothing was opened. Tell an admin.",
        ),
        Kind::Form { .. } => error(
            "This opens a form, which this version of the bundle cannot do. Add the values to the command.",
        ),
        Kind::Ask { .. } => error(
            "This starts a conversation, which this version of the bundle cannot do. Add the values to the command.",
        ),
        kind @ (Kind::Navigate { .. } | Kind::Accepted { .. } | Kind::Error { .. } | Kind::Done) => kind,
    };
    Answer { kind, warnings }
}

/// An ephemeral message with a note under it; what is too long is cut, the note is not.
fn shortened(mut message: Message, note: &str) -> Message {
    message.text = text::with_note(&message.text, note, text::POST_LIMIT);
    message
}

fn error(text: &str) -> Kind {
    Kind::Error { text: text.into(), fields: std::collections::BTreeMap::new() }
}

/// The message as it may be shown: attachments without what only a sealed action may hold, no loud mention.
fn presentable(mut message: Message, warnings: &mut Vec<String>) -> Message {
    let mut actions = false;
    message.attachments = message.attachments.iter().map(|a| attachment::shown(a, &mut actions)).collect();
    if actions {
        warnings.push("This version of the bundle shows no buttons and menus: they were left out.".into());
    }
    if message.attachments.len() > limits::ATTACHMENTS {
        message.attachments.truncate(limits::ATTACHMENTS);
        warnings.push(format!("Only the first {} attachments are shown.", limits::ATTACHMENTS));
    }
    if !message.notify {
        message.text = text::quiet(&message.text);
        message.attachments.iter_mut().for_each(text::quiet_all);
    }
    message
}

/// An absolute web or Mattermost address, or a path on the Mattermost server. Never a script.
fn is_address(url: &str) -> bool {
    if url.starts_with('/') {
        return true;
    }
    url::Url::parse(url).is_ok_and(|url| matches!(url.scheme(), "http" | "https" | "mailto" | "mattermost"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_addresses_are_gone_to() {
        for (url, good) in [
            ("https://example.com/x", true),
            ("/ops/channels/town-square", true),
            ("mattermost://chat.example.com", true),
            ("javascript:alert(1)", false),
            ("data:text/html,x", false),
            ("example.com", false),
            ("", false),
        ] {
            assert_eq!(is_address(url), good, "{url}");
        }
    }
}
