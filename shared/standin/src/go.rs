//! How a program in Go reads and writes JSON and forms, where this differs from serde and the URL standard.

use serde::de::{DeserializeOwned, Error};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};
use std::time::Duration;

/// A form as Go's `url.Values.Encode` writes it: sorted by key.
pub(crate) fn form(mut pairs: Vec<(&str, &str)>) -> String {
    pairs.sort_by_key(|(key, _)| *key);
    let encoded = form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
    // Go keeps the tilde and escapes the star; the URL standard does the opposite.
    encoded.replace("%7E", "~").replace('*', "%2A")
}

/// JSON as Go writes it: `<`, `>` and `&` are escaped. In JSON they occur only within strings.
pub(crate) fn json(value: &impl Serialize) -> String {
    let text = serde_json::to_string(value).unwrap_or_default();
    text.replace('<', "\\u003c").replace('>', "\\u003e").replace('&', "\\u0026")
}

/// Reads an answer that must be an object; null is an empty one. serde would also read an array as a struct, which
/// Go does not.
pub(crate) fn read_object<T: DeserializeOwned + Default>(value: Value) -> Result<T, serde_json::Error> {
    match value {
        Value::Null => Ok(T::default()),
        object @ Value::Object(_) => serde_json::from_value(object),
        _ => Err(serde_json::Error::custom("the answer is not an object")),
    }
}

/// The first JSON value of a body. Where Go decodes a stream, it does not read what follows. `None` if the body is
/// empty.
pub(crate) fn first_value(body: &[u8]) -> Option<Result<Value, serde_json::Error>> {
    serde_json::Deserializer::from_slice(body).into_iter::<Value>().next()
}

/// Reads null as the zero value.
pub(crate) fn or_default<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(
    de: D,
) -> Result<T, D::Error> {
    Ok(Option::deserialize(de)?.unwrap_or_default())
}

/// Reads an object or null, and no array.
pub(crate) fn object_or_null<'de, D: Deserializer<'de>, T: DeserializeOwned>(
    de: D,
) -> Result<Option<T>, D::Error> {
    let object: Option<Map<String, Value>> = Option::deserialize(de)?;
    object.map(|object| serde_json::from_value(object.into())).transpose().map_err(D::Error::custom)
}

/// A value as Go prints it with `%v`. All numbers are floating-point numbers there. `None` for null, arrays and
/// objects, which no card is meant to show.
pub(crate) fn print(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Bool(truth) => Some(truth.to_string()),
        Value::Number(number) => {
            let number = number.as_f64()?;
            let scientific = format!("{number:e}");
            let (digits, exponent) = scientific.split_once('e')?;
            let exponent: i32 = exponent.parse().ok()?;
            if (-4..6).contains(&exponent) {
                return Some(number.to_string());
            }
            let sign = if exponent < 0 { '-' } else { '+' };
            Some(format!("{digits}e{sign}{:02}", exponent.unsigned_abs()))
        }
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

/// Whole seconds as Go prints them: `30s`, `1m30s`.
pub(crate) fn print_duration(duration: Duration) -> String {
    let (minutes, seconds) = (duration.as_secs() / 60, duration.as_secs() % 60);
    if minutes == 0 { format!("{seconds}s") } else { format!("{minutes}m{seconds}s") }
}

/// The length of a list as Go prints it, which is what the server's limits are about: `[a b]`.
pub(crate) fn printed_length(list: &[String]) -> usize {
    list.iter().map(String::len).sum::<usize>() + list.len().saturating_sub(1) + 2
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn values_are_printed_as_go_prints_them() {
        for (value, printed) in [
            (json!("a"), "a"),
            (json!(true), "true"),
            (json!(0), "0"),
            (json!(12), "12"),
            (json!(-1.5), "-1.5"),
            (json!(999_999), "999999"),
            (json!(1_000_000), "1e+06"),
            (json!(123_456_789), "1.23456789e+08"),
            (json!(0.0001), "0.0001"),
            (json!(0.00001), "1e-05"),
            (json!(1e100), "1e+100"),
        ] {
            assert_eq!(print(&value).as_deref(), Some(printed));
        }
        assert_eq!(print(&json!([1])), None);
        assert_eq!(print(&Value::Null), None);
    }
}
