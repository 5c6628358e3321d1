//! Dialogs as they travel: `Dialog` and `DialogElement` in `model/integration_action.go`.

use crate::Version;
use crate::action::attachment::or_default;
use serde::de::{DeserializeOwned, Error};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};

/// A form that is shown to a user.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Dialog {
    /// The integration's own name for it.
    #[serde(deserialize_with = "or_default")]
    pub callback_id: String,
    /// Stands above it; 24 bytes at most.
    #[serde(deserialize_with = "or_default")]
    pub title: String,
    /// Markdown, below the title.
    #[serde(deserialize_with = "or_default")]
    pub introduction_text: String,
    /// A picture beside the title.
    #[serde(deserialize_with = "or_default")]
    pub icon_url: String,
    /// The fields; none asks for no more than consent.
    pub elements: Option<Vec<Element>>,
    /// Stands on the button.
    #[serde(deserialize_with = "or_default")]
    pub submit_label: String,
    /// Whether the integration is told when the user closes it.
    #[serde(deserialize_with = "or_default")]
    pub notify_on_cancel: bool,
    /// Comes back with the answers.
    #[serde(deserialize_with = "or_default")]
    pub state: String,
    /// Where 11 asks for the form anew when a field with `refresh` changes.
    #[serde(deserialize_with = "or_default", skip_serializing_if = "String::is_empty")]
    pub source_url: String,
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
    /// `text`, `textarea`, `select`, `bool`, `radio`; in 11 also `date` and `datetime`.
    #[serde(rename = "type", deserialize_with = "or_default")]
    pub kind: String,
    /// Of a `text`: `text`, `email`, `number`, `tel`, `url`, `password`.
    #[serde(deserialize_with = "or_default")]
    pub subtype: String,
    /// What it begins with.
    #[serde(deserialize_with = "or_default")]
    pub default: String,
    /// Shown while it is empty.
    #[serde(deserialize_with = "or_default")]
    pub placeholder: String,
    /// Shown below it.
    #[serde(deserialize_with = "or_default")]
    pub help_text: String,
    /// May stay empty.
    #[serde(deserialize_with = "or_default")]
    pub optional: bool,
    /// Of a text, in characters.
    #[serde(deserialize_with = "or_default")]
    pub min_length: i64,
    /// Of a text, in characters; 0 is the client's own limit.
    #[serde(deserialize_with = "or_default")]
    pub max_length: i64,
    /// Of a `select`: `users`, `channels`, in 11 `dynamic`; empty for its options.
    #[serde(deserialize_with = "or_default")]
    pub data_source: String,
    /// Where 11 looks up the options of a `dynamic` one.
    #[serde(deserialize_with = "or_default", skip_serializing_if = "String::is_empty")]
    pub data_source_url: String,
    /// Of a `select` or `radio`.
    pub options: Option<Vec<Choice>>,
    /// 11 only: several values at once.
    #[serde(deserialize_with = "or_default", skip_serializing_if = "Option::is_none")]
    pub multiselect: Option<bool>,
    /// 11 only: a change asks for the form anew.
    #[serde(deserialize_with = "or_default", skip_serializing_if = "std::ops::Not::not")]
    pub refresh: bool,
    /// 11 only, of a `datetime`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub datetime_config: Option<DateTimeConfig>,
    /// 11 only: `YYYY-MM-DD`, or `today`, `+30d`, …
    #[serde(deserialize_with = "or_default", skip_serializing_if = "String::is_empty")]
    pub min_date: String,
    /// 11 only.
    #[serde(deserialize_with = "or_default", skip_serializing_if = "String::is_empty")]
    pub max_date: String,
    /// 11 only: minutes between the times that a `datetime` offers.
    #[serde(deserialize_with = "or_default", skip_serializing_if = "is_zero")]
    pub time_interval: i64,
}

/// How a `datetime` is chosen.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct DateTimeConfig {
    /// Minutes between the times offered.
    #[serde(deserialize_with = "or_default", skip_serializing_if = "is_zero")]
    pub time_interval: i64,
    /// A name as `Europe/Berlin`.
    #[serde(deserialize_with = "or_default", skip_serializing_if = "String::is_empty")]
    pub location_timezone: String,
    /// The time may be typed.
    #[serde(deserialize_with = "or_default", skip_serializing_if = "std::ops::Not::not")]
    pub allow_manual_time_entry: bool,
}

/// An option of a menu.
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

/// An object or null. By itself serde also takes a list for a struct, which Go does not.
pub(super) fn object<'de, D: Deserializer<'de>, T: DeserializeOwned>(de: D) -> Result<Option<T>, D::Error> {
    let object: Option<Map<String, Value>> = Option::deserialize(de)?;
    object.map(|object| serde_json::from_value(object.into())).transpose().map_err(D::Error::custom)
}

impl Dialog {
    /// The fields, of which there may be none.
    pub fn fields(&self) -> &[Element] {
        self.elements.as_deref().unwrap_or_default()
    }

    /// Leaves what this version knows: a server drops all other keys.
    pub(super) fn fit(&mut self, version: Version) {
        let eleven = version.is_11();
        if !eleven {
            self.source_url.clear();
        }
        for element in self.elements.iter_mut().flatten() {
            if eleven {
                element.multiselect.get_or_insert(false);
            } else {
                element.data_source_url.clear();
                element.multiselect = None;
                element.refresh = false;
                element.datetime_config = None;
                element.min_date.clear();
                element.max_date.clear();
                element.time_interval = 0;
            }
        }
    }
}

impl Element {
    pub(super) fn takes_several(&self) -> bool {
        self.kind == "select" && self.multiselect == Some(true)
    }
}
