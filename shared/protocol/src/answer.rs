//! What a function answers (section 4). The set of types is closed.

use crate::form::Form;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// An answer: what is to happen, and warnings beside it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Answer {
    /// What is to happen.
    #[serde(flatten)]
    pub kind: Kind,
    /// What was left out, and why; shown to the user.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
}

/// The closed set of answers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Kind {
    /// Shows a message.
    Message(Message),
    /// Opens an interactive dialog.
    Form {
        /// The dialog.
        form: Form,
    },
    /// Goes there.
    Navigate {
        /// Absolute, or a path on the Mattermost server.
        url: String,
    },
    /// Starts a conversation.
    Ask {
        /// Asked one field at a time.
        form: Form,
    },
    /// The work goes on.
    Accepted {
        /// Shown to the user.
        #[serde(default)]
        text: String,
    },
    /// It did not work. Not an error of the protocol: a 200.
    Error {
        /// What happened and what to do.
        text: String,
        /// Messages that belong to fields.
        #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
        fields: BTreeMap<String, String>,
    },
    /// Nothing.
    Done,
}

/// A message for the user or the channel.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Message {
    /// Mattermost Markdown. An app escapes what it did not write.
    pub text: String,
    /// Message attachments with embedded commands (section 5).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub attachments: Vec<serde_json::Value>,
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
pub enum To {
    /// The acting user alone.
    #[default]
    User,
    /// Everybody in the request's channel and thread: posted by the bot.
    Channel,
}

impl From<Kind> for Answer {
    fn from(kind: Kind) -> Self {
        Self { kind, warnings: Vec::new() }
    }
}

impl Answer {
    /// A message that the acting user alone sees.
    pub fn text(text: impl Into<String>) -> Self {
        Kind::Message(Message { text: text.into(), ..Message::default() }).into()
    }

    /// A message by the bot in the request's channel and thread.
    pub fn to_channel(text: impl Into<String>) -> Self {
        Kind::Message(Message { text: text.into(), to: To::Channel, ..Message::default() }).into()
    }

    /// Goes to `url`.
    pub fn navigate(url: impl Into<String>) -> Self {
        Kind::Navigate { url: url.into() }.into()
    }

    /// It did not work: say what happened and what to do.
    pub fn error(text: impl Into<String>) -> Self {
        Kind::Error { text: text.into(), fields: BTreeMap::new() }.into()
    }

    /// Nothing to show.
    pub fn done() -> Self {
        Kind::Done.into()
    }

    /// Adds a warning.
    #[must_use]
    pub fn warn(mut self, warning: impl Into<String>) -> Self {
        self.warnings.push(warning.into());
        self
    }
}
