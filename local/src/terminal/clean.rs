//! Replaces characters that act on a terminal or a reader without being seen by visible ones.

use cloud_apps_protocol::text::is_unseen;
use std::fmt::Write;

/// The text with a visible character in place of each such one: `␛`, `␊`. The number of characters stays the same.
pub fn clean(text: &str) -> String {
    text.chars().map(|c| if is_unseen(c) { picture(c) } else { c }).collect()
}

/// The same for a text that may have several lines.
pub fn clean_lines(text: &str) -> String {
    text.chars().map(|c| if c != '\n' && is_unseen(c) { picture(c) } else { c }).collect()
}

fn picture(c: char) -> char {
    match c {
        '\t' => ' ',
        '\u{7f}' => '\u{2421}',
        // The block Control Pictures, in the order of the controls.
        c if c.is_ascii() => char::from_u32(0x2400 + u32::from(c)).unwrap_or(char::REPLACEMENT_CHARACTER),
        _ => char::REPLACEMENT_CHARACTER,
    }
}

/// JSON with an escape in place of each such character. Outside of strings, JSON has only white space of this kind.
pub fn escaped(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    for c in json.chars() {
        match c {
            '\n' | '\t' => out.push(c),
            // In valid JSON it stands outside of strings.
            '\r' => out.push(' '),
            c if is_unseen(c) => {
                for unit in c.encode_utf16(&mut [0; 2]) {
                    // Writing to a string cannot fail.
                    let _ = write!(out, "\\u{unit:04x}");
                }
            }
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_acts_is_replaced_one_by_one_and_what_is_read_stays() {
        for c in [
            '\0',
            '\u{1b}',
            '\n',
            '\r',
            '\u{7f}',
            '\u{85}',
            '\u{9b}',
            '\u{200e}',
            '\u{202e}',
            '\u{2066}',
            '\u{61c}',
            '\u{feff}',
            '\u{ad}',
            '\u{2028}',
            '\u{e0041}',
        ] {
            let cleaned = clean(&format!("a{c}b"));
            assert_eq!(cleaned.chars().count(), 3, "{c:?}");
            assert!(!cleaned.contains(is_unseen), "{c:?}: {cleaned:?}");
        }
        let read = "Grüße, 世界! שלום می\u{200c}خواهم ¯\\_(ツ)_/¯ 👩\u{200d}💻 ❤️ é";
        assert_eq!(clean(read), read);
        assert_eq!(clean_lines("a\nb\u{1b}"), "a\nb␛");
    }

    #[test]
    fn escaped_json_is_the_same_value_and_holds_nothing_that_acts() {
        let value = serde_json::json!({ "a\u{202e}": ["\u{1b}]0;x\u{7}", "\u{9b}", "\u{e0041}", "\n\t\u{2028}", "ü"] });
        for text in [value.to_string(), serde_json::to_string_pretty(&value).unwrap()] {
            let safe = escaped(&text);
            assert!(!safe.contains(|c| c != '\n' && is_unseen(c)), "{safe}");
            assert_eq!(serde_json::from_str::<serde_json::Value>(&safe).unwrap(), value);
        }
        assert_eq!(escaped("{\r\n}"), "{ \n}");
    }
}
