//! The answer of an integration to a dialog: `SubmitDialogResponse` and `LookupDialogResponse`. The server does not look
//! at its content type.

use crate::Version;
use crate::app_error::AppError;
use crate::go::{self, object_or_null, or_default};
use crate::model::{Choice, Dialog};
use http::StatusCode;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

/// The answer to a submission or a refresh.
#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct SubmitResponse {
    /// What is wrong with the dialog as a whole.
    #[serde(deserialize_with = "or_default", skip_serializing_if = "String::is_empty")]
    pub error: String,
    /// What is wrong with single fields, by their names.
    #[serde(deserialize_with = "or_default", skip_serializing_if = "BTreeMap::is_empty")]
    pub errors: BTreeMap<String, Text>,
    /// 11 only: empty, `ok`, `form` or `navigate`.
    #[serde(rename = "type", deserialize_with = "or_default", skip_serializing_if = "String::is_empty")]
    pub kind: String,
    /// 11 only: the form of the next step.
    #[serde(deserialize_with = "object_or_null", skip_serializing_if = "Option::is_none")]
    pub form: Option<Dialog>,
}

/// A text, where null is the empty text.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Text(#[serde(deserialize_with = "or_default")] pub String);

impl SubmitResponse {
    /// Reads a body. To 5.37 a body that cannot be read is an answer without errors, and it knows only the keys for
    /// errors. 11 is strict, but what is wrong with the content of a form it only logs.
    pub(crate) fn read(version: Version, body: &[u8]) -> Result<SubmitResponse, AppError> {
        if !version.since_11() {
            return Ok(SubmitResponse::read_loosely(body));
        }
        let mut answer: SubmitResponse = read(body).map_err(|error| {
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
            form.keep_known(version);
        }
        Ok(answer)
    }

    /// Reads each key that has its type, as Go does when the caller ignores its error.
    fn read_loosely(body: &[u8]) -> SubmitResponse {
        let Some(Ok(value)) = go::first_value(body) else { return SubmitResponse::default() };
        let texts = value.get("errors").and_then(Value::as_object).into_iter().flatten();
        let errors = texts.filter_map(|(key, text)| Some((key.clone(), Text(text.as_str()?.to_owned()))));
        let error = value.get("error").and_then(Value::as_str).unwrap_or_default();
        SubmitResponse { error: error.to_owned(), errors: errors.collect(), ..SubmitResponse::default() }
    }

    /// `SubmitDialogResponse.IsValid`: an answer with errors is valid, whatever else is in it.
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

    pub(crate) fn has_errors(&self) -> bool {
        !self.error.is_empty() || !self.errors.is_empty()
    }

    pub(crate) fn shape(&self) -> Value {
        serde_json::to_value(self).unwrap_or_default()
    }
}

/// The answer to a lookup: the options of a dynamic field.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct LookupResponse {
    pub items: Option<Vec<Choice>>,
}

impl LookupResponse {
    pub(crate) fn read(body: &[u8]) -> Result<LookupResponse, AppError> {
        read(body).map_err(|error| {
            tracing::info!(%error, "the answer to a lookup cannot be read");
            AppError::new(
                StatusCode::INTERNAL_SERVER_ERROR,
                "app.lookup_interactive_dialog.decode_json_error",
                "Encountered an error decoding JSON response from interactive dialog lookup.",
            )
        })
    }

    pub(crate) fn shape(&self) -> Value {
        serde_json::to_value(self).unwrap_or_default()
    }
}

/// Reads a body; no body is an empty answer.
fn read<T: DeserializeOwned + Default>(body: &[u8]) -> Result<T, serde_json::Error> {
    if body.is_empty() { Ok(T::default()) } else { go::read_object(serde_json::from_slice(body)?) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn since_11(body: &str) -> Result<Value, u16> {
        let read = SubmitResponse::read(Version::V11, body.as_bytes());
        read.map(|answer| answer.shape()).map_err(|error| error.status.as_u16())
    }

    #[test]
    fn version_11_is_strict() {
        for fine in ["", "null", "{}", r#"{"x":1}"#, r#"{"error":null,"errors":null}"#] {
            assert_eq!(since_11(fine), Ok(json!({})), "{fine}");
        }
        for broken in
            ["{bad", "[]", "\"a\"", r#"{"error":1}"#, r#"{"errors":{"a":1}}"#, r#"{"form":[]}"#, "{} x"]
        {
            assert_eq!(since_11(broken), Err(500), "{broken}");
        }
        for invalid in
            [r#"{"type":"nosuch"}"#, r#"{"type":"form"}"#, r#"{"form":{}}"#, r#"{"type":"ok","form":{}}"#]
        {
            assert_eq!(since_11(invalid), Err(400), "{invalid}");
        }
        assert_eq!(since_11(r#"{"type":"nosuch","error":"a"}"#), Ok(json!({"type": "nosuch", "error": "a"})));
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
            assert_eq!(
                SubmitResponse::read(Version::V5_37, body.as_bytes()).unwrap().shape(),
                read,
                "{body}"
            );
        }
    }
}
