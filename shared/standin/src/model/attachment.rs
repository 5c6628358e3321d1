//! Message attachments, with their buttons and menus: `model/slack_attachment.go`, and `PostAction` in
//! `model/integration_action.go`.

use crate::Version;
use crate::go::or_default;
use crate::ids::Ids;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value, json};

/// A message attachment: a card below a post.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize)]
#[serde(default)]
#[expect(
    missing_docs,
    reason = "the keys are those of Mattermost's attachments, and each is a text of the card"
)]
pub struct Attachment {
    #[serde(deserialize_with = "or_default")]
    pub id: i64,
    #[serde(deserialize_with = "or_default")]
    pub fallback: String,
    #[serde(deserialize_with = "or_default")]
    pub color: String,
    #[serde(deserialize_with = "or_default")]
    pub pretext: String,
    #[serde(deserialize_with = "or_default")]
    pub author_name: String,
    #[serde(deserialize_with = "or_default")]
    pub author_link: String,
    #[serde(deserialize_with = "or_default")]
    pub author_icon: String,
    #[serde(deserialize_with = "or_default")]
    pub title: String,
    #[serde(deserialize_with = "or_default")]
    pub title_link: String,
    #[serde(deserialize_with = "or_default")]
    pub text: String,
    pub fields: Option<Vec<Field>>,
    #[serde(deserialize_with = "or_default")]
    pub image_url: String,
    #[serde(deserialize_with = "or_default")]
    pub thumb_url: String,
    #[serde(deserialize_with = "or_default")]
    pub footer: String,
    #[serde(deserialize_with = "or_default")]
    pub footer_icon: String,
    pub ts: Value,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub actions: Option<Vec<Action>>,
}

/// A field in the table of a card.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize)]
#[serde(default)]
pub struct Field {
    /// The name of the field.
    #[serde(deserialize_with = "or_default")]
    pub title: String,
    /// A text or a number.
    pub value: Value,
    /// Whether two such fields fit side by side. It may be a text: `SlackCompatibleBool`.
    #[serde(deserialize_with = "bool_or_text")]
    pub short: bool,
}

/// A button or menu of a card.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize)]
#[serde(default)]
#[expect(missing_docs, reason = "the keys are those of Mattermost's post actions")]
pub struct Action {
    #[serde(deserialize_with = "or_default", skip_serializing_if = "String::is_empty")]
    pub id: String,
    #[serde(rename = "type", deserialize_with = "or_default", skip_serializing_if = "String::is_empty")]
    pub kind: String,
    #[serde(deserialize_with = "or_default", skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// Version 11 only.
    #[serde(deserialize_with = "or_default", skip_serializing_if = "String::is_empty")]
    pub tooltip: String,
    #[serde(deserialize_with = "or_default", skip_serializing_if = "std::ops::Not::not")]
    pub disabled: bool,
    #[serde(deserialize_with = "or_default", skip_serializing_if = "String::is_empty")]
    pub style: String,
    #[serde(deserialize_with = "or_default", skip_serializing_if = "String::is_empty")]
    pub data_source: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub options: Option<Vec<Value>>,
    #[serde(deserialize_with = "or_default", skip_serializing_if = "String::is_empty")]
    pub default_option: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub integration: Option<Value>,
    /// In an ephemeral post, the encrypted integration; it replaces `integration`.
    #[serde(deserialize_with = "or_default", skip_serializing_if = "String::is_empty")]
    pub cookie: String,
}

/// Who reads an attachment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Audience {
    /// Who ran the command: gets the JSON as the integration sent it, with the integrations.
    Executor,
    /// Who reads a stored post: gets no integrations.
    Stored,
    /// Who reads an ephemeral post: gets cookies instead of integrations.
    Ephemeral,
}

impl Attachment {
    pub(crate) fn shape(&self, version: Version, audience: Audience) -> Value {
        let mut copy = self.clone();
        for action in copy.actions.iter_mut().flatten() {
            if !version.since_11() {
                action.tooltip.clear();
            }
            if audience != Audience::Executor {
                action.integration = None;
            }
            if audience == Audience::Stored {
                action.cookie.clear();
            }
        }
        serde_json::to_value(copy).unwrap_or_default()
    }

    /// Gives an id to each action that has none.
    pub(crate) fn add_action_ids(&mut self, ids: &mut Ids) {
        for action in self.actions.iter_mut().flatten().filter(|action| action.id.is_empty()) {
            action.id = ids.next();
        }
    }
}

/// Takes the attachments out of the props of a post, because clients get them without their integrations.
/// Attachments that cannot be read stay in the props, as they do on a real server.
pub(crate) fn take_attachments(props: &mut Map<String, Value>, ids: &mut Ids) -> Vec<Attachment> {
    let found = props.get("attachments").cloned().unwrap_or_default();
    let Ok(mut attachments) = serde_json::from_value::<Vec<Attachment>>(found) else { return Vec::new() };
    props.remove("attachments");
    for attachment in &mut attachments {
        attachment.add_action_ids(ids);
    }
    attachments
}

/// Reads `true` and `"true"` alike.
fn bool_or_text<'de, D: Deserializer<'de>>(de: D) -> Result<bool, D::Error> {
    match Value::deserialize(de)? {
        Value::Bool(short) => Ok(short),
        Value::Null => Ok(false),
        Value::String(text) if text.eq_ignore_ascii_case("true") => Ok(true),
        Value::String(text) if text.eq_ignore_ascii_case("false") => Ok(false),
        other => Err(serde::de::Error::custom(json!({"short": other}))),
    }
}
