//! Writes an invocation as a line. If the line is read, it gives the same invocation. A preset's name is not written, because
//! its values are.

use super::{
    Grammar, Invocation,
    find::{flag, spoken},
    lexer,
};
use crate::{Field, FieldType};
use serde_json::Value;

impl Grammar<'_> {
    /// The line of an invocation. Values are quoted if needed.
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
                // Otherwise the default would be used.
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

/// A text in quotes, if it could be read in another way without them.
pub(super) fn quoted(text: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || "-_.:/@~+…".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        return text.to_owned();
    }
    let escaped = text.chars().flat_map(|c| lexer::special(c).then_some('\\').into_iter().chain([c]));
    format!("\"{}\"", escaped.collect::<String>())
}
