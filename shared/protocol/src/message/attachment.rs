//! Message attachments, as Mattermost has them.
//!
//! ```
//! use cloud_apps_protocol::message::{Attachment, AttachmentField};
//!
//! let status = AttachmentField { title: "Status".into(), value: "Open".into(), short: true, ..Default::default() };
//! let issue = Attachment { title: "MM-1".into(), fields: vec![status], ..Attachment::default() };
//! assert_eq!(serde_json::to_value(issue).unwrap()["fields"][0]["value"], "Open");
//! ```

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};

/// A message attachment. Every Mattermost shows these.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Attachment {
    /// What stands in a push notification, under the message's text.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub fallback: String,
    /// The color of the line at the left: `good`, `warning`, `danger` or `#RRGGBB`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub color: String,
    /// Markdown above the attachment.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub pretext: String,
    /// Who wrote it.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub author_name: String,
    /// Where the author's name leads.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub author_link: String,
    /// A small picture before the author's name.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub author_icon: String,
    /// In bold.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub title: String,
    /// Where the title leads.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub title_link: String,
    /// Markdown.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub text: String,
    /// A table under the text.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<AttachmentField>,
    /// A picture under the text.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub image_url: String,
    /// A small picture at the right.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub thumb_url: String,
    /// Under everything else, in small letters.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub footer: String,
    /// A small picture before the footer.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub footer_icon: String,
    /// Buttons and menus. The bundle serves none yet: it leaves them out, with a warning.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub actions: Vec<Value>,
    /// Keys that no client shows. The bundle leaves them out, with a warning.
    #[serde(flatten)]
    pub more: Map<String, Value>,
}

/// A line of an attachment's table.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct AttachmentField {
    /// In bold.
    pub title: String,
    /// Markdown. A number or a truth value is shown as text.
    #[serde(deserialize_with = "shown")]
    #[cfg_attr(feature = "schema", schemars(with = "Shown"))]
    pub value: String,
    /// Whether two such fields stand side by side.
    pub short: bool,
    /// Keys that no client shows. The bundle leaves them out, with a warning.
    #[serde(flatten)]
    pub more: Map<String, Value>,
}

/// What a field's value may be.
#[derive(Deserialize)]
#[serde(untagged, expecting = "this is not text, a number, or true or false")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(super) enum Shown {
    Text(String),
    Number(serde_json::Number),
    Truth(bool),
}

fn shown<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    Ok(match Shown::deserialize(deserializer)? {
        Shown::Text(text) => text,
        Shown::Number(number) => number.to_string(),
        Shown::Truth(truth) => truth.to_string(),
    })
}
