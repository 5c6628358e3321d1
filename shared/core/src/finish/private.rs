//! A message that the acting user alone sees: in the answer where it can stand there, else beside it.

use super::{
    blocks::{Rendered, ServerAbilities},
    error,
    layout::{Layout, Stage},
    mentions::Mentions,
    reply,
    surface::Private,
    text::{POST_LIMIT, with_note},
    unsent,
};
use crate::{finish::actions::Audience, http::LogLine};
use cloud_apps_protocol::answer::{Kind, Message, To};

/// Shows it, with a note under it. `done` where it was sent beside the answer.
pub(super) async fn show(
    stage: &Stage<'_>,
    mut layout: Layout,
    note: &str,
    warnings: &mut Vec<String>,
    line: &mut LogLine,
) -> Kind {
    let in_answer = match stage.surface.private {
        Private::InAnswer { actions } => actions || !layout.has_actions(),
        Private::Apart => false,
    };
    let user = stage.surface.user.as_ref();
    if in_answer {
        let audience = match user {
            Some(user) => Audience::User {
                user: user.clone(),
                ephemeral: true,
                channel: stage.surface.channel.clone(),
                root: stage.surface.root.as_ref().map(ToString::to_string),
            },
            None if layout.has_actions() => return nobody(),
            None => Audience::Nobody,
        };
        return match layout.rendered(stage, &audience, ServerAbilities::ephemeral()).await {
            Ok(rendered) => Kind::Message(shown(layout.message, rendered, note)),
            Err(why) => unsent(why, line),
        };
    }
    let Some(user) = user else { return nobody() };
    let notes = warnings.drain(..).map(|warning| format!("_{warning}_"));
    let note = std::iter::once(note.to_owned()).filter(|note| !note.is_empty()).chain(notes);
    let note = note.collect::<Vec<_>>().join("\n");
    match reply::send(stage, &mut layout, user, &note, line).await {
        Ok(()) => Kind::Done,
        Err(why) => unsent(why, line),
    }
}

fn nobody() -> Kind {
    error(
        "This message has buttons for the user who ran the command, and the request names no user. Name one.",
    )
}

/// The message as it stands in an answer. What is too long is cut, the note is not.
fn shown(mut message: Message, rendered: Rendered, note: &str) -> Message {
    message.to = To::User;
    message.text = with_note(&message.text, note, POST_LIMIT, Mentions::of(message.notify));
    message.blocks.clear();
    message.attachments = rendered.attachments;
    message
}
