//! From a line to words with their places.
//!
//! Quotes open where a word or a flag's value begins, and nowhere else: people write `don't`. Phones' quotes and
//! dashes count as the plain ones. A backslash takes the next character as it is.

use super::{Fault, MAX_LINE};

/// One word of a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Word {
    /// Without quotes and escapes.
    pub text: String,
    /// Where it begins, in characters.
    pub start: usize,
    /// Whether it is text whatever it looks like: a quote or a backslash stood where it begins.
    pub literal: bool,
}

impl Word {
    /// The text, if it may be a function's name, a flag, or a keyword.
    pub fn plain(&self) -> Option<&str> {
        (!self.literal).then_some(self.text.as_str())
    }

    /// `--name` and `--name=value`, without the dashes.
    pub fn flag(&self) -> Option<&str> {
        self.plain()?.strip_prefix("--")
    }
}

/// The plain quote that a character counts as.
fn quote(c: char) -> Option<char> {
    match c {
        '"' | '“' | '”' | '„' | '‟' | '«' | '»' => Some('"'),
        '\'' | '‘' | '’' | '‚' | '‛' => Some('\''),
        _ => None,
    }
}

/// Whether a character must be escaped to stand in a word as it is.
pub(super) fn special(c: char) -> bool {
    quote(c).is_some() || c == '\\'
}

/// Splits a line.
pub(super) fn words(line: &str) -> Result<Vec<Word>, Fault> {
    let mut words = Vec::new();
    let mut chars = line.chars().enumerate().peekable();
    if line.chars().nth(MAX_LINE).is_some() {
        return Err(Fault::new(MAX_LINE, "", format!("at most {MAX_LINE} characters"), "is too long"));
    }
    while let Some(&(start, first)) = chars.peek() {
        if first.is_whitespace() {
            chars.next();
            continue;
        }
        let mut word = Word { text: String::new(), start, literal: false };
        // What an opened quote waits for, and where it was opened.
        let mut open: Option<(char, usize)> = None;
        while let Some(&(at, c)) = chars.peek() {
            if open.is_none() && c.is_whitespace() {
                break;
            }
            chars.next();
            match (c, open) {
                ('\\', _) => {
                    word.literal |= at == start;
                    // A backslash at the end of the line stands for itself.
                    word.text.push(chars.next().map_or('\\', |(_, next)| next));
                }
                (c, Some((closing, _))) if quote(c) == Some(closing) => open = None,
                (c, None) if quote(c).is_some() && begins(&word, at) => {
                    word.literal |= at == start;
                    open = quote(c).map(|q| (q, at));
                }
                ('—' | '―', None) if at == start => word.text.push_str("--"),
                ('–' | '−' | '‒', None) if at == start => {
                    // `––name` and `–-name` are two dashes typed on a phone; one before a letter was two as well.
                    let next = chars.peek().map(|(_, c)| *c);
                    if matches!(next, Some('–' | '−' | '‒' | '-')) {
                        chars.next();
                        word.text.push_str("--");
                    } else if next.is_some_and(char::is_alphabetic) {
                        word.text.push_str("--");
                    } else {
                        word.text.push('-');
                    }
                }
                (c, _) => word.text.push(c),
            }
        }
        if let Some((closing, at)) = open {
            let found: String = line.chars().skip(at).take(20).collect();
            return Err(Fault::new(
                at,
                &found,
                format!("a closing {closing}"),
                "opens a quote that is never closed",
            ));
        }
        words.push(word);
    }
    Ok(words)
}

/// Whether a quote here opens one: at the beginning of a word, or of a flag's value.
fn begins(word: &Word, at: usize) -> bool {
    at == word.start
        || (!word.literal
            && word.text.starts_with("--")
            && word.text.ends_with('=')
            && word.text.matches('=').count() == 1)
}
