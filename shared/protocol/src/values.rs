//! The check of a value against its field (sections 6 and 9). It is the same for values that are typed, submitted in a dialog,
//! sent encoded or set by an admin.
//!
//! Clients write the same value in different ways (a number as text, a list joined by commas). So the check also brings a value
//! into its standard form (section 9). An error is the second half of a sentence that begins with the field's name:
//! `count: "many" is not a number`.

use crate::{
    ChannelId, Field, FieldType, PostId, TeamId, UserId,
    form::{SelectOption, Subtype},
    text::{is_ignorable, shortened},
};
use jiff::{Timestamp, civil::Date};
use regex_lite::{Regex, RegexBuilder};
use serde_json::{Number, Value};
use std::collections::{HashMap, hash_map::Entry};

/// The longest text of a field without a limit of its own, in characters: as much as a field of a dialog can have.
pub const MAX_TEXT: usize = 16_383;

/// How many values a field may have that takes several.
const MAX_ITEMS: usize = 1_000;

/// The largest compiled pattern, in bytes: some thousand characters and repetitions.
const MAX_PATTERN: usize = 128 * 1024;

/// The sizes by which the cost of a pattern is estimated, in bytes.
const PATTERN_SIZES: [usize; 4] = [2 * 1024, 8 * 1024, 32 * 1024, MAX_PATTERN];

/// The size of all patterns of one check together, in bytes.
const PATTERNS_SIZE: usize = 4 * 1024 * 1024;

/// How much one check may match. To match costs the pattern's size times the text's length. So the largest pattern can match
/// four thousand characters, and a common one 260,000.
const MATCH_WORK: usize = MAX_PATTERN * 4 * 1024;

/// Checks a value and brings it into its standard form, or says what was found and what was expected.
pub fn check_value(field: &Field, value: &Value) -> Result<Value, String> {
    Checker::default().check(field, value)
}

/// Checks values. The cost of all checks together is limited, whatever the patterns are.
#[derive(Default)]
pub(crate) struct Checker {
    /// The compiled patterns, each compiled once.
    patterns: HashMap<String, Result<Pattern, String>>,
    /// The size of the compiled patterns, in bytes.
    size: usize,
    /// The cost of all matches so far.
    work: usize,
}

struct Pattern {
    whole: Regex,
    size: usize,
}

impl Checker {
    /// Checks a value and brings it into its standard form, or says what was found and what was expected.
    pub fn check(&mut self, field: &Field, value: &Value) -> Result<Value, String> {
        if field.multiple && field.r#type != FieldType::File {
            return self.several(field, value);
        }
        self.one(field, value)
    }

    /// One value, also of a field that takes several.
    fn one(&mut self, field: &Field, value: &Value) -> Result<Value, String> {
        match field.r#type {
            FieldType::Text => self.text(field, value),
            FieldType::Number => number(field, value),
            FieldType::Bool => boolean(value),
            FieldType::Select => select(field, value),
            FieldType::User => id::<UserId>(value, "a user: write @name"),
            FieldType::Channel => id::<ChannelId>(value, "a channel: write ~name"),
            FieldType::Post => id::<PostId>(value, "a post: give its permalink"),
            FieldType::Team => id::<TeamId>(value, "a team: give its id"),
            FieldType::Date => date(field, value),
            FieldType::Datetime => datetime(field, value),
            FieldType::Json => Ok(value.clone()),
            FieldType::File => files(value),
            FieldType::Markdown => Err("is shown only and takes no value".to_owned()),
        }
    }

    /// A list, or `a,b`, which is how the mobile app writes a list. Option values and ids have no comma, so nothing is lost.
    fn several(&mut self, field: &Field, value: &Value) -> Result<Value, String> {
        let joined = matches!(
            field.r#type,
            FieldType::Select | FieldType::User | FieldType::Channel | FieldType::Post | FieldType::Team
        );
        let items = match value {
            Value::Array(items) => items.clone(),
            Value::String(text) if joined => text.split(',').map(|item| item.trim().into()).collect(),
            single => vec![single.clone()],
        };
        few(&items)?;
        // Clients leave empty items when a list is cleared.
        let items = items.iter().filter(|item| !item.is_null() && item.as_str() != Some(""));
        items.map(|item| self.one(field, item)).collect::<Result<_, _>>().map(Value::Array)
    }

    fn text(&mut self, field: &Field, value: &Value) -> Result<Value, String> {
        let text = value.as_str().ok_or_else(|| is_not(value, "text"))?;
        let length = text.chars().count();
        let most = field.max_length.map_or(MAX_TEXT, |n| n as usize);
        if length > most {
            return Err(format!("has {length} characters, at most {most} are allowed"));
        }
        let secret = field.subtype == Some(Subtype::Password);
        let shown = || if secret { "this value".to_owned() } else { quote(text) };
        match field.subtype {
            Some(Subtype::Email) if !email(text) => {
                return Err(format!("{} is not an email address", shown()));
            }
            Some(Subtype::Url) if !web(text) => {
                return Err(format!("{} is not a URL: write https://…", shown()));
            }
            Some(Subtype::Line | Subtype::Email | Subtype::Url) if text.contains('\n') => {
                return Err("has several lines, one is allowed".to_owned());
            }
            _ => {}
        }
        if let Some(pattern) = &field.pattern
            && !self.matches(pattern, text, length)?
        {
            let hint =
                if field.hint.is_empty() { String::new() } else { format!(", such as {}", field.hint) };
            return Err(format!("{} does not have the form {pattern}{hint}", shown()));
        }
        Ok(value.clone())
    }

    /// Whether the whole text has the pattern's form.
    fn matches(&mut self, pattern: &str, text: &str, length: usize) -> Result<bool, String> {
        let (size, spent) = match self.pattern(pattern) {
            Ok(pattern) => (pattern.size, self.work),
            Err(_) => return Err("has a pattern in the manifest that cannot be read".to_owned()),
        };
        self.work = spent.saturating_add(size.saturating_mul(length));
        if self.work > MATCH_WORK {
            let most = MATCH_WORK / size;
            return Err(format!(
                "has more text than its pattern can check: at most {most} characters in all"
            ));
        }
        Ok(self.pattern(pattern).is_ok_and(|pattern| pattern.whole.is_match(text)))
    }

    /// The compiled pattern. The first time, its size is counted.
    fn pattern(&mut self, pattern: &str) -> Result<&Pattern, &str> {
        let room = PATTERNS_SIZE.saturating_sub(self.size);
        let entry = match self.patterns.entry(pattern.to_owned()) {
            Entry::Occupied(entry) => entry.into_mut(),
            Entry::Vacant(entry) => {
                let compiled = compiled(pattern, room);
                self.size = self.size.saturating_add(compiled.as_ref().map_or(MAX_PATTERN, |p| p.size));
                entry.insert(compiled)
            }
        };
        entry.as_ref().map_err(String::as_str)
    }

    /// What is wrong with a pattern, if it cannot be compiled.
    pub fn refuses(&mut self, pattern: &str) -> Option<String> {
        self.pattern(pattern).err().map(str::to_owned)
    }
}

/// A field's pattern for the whole value. Its size is limited, because to match costs size times length. So `(?:a{999}){999}`
/// is refused.
fn compiled(pattern: &str, room: usize) -> Result<Pattern, String> {
    let mut refused = None;
    for size in PATTERN_SIZES {
        if size > room {
            return Err("the patterns here are too large together".to_owned());
        }
        match RegexBuilder::new(&format!("^(?:{pattern})$")).size_limit(size).build() {
            Ok(whole) => return Ok(Pattern { whole, size }),
            Err(error) => refused = Some(error.to_string()),
        }
    }
    Err(refused.unwrap_or_default())
}

/// Refuses too many items. Each is checked by itself, so 1 MiB of them would take too long.
pub(crate) fn few(items: &[Value]) -> Result<(), String> {
    let count = items.len();
    if count > MAX_ITEMS {
        Err(format!("has {count} values, at most {MAX_ITEMS} are allowed"))
    } else {
        Ok(())
    }
}

fn found(value: &Value) -> String {
    match value {
        Value::String(text) => quote(text),
        Value::Number(number) => number.to_string(),
        Value::Bool(value) => value.to_string(),
        Value::Null => "nothing".to_owned(),
        Value::Array(_) => "a list".to_owned(),
        Value::Object(_) => "an object".to_owned(),
    }
}

/// How many characters of a text an error repeats, including the mark of a cut.
const QUOTED: usize = 41;

/// The text in quotes, cut to a length at which a person still recognises it.
pub(crate) fn quote(text: &str) -> String {
    format!("\"{}\"", shortened(text, QUOTED))
}

fn is_not(value: &Value, expected: &str) -> String {
    format!("{} is not {expected}", found(value))
}

/// Whether a text has one `@`, something before it and a domain after it. Only a message could show whether the address exists.
fn email(text: &str) -> bool {
    text.split_once('@').is_some_and(|(name, domain)| {
        !name.is_empty()
            && !domain.contains('@')
            && domain.split('.').all(|label| !label.is_empty())
            && !text.contains(char::is_whitespace)
    })
}

fn web(text: &str) -> bool {
    url::Url::parse(text).is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
}

fn number(field: &Field, value: &Value) -> Result<Value, String> {
    let number: Number = match value {
        Value::Number(number) => number.clone(),
        Value::String(text) => {
            let text = text.trim();
            // "+5" is a number to people and not to JSON.
            serde_json::from_str(text.strip_prefix('+').unwrap_or(text))
                .map_err(|_| is_not(value, "a number"))?
        }
        _ => return Err(is_not(value, "a number")),
    };
    let size = number.as_f64().unwrap_or(f64::NAN);
    let limit = |limit: &Option<Value>| limit.as_ref().and_then(Value::as_f64);
    if let Some(min) = limit(&field.min).filter(|min| size < *min) {
        return Err(format!("{number} is less than {min}"));
    }
    if let Some(max) = limit(&field.max).filter(|max| size > *max) {
        return Err(format!("{number} is more than {max}"));
    }
    Ok(Value::Number(number))
}

fn boolean(value: &Value) -> Result<Value, String> {
    match value {
        Value::Bool(_) => Ok(value.clone()),
        Value::String(text) => match text.to_lowercase().as_str() {
            "true" | "yes" | "on" => Ok(true.into()),
            "false" | "no" | "off" => Ok(false.into()),
            _ => Err(is_not(value, "yes or no")),
        },
        _ => Err(is_not(value, "yes or no")),
    }
}

fn select(field: &Field, value: &Value) -> Result<Value, String> {
    // 11.6 sends a chosen option in a lookup as an object.
    let chosen = value.get("value").unwrap_or(value);
    let text = chosen.as_str().ok_or_else(|| is_not(value, "one of the options"))?.trim();
    if field.lookup {
        return offered(text);
    }
    let is = |option: &&SelectOption| {
        let same = |word: &str| !word.is_empty() && in_any_case(word, text);
        same(&option.value) || same(&option.label)
    };
    let exact = field.options.iter().find(|option| option.value == text);
    if let Some(option) = exact.or_else(|| field.options.iter().find(is)) {
        return Ok(option.value.clone().into());
    }
    let words = field.options.iter().map(|o| o.value.as_str());
    let hint = nearest(text, words.clone()).map_or_else(
        || format!("choose one of {}", words.take(20).collect::<Vec<_>>().join(", ")),
        |near| format!("did you mean {near}?"),
    );
    Err(format!("{} is none of the options; {hint}", quote(text)))
}

/// Checks an option that came from the app. Only the app knows its options, so the check is that every client can send it.
fn offered(text: &str) -> Result<Value, String> {
    if text.is_empty() {
        return Err("is empty; choose one of the options".to_owned());
    }
    if text.contains(',') {
        return Err(format!("{} holds a comma, which no option has; choose one of the options", quote(text)));
    }
    if text.chars().count() > MAX_TEXT {
        return Err(format!("has more than {MAX_TEXT} characters; choose one of the options"));
    }
    Ok(text.into())
}

/// Whether people see the same text, in any case. It stops at the first difference.
fn in_any_case(one: &str, other: &str) -> bool {
    fn seen(text: &str) -> impl Iterator<Item = char> {
        text.chars().filter(|c| !is_ignorable(*c)).flat_map(char::to_lowercase)
    }
    seen(one).eq(seen(other))
}

/// The longest word for which a similar one is looked for. A longer word is not a mistyped name, and to compare costs length
/// times length.
const MAX_WORD: usize = 64;

/// How similar two words must be for a hint.
const LIKE: f64 = 0.6;

/// The word that somebody probably meant, if there is a similar one.
pub(crate) fn nearest<'w>(word: &str, words: impl Iterator<Item = &'w str>) -> Option<&'w str> {
    let length = |word: &str| word.chars().take(MAX_WORD + 1).count();
    if length(word) > MAX_WORD {
        return None;
    }
    let word = word.to_lowercase();
    let likeness = |other: &str| {
        let (one, two) = (length(&word), length(other));
        if two > MAX_WORD {
            return 0.0;
        }
        let other = other.to_lowercase();
        #[allow(clippy::cast_precision_loss)] // At most MAX_WORD.
        let share = |part: usize| part as f64 / one.max(two).max(1) as f64;
        if one >= 2 && other.starts_with(&word) {
            return share(one).max(0.9);
        }
        // Words of very different lengths are not similar, so they are not compared.
        if share(one.min(two)) < LIKE { 0.0 } else { 1.0 - share(strsim::osa_distance(&word, &other)) }
    };
    // Of equally similar words, the first in the manifest's order.
    let best =
        words.map(|w| (w, likeness(w))).reduce(|best, other| if other.1 > best.1 { other } else { best });
    let (near, score) = best?;
    (score >= LIKE).then_some(near)
}

fn id<T: std::str::FromStr>(value: &Value, expected: &str) -> Result<Value, String> {
    let text = value.as_str().ok_or_else(|| is_not(value, expected))?;
    text.parse::<T>().map_err(|_| is_not(value, expected))?;
    Ok(value.clone())
}

fn date(field: &Field, value: &Value) -> Result<Value, String> {
    let expected = "a date: write 2026-11-22, today or +2d";
    let text = value.as_str().ok_or_else(|| is_not(value, expected))?;
    let date: Date = text.parse().map_err(|_| is_not(value, expected))?;
    // `parse` also accepts a date with a time after it, which the protocol does not have.
    within(field, &date)
}

fn datetime(field: &Field, value: &Value) -> Result<Value, String> {
    let expected = "a date and time: write \"2026-11-22 9:00\" or \"tomorrow 9:00\"";
    let text = value.as_str().ok_or_else(|| is_not(value, expected))?;
    let time: Timestamp = text.parse().map_err(|_| is_not(value, expected))?;
    within(field, &time)
}

/// Checks a time against its field's limits. They are compared as times, because as texts `10:00+01:00` would come after
/// `09:30Z`.
fn within<T: Ord + std::str::FromStr + ToString>(field: &Field, time: &T) -> Result<Value, String> {
    fn limit(limit: Option<&Value>) -> Option<&str> {
        limit.and_then(Value::as_str)
    }
    let text = time.to_string();
    if let Some(min) = limit(field.min.as_ref()).filter(|min| min.parse().is_ok_and(|min: T| *time < min)) {
        return Err(format!("{text} is before {min}"));
    }
    if let Some(max) = limit(field.max.as_ref()).filter(|max| max.parse().is_ok_and(|max: T| *time > max)) {
        return Err(format!("{text} is after {max}"));
    }
    Ok(text.into())
}

fn files(value: &Value) -> Result<Value, String> {
    let items = match value {
        Value::Array(items) => items.clone(),
        Value::String(_) => vec![value.clone()],
        _ => return Err(is_not(value, "a list of files")),
    };
    few(&items)?;
    items
        .iter()
        .map(|item| id::<PostId>(item, "the id of an uploaded file"))
        .collect::<Result<_, _>>()
        .map(Value::Array)
}
