//! Filling a dialog in: what a web client sends for what stands in the fields, and what it finds wrong itself.
//!
//! The client of 5.37 sends every field and null for an empty one; that of 11 leaves empty ones out. Both send a
//! `bool` always, and a number as a number.

use super::form::{Choice, Dialog, Element};
use crate::naming::{channel_id, unknown, user_id};
use crate::world::World;
use crate::{StandinError, Version};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// The longest text that a client lets its user type where the dialog says nothing.
const TEXT: i64 = 150;
/// The same in a `textarea`.
const TEXTAREA: i64 = 3000;

/// What is in the fields: what was typed and chosen, and else what they begin with. Empty ones are null.
pub(super) fn fields(
    world: &World,
    dialog: &Dialog,
    typed: &Map<String, Value>,
) -> Result<Map<String, Value>, StandinError> {
    let known = |name: &String| dialog.fields().iter().any(|field| field.name == *name);
    if let Some(name) = typed.keys().find(|name| !known(name)) {
        return Err(unknown("dialog field", name));
    }
    let value = |field: &Element| {
        let value = match typed.get(&field.name) {
            Some(typed) => chosen(world, field, typed)?,
            None => initial(field),
        };
        Ok((field.name.clone(), value))
    };
    dialog.fields().iter().map(value).collect()
}

/// What a field begins with.
fn initial(field: &Element) -> Value {
    let default = field.default.as_str();
    match field.kind.as_str() {
        "bool" => default.eq_ignore_ascii_case("true").into(),
        _ if default.is_empty() => Value::Null,
        _ if field.takes_several() => default.split(',').map(|one| Value::from(one.trim())).collect(),
        _ if field.subtype == "number" => number(default).unwrap_or_else(|| default.into()),
        _ => default.into(),
    }
}

/// What a client makes of what its user types or chooses. Nobody can type or choose what a client does not let him.
fn chosen(world: &World, field: &Element, typed: &Value) -> Result<Value, StandinError> {
    let impossible = || StandinError::Impossible { field: field.name.clone(), value: typed.to_string() };
    let text = || typed.as_str().ok_or_else(impossible);
    match (field.kind.as_str(), typed) {
        (_, Value::Null) => Ok(initial(&Element { default: String::new(), ..field.clone() })),
        ("bool", Value::Bool(_)) => Ok(typed.clone()),
        ("text" | "textarea", Value::Number(_)) if field.subtype == "number" => Ok(typed.clone()),
        ("text" | "textarea", _) => {
            let text = text()?;
            let longest = match field.max_length {
                0 if field.kind == "textarea" => TEXTAREA,
                0 => TEXT,
                length => length,
            };
            if i64::try_from(text.chars().count()).is_ok_and(|length| length > longest) {
                return Err(impossible());
            }
            Ok(if text.is_empty() { Value::Null } else { text.into() })
        }
        ("select", Value::Array(list)) if field.takes_several() => {
            list.iter().map(|one| option(world, field, one.as_str().ok_or_else(impossible)?)).collect()
        }
        ("select" | "radio", _) if !field.takes_several() => option(world, field, text()?),
        ("date" | "datetime", _) => Ok(text()?.into()),
        _ => Err(impossible()),
    }
}

/// The value of an option, named by its value or text; of users and channels by their name or id.
fn option(world: &World, field: &Element, named: &str) -> Result<Value, StandinError> {
    match field.data_source.as_str() {
        "users" => user_id(world, named).map(Value::from),
        "channels" => channel_id(world, None, named).map(Value::from),
        // Its options come by a lookup, of which nothing is kept.
        "dynamic" => Ok(named.into()),
        _ => {
            let options = || field.options.iter().flatten();
            let found = options().find(|known| known.value == named);
            let found = found.or_else(|| options().find(|known| known.text == named));
            found.map(|known| known.value.as_str().into()).ok_or_else(|| unknown("option", named))
        }
    }
}

fn number(text: &str) -> Option<Value> {
    let whole = text.parse::<i64>().ok().map(Value::from);
    whole.or_else(|| text.parse::<f64>().ok().filter(|number| number.is_finite()).map(Value::from))
}

/// What the client itself finds wrong, by field: then nothing is sent.
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
    let fields = dialog.fields().iter();
    fields.filter_map(|field| Some((field.name.clone(), mistake(field)?))).collect()
}

fn is_empty(value: &Value) -> bool {
    value.is_null() || value.as_array().is_some_and(Vec::is_empty)
}

/// What is sent of the fields.
pub(super) fn submission(
    version: Version,
    dialog: &Dialog,
    fields: Map<String, Value>,
) -> Map<String, Value> {
    let is_number =
        |name: &str| dialog.fields().iter().any(|one| one.name == name && one.subtype == "number");
    let sent = fields.into_iter().map(|(name, value)| {
        let read = value.as_str().filter(|_| is_number(&name)).and_then(number);
        (name, read.unwrap_or(value))
    });
    sent.filter(|(_, value)| !version.is_11() || !is_empty(value)).collect()
}

/// The same for a lookup, for which 11 does not convert them: of a chosen option the label is told too, and of
/// several nothing (`inbound/186-lookup.http`).
pub(super) fn unconverted(dialog: &Dialog, mut fields: Map<String, Value>) -> Map<String, Value> {
    for field in dialog.fields().iter().filter(|field| field.kind == "select") {
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
