//! Settings and presets in JSON files. No error quotes what stands there: it may be a password.

use crate::failure::Failure;
use cloud_apps_protocol::{Values, json};
use serde_json::Value;
use std::{io::ErrorKind, path::Path};

/// The settings: a JSON object.
pub fn settings(file: &Path) -> Result<Values, Failure> {
    match value(file)? {
        Value::Object(values) => Ok(values),
        _ => Err(Failure::usage(format!("{} is not a JSON object", file.display()))
            .hint("write {\"name\": \"value\"}")),
    }
}

/// Any JSON value.
pub fn value(file: &Path) -> Result<Value, Failure> {
    let text = text(file)?;
    serde_json::from_str(&text).map_err(|error| {
        let (line, column) = (error.line(), error.column());
        let failure =
            Failure::usage(format!("{} is not JSON (line {line}, column {column})", file.display()));
        match json::hint(&text, &error) {
            "" => failure,
            hint => failure.hint(hint),
        }
    })
}

/// What a file of text holds.
fn text(file: &Path) -> Result<String, Failure> {
    std::fs::read_to_string(file).map_err(|error| {
        let failure = Failure::usage(format!("cannot read {}: {error}", file.display()));
        match error.kind() {
            ErrorKind::InvalidData => failure.hint("save the file as UTF-8"),
            _ => failure,
        }
    })
}
