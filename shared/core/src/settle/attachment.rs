//! Message attachments: only the keys that Mattermost shows pass, so that nothing a client could click gets out
//! unsealed, whatever an app wrote.

use serde_json::{Map, Value};

/// Keys whose value is a text.
const TEXTS: [&str; 13] = [
    "fallback",
    "color",
    "pretext",
    "author_name",
    "author_link",
    "author_icon",
    "title",
    "title_link",
    "text",
    "image_url",
    "thumb_url",
    "footer",
    "footer_icon",
];

/// The attachment as it may be shown; `actions` is set where it had some.
pub fn shown(attachment: &Value, actions: &mut bool) -> Value {
    let mut out = Map::new();
    for key in TEXTS {
        if let Some(text @ Value::String(_)) = attachment.get(key) {
            out.insert(key.into(), text.clone());
        }
    }
    if let Some(Value::Array(fields)) = attachment.get("fields") {
        out.insert("fields".into(), fields.iter().map(field).collect());
    }
    *actions |=
        attachment.get("actions").and_then(Value::as_array).is_some_and(|actions| !actions.is_empty());
    Value::Object(out)
}

/// `{"title","value","short"}`; a value that is a number or a truth value is shown as text.
fn field(field: &Value) -> Value {
    let text = |key: &str| match field.get(key) {
        Some(Value::String(text)) => text.clone(),
        Some(value @ (Value::Number(_) | Value::Bool(_))) => value.to_string(),
        _ => String::new(),
    };
    let short = field.get("short").and_then(Value::as_bool).unwrap_or(false);
    serde_json::json!({"title": text("title"), "value": text("value"), "short": short})
}
