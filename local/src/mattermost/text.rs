//! Texts that others wrote.

use cloud_apps_protocol::text::shortened;

/// A text that somebody else wrote, as a part of a sentence: one line of at most 2,000 characters.
pub fn one_line(text: &str) -> String {
    let words = text.split(|c: char| c.is_whitespace() || c.is_control()).filter(|word| !word.is_empty());
    shortened(&words.collect::<Vec<_>>().join(" "), 2_000).into_owned()
}
