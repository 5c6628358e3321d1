//! The fields of a dialog: what a web client sends for them, and which mistakes it finds itself.
//!
//! The client of 5.37 sends all fields, with null for an empty one; the client of 11 leaves empty fields out. Both always
//! send a `bool`, and they send a number as a number. That of 12 always sends boxes to check, as a list.

use crate::database::Database;
use crate::error::StandinError;
use crate::model::{Choice, Dialog, Element};
use crate::version::Version;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// The most characters that a client lets its user type if the dialog does not say it.
const LONGEST_TEXT: i64 = 150;
/// The same for a `textarea`.
const LONGEST_TEXTAREA: i64 = 3000;

/// The values of all fields: what the user entered, or else the first value. The value of an empty field is null.
pub(super) fn fields(
    db: &Database,
    dialog: &Dialog,
    typed: &Map<String, Value>,
) -> Result<Map<String, Value>, StandinError> {
    let known = |name: &String| dialog.fields().into_iter().any(|field| field.name == *name);
    if let Some(name) = typed.keys().find(|name| !known(name)) {
        return Err(StandinError::unknown("dialog field", name));
    }
    let value = |field: &Element| {
        let value = match typed.get(&field.name) {
            Some(typed) => entered(db, field, typed)?,
            None => initial(field),
        };
        Ok((field.name.clone(), value))
    };
    dialog.fields().into_iter().map(value).collect()
}

/// The first value of a field.
fn initial(field: &Element) -> Value {
    let default = field.default.as_str();
    match field.kind.as_str() {
        "bool" => default.eq_ignore_ascii_case("true").into(),
        "checkbox_group" if default.is_empty() => json!([]),
        "checkbox_matrix" => default.split(';').filter(|row| !row.is_empty()).map(Value::from).collect(),
        _ if default.is_empty() => Value::Null,
        _ if field.takes_several() => default.split(',').map(|one| Value::from(one.trim())).collect(),
        _ if field.subtype == "number" => number(default).unwrap_or_else(|| default.into()),
        _ => default.into(),
    }
}

/// The value for what a user types or chooses. A user cannot enter what the client does not allow.
fn entered(db: &Database, field: &Element, typed: &Value) -> Result<Value, StandinError> {
    let impossible = || StandinError::Impossible { field: field.name.clone(), value: typed.to_string() };
    let text = || typed.as_str().ok_or_else(impossible);
    match (field.kind.as_str(), typed) {
        (_, Value::Null) => Ok(initial(&Element { default: String::new(), ..field.clone() })),
        ("bool", Value::Bool(_)) => Ok(typed.clone()),
        ("text" | "textarea", Value::Number(_)) if field.subtype == "number" => Ok(typed.clone()),
        ("text" | "textarea", _) => {
            let text = text()?;
            let longest = match field.max_length {
                0 if field.kind == "textarea" => LONGEST_TEXTAREA,
                0 => LONGEST_TEXT,
                length => length,
            };
            if i64::try_from(text.chars().count()).is_ok_and(|length| length > longest) {
                return Err(impossible());
            }
            Ok(if text.is_empty() { Value::Null } else { text.into() })
        }
        ("checkbox_matrix", Value::Array(list)) => {
            list.iter().map(|row| matrix_row(field, row.as_str().ok_or_else(impossible)?)).collect()
        }
        ("select" | "checkbox_group", Value::Array(list)) if field.takes_several() => {
            list.iter().map(|one| option(db, field, one.as_str().ok_or_else(impossible)?)).collect()
        }
        ("select" | "radio", _) if !field.takes_several() => option(db, field, text()?),
        ("date" | "datetime", _) => Ok(text()?.into()),
        _ => Err(impossible()),
    }
}

/// A row of a matrix with the boxes that are checked in it: `row:column,column`.
fn matrix_row(field: &Element, typed: &str) -> Result<Value, StandinError> {
    let impossible = || StandinError::Impossible { field: field.name.clone(), value: typed.to_owned() };
    let config = field.matrix_config.as_ref().ok_or_else(impossible)?;
    let known = |list: &[Choice], value: &str| list.iter().any(|known| known.value == value);
    let (row, columns) = typed.split_once(':').ok_or_else(impossible)?;
    let columns: Vec<&str> = columns.split(',').collect();
    let fits = columns.iter().all(|column| known(&config.columns, column))
        && (config.row_selection != "single" || columns.len() == 1);
    if known(&config.rows, row) && fits { Ok(typed.into()) } else { Err(impossible()) }
}

/// The value of an option, which is given by its value or text; of a user or channel, by its name or id.
fn option(db: &Database, field: &Element, named: &str) -> Result<Value, StandinError> {
    match field.data_source.as_str() {
        "users" => db.resolve_user(named).map(Value::from),
        "channels" => db.resolve_channel(None, named).map(Value::from),
        // Its options come from a lookup, and are not kept.
        "dynamic" => Ok(named.into()),
        _ => {
            let options = || field.options.iter().flatten();
            let found = options().find(|known| known.value == named);
            let found = found.or_else(|| options().find(|known| known.text == named));
            found
                .map(|known| known.value.as_str().into())
                .ok_or_else(|| StandinError::unknown("option", named))
        }
    }
}

fn number(text: &str) -> Option<Value> {
    let whole = text.parse::<i64>().ok().map(Value::from);
    whole.or_else(|| text.parse::<f64>().ok().filter(|number| number.is_finite()).map(Value::from))
}

/// The mistakes that the client itself finds, by field. If there are any, nothing is sent.
pub(super) fn mistakes(dialog: &Dialog, fields: &Map<String, Value>) -> BTreeMap<String, String> {
    let mistake = |field: &Element| {
        let value = fields.get(&field.name).unwrap_or(&Value::Null);
        if is_empty(value) {
            return (!field.optional).then(|| "This field is required.".to_owned());
        }
        let text = value.as_str()?;
        let short = i64::try_from(text.chars().count()).is_ok_and(|length| length < field.min_length);
        match field.subtype.as_str() {
            _ if short => Some(format!("Minimum input length is {}.", field.min_length)),
            "email" if !text.contains('@') => Some("Must be a valid email address.".to_owned()),
            "number" if number(text).is_none() => Some("Must be a number.".to_owned()),
            "url" if !text.starts_with("http://") && !text.starts_with("https://") => {
                Some("URL must include http:// or https://.".to_owned())
            }
            _ => None,
        }
    };
    let fields = dialog.fields().into_iter();
    fields.filter_map(|field| Some((field.name.clone(), mistake(field)?))).collect()
}

fn is_empty(value: &Value) -> bool {
    value.is_null() || value.as_array().is_some_and(Vec::is_empty)
}

/// What is sent for the fields.
pub(super) fn submission(
    version: Version,
    dialog: &Dialog,
    fields: Map<String, Value>,
) -> Map<String, Value> {
    let is_number =
        |name: &str| dialog.fields().into_iter().any(|one| one.name == name && one.subtype == "number");
    let sent = fields.into_iter().map(|(name, value)| {
        let read = value.as_str().filter(|_| is_number(&name)).and_then(number);
        (name, read.unwrap_or(value))
    });
    let boxes = |name: &str| {
        dialog.fields().into_iter().any(|one| one.name == name && one.kind.starts_with("checkbox_"))
    };
    sent.filter(|(name, value)| !version.since_11() || !is_empty(value) || boxes(name)).collect()
}

/// What is sent for the fields with a lookup, where 11 does not convert them: an option is sent with its label, and a
/// field for several options as an empty list (`inbound/186-lookup.http`).
pub(super) fn lookup_submission(dialog: &Dialog, mut fields: Map<String, Value>) -> Map<String, Value> {
    for field in dialog.fields().into_iter().filter(|field| field.kind == "select") {
        let Some(value) = fields.get_mut(&field.name) else { continue };
        if field.takes_several() && field.data_source.is_empty() {
            *value = json!([]);
        } else if let Some(text) = value.as_str() {
            let label = field.options.iter().flatten().find(|known| known.value == text);
            *value = json!({"label": label.map_or(text, |Choice { text, .. }| text), "value": text});
        }
    }
    fields.retain(|_, value| !value.is_null());
    fields
}
