//! An answer in place of the post that was clicked.

use super::{
    blocks::{self, ServerAbilities},
    layout::{Layout, Stage, Unsent},
    mentions::Mentions,
    surface::Clicked,
    text::cut,
};
use crate::finish::actions::Audience;
use serde::Serialize;
use serde_json::{Map, Value};

/// A post as it is from now on. A server keeps nothing of the old one, so this is the whole of it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Update {
    /// Its text.
    pub message: String,
    /// What it carries beside the text.
    pub props: Map<String, Value>,
}

/// The clicked post with this message in it. `None`: it cannot be changed, so the message is shown otherwise.
pub(super) async fn update(
    stage: &Stage<'_>,
    layout: &mut Layout,
    clicked: &Clicked,
) -> Option<Result<Update, Unsent>> {
    let abilities = stage.bot.server();
    if clicked.ephemeral && !abilities.updates_ephemeral {
        return None;
    }
    let audience = if clicked.private {
        Audience::User {
            user: stage.surface.user.clone()?,
            ephemeral: clicked.ephemeral,
            channel: stage.surface.channel.clone(),
            root: stage.surface.root.as_ref().map(ToString::to_string),
        }
    } else {
        Audience::Channel {
            channel: stage.surface.channel.clone()?,
            root: stage.surface.root.as_ref().map(ToString::to_string),
        }
    };
    let post = abilities.post;
    let abilities = if clicked.ephemeral { ServerAbilities::ephemeral() } else { abilities };
    Some(layout.rendered(stage, &audience, abilities).await.map(|rendered| {
        let mut props = blocks::props(&rendered);
        // A server that is given props forgets that a bot wrote the post.
        props.insert("from_bot".to_owned(), "true".into());
        let text = cut(&layout.message.text, post, Mentions::of(layout.message.notify));
        Update { message: text, props }
    }))
}
