//! The check of a value against its field (sections 6 and 9): one for what is typed, submitted in a dialog, sent
//! encoded or set by an admin.
//!
//! Clients differ in how they write the same value (a number as text, a list joined by commas), so checking also
//! normalises: what comes out has the one form of section 9. Errors are half-sentences that read behind the field's
//! name: `count: "many" is not a number`.

use crate::{
    ChannelId, Field, FieldType, PostId, TeamId, UserId,
    form::{SelectOption, Subtype},
};
use jiff::{Timestamp, civil::Date};
use serde_json::{Number, Value};

/// The longest text that a field takes where it names no limit of its own, in characters: the most that one field of a
/// dialog can hold.
pub const MAX_TEXT: usize = 16_383;

/// The most values of a field that takes several.
const MAX_ITEMS: usize = 1_000;

/// The most that a compiled pattern may take, in bytes: some thousand characters and repetitions.
const MAX_PATTERN: usize = 128 * 1024;

/// Checks a value and gives it its one form, or says what was found and what was expected.
pub fn check_value(field: &Field, value: &Value) -> Result<Value, String> {
    if field.multiple && field.r#type != FieldType::File {
        return several(field, value);
    }
    match field.r#type {
        FieldType::Text => text(field, value),
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

/// A list, or what a phone makes of one: `a,b`. Option values and ids hold no comma, so nothing is lost.
fn several(field: &Field, value: &Value) -> Result<Value, String> {
    let one = Field { multiple: false, ..field.clone() };
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
    // Clients leave empty items where a list was cleared.
    let items = items.iter().filter(|item| !item.is_null() && item.as_str() != Some(""));
    items.map(|item| check_value(&one, item)).collect::<Result<_, _>>().map(Value::Array)
}

/// Each item is checked by itself, so that a mebibyte of them would take its time.
fn few(items: &[Value]) -> Result<(), String> {
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

/// The text in quotes, cut to what a person needs to recognise it.
fn quote(text: &str) -> String {
    let mut short: String = text.chars().take(40).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    format!("\"{short}\"")
}

fn is_not(value: &Value, expected: &str) -> String {
    format!("{} is not {expected}", found(value))
}

fn text(field: &Field, value: &Value) -> Result<Value, String> {
    let text = value.as_str().ok_or_else(|| is_not(value, "text"))?;
    let length = text.chars().count();
    let most = field.max_length.map_or(MAX_TEXT, |n| n as usize);
    if length > most {
        return Err(format!("has {length} characters, at most {most} are allowed"));
    }
    let secret = field.subtype == Some(Subtype::Password);
    let shown = || if secret { "this value".to_owned() } else { quote(text) };
    match field.subtype {
        Some(Subtype::Email) if !email(text) => return Err(format!("{} is not an email address", shown())),
        Some(Subtype::Url) if !web(text) => {
            return Err(format!("{} is not a URL: write https://…", shown()));
        }
        Some(Subtype::Line | Subtype::Email | Subtype::Url) | None
            if text.contains('\n') && field.subtype.is_some() =>
        {
            return Err("has several lines, one is allowed".to_owned());
        }
        _ => {}
    }
    if let Some(pattern) = &field.pattern {
        let whole =
            whole(pattern).map_err(|_| "has a pattern in the manifest that cannot be read".to_owned())?;
        if !whole.is_match(text) {
            let hint =
                if field.hint.is_empty() { String::new() } else { format!(", such as {}", field.hint) };
            return Err(format!("{} does not have the form {pattern}{hint}", shown()));
        }
    }
    Ok(value.clone())
}

/// A field's pattern for the whole value. Its size is bounded, for matching costs size times length: `(?:a{999}){999}`
/// is refused.
pub(crate) fn whole(pattern: &str) -> Result<regex_lite::Regex, regex_lite::Error> {
    regex_lite::RegexBuilder::new(&format!("^(?:{pattern})$")).size_limit(MAX_PATTERN).build()
}

/// Something before one `@` and a domain behind it. Whether it exists only a message can tell.
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
        let same = |word: &str| !word.is_empty() && word.to_lowercase() == text.to_lowercase();
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

/// What an app offered as an option only the app can tell; here it has a form that survives every client.
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

/// The word that somebody probably meant, if one is near enough to be worth saying.
pub(crate) fn nearest<'w>(word: &str, words: impl Iterator<Item = &'w str>) -> Option<&'w str> {
    // Nobody means a name by a word much longer, and comparing costs length times length.
    let word: String = word.chars().take(80).collect::<String>().to_lowercase();
    let likeness = |other: &str| {
        let other = other.to_lowercase();
        let begun = word.chars().count() >= 2 && other.starts_with(&word);
        let score = strsim::normalized_damerau_levenshtein(&word, &other);
        if begun { score.max(0.9) } else { score }
    };
    // Of equals the first, as the manifest has them.
    let best =
        words.map(|w| (w, likeness(w))).reduce(|best, other| if other.1 > best.1 { other } else { best });
    let (near, score) = best?;
    (score >= 0.6).then_some(near)
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
    // `parse` also takes a date with a time behind it; the form on the wire has none.
    within(field, &date)
}

fn datetime(field: &Field, value: &Value) -> Result<Value, String> {
    let expected = "a date and time: write \"2026-11-22 9:00\" or \"tomorrow 9:00\"";
    let text = value.as_str().ok_or_else(|| is_not(value, expected))?;
    let time: Timestamp = text.parse().map_err(|_| is_not(value, expected))?;
    within(field, &time)
}

/// Limits are compared as times: as texts, `10:00+01:00` would come after `09:30Z`.
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
