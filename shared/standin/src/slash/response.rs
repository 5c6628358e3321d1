//! The answer of an integration to a slash command: `model/command_response.go`.
//!
//! As in Go, null is the zero value and unknown keys are skipped, but known keys must have their type. Go also accepts
//! keys in another case; the stand-in does not.

use crate::Version;
use crate::api::media_type;
use crate::go::{self, or_default};
use crate::model::{Attachment, Audience};
use crate::shape;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// An answer to a slash command, or one of its extra answers.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct CommandResponse {
    /// Empty or `ephemeral`: only the user sees it. `in_channel`: everybody in the channel sees it.
    #[serde(deserialize_with = "or_default")]
    pub response_type: String,
    /// Markdown.
    #[serde(deserialize_with = "or_default")]
    pub text: String,
    /// The name to post under, if the server allows it.
    #[serde(deserialize_with = "or_default")]
    pub username: String,
    /// The channel to post to; empty for the channel of the command.
    #[serde(deserialize_with = "or_default")]
    pub channel_id: String,
    /// The picture to post with, if the server allows it.
    #[serde(deserialize_with = "or_default")]
    pub icon_url: String,
    /// Empty or `custom_…`.
    #[serde(rename = "type", deserialize_with = "or_default")]
    pub kind: String,
    /// The props of the post.
    pub props: Option<Map<String, Value>>,
    /// An address that the client opens.
    #[serde(deserialize_with = "or_default")]
    pub goto_location: String,
    /// The first part of the trigger id, which the server sets.
    #[serde(deserialize_with = "or_default")]
    pub trigger_id: String,
    /// Whether the text is Markdown and not Slack's markup.
    #[serde(deserialize_with = "or_default")]
    pub skip_slack_parsing: bool,
    /// The cards.
    pub attachments: Option<Vec<Attachment>>,
    /// Further answers. The extra answers of an extra answer are not posted.
    pub extra_responses: Option<Vec<CommandResponse>>,
}

impl CommandResponse {
    /// Reads a body as JSON if the content type says so, and otherwise as the text of the answer.
    ///
    /// # Errors
    /// The body is not JSON, or a known key has the wrong type.
    pub(crate) fn read(
        content_type: Option<&str>,
        body: &[u8],
    ) -> Result<CommandResponse, serde_json::Error> {
        if media_type(content_type) != "application/json" {
            let text = String::from_utf8_lossy(body).into_owned();
            return Ok(CommandResponse { text, ..CommandResponse::default() });
        }
        go::read_object(serde_json::from_slice(body)?)
    }

    /// What the client that ran the command gets. It even gets the integrations of the buttons, unless the post is
    /// ephemeral: `commands-execute.http`.
    pub(crate) fn shape(&self, version: Version) -> Value {
        let mut shape = serde_json::to_value(self).unwrap_or_default();
        if let (Some(shape), Some(list)) = (shape.as_object_mut(), &self.attachments) {
            let list = shape::attachments(version, list, Audience::Executor);
            shape.insert("attachments".to_owned(), list);
        }
        if let (Some(shape), Some(list)) = (shape.as_object_mut(), &self.extra_responses) {
            let list: Value = list.iter().map(|extra| extra.shape(version)).collect();
            shape.insert("extra_responses".to_owned(), list);
        }
        shape
    }

    pub(crate) fn is_in_channel(&self) -> bool {
        self.response_type == "in_channel"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_is_read_only_under_its_content_type() {
        let json = Some("application/json; charset=utf-8");
        assert_eq!(CommandResponse::read(json, br#"{"text":"a"}"#).unwrap().text, "a");
        for other in [None, Some("text/json"), Some("text/html")] {
            assert_eq!(CommandResponse::read(other, br#"{"text":"a"}"#).unwrap().text, r#"{"text":"a"}"#);
        }
    }

    #[test]
    fn null_is_an_empty_answer_and_other_json_than_an_object_is_none() {
        let json = Some("application/json");
        assert_eq!(CommandResponse::read(json, b"null").unwrap(), CommandResponse::default());
        assert_eq!(
            CommandResponse::read(json, br#"{"text":null,"x":1}"#).unwrap(),
            CommandResponse::default()
        );
        for wrong in ["", "[]", "\"text\"", "{bad", r#"{"text":1}"#, r#"{"attachments":{}}"#] {
            assert!(CommandResponse::read(json, wrong.as_bytes()).is_err(), "{wrong}");
        }
    }
}
