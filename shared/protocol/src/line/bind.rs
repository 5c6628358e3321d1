//! Makes values of a function's fields from the words after its name.
//!
//! **Prose.** If the last positional field takes text or JSON, its value is the rest of the line, letter by letter. Flags count
//! before it, up to `--`. The command's own flags count at the end of the line too, unless `--` stands before the text. A text in
//! quotes is read without them only if it is the whole value: the line ends after it, or a flag follows. A word with dashes that
//! is no flag of the command is text like any other. Only where the text begins, a word that is nearly a flag is refused,
//! because it is probably a slip; elsewhere a warning says so.

use super::{
    FLAGS, Fault, Grammar, Line, LineError, MAX_NAMED, Target, asks_for_help,
    explain::{self, code},
    fault::cut,
    find::{flag, normal, spoken},
    lexer::{Opening, Source, Word},
    typed::Written,
};
use crate::{
    Field, FieldType, Values,
    form::Subtype,
    values::{Checker, nearest},
};
use serde_json::Value;

impl Grammar<'_> {
    /// Reads a line from the end of the command's name on.
    pub(super) fn bind(&self, target: Target<'_>, source: &Source, from: usize) -> Result<Line, LineError> {
        let parts = target.parts(source, from);
        if target.field("help").is_none() && parts.flags().into_iter().any(asks_for_help) {
            return Ok(Line::Help(self.help_of(target)));
        }
        let mut binding = Binding {
            grammar: self,
            target,
            values: Values::new(),
            form: false,
            checker: Checker::default(),
            one_dash: 0,
            warnings: Vec::new(),
        };
        binding.read(&parts).map_err(|fault| self.explain(fault, Some(target)))?;
        Ok(Line::Run(self.invocation(target, binding.values, binding.form, binding.warnings)))
    }
}

/// What stands after a command's name.
struct Parts {
    /// Flags and values. If there is a prose, they stand before it.
    before: Vec<Word>,
    /// The value that takes the rest of the line.
    prose: Option<Prose>,
    /// The flags that end the line.
    after: Vec<Word>,
}

impl Parts {
    /// The words among which are flags.
    fn flags(&self) -> [&[Word]; 2] {
        [&self.before, &self.after]
    }
}

struct Prose {
    /// As it was typed.
    typed: String,
    first: Word,
    /// Its words after the first.
    rest: Vec<Word>,
    /// Whether `--` stands before it.
    after_dashes: bool,
}

/// A flag of a command.
#[derive(Clone, Copy)]
enum Flag<'g> {
    /// `--name`.
    Set(&'g Field),
    /// `--no-name`.
    Unset(&'g Field),
    /// `--form`.
    Form,
    /// `--help`.
    Help,
}

impl<'g> Flag<'g> {
    fn field(self) -> Option<&'g Field> {
        match self {
            Self::Set(field) | Self::Unset(field) => Some(field),
            Self::Form | Self::Help => None,
        }
    }

    /// The next word, if it is the value of this flag.
    fn value<'w>(self, word: &Word, rest: &'w [Word]) -> Option<&'w Word> {
        let takes = matches!(self, Self::Set(field) if field.r#type != FieldType::Bool);
        let free = |next: &&Word| next.flag().is_none() && !next.is_two_dashes();
        rest.first().filter(free).filter(|_| takes && word.flag_value().is_none())
    }
}

impl<'g> Target<'g> {
    fn field(self, name: &str) -> Option<&'g Field> {
        self.command.fields.iter().find(|f| f.name.as_str() == name && f.r#type != FieldType::Markdown)
    }

    fn positional(self) -> impl DoubleEndedIterator<Item = &'g Field> {
        self.command.fields.iter().filter(|f| f.positional && f.r#type != FieldType::Markdown)
    }

    /// The flag that a word is.
    fn flag(self, word: &Word) -> Option<Flag<'g>> {
        self.flag_named(word.flag()?, word.flag_value().is_some())
    }

    fn flag_named(self, name: &str, has_value: bool) -> Option<Flag<'g>> {
        let name = normal(name);
        if let Some(field) = self.field(&name) {
            return Some(Flag::Set(field));
        }
        if let Some(field) = name.strip_prefix("no_").and_then(|name| self.field(name))
            && field.r#type == FieldType::Bool
        {
            return Some(Flag::Unset(field));
        }
        match name.as_str() {
            "form" if !has_value => Some(Flag::Form),
            "help" if !has_value => Some(Flag::Help),
            _ => None,
        }
    }

    /// Whether the last positional field takes the rest of the line.
    fn ends_with_prose(self) -> bool {
        self.positional().next_back().is_some_and(is_prose)
    }

    /// Whether a word is `--`, which ends the flags. A dash that a phone or a writer makes may begin a prose.
    fn ends_flags(self, word: &Word) -> bool {
        word.is_two_dashes() && (word.has_plain_dashes() || !self.ends_with_prose())
    }

    fn parts(self, source: &Source, from: usize) -> Parts {
        let mut end = source.end();
        let mut before = source.words(from, end, Opening::Everywhere);
        let mut after = Vec::new();
        if !self.ends_with_prose() {
            return Parts { before, prose: None, after };
        }
        // The flags at the end come first, because they decide which positional field is the last one without a value. And no
        // quote in the prose has its other half in them.
        let is_flag = |name: &str| self.flag_named(name, true).is_some();
        let mut flat = source.words(from, end, Opening::After(&is_flag));
        let flags = flat.split_off(self.last_flags(&flat));
        if let Some(at) = flags.first().map(|first| first.start) {
            let words = source.words(from, at, Opening::Everywhere);
            // After `--`, they are text.
            let begins = self.prose_begins(&words, &flags).unwrap_or(words.len());
            if !words.iter().take(begins).any(|word| self.ends_flags(word)) {
                (before, after, end) = (words, flags, at);
            }
        }
        let Some(begins) = self.prose_begins(&before, &after) else {
            return Parts { before, prose: None, after };
        };
        let mut words = before.split_off(begins).into_iter();
        let prose = words.next().map(|first| Prose {
            typed: source.typed(before.last().map_or(from, |word| word.end), end),
            first,
            rest: words.collect(),
            after_dashes: before.iter().any(|word| self.ends_flags(word)),
        });
        Parts { before, prose, after }
    }

    /// Where the flags begin that end a line.
    fn last_flags(self, words: &[Word]) -> usize {
        let (mut begin, mut at) = (None, 0);
        while let Some((word, rest)) = words.get(at..).and_then(<[Word]>::split_first) {
            let flag = self.flag(word).map(|flag| flag.value(word, rest));
            // `--name="some` goes on to the end of the line.
            let open =
                word.unclosed.is_some() && word.flag_value().is_some_and(|text| text.chars().count() > 1);
            if flag.is_some() && open {
                return begin.unwrap_or(at);
            }
            let value = flag.flatten();
            let whole = [Some(word), value].into_iter().flatten().all(|word| !word.ends_a_quotation());
            begin = begin.or(Some(at)).filter(|_| flag.is_some() && whole);
            at += 1 + usize::from(value.is_some() && whole);
        }
        begin.unwrap_or(words.len())
    }

    /// The word with which the last positional field begins, if that takes prose. `after`: the flags that end the line.
    fn prose_begins(self, words: &[Word], after: &[Word]) -> Option<usize> {
        let given = |field: &Field, flag: Option<Flag<'_>>| {
            flag.and_then(Flag::field).is_some_and(|given| given.name == field.name)
        };
        let after: Vec<_> = after.iter().filter_map(|word| self.flag(word)).collect();
        let mut open: Vec<&Field> =
            self.positional().filter(|field| !after.iter().any(|flag| given(field, Some(*flag)))).collect();
        let (mut flags, mut at) = (true, 0);
        while let Some((word, rest)) = words.get(at..).and_then(<[Word]>::split_first) {
            let flag = self.flag(word).filter(|_| flags);
            if flags && self.ends_flags(word) {
                flags = false;
            } else if let Some(flag) = flag {
                open.retain(|field| !given(field, Some(flag)));
                at += usize::from(flag.value(word, rest).is_some());
            } else {
                match open.as_slice() {
                    [] => return None,
                    [last] if is_prose(last) => return Some(at),
                    [_, rest @ ..] => open = rest.to_vec(),
                }
            }
            at += 1;
        }
        None
    }
}

/// Whether a field takes the rest of the line if it is the last one.
fn is_prose(field: &Field) -> bool {
    matches!(field.r#type, FieldType::Text | FieldType::Json) && !field.multiple
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
    warnings: Vec<String>,
}

impl Binding<'_, '_> {
    fn read(&mut self, parts: &Parts) -> Result<(), Fault> {
        let mut positional = Vec::new();
        for words in parts.flags() {
            self.flags(words, &mut positional)?;
        }
        self.positional(&positional)?;
        match &parts.prose {
            Some(prose) => self.prose(prose),
            None => Ok(()),
        }
    }

    /// Reads flags, and collects the words that are none.
    fn flags<'w>(&mut self, words: &'w [Word], positional: &mut Vec<&'w Word>) -> Result<(), Fault> {
        let mut rest = words.iter();
        let mut flags = true;
        while let Some(word) = rest.next() {
            if flags && self.target.ends_flags(word) {
                flags = false;
            } else if flags && word.flag().is_some() {
                self.flag(word, &mut rest)?;
            } else {
                if flags && let Some(fault) = self.one_dash(word) {
                    return Err(fault);
                }
                positional.push(word);
            }
        }
        Ok(())
    }

    fn flag(&mut self, word: &Word, rest: &mut std::slice::Iter<'_, Word>) -> Result<(), Fault> {
        let Some(found) = self.target.flag(word) else {
            return Err(explain::unknown_flag(self.target, word, self.nearest_flag(word)));
        };
        let (field, set) = match found {
            Flag::Set(field) => (field, true),
            Flag::Unset(field) => (field, false),
            Flag::Form => {
                self.form = true;
                return Ok(());
            }
            // It was answered before, unless a field has this name.
            Flag::Help => return Ok(()),
        };
        match word.flag_value() {
            Some(_) if !set => {
                let expected = format!("`{}` or `{}=no`", word.flag_name(), flag(field));
                Err(Fault::new(word.start, word.flag_name(), expected, "takes no value"))
            }
            Some(value) => self.put_word(field, word.value, word, value),
            None if field.r#type == FieldType::Bool => {
                self.put(field, word.start, word.flag_name(), &set.into())
            }
            None => {
                let Some(next) = found.value(word, rest.as_slice()) else {
                    // The next word is a flag itself, or there is none.
                    let expected = format!("`{}=…`: {}", flag(field), expects(field));
                    return Err(Fault::new(word.start, word.flag_name(), expected, "has no value"));
                };
                rest.next();
                self.put_word(field, next.start, next, &next.text)
            }
        }
    }

    /// Refuses `-project`, because there are no short flags. Other words and numbers may begin with a dash.
    fn one_dash(&mut self, word: &Word) -> Option<Fault> {
        let name = word.plain()?.strip_prefix('-').filter(|name| !name.starts_with('-'))?;
        // If there are many of them, they are probably meant.
        self.one_dash += 1;
        if self.one_dash > MAX_NAMED {
            return None;
        }
        let near = self.nearest_name(name.split('=').next()?)?;
        let expected = "a flag with two dashes, or a value (after `--` it may begin with a dash)";
        Some(Fault::new(word.start, word.flag_name(), expected, "begins with one dash").near(Some(near)))
    }

    /// The flag that is probably meant by a word with two dashes.
    fn nearest_flag(&self, word: &Word) -> Option<String> {
        self.nearest_name(word.flag()?)
    }

    fn nearest_name(&self, name: &str) -> Option<String> {
        let name = normal(name);
        let fields = self.target.command.fields.iter().filter(|f| f.r#type != FieldType::Markdown);
        let names = fields.map(|f| f.name.as_str()).chain(FLAGS);
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
        let open: Vec<&Field> =
            self.target.positional().filter(|f| !self.values.contains_key(f.name.as_str())).collect();
        let mut words = words;
        for (i, field) in open.iter().enumerate() {
            let Some((word, rest)) = words.split_first() else { return Ok(()) };
            let all = i + 1 == open.len() && field.multiple;
            let taken = if all { words } else { std::slice::from_ref(word) };
            for word in taken {
                self.put_word(field, word.start, word, &word.text)?;
            }
            words = if all { &[] } else { rest };
        }
        words.first().map_or(Ok(()), |word| Err(self.too_many(word)))
    }

    fn too_many(&self, word: &Word) -> Fault {
        let name = spoken(self.target.name().as_str());
        let expected = "a flag, or the end of the line; a value of several words needs quotes";
        let fault = Fault::new(word.start, word.shown(), expected, format!("is more than `{name}` takes"));
        fault.near(word.plain().and_then(|text| self.nearest_name(text)))
    }

    /// Gives the last positional field the rest of the line.
    fn prose(&mut self, prose: &Prose) -> Result<(), Fault> {
        let Prose { typed, first, rest, after_dashes } = prose;
        let Some(field) = self.target.positional().find(|f| !self.values.contains_key(f.name.as_str()))
        else {
            return Err(self.too_many(first));
        };
        // A password is never repeated, and it may look like anything.
        let slips = !after_dashes && field.subtype != Some(Subtype::Password);
        if slips {
            self.refuse_slip(first)?;
        }
        let flag_follows = rest.first().is_some_and(Word::looks_like_a_flag);
        let in_quotes = first.plain().is_none() && first.quoted;
        if in_quotes && (rest.is_empty() || (slips && flag_follows)) {
            let mut more = Vec::new();
            self.flags(rest, &mut more)?;
            self.put_word(field, first.start, first, &first.text)?;
            return more.first().map_or(Ok(()), |word| Err(self.too_many(word)));
        }
        if slips {
            self.warn_of_slips(first, rest);
        }
        self.put(field, first.start, typed, &typed.as_str().into())
    }

    /// Refuses a word that is nearly a flag, at a place where flags count.
    fn refuse_slip(&mut self, word: &Word) -> Result<(), Fault> {
        if word.looks_like_a_flag()
            && let Some(near) = self.nearest_flag(word)
        {
            return Err(explain::unknown_flag(self.target, word, Some(near)));
        }
        self.one_dash(word).map_or(Ok(()), Err)
    }

    /// Says of words that look like flags, where somebody may have meant one, that they are text.
    fn warn_of_slips(&mut self, first: &Word, rest: &[Word]) {
        let name = code(&spoken(self.target.name().as_str()));
        let typed = |word: &&Word| word.looks_like_a_flag() && !word.ends_a_quotation();
        if let Some(word) = Some(first).filter(typed) {
            let word = code(&cut(word.flag_name()));
            self.warnings.push(format!("{word} is text here, because it is no flag of {name}."));
        }
        let last = rest.get(rest.len().saturating_sub(2)..).unwrap_or_default();
        let slip = last.iter().filter(typed).find_map(|word| Some((word, self.nearest_flag(word)?)));
        if let Some((word, near)) = slip {
            let word = code(&cut(word.flag_name()));
            self.warnings.push(format!(
                "{word} is text here, because it is no flag of {name}. Did you mean `{near}`?"
            ));
        }
    }

    /// Keeps a value that was typed as a word, or after a flag.
    fn put_word(&mut self, field: &Field, at: usize, word: &Word, text: &str) -> Result<(), Fault> {
        match &word.unclosed {
            Some(unclosed) => Err(unclosed.fault()),
            None => self.put(field, at, text, &text.into()),
        }
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
