//! Messages (section 5): a text, and blocks with a layout or attachments.
//!
//! Blocks are one tree that the bundle renders for the server that shows it: as message attachments, which every
//! Mattermost shows, and as Mattermost Blocks where the server has them.

mod action;
mod attachment;
mod block;
mod block_rules;
mod shape;

pub use action::{Action, Actions, Button, Checkbox, Select, Style};
pub use attachment::{Attachment, AttachmentField};
pub use block::{
    Accent, Background, Block, Collapsible, Columns, Container, Divider, Fact, Facts, Gap, Image, ImageSize,
    Text, TextSize,
};
pub(crate) use shape::misfits;

use crate::error::{Code, ErrorBody};
use serde::{Deserialize, Serialize};
use std::fmt;

/// A message for the user or the channel.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Message {
    /// Mattermost Markdown, which stands above the blocks. An app escapes what it did not write. Notifications, search and
    /// the oldest clients show this and nothing else.
    pub text: String,
    /// What stands under the text, in their order. Either these or attachments.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub blocks: Vec<Block>,
    /// Message attachments, as Mattermost has them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub attachments: Vec<Attachment>,
    /// Who sees it.
    pub to: To,
    /// Changes the clicked post.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub replace: bool,
    /// Lets `@channel`, `@all` and `@here` notify; otherwise they are neutralised.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub notify: bool,
}

/// Who sees a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum To {
    /// The acting user alone.
    #[default]
    User,
    /// Everybody in the request's channel and thread: posted by the bot.
    Channel,
}

/// One thing that is wrong with a message, and where.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// RFC 6901, from the answer: `/blocks/0/content/2/alt_text`.
    pub pointer: String,
    /// What is wrong, and what to do.
    pub message: String,
}

impl Problem {
    /// A problem of what stands at a pointer.
    pub fn new(pointer: impl Into<String>, message: impl Into<String>) -> Self {
        Self { pointer: pointer.into(), message: message.into() }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.pointer, self.message)
    }
}

impl Message {
    /// What is wrong with a message that no type can say: lists that are empty, a picture that is not described, blocks
    /// beside attachments. Whether it fits into what a server shows is known once it is rendered.
    ///
    /// ```
    /// use cloud_apps_protocol::{Block, Message};
    ///
    /// let chart = Block::image("https://ci.example.com/12.png", "");
    /// let message = Message { blocks: vec![Block::container([chart])], ..Message::default() };
    /// assert_eq!(message.problems()[0].pointer, "/blocks/0/content/0/alt_text");
    /// ```
    pub fn problems(&self) -> Vec<Problem> {
        block_rules::problems(self)
    }
}

/// How many problems an error's sentence has; the list beside it has more.
const TOLD: usize = 5;

/// The error of an answer whose message has problems.
pub(crate) fn refused(problems: &[Problem]) -> ErrorBody {
    let told: Vec<_> = problems.iter().take(TOLD).map(ToString::to_string).collect();
    let mut message = told.join(" ");
    let more = problems.len().saturating_sub(TOLD);
    if more > 0 {
        message = format!("{message} There are {more} more problems.");
    }
    let list = serde_json::to_value(problems).unwrap_or_default();
    ErrorBody::new(Code::BadAnswer, message).with("problems", list)
}
