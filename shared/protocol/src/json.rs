//! Reading JSON from outside. An error says what is wrong and where, without repeating the content.
//!
//! Serde's own messages quote the text that they cannot read, and that may be a token in the wrong place, as a value or as a
//! key. So an error names the kind of a value only, and repeats a key only if it looks like a word.

use crate::{
    error::{Code, ErrorBody},
    limits,
    text::is_unseen,
};
use serde::de::DeserializeOwned;
use serde_path_to_error::{Path, Segment};

/// Reads an object. The error is `bad_json` with line and column if the text is not JSON, `bad_request` with a JSON pointer if
/// a value has the wrong type, and `too_large` if there are more values than [`limits::VALUES`].
///
/// ```
/// use cloud_apps_protocol::{CommandRequest, json};
///
/// let request: CommandRequest = json::read(br#"{"command":{"raw":"/hello greet"}}"#).unwrap();
/// assert_eq!(request.command.raw, "/hello greet");
///
/// let refused = json::read::<CommandRequest>(br#"{"command":{"raw":7}}"#).unwrap_err();
/// assert_eq!(refused.error.more["pointer"], "/command/raw");
/// ```
pub fn read<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, ErrorBody> {
    if values(bytes) > limits::VALUES {
        let message =
            format!("The body has more than {} values and keys. Send fewer at a time.", limits::VALUES);
        return Err(ErrorBody::new(Code::TooLarge, message).with("limit", limits::VALUES));
    }
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    let value = serde_path_to_error::deserialize(&mut deserializer).map_err(|error| {
        let at = pointer(error.path());
        refused(&at, &error.into_inner())
    })?;
    deserializer.end().map_err(|error| refused("", &error))?;
    // Serde reads an array as a struct too, in the order of its fields.
    if bytes.iter().find(|byte| !byte.is_ascii_whitespace()) != Some(&b'{') {
        return Err(ErrorBody::new(Code::BadRequest, "The body is not a JSON object.").with("pointer", ""));
    }
    Ok(value)
}

/// How many values and keys a JSON text has: each comes after one of these characters. They are counted before any value is made,
/// because the smallest values take many times their length in memory.
pub fn values(bytes: &[u8]) -> usize {
    let (mut count, mut quoted, mut escaped) = (0, false, false);
    for byte in bytes {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = quoted,
            b'"' => quoted = !quoted,
            b'[' | b'{' | b',' | b':' if !quoted => count += 1,
            _ => {}
        }
    }
    count
}

/// What is wrong with a JSON text whose reading failed at `pointer`.
pub fn refused(pointer: &str, error: &serde_json::Error) -> ErrorBody {
    let found = without_values(error);
    if error.is_data() {
        let place = if pointer.is_empty() { "The body" } else { pointer };
        return ErrorBody::new(Code::BadRequest, format!("{place} is not what stands here: {found}."))
            .with("pointer", pointer);
    }
    let (line, column) = (error.line(), error.column());
    ErrorBody::new(Code::BadJson, format!("The body is not JSON: {found} at line {line}, column {column}."))
        .with("line", line)
        .with("column", column)
}

/// Where a text stops being JSON, in bytes from its start.
pub fn offset(text: &str, error: &serde_json::Error) -> usize {
    let start: usize = text.split_inclusive('\n').take(error.line().saturating_sub(1)).map(str::len).sum();
    // Serde counts bytes from 1, and 0 for the end of the line before.
    let mut at = (start + error.column().saturating_sub(1)).min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

/// What the author of a text that is not JSON can do. It may be empty.
pub fn hint(text: &str, error: &serde_json::Error) -> &'static str {
    const STRAIGHT: &str =
        "Write straight quotes (\"). Word processors and web pages make curly ones of them.";
    let at = offset(text, error);
    let (before, after) = text.split_at(at);
    let found = after.chars().next();
    let message = error.to_string();
    let message = message.split(" at line ").next().unwrap_or_default();
    if text.starts_with('\u{feff}') {
        return "Save the file without a byte order mark.";
    }
    if found.is_some_and(is_curly) {
        return STRAIGHT;
    }
    // A text that begins with a straight quote and ends with a curly one goes on to the end of its line, or of the file.
    let open = message.starts_with("control character") || message == "EOF while parsing a string";
    if open && before.lines().next_back().unwrap_or_default().contains(is_curly) {
        return STRAIGHT;
    }
    if found.is_some_and(|c| !c.is_ascii() && (c.is_whitespace() || is_unseen(c))) {
        return "Replace this character, which nobody sees, by a plain space. It may come from a web page.";
    }
    match message {
        "trailing comma" => "Remove the comma before the closing bracket.",
        "key must be a string" => "Write the key in double quotes. JSON has no comments.",
        "expected value" => "JSON has no comments, no single quotes and no undefined.",
        _ if message.starts_with("control character") => {
            "Close the quote before the end of the line. In a text, \\n stands for a new line and \\t for a tab."
        }
        _ if error.is_eof() => "Close every bracket and quote.",
        _ => "",
    }
}

/// A quote that is not JSON's, as word processors make it.
fn is_curly(c: char) -> bool {
    "“”„‟‘’‚‛«»‹›″＂".contains(c)
}

/// How many characters of an error are shown.
const SHOWN: usize = 400;

/// Serde's message without the place, and without any value or key of the text.
pub fn without_values(error: &serde_json::Error) -> String {
    without_quotes(error).chars().take(SHOWN).collect()
}

fn without_quotes(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let place = format!(" at line {} column {}", error.line(), error.column());
    let text = text.strip_suffix(&place).unwrap_or(&text);
    for (says, what) in [("unknown variant `", "unknown word"), ("unknown field `", "unknown key")] {
        if let Some(quoted) = text.strip_prefix(says) {
            // What was expected comes last, and is not from the text.
            let known =
                !quoted.ends_with("there are no fields") && !quoted.ends_with("there are no variants");
            let expected = quoted.rsplit_once("`, expected ").filter(|_| known);
            let expected = expected.map(|(_, expected)| format!(", expected {expected}"));
            return format!("{what}{}", expected.unwrap_or_default());
        }
    }
    let mut out = String::new();
    let mut rest = text;
    // Serde puts texts in double quotes, escaped as Rust's Debug does, and numbers in backticks after their kind.
    while let Some(start) = rest.find('"') {
        let (before, quoted) = rest.split_at(start);
        out.push_str(if before.is_empty() && out.is_empty() { "this" } else { before.trim_end() });
        rest = after_quote(quoted);
    }
    out.push_str(rest);
    for kind in ["integer", "floating point", "character", "boolean"] {
        if let Some((before, value)) = out.split_once(&format!("{kind} `")) {
            let rest = value.split_once('`').map_or("", |(_, rest)| rest);
            out = format!("{before}{kind}{rest}");
        }
    }
    out
}

/// The text after a quoted text. Empty if the quotes do not end.
fn after_quote(quoted: &str) -> &str {
    let mut escaped = false;
    for (at, c) in quoted.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return quoted.get(at + 1..).unwrap_or_default(),
            _ => {}
        }
    }
    ""
}

/// Whether a text begins as an object does. This matters because serde reads an array as a struct too.
pub fn is_object(json: &[u8]) -> bool {
    json.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'{')
}

/// A JSON pointer (RFC 6901), such as `/context/acting_user`; empty for the whole text. A key that is not a word may be a
/// secret, and becomes `…`.
pub fn pointer(path: &Path) -> String {
    path.iter()
        .map(|part| match part {
            Segment::Seq { index } => format!("/{index}"),
            Segment::Map { key: name } | Segment::Enum { variant: name } => format!("/{}", segment(name)),
            Segment::Unknown => String::new(),
        })
        .collect()
}

/// A key for a JSON pointer that may be logged. A key that is not a word may be a secret, and becomes `…`.
pub fn segment(key: &str) -> String {
    if is_word(key) { escaped(key) } else { "…".to_owned() }
}

/// Whether a key looks like one that people choose, such as `acting_user` or `town-square`. Tokens, ids of 26 characters, JWTs,
/// seals and codes do not.
fn is_word(key: &str) -> bool {
    let part = |part: &str| {
        part.len() <= 24 && part.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'$')
    };
    key.len() <= 64 && key.split(['_', '-', '.']).all(part)
}

/// A key, escaped for a JSON pointer.
pub(crate) fn escaped(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{install::InstallRequest, manifest::Permission};
    use serde::Deserialize;

    fn refusal<T: DeserializeOwned>(text: &str) -> (Code, String, serde_json::Value) {
        let error = read::<T>(text.as_bytes()).map(|_| ()).unwrap_err().error;
        let place = if error.code == Code::BadJson {
            serde_json::json!([error.more["line"], error.more["column"]])
        } else {
            error.more["pointer"].clone()
        };
        (error.code, error.message, place)
    }

    #[derive(Debug, Deserialize)]
    #[allow(dead_code)] // Only its shape counts.
    struct Shape {
        list: Vec<u32>,
        #[serde(rename = "a-b", default)]
        odd: Option<bool>,
        #[serde(default)]
        word: Option<Permission>,
    }

    #[test]
    fn says_line_and_column_of_what_is_no_json() {
        let (code, message, place) = refusal::<Shape>("{\n  \"list\": [1,]\n}");
        assert_eq!((code, place), (Code::BadJson, serde_json::json!([2, 14])));
        assert_eq!(message, "The body is not JSON: trailing comma at line 2, column 14.");
        assert_eq!(refusal::<Shape>("").0, Code::BadJson);
        assert_eq!(refusal::<Shape>("{\"list\":[]} x").0, Code::BadJson);
    }

    #[test]
    fn more_values_than_are_read_are_refused_before_any_is_made() {
        let most = limits::VALUES;
        let list = |n: usize| format!(r#"{{"list":[{}0]}}"#, "0,".repeat(n));
        assert!(read::<Shape>(list(most - 3).as_bytes()).is_ok());
        for text in [list(most - 2), "[".repeat(most + 1), format!("{{{}", r#""a":{},"#.repeat(most / 2))] {
            let error = read::<Shape>(text.as_bytes()).map(|_| ()).unwrap_err().error;
            assert_eq!((error.code, &error.more["limit"]), (Code::TooLarge, &most.into()));
        }
        // What stands in a text is none, whatever is escaped there.
        let text = format!(r#"{{"list":[],"x":"{}","y":"\\"}}"#, r#"[\",{:"#.repeat(most));
        assert!(read::<Shape>(text.as_bytes()).is_ok());
    }

    #[test]
    fn says_where_a_shape_is_wrong() {
        for (text, pointer) in [
            (r#"{"list":[1,"two"]}"#, "/list/1"),
            (r#"{"list":[],"a-b":0}"#, "/a-b"),
            (r#"{"list":[],"word":"x"}"#, "/word"),
            ("{}", ""),
            ("[[1]]", ""),
            ("7", ""),
        ] {
            let (code, _, place) = refusal::<Shape>(text);
            assert_eq!((code, place), (Code::BadRequest, pointer.into()), "{text}");
        }
    }

    #[test]
    fn never_repeats_a_value() {
        let secret = r#"s3cr\"e`t, expected"#;
        for text in [
            format!(r#"{{"list":"{secret}"}}"#),
            format!(r#"{{"list":["{secret}"]}}"#),
            format!(r#"{{"list":[],"word":"{secret}"}}"#),
            format!(r#"{{"list":[],"a-b":"{secret}"}}"#),
        ] {
            let (_, message, _) = refusal::<Shape>(&text);
            assert!(!message.contains("s3cr") && !message.contains("e`t"), "{message}");
        }
        let (_, message, _) = refusal::<Shape>(r#"{"list":[-77]}"#);
        assert!(!message.contains("77") && message.contains("expected u32"), "{message}");
        let (_, message, _) = refusal::<InstallRequest>(r#"{"app_id":"S3CR"}"#);
        assert!(message.contains("this is not an app id") && !message.contains("S3CR"), "{message}");
    }

    #[test]
    fn never_repeats_a_key_that_is_no_word() {
        #[derive(Debug, Deserialize)]
        #[serde(deny_unknown_fields)]
        #[allow(dead_code)] // Only its shape counts.
        struct Strict {
            text: String,
            #[serde(default)]
            fields: std::collections::BTreeMap<String, String>,
        }
        let jwt = "eyJhbGciOiJIUzI1NiIsInR5cCI6ImNsb3VkLWFwcHMranl0In0.eyJpc3MiOiJ4In0.c2lnbmF0dXJl";
        for secret in
            [jwt, "s6gd4ck3kpgrted4mf7o31dmjo", "` expected, `x", "s1.jira.1.abc.Zm9v", &"x".repeat(1 << 20)]
        {
            for text in [
                format!(r#"{{"{secret}":1}}"#),
                format!(r#"{{"text":"x","{secret}`, expected `y":1}}"#),
                format!(r#"{{"text":"x","fields":{{"{secret}":7}}}}"#),
            ] {
                let (_, message, pointer) = refusal::<Strict>(&text);
                assert!(message.len() < 500 && !message.contains(secret), "{message}");
                assert!(!pointer.to_string().contains(secret), "{pointer}");
            }
        }
        let (_, message, _) = refusal::<Strict>(r#"{"tetx":"x"}"#);
        assert_eq!(message, "/tetx is not what stands here: unknown key, expected `text` or `fields`.");
        assert_eq!(refusal::<Strict>(r#"{"text":"x","fields":{"due_date":7}}"#).2, "/fields/due_date");
    }

    #[test]
    fn keeps_what_was_expected() {
        let (_, message, _) = refusal::<Shape>(r#"{"list":[],"word":"x"}"#);
        assert!(message.contains("expected one of `act_as_bot`, `act_as_user`, `act_as_admin`"), "{message}");
        let (_, message, _) = refusal::<Shape>(r#"{"list":"x"}"#);
        assert_eq!(message, "/list is not what stands here: invalid type: string, expected a sequence.");
    }
}
