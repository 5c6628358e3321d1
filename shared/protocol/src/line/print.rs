//! An invocation as a line, such that reading the line gives the invocation again.

use super::{Grammar, Invocation, bind::flag, find::spoken, lexer};
use crate::{Field, FieldType};
use serde_json::Value;

impl Grammar<'_> {
    /// The line that gives `invocation` when it is read: values are quoted as needed.
    pub fn print(&self, invocation: &Invocation) -> String {
        let mut line = format!("/{} {}", self.manifest.namespace(), spoken(invocation.function.as_str()));
        let fields = self.manifest.command(invocation.function.as_str()).map(|c| c.fields.as_slice()).unwrap_or_default();
        for field in fields {
            let Some(value) = invocation.values.get(field.name.as_str()) else { continue };
            match value {
                Value::Array(items) if field.multiple || field.r#type == FieldType::File => {
                    items.iter().for_each(|item| one(&mut line, field, item));
                }
                value => one(&mut line, field, value),
            }
        }
        if invocation.form {
            line.push_str(" --form");
        }
        line
    }
}

fn one(line: &mut String, field: &Field, value: &Value) {
    let flag = flag(field);
    match (field.r#type, value) {
        (FieldType::Bool, Value::Bool(true)) => line.push_str(&format!(" {flag}")),
        (FieldType::Bool, Value::Bool(false)) => line.push_str(&format!(" --no-{}", flag.trim_start_matches("--"))),
        (FieldType::Json, value) => line.push_str(&format!(" {flag}={}", quoted(&value.to_string()))),
        (_, Value::String(text)) => line.push_str(&format!(" {flag}={}", quoted(text))),
        (_, value) => line.push_str(&format!(" {flag}={}", quoted(&value.to_string()))),
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
