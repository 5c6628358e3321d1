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
        let fields = command.map(|c| c.fields.as_slice()).unwrap_or_default();
        let named = |name: &str| fields.iter().any(|f| f.name.as_str() == name);
        for field in fields.iter().filter(|f| f.r#type != FieldType::Markdown) {
            let flag = flag(field);
            let word = |value: &Value| format!("{flag}={}", quoted(&typed(field, value)));
            match invocation.values.get(field.name.as_str()) {
                // Left alone it would be filled in.
                None if field.default.is_some() => words.push(format!("{flag}=\"\"")),
                None => {}
                Some(Value::Array(items)) if field.multiple || field.r#type == FieldType::File => {
                    words.extend(items.iter().map(word));
                }
                Some(Value::Bool(true)) if field.r#type == FieldType::Bool => words.push(flag),
                Some(Value::Bool(false))
                    if field.r#type == FieldType::Bool && !named(&format!("no_{}", field.name)) =>
                {
                    words.push(format!("--no-{}", flag.trim_start_matches("--")));
                }
                Some(value) => words.push(word(value)),
            }
        }
        if invocation.form && !named("form") {
            words.push("--form".to_owned());
        }
        words.join(" ")
    }
}

/// A value as it is typed.
fn typed(field: &Field, value: &Value) -> String {
    match value {
        Value::String(text) if field.r#type != FieldType::Json => text.clone(),
        value => value.to_string(),
    }
}

/// In quotes, unless nothing in it could be read otherwise.
pub(super) fn quoted(text: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || "-_.:/@~+…".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        return text.to_owned();
    }
    let escaped = text.chars().flat_map(|c| lexer::special(c).then_some('\\').into_iter().chain([c]));
    format!("\"{}\"", escaped.collect::<String>())
}
