//! Fields and forms (section 6): one field list is a command's grammar, its dialog and the check of its
//! submission.

use crate::FunctionName;
use serde::{Deserialize, Serialize};

/// A form.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Form {
    /// Shown as its heading.
    pub title: String,
    /// Markdown above the fields.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub introduction: String,
    /// The label of the button.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub submit_label: String,
    /// What a submission runs.
    pub submit: FunctionRef,
    /// What a cancel runs, if anything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cancel: Option<FunctionRef>,
    /// The app's own; opaque and sealed on the wire.
    #[serde(default, skip_serializing_if = "serde_json::Value::is_null")]
    pub state: serde_json::Value,
    /// What is asked.
    pub fields: Vec<Field>,
}

/// `{"function":"create_issue"}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct FunctionRef {
    /// One of the app's commands.
    pub function: FunctionName,
}

/// What a field holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum FieldType {
    /// Text.
    Text,
    /// A JSON number.
    Number,
    /// Yes or no.
    Bool,
    /// One or, with `multiple`, several of the options.
    Select,
    /// A user's id.
    User,
    /// A channel's id.
    Channel,
    /// A post's id; typed as a permalink or an id.
    Post,
    /// A team's id.
    Team,
    /// `2026-11-22`.
    Date,
    /// RFC 3339 in UTC.
    Datetime,
    /// Any JSON.
    Json,
    /// Ids of files that the acting user uploaded.
    File,
    /// Shown, not submitted.
    Markdown,
}

/// What kind of text a text field takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[allow(missing_docs)] // The words of the protocol.
pub enum Subtype {
    Line,
    Textarea,
    Email,
    Url,
    Password,
}

/// How a select looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum SelectStyle {
    /// A drop-down list.
    Menu,
    /// Radio buttons.
    Radio,
}

/// One of a select's static options.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SelectOption {
    /// What is submitted; holds no comma.
    pub value: String,
    /// What is shown; the value where empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub label: String,
    /// Shown beside it in help and completion.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
}

/// One thing a command takes and a form asks.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[allow(clippy::struct_excessive_bools)] // Each is a key of the wire.
pub struct Field {
    /// `^[a-z][a-z0-9_]{0,63}$`; on the command line `--name`, with `-` for `_`.
    pub name: FunctionName,
    /// What it holds.
    pub r#type: FieldType,
    /// Only for `text`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subtype: Option<Subtype>,
    /// Shown above the field; the name where empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub label: String,
    /// What it is for, in a sentence.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// Shown in the empty field and in help: `MM`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub hint: String,
    /// Taken when nothing is given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default: Option<serde_json::Value>,
    /// Must be given.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub required: bool,
    /// May be given by place instead of by name; positional fields are filled in their order. The last one takes the rest of the
    /// line as it was typed, if it is one text or JSON.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub positional: bool,
    /// The least number, or date as text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min: Option<serde_json::Value>,
    /// The greatest number, or date as text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max: Option<serde_json::Value>,
    /// In characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_length: Option<u32>,
    /// A regular expression that the whole value must match.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pattern: Option<String>,
    /// A change asks for the form again.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub refresh: bool,
    /// Static options of a select.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub options: Vec<SelectOption>,
    /// The select's options come from the app.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub lookup: bool,
    /// The select or the flag takes several.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub multiple: bool,
    /// How a select looks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub style: Option<SelectStyle>,
}

impl Field {
    /// A field with nothing but name and type.
    pub fn new(name: FunctionName, r#type: FieldType) -> Self {
        Self {
            name,
            r#type,
            subtype: None,
            label: String::new(),
            description: String::new(),
            hint: String::new(),
            default: None,
            required: false,
            positional: false,
            min: None,
            max: None,
            max_length: None,
            pattern: None,
            refresh: false,
            options: Vec::new(),
            lookup: false,
            multiple: false,
            style: None,
        }
    }
}
