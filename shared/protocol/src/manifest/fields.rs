//! The rules of fields, of commands and of settings.

use super::rules::Rules;
use crate::{
    Field, FieldType, Values,
    form::{SelectStyle, Subtype},
    limits,
    values::MAX_TEXT,
};
use jiff::{Timestamp, civil::Date};
use serde_json::Value;
use std::cmp::Ordering;

/// What the fields belong to.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Of {
    Command,
    Settings,
}

impl Rules<'_> {
    pub(super) fn fields(&mut self, of: Of, fields: &[Field], pointer: &str) {
        self.at_most(fields.len(), limits::FIELDS, "fields", pointer);
        self.distinct(fields.iter().map(|f| f.name.as_str()), "field", |i| format!("{pointer}/{i}/name"));
        let mut optional: Option<&Field> = None;
        for (i, field) in fields.iter().enumerate() {
            let at = format!("{pointer}/{i}");
            self.field(field, &at);
            match of {
                Of::Settings => self.setting(field, &at),
                Of::Command => {
                    if field.positional && field.required {
                        if let Some(before) = optional {
                            let message = format!(
                                "A required field cannot follow the optional {:?} when both are given by place.",
                                before.name.as_str()
                            );
                            self.say(&format!("{at}/required"), message, "Put required fields first.");
                        }
                    } else if field.positional {
                        optional = optional.or(Some(field));
                    }
                }
            }
        }
    }

    fn setting(&mut self, field: &Field, at: &str) {
        let only_commands =
            [("positional", field.positional), ("lookup", field.lookup), ("refresh", field.refresh)];
        for (key, _) in only_commands.into_iter().filter(|(_, set)| *set) {
            self.say(
                &format!("{at}/{key}"),
                format!("A setting cannot have {key:?}: only commands can."),
                "",
            );
        }
        if field.r#type == FieldType::File {
            self.say(&format!("{at}/type"), "A setting cannot be a file.", "");
        }
    }

    fn field(&mut self, field: &Field, at: &str) {
        self.belongs(field, at);
        self.select(field, at);
        self.bounds(field, at);
        if field.max_length.is_some_and(|max| max == 0 || max as usize > MAX_TEXT) {
            self.say(
                &format!("{at}/max_length"),
                format!("This is no length from 1 to {MAX_TEXT} characters."),
                "",
            );
        }
        let mut pattern_reads = true;
        if let Some(pattern) = &field.pattern
            && let Some(error) = self.checker.refuses(pattern)
        {
            pattern_reads = false;
            let message = format!("This pattern cannot be used: {error}.");
            self.say(
                &format!("{at}/pattern"),
                message,
                "The syntax is that of RE2, without look-around and back-references.",
            );
        }

        let Some(default) = &field.default else { return };
        let pointer = format!("{at}/default");
        if field.subtype == Some(Subtype::Password) {
            self.say(&pointer, "A password cannot have a default: the manifest is no secret.", "");
        } else if field.r#type != FieldType::Markdown
            && pattern_reads
            && let Err(reason) = self.checker.check(field, default)
        {
            self.say(&pointer, sentence(&format!("The default does not fit its field: {reason}")), "");
        }
    }

    /// Keys that only some types have.
    fn belongs(&mut self, field: &Field, at: &str) {
        use FieldType::{Bool, Date, Datetime, Markdown, Number, Select, Text};
        let valued: &[FieldType] = &[];
        let keys: [(&str, bool, &[FieldType]); 14] = [
            ("subtype", field.subtype.is_some(), &[Text]),
            ("max_length", field.max_length.is_some(), &[Text]),
            ("pattern", field.pattern.is_some(), &[Text]),
            ("options", !field.options.is_empty(), &[Select]),
            ("lookup", field.lookup, &[Select]),
            ("style", field.style.is_some(), &[Select]),
            ("min", field.min.is_some(), &[Number, Date, Datetime]),
            ("max", field.max.is_some(), &[Number, Date, Datetime]),
            ("required", field.required, valued),
            ("positional", field.positional, valued),
            ("default", field.default.is_some(), valued),
            ("multiple", field.multiple, valued),
            ("refresh", field.refresh, valued),
            ("hint", !field.hint.is_empty(), valued),
        ];
        for (key, set, types) in keys {
            if !set {
                continue;
            }
            let pointer = format!("{at}/{key}");
            if types.is_empty() && field.r#type == Markdown {
                self.say(&pointer, format!("A markdown field is shown only and has no {key:?}."), "");
            } else if !types.is_empty() && !types.contains(&field.r#type) {
                let types = types.iter().map(|t| word(*t)).collect::<Vec<_>>().join(", ");
                let message =
                    format!("A field of type {} has no {key:?}: only {types} has.", word(field.r#type));
                self.say(&pointer, message, "");
            }
        }
        if field.multiple && field.r#type == Bool {
            self.say(&format!("{at}/multiple"), "A bool is given once.", "");
        }
    }

    fn select(&mut self, field: &Field, at: &str) {
        if field.r#type != FieldType::Select {
            return;
        }
        let options = format!("{at}/options");
        if field.options.is_empty() && !field.lookup {
            let hint = "Give \"options\", or \"lookup\": true if they come from the app.";
            self.say(&options, "This select has nothing to select from.", hint);
        }
        if field.lookup && !field.options.is_empty() {
            self.say(
                &format!("{at}/lookup"),
                "A select has either options or a lookup.",
                "Remove one of them.",
            );
        }
        if field.style == Some(SelectStyle::Radio) && (field.multiple || field.lookup) {
            self.say(
                &format!("{at}/style"),
                "Radio buttons are for one of some static options.",
                "Remove \"style\".",
            );
        }
        self.at_most(field.options.len(), limits::OPTIONS, "options", &options);
        self.distinct(field.options.iter().map(|o| o.value.as_str()), "option", |i| {
            format!("{options}/{i}/value")
        });
        for (i, option) in field.options.iter().enumerate() {
            let pointer = format!("{options}/{i}/value");
            if option.value.contains(',') {
                let why =
                    "An option's value cannot hold a comma: phones send several values joined by commas.";
                self.say(&pointer, why, "Put the comma into the label.");
            }
            self.filled(&option.value, &pointer);
        }
    }

    /// Limits have the field's type, and the first is not larger than the second.
    fn bounds(&mut self, field: &Field, at: &str) {
        let compare: fn(&Value, &Value) -> Option<Ordering> = match field.r#type {
            FieldType::Number => |a, b| a.as_f64()?.partial_cmp(&b.as_f64()?),
            FieldType::Date => |a, b| read::<Date>(a)?.partial_cmp(&read(b)?),
            FieldType::Datetime => |a, b| read::<Timestamp>(a)?.partial_cmp(&read(b)?),
            _ => return,
        };
        let mut good = true;
        for (key, bound) in [("min", &field.min), ("max", &field.max)] {
            // A value that cannot be compared with itself is not a limit.
            if let Some(bound) = bound.as_ref().filter(|bound| compare(bound, bound).is_none()) {
                let expected = match field.r#type {
                    FieldType::Number => "a number",
                    FieldType::Date => "a date such as \"2026-11-22\"",
                    _ => "a time such as \"2026-11-22T09:00:00Z\"",
                };
                self.say(&format!("{at}/{key}"), format!("{bound} is not {expected}."), "");
                good = false;
            }
        }
        if let (true, Some(min), Some(max)) = (good, &field.min, &field.max)
            && compare(min, max) == Some(Ordering::Greater)
        {
            self.say(&format!("{at}/min"), format!("The least, {min}, is more than the most, {max}."), "");
        }
    }

    /// Values of a preset: each belongs to a field and fits it.
    pub(super) fn values(&mut self, fields: &[Field], values: &Values, of: &str, pointer: &str) {
        for (name, value) in values {
            let at = format!("{pointer}/{}", crate::json::escaped(name));
            match fields.iter().find(|field| field.name.as_str() == name) {
                None => {
                    let hint = self.did_you_mean(name, fields.iter().map(|field| field.name.as_str()));
                    self.say_at_key(&at, format!("{of} has no field {name:?}."), hint);
                }
                Some(field) => {
                    if let Err(reason) = self.checker.check(field, value) {
                        self.say(&at, sentence(&format!("This value does not fit its field: {reason}")), "");
                    }
                }
            }
        }
    }
}

/// A reason may end in a question.
fn sentence(text: &str) -> String {
    if text.ends_with('?') { text.to_owned() } else { format!("{text}.") }
}

fn read<T: std::str::FromStr>(value: &Value) -> Option<T> {
    value.as_str()?.parse().ok()
}

/// The word in JSON.
pub(super) fn word(r#type: FieldType) -> String {
    serde_json::to_value(r#type).ok().and_then(|v| v.as_str().map(str::to_owned)).unwrap_or_default()
}
