//! Settings and presets in JSON files. No error quotes what stands there: it may be a password.

use crate::failure::Failure;
use cloud_apps_protocol::Values;
use serde_json::Value;
use std::path::Path;

/// The settings: a JSON object.
pub fn settings(file: &Path) -> Result<Values, Failure> {
    match json(file)? {
        Value::Object(values) => Ok(values),
        _ => Err(Failure::usage(format!("{} is not a JSON object", file.display()))
            .hint("write {\"name\": \"value\"}")),
    }
}

/// Any JSON value.
pub fn json(file: &Path) -> Result<Value, Failure> {
    let text = std::fs::read_to_string(file)
        .map_err(|error| Failure::usage(format!("cannot read {}: {error}", file.display())))?;
    serde_json::from_str(&text).map_err(|error| {
        let (line, column) = (error.line(), error.column());
        Failure::usage(format!("{} is not JSON (line {line}, column {column})", file.display()))
    })
}
