//! Actions: the buttons, menus and checkboxes of a message (section 5). Each runs one of the app's functions with values that
//! the app chose. The bundle seals these, so clients can neither read nor change them.

use crate::{FunctionName, Values};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Buttons, menus and checkboxes in a row.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Actions {
    /// At least one.
    #[cfg_attr(feature = "schema", schemars(length(min = 1)))]
    pub items: Vec<Action>,
}

/// Something that a reader clicks or chooses.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum Action {
    /// A button.
    Button(Button),
    /// A menu, of which a reader chooses one entry.
    Select(Select),
    /// A box that a reader ticks.
    Checkbox(Checkbox),
}

/// A button. It has exactly one of `function`, `url` and `preset`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Button {
    /// What stands on it. The button of a preset has the preset's own label where this is empty; any other needs one.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub label: String,
    /// The command of the app that a click runs. Where a required field has no value, its form opens with these values.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub function: Option<FunctionName>,
    /// Values of the function, by field.
    #[serde(default, skip_serializing_if = "Values::is_empty")]
    pub values: Values,
    /// The address that a click opens: `https` or `http`, or a path on the Mattermost server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// The preset that a click runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub preset: Option<FunctionName>,
    /// How it looks.
    #[serde(default, skip_serializing_if = "is_default")]
    pub style: Style,
    /// Shown while the pointer is on it, by servers from 10.5.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub tooltip: String,
    /// Nobody can click it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub disabled: bool,
    /// The app's own; the function finds it in `context.state`.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub state: Value,
    /// Only the first click runs the function.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub once: bool,
    /// For how many seconds it can be clicked; without it, as long as the post stands.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_in: Option<u32>,
}

/// How a button looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[allow(missing_docs)] // The words of Mattermost.
pub enum Style {
    #[default]
    Default,
    Primary,
    Good,
    Success,
    Warning,
    Danger,
}

/// A menu. Its entries are those of a field of the function: the field's options, the server's users or its channels. Where the
/// field's options come from a lookup, a button that opens the function's form takes its place.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Select {
    /// What stands in it while nothing is chosen; the field's label where empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub label: String,
    /// The field that gets what a reader chooses.
    pub field: FunctionName,
    /// The command of the app that a choice runs.
    pub function: FunctionName,
    /// Values of the function's other fields. What stands here at `field` is shown as chosen.
    #[serde(default, skip_serializing_if = "Values::is_empty")]
    pub values: Values,
    /// Nobody can open it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub disabled: bool,
    /// The app's own; the function finds it in `context.state`.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub state: Value,
    /// Only the first choice runs the function.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub once: bool,
    /// For how many seconds something can be chosen; without it, as long as the post stands.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_in: Option<u32>,
}

/// A box to tick. A click runs the function with the other of `true` and `false`; the app answers with the message as it is
/// then (`replace`).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Checkbox {
    /// What stands beside it; the field's label where empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub label: String,
    /// The `bool` field that it stands for.
    pub field: FunctionName,
    /// Whether it is ticked now.
    pub value: bool,
    /// The command of the app that a click runs.
    pub function: FunctionName,
    /// Values of the function's other fields.
    #[serde(default, skip_serializing_if = "Values::is_empty")]
    pub values: Values,
    /// Shown while the pointer is on it, by servers from 10.5.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub tooltip: String,
    /// Nobody can click it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub disabled: bool,
    /// The app's own; the function finds it in `context.state`.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub state: Value,
    /// Only the first click runs the function.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub once: bool,
    /// For how many seconds it can be clicked; without it, as long as the post stands.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_in: Option<u32>,
}

impl Button {
    /// A button that runs a command.
    pub fn run(label: impl Into<String>, function: FunctionName, values: Values) -> Self {
        Self { label: label.into(), function: Some(function), values, ..Self::default() }
    }

    /// A button that opens an address.
    pub fn open(label: impl Into<String>, url: impl Into<String>) -> Self {
        Self { label: label.into(), url: Some(url.into()), ..Self::default() }
    }

    /// A button that runs a preset, with the preset's label.
    pub fn preset(preset: FunctionName) -> Self {
        Self { preset: Some(preset), ..Self::default() }
    }
}

impl Action {
    /// Whether nobody can use it.
    pub fn is_disabled(&self) -> bool {
        match self {
            Self::Button(button) => button.disabled,
            Self::Select(select) => select.disabled,
            Self::Checkbox(checkbox) => checkbox.disabled,
        }
    }
}

pub(super) fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

macro_rules! into_action {
    ($($name:ident),*) => {$(
        impl From<$name> for Action {
            fn from(action: $name) -> Self {
                Self::$name(action)
            }
        }
    )*};
}

into_action!(Button, Select, Checkbox);
