//! Makes values of a function's fields from the words after its name.

use super::{
    Fault, Grammar, Line, LineError, MAX_NAMED, Target, asks_for_help, explain,
    find::{flag, spoken},
    lexer::Word,
    typed::Written,
};
use crate::{
    Field, FieldType, Values,
    form::Subtype,
    values::{Checker, nearest},
};
use serde_json::Value;

impl Grammar<'_> {
    pub(super) fn bind(&self, target: Target<'_>, words: &[Word]) -> Result<Line, LineError> {
        if asks_for_help(words) && field(target, "help").is_none() {
            return Ok(Line::Help(self.help_of(target)));
        }
        let mut binding = Binding {
            grammar: self,
            target,
            values: Values::new(),
            form: false,
            checker: Checker::default(),
            one_dash: 0,
        };
        binding.read(words).map_err(|fault| self.explain(fault, Some(target.command)))?;
        Ok(Line::Run(self.invocation(target, binding.values, binding.form, Vec::new())))
    }
}

fn field<'g>(target: Target<'g>, name: &str) -> Option<&'g Field> {
    target.command.fields.iter().find(|f| f.name.as_str() == name)
}

struct Binding<'g, 'a> {
    grammar: &'g Grammar<'a>,
    target: Target<'g>,
    /// The given values. `null`: the field was cleared.
    values: Values,
    form: bool,
    checker: Checker,
    /// Words that begin with one dash.
    one_dash: usize,
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
            return Err(explain::unknown_flag(self.target.command, word, self.nearest_flag(name)));
        };
        match value {
            Some(_) if found.is_none() => {
                let expected = format!("`{}` or `{}=no`", word.flag_name(), flag(field));
                Err(Fault::new(word.start, word.flag_name(), expected, "takes no value"))
            }
            Some(value) => self.put(field, word.value, value, &value.into()),
            None if field.r#type == FieldType::Bool => {
                self.put(field, word.start, word.flag_name(), &found.is_some().into())
            }
            None => {
                // The value is the next word, unless that is a flag itself.
                let Some(next) = rest.as_slice().first().filter(|next| next.flag().is_none()) else {
                    let expected = format!("`{}=…`: {}", flag(field), expects(field));
                    return Err(Fault::new(word.start, &word.text, expected, "has no value"));
                };
                rest.next();
                self.put(field, next.start, &next.text, &next.text.as_str().into())
            }
        }
    }

    /// Refuses `-project`, because there are no short flags. Other words and numbers may begin with a dash.
    fn one_dash(&mut self, word: &Word) -> Option<Fault> {
        let name = word.plain()?.strip_prefix('-')?.split('=').next()?;
        // If there are many of them, they are probably meant.
        self.one_dash += 1;
        if self.one_dash > MAX_NAMED {
            return None;
        }
        let near = self.nearest_flag(name)?;
        let expected = "a flag with two dashes, or a value (after `--` it may begin with a dash)";
        Some(Fault::new(word.start, word.flag_name(), expected, "begins with one dash").near(Some(near)))
    }

    fn nearest_flag(&self, name: &str) -> Option<String> {
        let name = name.to_lowercase().replace('-', "_");
        let fields = self.target.command.fields.iter().filter(|f| f.r#type != FieldType::Markdown);
        let names = fields.map(|f| f.name.as_str()).chain(["help", "form"]);
        let near = match name.strip_prefix("no_") {
            Some(rest) => nearest(&name, names.clone()).map_or_else(
                || nearest(rest, names).map(|near| format!("no_{near}")),
                |near| Some(near.to_owned()),
            ),
            None => nearest(&name, names).map(str::to_owned),
        };
        near.map(|near| format!("--{}", near.replace('_', "-")))
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
        let mut words = words;
        for (i, field) in open.iter().enumerate() {
            let last = i + 1 == open.len();
            let prose = field.r#type == FieldType::Text
                && field.subtype.is_none_or(|s| matches!(s, Subtype::Line | Subtype::Textarea));
            let Some((word, rest)) = words.split_first() else { return Ok(()) };
            if last && prose && !field.multiple {
                // The last text field takes the rest of the line, because nobody quotes a sentence.
                let text = sentence(words);
                self.put(field, word.start, &text, &text.as_str().into())?;
                return Ok(());
            }
            let taken = if last && field.multiple { words } else { std::slice::from_ref(word) };
            for word in taken {
                self.put(field, word.start, &word.text, &word.text.as_str().into())?;
            }
            words = if taken.len() == 1 { rest } else { &[] };
        }
        let Some(word) = words.first() else { return Ok(()) };
        let command = spoken(target.command.function.as_str());
        let expected = "a flag, or the end of the line; a value of several words needs quotes";
        let fault = Fault::new(word.start, &word.text, expected, format!("is more than `{command}` takes"));
        Err(fault.near(word.plain().and_then(|text| self.nearest_flag(text))))
    }

    /// Reads a value, checks it and keeps it. A repeated flag makes a list, if the field takes one.
    fn put(&mut self, field: &Field, at: usize, text: &str, value: &Value) -> Result<(), Fault> {
        let name = field.name.as_str();
        let value = self.grammar.meaning(&mut self.checker, field, value, Written::Typed).map_err(|why| {
            let found = if field.subtype == Some(Subtype::Password) { "" } else { text };
            Fault { field: Some(Box::new(field.name.clone())), ..Fault::new(at, found, expects(field), why) }
        })?;
        match (self.values.get_mut(name), value) {
            (Some(Value::Array(list)), Value::Array(more)) => list.extend(more),
            (Some(_), _) => {
                let expected = format!("`{}` once", flag(field));
                return Err(Fault::new(at, &flag(field), expected, "is given a second time"));
            }
            (None, value) => {
                self.values.insert(name.to_owned(), value);
            }
        }
        Ok(())
    }
}

/// The words as they were typed, with a space in the place of a flag.
fn sentence(words: &[&Word]) -> String {
    if let [word] = words {
        return word.text.clone();
    }
    let mut text = String::new();
    let mut end = None;
    for word in words {
        let begins = word.start.checked_sub(word.gap.chars().count());
        match end {
            None => {}
            Some(_) if end == begins => text.push_str(&word.gap),
            Some(_) => text.push(' '),
        }
        // Quotes inside a sentence belong to the sentence.
        text.push_str(if word.literal { &word.raw } else { &word.text });
        end = Some(word.end);
    }
    text
}

/// What a field takes, in words.
pub(super) fn expects(field: &Field) -> String {
    let what = match field.r#type {
        FieldType::Text => match field.subtype {
            Some(Subtype::Email) => "an email address".to_owned(),
            Some(Subtype::Url) => "a URL".to_owned(),
            Some(Subtype::Textarea) => "text of one or more lines".to_owned(),
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
    let limit = |limit: &Option<Value>| {
        limit.as_ref().map(|limit| limit.as_str().map_or_else(|| limit.to_string(), str::to_owned))
    };
    let limits = match (limit(&field.min), limit(&field.max)) {
        (Some(min), Some(max)) => format!(" from {min} to {max}"),
        (Some(min), None) => format!(" from {min}"),
        (None, Some(max)) => format!(" up to {max}"),
        (None, None) => {
            field.max_length.map(|most| format!(", at most {most} characters")).unwrap_or_default()
        }
    };
    let several = if field.multiple { " (may be given several times)" } else { "" };
    format!("{what}{limits}{several}")
}
