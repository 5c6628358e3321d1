//! The words behind a function's name become values of its fields.

use super::{Fault, Grammar, Line, LineError, Target, code, dates, find, lexer::Word};
use crate::{
    Field, FieldType, UserId, Values,
    form::Subtype,
    values::{check_value, nearest},
};
use serde_json::Value;

impl Grammar<'_> {
    pub(super) fn bind(&self, target: Target<'_>, words: &[Word]) -> Result<Line, LineError> {
        if words.iter().take_while(|w| w.plain() != Some("--")).any(|w| w.plain() == Some("--help"))
            && field(target, "help").is_none()
        {
            return Ok(Line::Help(self.help_of(target)));
        }
        let mut binding = Binding { grammar: self, target, values: Values::new(), form: false };
        binding.read(words).map_err(|fault| self.explain(fault, Some(target.command)))?;
        Ok(Line::Run(Self::invocation(target, binding.values, binding.form, Vec::new())))
    }
}

fn field<'g>(target: Target<'g>, name: &str) -> Option<&'g Field> {
    target.command.fields.iter().find(|f| f.name.as_str() == name)
}

/// A field's name as a flag.
pub(super) fn flag(field: &Field) -> String {
    format!("--{}", field.name.as_str().replace('_', "-"))
}

struct Binding<'g, 'a> {
    grammar: &'g Grammar<'a>,
    target: Target<'g>,
    values: Values,
    form: bool,
}

impl Binding<'_, '_> {
    fn read(&mut self, words: &[Word]) -> Result<(), Fault> {
        let mut positional: Vec<&Word> = Vec::new();
        let mut rest = words.iter();
        let mut flags = true;
        while let Some(word) = rest.next() {
            match word.flag().filter(|_| flags) {
                Some("") => flags = false,
                Some(text) => self.flag(word, text, &mut rest)?,
                None => {
                    if flags && let Some(fault) = self.one_dash(word) {
                        return Err(fault);
                    }
                    positional.push(word);
                }
            }
        }
        self.positional(&positional)
    }

    fn flag(&mut self, word: &Word, text: &str, rest: &mut std::slice::Iter<'_, Word>) -> Result<(), Fault> {
        let (name, value) = text.split_once('=').map_or((text, None), |(name, value)| (name, Some(value)));
        let normal = name.to_lowercase().replace('-', "_");
        let found = field(self.target, &normal).filter(|f| f.r#type != FieldType::Markdown);
        let negated = || {
            normal
                .strip_prefix("no_")
                .and_then(|n| field(self.target, n))
                .filter(|f| f.r#type == FieldType::Bool)
        };
        let Some(field) = found.or_else(negated) else {
            if normal == "form" && value.is_none() {
                self.form = true;
                return Ok(());
            }
            return Err(self.unknown_flag(word, name));
        };
        if field.r#type == FieldType::Bool {
            let value = match (found.is_some(), value) {
                (true, None) => Value::Bool(true),
                (false, None) => Value::Bool(false),
                (true, Some(text)) => Value::from(text),
                (false, Some(_)) => {
                    return Err(Fault::new(
                        word.start,
                        &word.text,
                        format!("`{}` or `{}=no`", word.flag_name(), flag(field)),
                        "takes no value",
                    ));
                }
            };
            return self.put(field, word, &value);
        }
        let (at, text) = if let Some(text) = value {
            (word, text)
        } else {
            // The value is the next word, unless that is a flag itself.
            let Some(next) = rest.as_slice().first().filter(|next| next.flag().is_none()) else {
                let expected = format!("`{}=…`: {}", flag(field), expects(field));
                return Err(Fault::new(word.start, &word.text, expected, "has no value"));
            };
            rest.next();
            (next, next.text.as_str())
        };
        let value = self.typed(field, text, at)?;
        self.put(field, at, &value)
    }

    /// `-x`: nobody has short flags, and a number may be negative.
    fn one_dash(&self, word: &Word) -> Option<Fault> {
        let name = word.plain()?.strip_prefix('-')?;
        name.starts_with(char::is_alphabetic).then(|| {
            let name = name.split('=').next().unwrap_or_default();
            let expected = "a flag with two dashes, or a value (behind `--` it may begin with a dash)";
            Fault::new(word.start, &word.text, expected, "begins with one dash").near(self.nearest_flag(name))
        })
    }

    fn nearest_flag(&self, name: &str) -> Option<String> {
        let name = name.to_lowercase().replace('-', "_");
        let fields = self.target.command.fields.iter();
        let names = fields.map(|f| f.name.as_str()).chain(["help", "form"]);
        nearest(&name, names).map(|near| format!("--{}", near.replace('_', "-")))
    }

    fn unknown_flag(&self, word: &Word, name: &str) -> Fault {
        let flags: Vec<String> =
            self.target.command.fields.iter().map(|f| format!("`{}`", flag(f))).take(12).collect();
        let command = find::spoken(self.target.command.function.as_str());
        let expected = if flags.is_empty() {
            format!("no flags behind `{command}`")
        } else {
            format!("one of {}", flags.join(", "))
        };
        let found = word.text.split('=').next().unwrap_or_default();
        Fault::new(word.start, found, expected, format!("is no flag of `{command}`"))
            .near(self.nearest_flag(name))
    }

    /// Gives the words without a flag to the positional fields that no flag has filled, in their order.
    fn positional(&mut self, words: &[&Word]) -> Result<(), Fault> {
        let target = self.target;
        let open: Vec<&Field> = target
            .command
            .fields
            .iter()
            .filter(|f| f.positional && !self.values.contains_key(f.name.as_str()))
            .collect();
        let mut words = words.iter();
        for (i, field) in open.iter().enumerate() {
            let last = i + 1 == open.len();
            if field.multiple && last {
                for word in words.by_ref() {
                    let value = self.typed(field, &word.text, word)?;
                    self.put(field, word, &value)?;
                }
            } else if last
                && field.r#type == FieldType::Text
                && field.subtype.is_none_or(|s| matches!(s, Subtype::Line | Subtype::Textarea))
            {
                // The last text takes the rest of the line: nobody quotes a sentence.
                let Some(first) = words.next() else { return Ok(()) };
                let text = std::iter::once(first)
                    .chain(words.by_ref())
                    .map(|w| w.text.as_str())
                    .collect::<Vec<_>>()
                    .join(" ");
                let value = self.typed(field, &text, first)?;
                self.put(field, first, &value)?;
            } else {
                let Some(word) = words.next() else { return Ok(()) };
                let value = self.typed(field, &word.text, word)?;
                self.put(field, word, &value)?;
            }
        }
        match words.next() {
            None => Ok(()),
            Some(word) => {
                let command = find::spoken(target.command.function.as_str());
                let fault = Fault::new(
                    word.start,
                    &word.text,
                    "a flag, or the end of the line",
                    format!("is more than `{command}` takes"),
                );
                Err(fault.near(word.plain().and_then(|text| self.nearest_flag(text))))
            }
        }
    }

    /// What a text means for a field, before the field checks it.
    fn typed(&self, field: &Field, text: &str, word: &Word) -> Result<Value, Fault> {
        let grammar = self.grammar;
        let mentioned = grammar.mentioned;
        let absent = |what: &str| Err(Fault::new(word.start, &word.text, expects(field), what));
        Ok(match field.r#type {
            FieldType::User => {
                let name = text.trim_end_matches([',', ';', ':', '!', '?', '.']).trim_start_matches('@');
                match mentioned.users.get(name).or_else(|| mentioned.users.get(&name.to_lowercase())) {
                    Some(user) => user.id.as_str().into(),
                    None if UserId::new(text).is_ok() => text.into(),
                    None => return absent("is nobody in this team"),
                }
            }
            FieldType::Channel => {
                let name = text.trim_end_matches([',', ';', ':', '!', '?', '.']).trim_start_matches('~');
                match mentioned.channels.get(name).or_else(|| mentioned.channels.get(&name.to_lowercase())) {
                    Some(channel) => channel.id.as_str().into(),
                    None if UserId::new(text).is_ok() => text.into(),
                    None => return absent("is no public channel of this team"),
                }
            }
            FieldType::Post => permalink(text).unwrap_or(text).into(),
            FieldType::Date | FieldType::Datetime => {
                dates::read(field.r#type, text, grammar.now, grammar.time_zone)
                    .map_or_else(|| text.into(), Value::from)
            }
            FieldType::Json => serde_json::from_str(text).map_err(|e| {
                Fault::new(
                    word.start,
                    &word.text,
                    "JSON, in quotes where it has spaces",
                    format!("is not JSON ({e})"),
                )
            })?,
            _ => text.into(),
        })
    }

    /// Checks a value and keeps it. A repeated flag makes a list, where the field takes one.
    fn put(&mut self, field: &Field, word: &Word, value: &Value) -> Result<(), Fault> {
        let name = field.name.as_str();
        let value = check_value(field, value).map_err(|why| {
            let secret = field.subtype == Some(Subtype::Password);
            let found = if secret { flag(field) } else { word.text.clone() };
            let what = format!("does not fit {}: {why}", code(&flag(field)));
            Fault { value: true, ..Fault::new(word.start, &found, expects(field), what) }
        })?;
        match (self.values.get_mut(name), value) {
            (Some(Value::Array(list)), Value::Array(more)) => list.extend(more),
            (Some(_), _) => {
                return Err(Fault::new(
                    word.start,
                    &word.text,
                    format!("`{}` once", flag(field)),
                    "gives a value a second time",
                ));
            }
            (None, value) => {
                self.values.insert(name.to_owned(), value);
            }
        }
        Ok(())
    }
}

impl Word {
    /// `--name` of `--name=value`.
    fn flag_name(&self) -> &str {
        self.text.split('=').next().unwrap_or_default()
    }
}

/// The post's id at the end of `https://chat.example.com/team/pl/<id>`.
fn permalink(text: &str) -> Option<&str> {
    let (_, id) = text.split_once("://")?.1.rsplit_once("/pl/")?;
    Some(id.split(['?', '#', '/']).next().unwrap_or(id))
}

/// What a field takes, in words.
pub(super) fn expects(field: &Field) -> String {
    let what = match field.r#type {
        FieldType::Text => match field.subtype {
            Some(Subtype::Email) => "an email address".to_owned(),
            Some(Subtype::Url) => "a URL".to_owned(),
            _ => "text".to_owned(),
        },
        FieldType::Number => "a number".to_owned(),
        FieldType::Bool => "yes or no".to_owned(),
        FieldType::Select if field.options.is_empty() => "one of the options".to_owned(),
        FieldType::Select => {
            let options: Vec<&str> = field.options.iter().map(|o| o.value.as_str()).take(20).collect();
            let more = if field.options.len() > options.len() { ", …" } else { "" };
            format!("one of {}{more}", options.join(", "))
        }
        FieldType::User => "a user, such as @alice".to_owned(),
        FieldType::Channel => "a channel, such as ~town-square".to_owned(),
        FieldType::Post => "a permalink of a post".to_owned(),
        FieldType::Team => "a team's id".to_owned(),
        FieldType::Date => "a date, such as 2026-11-22, today or +2d".to_owned(),
        FieldType::Datetime => "a date and time, such as \"tomorrow 9:00\"".to_owned(),
        FieldType::Json => "JSON".to_owned(),
        FieldType::File => "the id of an uploaded file".to_owned(),
        FieldType::Markdown => "nothing".to_owned(),
    };
    if field.multiple { format!("{what} (may be given several times)") } else { what }
}
