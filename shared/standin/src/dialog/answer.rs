//! What an integration may answer: `SubmitDialogResponse` and `LookupDialogResponse`. The content type does not
//! matter here.

use super::form::{Choice, Dialog, object};
use crate::Version;
use crate::action::attachment::or_default;
use crate::error::AppError;
use http::StatusCode;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

/// The answer to what was sent.
#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Submitted {
    /// Of all of it.
    #[serde(deserialize_with = "or_default", skip_serializing_if = "String::is_empty")]
    pub error: String,
    /// By field.
    #[serde(deserialize_with = "or_default", skip_serializing_if = "BTreeMap::is_empty")]
    pub errors: BTreeMap<String, Text>,
    /// 11 only: empty, `ok`, `form`, `navigate`.
    #[serde(rename = "type", deserialize_with = "or_default", skip_serializing_if = "String::is_empty")]
    pub kind: String,
    /// 11 only: the next step.
    #[serde(deserialize_with = "object", skip_serializing_if = "Option::is_none")]
    pub form: Option<Dialog>,
}

/// A text, of which null is the empty one.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Text(#[serde(deserialize_with = "or_default")] pub String);

impl Submitted {
    /// 5.37 takes whatever cannot be read for an answer without errors, and does not know the other keys. 11 is strict,
    /// but only logs what is wrong with a form.
    pub(super) fn read(version: Version, body: &[u8]) -> Result<Submitted, AppError> {
        if !version.is_11() {
            return Ok(Submitted::read_loosely(body));
        }
        let mut answer: Submitted = read(body).map_err(|error| {
            tracing::info!(%error, "the answer to a dialog cannot be read");
            AppError::new(
                StatusCode::INTERNAL_SERVER_ERROR,
                "app.submit_interactive_dialog.decode_json_error",
                "Encountered an error decoding JSON response from interactive dialog submission.",
            )
        })?;
        if !answer.is_valid() {
            return Err(AppError::bad(
                "app.submit_interactive_dialog.invalid_response",
                "Encountered an invalid response from interactive dialog submission.",
            ));
        }
        if let Some(form) = answer.form.as_mut() {
            form.fit(version);
        }
        Ok(answer)
    }

    /// As Go does when nobody asks it for an error: each key that has its type counts.
    fn read_loosely(body: &[u8]) -> Submitted {
        let first = serde_json::Deserializer::from_slice(body).into_iter::<Value>().next();
        let Some(Ok(value)) = first else { return Submitted::default() };
        let texts = value.get("errors").and_then(Value::as_object).into_iter().flatten();
        let errors = texts.filter_map(|(key, text)| Some((key.clone(), Text(text.as_str()?.to_owned()))));
        let error = value.get("error").and_then(Value::as_str).unwrap_or_default();
        Submitted { error: error.to_owned(), errors: errors.collect(), ..Submitted::default() }
    }

    /// `SubmitDialogResponse.IsValid`: with errors nothing else is looked at.
    fn is_valid(&self) -> bool {
        if self.has_errors() {
            return true;
        }
        match self.kind.as_str() {
            "" | "ok" | "navigate" => self.form.is_none(),
            "form" => self.form.is_some(),
            _ => false,
        }
    }

    pub(super) fn has_errors(&self) -> bool {
        !self.error.is_empty() || !self.errors.is_empty()
    }

    pub(super) fn shape(&self) -> Value {
        serde_json::to_value(self).unwrap_or_default()
    }
}

/// The options of a dynamic field.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Looked {
    pub items: Option<Vec<Choice>>,
}

impl Looked {
    pub(super) fn read(body: &[u8]) -> Result<Looked, AppError> {
        read(body).map_err(|error| {
            tracing::info!(%error, "the answer to a lookup cannot be read");
            AppError::new(
                StatusCode::INTERNAL_SERVER_ERROR,
                "app.lookup_interactive_dialog.decode_json_error",
                "Encountered an error decoding JSON response from interactive dialog lookup.",
            )
        })
    }

    pub(super) fn shape(&self) -> Value {
        serde_json::to_value(self).unwrap_or_default()
    }
}

/// No body and null are an empty answer; other JSON than an object is none.
fn read<T: DeserializeOwned + Default>(body: &[u8]) -> Result<T, serde_json::Error> {
    if body.is_empty() {
        return Ok(T::default());
    }
    match serde_json::from_slice(body)? {
        Value::Null => Ok(T::default()),
        object @ Value::Object(_) => serde_json::from_value(object),
        _ => Err(serde::de::Error::custom("the answer is not an object")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn eleven(body: &str) -> Result<Value, u16> {
        let read = Submitted::read(Version::V11, body.as_bytes());
        read.map(|answer| answer.shape()).map_err(|error| error.status.as_u16())
    }

    #[test]
    fn version_11_is_strict() {
        for fine in ["", "null", "{}", r#"{"x":1}"#, r#"{"error":null,"errors":null}"#] {
            assert_eq!(eleven(fine), Ok(json!({})), "{fine}");
        }
        for broken in
            ["{bad", "[]", "\"a\"", r#"{"error":1}"#, r#"{"errors":{"a":1}}"#, r#"{"form":[]}"#, "{} x"]
        {
            assert_eq!(eleven(broken), Err(500), "{broken}");
        }
        for invalid in
            [r#"{"type":"nosuch"}"#, r#"{"type":"form"}"#, r#"{"form":{}}"#, r#"{"type":"ok","form":{}}"#]
        {
            assert_eq!(eleven(invalid), Err(400), "{invalid}");
        }
        assert_eq!(eleven(r#"{"type":"nosuch","error":"a"}"#), Ok(json!({"type": "nosuch", "error": "a"})));
    }

    #[test]
    fn version_5_37_takes_what_it_can() {
        for (body, read) in [
            ("", json!({})),
            ("{bad", json!({})),
            ("[]", json!({})),
            (r#"{"type":"form","form":{}}"#, json!({})),
            (r#"{"error":"a","errors":1}"#, json!({"error": "a"})),
            (r#"{"errors":{"a":"b","c":1}}"#, json!({"errors": {"a": "b"}})),
        ] {
            assert_eq!(Submitted::read(Version::V5_37, body.as_bytes()).unwrap().shape(), read, "{body}");
        }
    }
}
