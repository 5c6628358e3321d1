//! The answer of a function (section 4). There are no other types of answers.

pub use crate::message::{Message, To};

use crate::{
    error::{Code, ErrorBody},
    form::Form,
    json,
    message::{self, Block},
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// An answer: what is to happen, and warnings beside it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Answer {
    /// What is to happen.
    #[serde(flatten)]
    pub kind: Kind,
    /// What was left out, and why. The user sees this.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
}

/// The closed set of answers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
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

impl Kind {
    /// The word of its `type`.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Message(_) => "message",
            Self::Form { .. } => "form",
            Self::Navigate { .. } => "navigate",
            Self::Ask { .. } => "ask",
            Self::Accepted { .. } => "accepted",
            Self::Error { .. } => "error",
            Self::Done => "done",
        }
    }
}

impl From<Kind> for Answer {
    fn from(kind: Kind) -> Self {
        Self { kind, warnings: Vec::new() }
    }
}

impl Answer {
    /// Reads an answer that came from outside. Every problem of its blocks and attachments is told at once, each with its
    /// JSON pointer, and no value is repeated: it may be a secret in the wrong place.
    ///
    /// ```
    /// use cloud_apps_protocol::{Answer, Code};
    ///
    /// let refused = Answer::read(br#"{"type":"message","text":"Hi","blocks":[{"type":"text"},{"type":"txt"}]}"#);
    /// let error = refused.unwrap_err().error;
    /// assert_eq!(error.code, Code::BadAnswer);
    /// assert_eq!(error.more["problems"][0]["pointer"], "/blocks/0/text");
    /// assert_eq!(error.more["problems"][1]["pointer"], "/blocks/1/type");
    /// ```
    pub fn read(bytes: &[u8]) -> Result<Self, ErrorBody> {
        let mut value: serde_json::Value = json::read(bytes)?;
        if value.get("type").is_some_and(|kind| kind == "message") {
            let problems = message::misfits(&mut value);
            if !problems.is_empty() {
                return Err(message::refused(&problems));
            }
        }
        serde_path_to_error::deserialize(value).map_err(|error| {
            let pointer = json::pointer(error.path());
            let ErrorBody { error } = json::refused(&pointer, &error.into_inner());
            ErrorBody::new(Code::BadAnswer, error.message).with("pointer", pointer)
        })
    }

    /// A message that the acting user alone sees.
    pub fn text(text: impl Into<String>) -> Self {
        Kind::Message(Message { text: text.into(), ..Message::default() }).into()
    }

    /// A message for everybody, which the bot posts in the request's channel and thread. Notifications show this text.
    ///
    /// ```
    /// use cloud_apps_protocol::{Answer, Block};
    ///
    /// Answer::public("Build 12 is green")
    ///     .block(Block::facts([("Branch", "main"), ("Duration", "4 min")]));
    /// ```
    pub fn public(text: impl Into<String>) -> Self {
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

    /// Adds a block under the text of a message. Only messages have blocks: on another answer this adds a warning instead,
    /// which its user reads.
    #[must_use]
    pub fn block(mut self, block: impl Into<Block>) -> Self {
        match &mut self.kind {
            Kind::Message(message) => message.blocks.push(block.into()),
            _ => {
                return self
                    .warn("The app added a block to an answer that is not a message: it was left out.");
            }
        }
        self
    }

    /// Adds blocks under the text of a message, as [`Answer::block`] does.
    #[must_use]
    pub fn blocks(self, blocks: impl IntoIterator<Item = impl Into<Block>>) -> Self {
        blocks.into_iter().fold(self, Self::block)
    }

    /// Adds a warning.
    #[must_use]
    pub fn warn(mut self, warning: impl Into<String>) -> Self {
        self.warnings.push(warning.into());
        self
    }
}

/// The JSON Schema of an answer (draft 2020-12), made from these types.
#[cfg(feature = "schema")]
pub fn schema() -> serde_json::Value {
    let mut schema = schemars::schema_for!(Answer).to_value();
    if let Some(object) = schema.as_object_mut() {
        object.insert("$id".to_owned(), "urn:cloud-apps:answer:2".into());
        object.insert("title".to_owned(), "Answer".into());
        object.insert("description".to_owned(), "What a function of a Cloud App answers, protocol 2.".into());
    }
    schema
}
