//! An invocation as a line, such that reading the line gives the invocation again.

use super::{Grammar, Invocation, bind::flag, find::spoken, lexer};
use crate::{Field, FieldType};
use serde_json::Value;

impl Grammar<'_> {
    /// The line that gives `invocation` when it is read: values are quoted as needed.
    pub fn print(&self, invocation: &Invocation) -> String {
        let head = format!("/{} {}", self.manifest.namespace(), spoken(invocation.function.as_str()));
        let mut words = vec![head];
        let command = self.manifest.command(invocation.function.as_str());
        for field in command.map(|c| c.fields.as_slice()).unwrap_or_default() {
            match invocation.values.get(field.name.as_str()) {
                None => {}
                Some(Value::Array(items)) if field.multiple || field.r#type == FieldType::File => {
                    words.extend(items.iter().map(|item| word(field, item)));
                }
                Some(value) => words.push(word(field, value)),
            }
        }
        if invocation.form {
            words.push("--form".to_owned());
        }
        words.join(" ")
    }
}

/// The word that gives one value.
fn word(field: &Field, value: &Value) -> String {
    let flag = flag(field);
    match (field.r#type, value) {
        (FieldType::Bool, Value::Bool(true)) => flag,
        (FieldType::Bool, Value::Bool(false)) => format!("--no-{}", flag.trim_start_matches("--")),
        (FieldType::Json, value) => format!("{flag}={}", quoted(&value.to_string())),
        (_, Value::String(text)) => format!("{flag}={}", quoted(text)),
        (_, value) => format!("{flag}={}", quoted(&value.to_string())),
    }
}

/// In quotes, unless nothing in it could be read otherwise.
fn quoted(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_.:/@~+".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        return text.to_owned();
    }
    let escaped = text.chars().flat_map(|c| lexer::special(c).then_some('\\').into_iter().chain([c]));
    format!("\"{}\"", escaped.collect::<String>())
}
