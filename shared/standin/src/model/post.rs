//! Posts and reactions to them.

use super::{Attachment, Millis};
use crate::blocks::{BLOCKS, drawn};
use serde_json::{Map, Value};

/// A message in a channel, or an ephemeral one that a single user sees.
#[derive(Debug, Clone, PartialEq)]
pub struct Post {
    /// 26 characters.
    pub id: String,
    /// When it was created.
    pub create_at: Millis,
    /// When it was last changed, also by replies; `create_at` until then.
    pub update_at: Millis,
    /// When its text was last changed; 0 until then.
    pub edit_at: Millis,
    /// When it was deleted; 0 until then.
    pub delete_at: Millis,
    /// Whether it is pinned to its channel.
    pub is_pinned: bool,
    /// The author.
    pub user_id: String,
    /// The channel that it is in.
    pub channel_id: String,
    /// The first post of its thread; empty outside a thread.
    pub root_id: String,
    /// The text, in Markdown.
    pub message: String,
    /// Empty, `slack_attachment`, `custom_…`, `system_…`.
    pub kind: String,
    /// All props but the attachments. No client is told `mm_blocks_actions`.
    pub props: Map<String, Value>,
    /// The attachments, with the integrations of their actions, which no client is told.
    pub attachments: Vec<Attachment>,
    /// Whether it came by `POST /api/v4/posts`. Version 11 gives such posts a `remote_id`, and those of commands none.
    pub by_rest: bool,
    /// The one user who sees an ephemeral post.
    pub only_for: Option<String>,
}

impl Post {
    /// A plain post that is not stored yet.
    pub(crate) fn draft(user_id: &str, channel_id: &str, root_id: &str, message: &str) -> Post {
        Post {
            id: String::new(),
            create_at: 0,
            update_at: 0,
            edit_at: 0,
            delete_at: 0,
            is_pinned: false,
            user_id: user_id.to_owned(),
            channel_id: channel_id.to_owned(),
            root_id: root_id.to_owned(),
            message: message.to_owned(),
            kind: String::new(),
            props: Map::new(),
            attachments: Vec::new(),
            by_rest: false,
            only_for: None,
        }
    }

    /// The Mattermost Blocks that a client draws, where the server has them switched on. A client leaves out a block that
    /// has a wrong key, and says nothing.
    pub fn blocks(&self) -> Vec<Value> {
        self.props.get(BLOCKS).map(drawn).unwrap_or_default()
    }

    /// The first post of its thread, which can be the post itself.
    pub(crate) fn thread_root(&self) -> &str {
        if self.root_id.is_empty() { &self.id } else { &self.root_id }
    }
}

/// An emoji that a user added to a post.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Reaction {
    pub user_id: String,
    pub post_id: String,
    pub emoji_name: String,
    pub create_at: Millis,
}
