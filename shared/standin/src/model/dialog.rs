//! The form of a dialog: `Dialog` and `DialogElement` in `model/integration_action.go`.

use crate::Version;
use crate::go::or_default;
use crate::version::Ability;
use serde::{Deserialize, Serialize};

/// A form that is shown to a user.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Dialog {
    /// The name that the integration gave it.
    #[serde(deserialize_with = "or_default")]
    pub callback_id: String,
    /// The title; 24 bytes at most, in 12 80. No server refuses a longer one.
    #[serde(deserialize_with = "or_default")]
    pub title: String,
    /// Markdown, below the title.
    #[serde(deserialize_with = "or_default")]
    pub introduction_text: String,
    /// A picture beside the title.
    #[serde(deserialize_with = "or_default")]
    pub icon_url: String,
    /// The fields. A dialog without fields only asks for consent.
    pub elements: Option<Vec<Element>>,
    /// The label of the button.
    #[serde(deserialize_with = "or_default")]
    pub submit_label: String,
    /// Whether the integration is told when the user closes it.
    #[serde(deserialize_with = "or_default")]
    pub notify_on_cancel: bool,
    /// A text that the integration gets back with the answers.
    #[serde(deserialize_with = "or_default")]
    pub state: String,
    /// The address that 11 asks for a new form when a field with `refresh` changes.
    #[serde(deserialize_with = "or_default", skip_serializing_if = "String::is_empty")]
    pub source_url: String,
    /// 12 only: `small`, `medium` or `large`; empty for small.
    #[serde(deserialize_with = "or_default", skip_serializing_if = "String::is_empty")]
    pub size: String,
}

/// A field of a dialog.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Element {
    /// The label; 24 bytes at most.
    #[serde(deserialize_with = "or_default")]
    pub display_name: String,
    /// The key of its value.
    #[serde(deserialize_with = "or_default")]
    pub name: String,
    /// `text`, `textarea`, `select`, `bool`, `radio`; in 11 also `date` and `datetime`; in 12 also `checkbox_group`,
    /// `checkbox_matrix` and `collapsible`.
    #[serde(rename = "type", deserialize_with = "or_default")]
    pub kind: String,
    /// Of a `text`: `text`, `email`, `number`, `tel`, `url`, `password`.
    #[serde(deserialize_with = "or_default")]
    pub subtype: String,
    /// The first value.
    #[serde(deserialize_with = "or_default")]
    pub default: String,
    /// Shown while the field is empty.
    #[serde(deserialize_with = "or_default")]
    pub placeholder: String,
    /// Shown below the field.
    #[serde(deserialize_with = "or_default")]
    pub help_text: String,
    /// Whether the field may stay empty.
    #[serde(deserialize_with = "or_default")]
    pub optional: bool,
    /// The fewest characters of a text.
    #[serde(deserialize_with = "or_default")]
    pub min_length: i64,
    /// The most characters of a text; 0 for the limit of the client.
    #[serde(deserialize_with = "or_default")]
    pub max_length: i64,
    /// Where a `select` gets its options: `users`, `channels`, in 11 also `dynamic`; empty for its own `options`.
    #[serde(deserialize_with = "or_default")]
    pub data_source: String,
    /// The address where 11 looks up the options of a `dynamic` select.
    #[serde(deserialize_with = "or_default", skip_serializing_if = "String::is_empty")]
    pub data_source_url: String,
    /// The options of a `select` or `radio`.
    pub options: Option<Vec<Choice>>,
    /// 11 only: whether several values can be chosen.
    #[serde(deserialize_with = "or_default", skip_serializing_if = "Option::is_none")]
    pub multiselect: Option<bool>,
    /// 11 only: whether a change of the field asks for a new form.
    #[serde(deserialize_with = "or_default", skip_serializing_if = "std::ops::Not::not")]
    pub refresh: bool,
    /// 11 only: how a `datetime` is chosen.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub datetime_config: Option<DateTimeConfig>,
    /// 11 only, and ignored in 12: the first date: `YYYY-MM-DD`, or `today`, `+30d`, …
    #[serde(deserialize_with = "or_default", skip_serializing_if = "String::is_empty")]
    pub min_date: String,
    /// 11 only, and ignored in 12: the last date.
    #[serde(deserialize_with = "or_default", skip_serializing_if = "String::is_empty")]
    pub max_date: String,
    /// 11 only, and ignored in 12: minutes between the times that a `datetime` offers.
    #[serde(deserialize_with = "or_default", skip_serializing_if = "is_zero")]
    pub time_interval: i64,
    /// 12 only: whether the labels of boxes stand `before` or `after` them.
    #[serde(deserialize_with = "or_default", skip_serializing_if = "String::is_empty")]
    pub label_position: String,
    /// 12 only: the rows and columns of a `checkbox_matrix`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub matrix_config: Option<MatrixConfig>,
    /// 12 only: what is in a `collapsible`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub collapsible_config: Option<CollapsibleConfig>,
}

/// The rows and columns of a `checkbox_matrix`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct MatrixConfig {
    /// 1 to 30.
    pub rows: Vec<Choice>,
    /// 1 to 10.
    pub columns: Vec<Choice>,
    /// `single` if only one box of a row can be checked; otherwise `multiple`.
    #[serde(deserialize_with = "or_default", skip_serializing_if = "String::is_empty")]
    pub row_selection: String,
}

/// What is in a `collapsible`. The server and the integration take its fields as those of the dialog itself.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct CollapsibleConfig {
    /// The fields in it.
    pub elements: Vec<Element>,
    /// Whether it is closed at first.
    #[serde(deserialize_with = "or_default")]
    pub collapsed: bool,
    /// Whether it has no border.
    #[serde(deserialize_with = "or_default")]
    pub borderless: bool,
}

/// How a `datetime` is chosen.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct DateTimeConfig {
    /// Minutes between the times offered.
    #[serde(deserialize_with = "or_default", skip_serializing_if = "is_zero")]
    pub time_interval: i64,
    /// The name of a time zone, for example `Europe/Berlin`.
    #[serde(deserialize_with = "or_default", skip_serializing_if = "String::is_empty")]
    pub location_timezone: String,
    /// Whether the user may type the time. 12 ignores it.
    #[serde(deserialize_with = "or_default", skip_serializing_if = "std::ops::Not::not")]
    pub allow_manual_time_entry: bool,
    /// The same, since 11.8.
    #[serde(deserialize_with = "or_default", skip_serializing_if = "std::ops::Not::not")]
    pub manual_time_entry: bool,
    /// The first date, since 11.8.
    #[serde(deserialize_with = "or_default", skip_serializing_if = "String::is_empty")]
    pub min_date: String,
    /// The last date, since 11.8.
    #[serde(deserialize_with = "or_default", skip_serializing_if = "String::is_empty")]
    pub max_date: String,
}

/// An option of a field.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Choice {
    /// What is shown.
    #[serde(deserialize_with = "or_default")]
    pub text: String,
    /// What is sent.
    #[serde(deserialize_with = "or_default")]
    pub value: String,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's form")]
fn is_zero(number: &i64) -> bool {
    *number == 0
}

impl Dialog {
    /// The fields, also those in a part that folds; a dialog can have none.
    pub fn fields(&self) -> Vec<&Element> {
        let mut fields = Vec::new();
        self.elements.iter().flatten().for_each(|element| element.collect(&mut fields));
        fields
    }

    /// Drops the keys that this version does not know, as a server does.
    pub(crate) fn keep_known(&mut self, version: Version) {
        if !version.since_11() {
            self.source_url.clear();
        }
        if !version.has(Ability::RichDialogs) {
            self.size.clear();
        }
        self.elements.iter_mut().flatten().for_each(|element| element.keep_known(version));
    }
}

impl Element {
    /// Drops the keys that this version does not know or does not use any more.
    fn keep_known(&mut self, version: Version) {
        if version.since_11() {
            self.multiselect.get_or_insert(false);
        } else {
            self.data_source_url.clear();
            self.multiselect = None;
            self.refresh = false;
            self.datetime_config = None;
        }
        if let Some(config) = self.datetime_config.as_mut().filter(|_| !version.has(Ability::DateLimits)) {
            config.manual_time_entry = false;
            config.min_date.clear();
            config.max_date.clear();
        }
        let rich = version.has(Ability::RichDialogs);
        if rich || !version.since_11() {
            self.min_date.clear();
            self.max_date.clear();
            self.time_interval = 0;
        }
        if let Some(config) = self.datetime_config.as_mut().filter(|_| rich) {
            config.allow_manual_time_entry = false;
        }
        if !rich {
            self.label_position.clear();
            self.matrix_config = None;
            self.collapsible_config = None;
        }
        self.inside_mut().for_each(|element| element.keep_known(version));
    }

    fn inside_mut(&mut self) -> impl Iterator<Item = &mut Element> {
        self.collapsible_config.iter_mut().flat_map(|config| config.elements.iter_mut())
    }

    /// Adds this field, or those that are in it.
    fn collect<'a>(&'a self, fields: &mut Vec<&'a Element>) {
        match &self.collapsible_config {
            Some(config) if self.kind == "collapsible" => {
                config.elements.iter().for_each(|element| element.collect(fields));
            }
            _ => fields.push(self),
        }
    }

    /// Whether several options can be chosen.
    pub(crate) fn takes_several(&self) -> bool {
        (self.kind == "select" && self.multiselect == Some(true)) || self.kind == "checkbox_group"
    }
}
