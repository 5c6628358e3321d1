//! What an integration may answer, and how the server reads it: `model/command_response.go`.
//!
//! Go reads JSON loosely (null is the zero value, unknown keys are skipped) but holds to the types of known
//! keys; so does this. Not imitated: Go also takes keys in another case.

use crate::Version;
use crate::action::attachment::{Attachment, Audience, or_default};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// An answer to a slash command, or a part of one.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct CommandResponse {
    /// Empty and `ephemeral`: to the user. `in_channel`: to all.
    #[serde(deserialize_with = "or_default")]
    pub response_type: String,
    /// Markdown.
    #[serde(deserialize_with = "or_default")]
    pub text: String,
    /// The name to post under, where the server allows it.
    #[serde(deserialize_with = "or_default")]
    pub username: String,
    /// Another channel to post to.
    #[serde(deserialize_with = "or_default")]
    pub channel_id: String,
    /// The picture to post with, where the server allows it.
    #[serde(deserialize_with = "or_default")]
    pub icon_url: String,
    /// Empty or `custom_…`.
    #[serde(rename = "type", deserialize_with = "or_default")]
    pub kind: String,
    /// Props of the post.
    pub props: Option<Map<String, Value>>,
    /// Where the client goes.
    #[serde(deserialize_with = "or_default")]
    pub goto_location: String,
    /// Written by the server: the first part of the trigger id.
    #[serde(deserialize_with = "or_default")]
    pub trigger_id: String,
    /// The text is Markdown, not Slack's markup.
    #[serde(deserialize_with = "or_default")]
    pub skip_slack_parsing: bool,
    /// Cards.
    pub attachments: Option<Vec<Attachment>>,
    /// Further answers. Their own further answers are not read.
    pub extra_responses: Option<Vec<CommandResponse>>,
}

impl CommandResponse {
    /// Reads a body: JSON only when the content type says so, and else all of it is the text.
    ///
    /// # Errors
    /// The JSON is none, or a known key has the wrong type.
    pub(crate) fn read(
        content_type: Option<&str>,
        body: &[u8],
    ) -> Result<CommandResponse, serde_json::Error> {
        let kind = content_type.unwrap_or_default().split(';').next().unwrap_or_default().trim();
        if kind != "application/json" {
            let text = String::from_utf8_lossy(body).into_owned();
            return Ok(CommandResponse { text, ..CommandResponse::default() });
        }
        match serde_json::from_slice(body)? {
            Value::Null => Ok(CommandResponse::default()),
            // serde would take an array for a struct; Go does not.
            object @ Value::Object(_) => serde_json::from_value(object),
            _ => Err(serde::de::Error::custom("the answer is not an object")),
        }
    }

    /// What the client that ran the command gets. `attachments[].actions[].integration` is told to it, unless
    /// the post is ephemeral: see `commands-execute.http`.
    pub(crate) fn shape(&self, version: Version) -> Value {
        let mut shape = serde_json::to_value(self).unwrap_or_default();
        if let (Some(shape), Some(list)) = (shape.as_object_mut(), &self.attachments) {
            let list = crate::shape::attachments(version, list, Audience::Executor);
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
