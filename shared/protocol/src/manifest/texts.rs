//! The characters of a manifest's texts. People read all of these texts, also when they grant permissions.

use super::{Manifest, rules::Rules};
use crate::{json::escaped, text::is_unseen};
use serde_json::Value;

impl Rules<'_> {
    /// Reports texts with invisible characters.
    pub(super) fn texts(&mut self, manifest: &Manifest) {
        let value = serde_json::to_value(manifest).unwrap_or_default();
        self.text(&value, &mut Vec::new(), false);
    }

    /// `path` has the keys above, as in a pointer. It is joined only if there is a problem.
    fn text(&mut self, value: &Value, path: &mut Vec<String>, lines: bool) {
        let pointer = |path: &[String]| path.iter().flat_map(|key| ["/", key]).collect::<String>();
        match value {
            Value::String(text) => {
                if let Some((message, hint)) = unseen(text, lines) {
                    self.say(&pointer(path), message, hint);
                }
            }
            Value::Array(values) => {
                for (i, value) in values.iter().enumerate() {
                    path.push(i.to_string());
                    self.text(value, path, lines);
                    path.pop();
                }
            }
            Value::Object(entries) => {
                for (key, value) in entries {
                    path.push(escaped(key));
                    if let Some((message, hint)) = unseen(key, lines) {
                        self.say_at_key(&pointer(path), message, hint);
                    }
                    self.text(value, path, lines || has_lines(key));
                    path.pop();
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }
}

/// Whether texts at this key, or below it, may have several lines: descriptions, contents of fields, and their translations.
/// Everything else is a label, a name or an address.
fn has_lines(key: &str) -> bool {
    matches!(key, "description" | "default" | "values" | "translations")
}

/// What is wrong with the characters of a text, and what to do. `lines`: it may have several lines.
fn unseen(text: &str, lines: bool) -> Option<(String, &'static str)> {
    let unseen = |c: char| is_unseen(c) && !(lines && LINES.contains(&c));
    let (at, c) = text.chars().enumerate().find(|(_, c)| unseen(*c))?;
    let (at, code) = (at + 1, u32::from(c));
    Some(if matches!(c, '\n' | '\r') {
        ("This is one line, and has a line break.".to_owned(), "Write it in one line.")
    } else {
        let hint = "Remove it: with it a text can look like another, or change what a terminal shows.";
        (format!("Character {at} of this text is U+{code:04X}, which nobody sees."), hint)
    })
}

/// Characters that a text with several lines may have.
const LINES: [char; 3] = ['\n', '\r', '\t'];

/// Adds to a JSON Schema which characters texts may have. Words that are checked in another way need nothing.
#[cfg(feature = "schema")]
pub(super) fn say_in_schema(schema: &mut Value, lines: bool) {
    let Value::Object(entries) = schema else { return };
    let is_text = |kind: &Value| kind == "string" || kind.get(0).is_some_and(|kind| kind == "string");
    let free = ["const", "enum", "pattern", "format"].iter().all(|key| !entries.contains_key(*key));
    if free && entries.get("type").is_some_and(is_text) {
        let with: &[char] = if lines { &LINES } else { &[] };
        entries.insert("pattern".to_owned(), crate::text::pattern(with).into());
    }
    for (key, below) in entries {
        match (key.as_str(), below) {
            ("properties" | "$defs", Value::Object(named)) => {
                named.iter_mut().for_each(|(name, one)| say_in_schema(one, lines || has_lines(name)));
            }
            (_, Value::Array(several)) => several.iter_mut().for_each(|one| say_in_schema(one, lines)),
            (_, one) => say_in_schema(one, lines),
        }
    }
}
