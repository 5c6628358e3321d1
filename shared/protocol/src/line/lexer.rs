//! Splits a line into words with their places.
//!
//! A quote opens a quoted text only at the beginning of a word or of a flag's value, because people write `don't`. The quotes and
//! dashes of phones count as plain ones. After a backslash, a character has no meaning, unless it is a letter or a digit.

use super::{Fault, MAX_LINE};

/// One word of a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Word {
    /// The text without quotes and escapes.
    pub text: String,
    /// Where it begins, in characters.
    pub start: usize,
    /// Where it ends: the character after it.
    pub end: usize,
    /// Where the value of `--name=value` begins. For other words it is `start`.
    pub value: usize,
    /// As it was typed.
    pub raw: String,
    /// The white space before it.
    pub gap: String,
    /// Whether it is always text, because it begins with a quote or a backslash.
    pub literal: bool,
}

impl Word {
    /// The text, if it may be a function's name, a flag, or a keyword.
    pub fn plain(&self) -> Option<&str> {
        (!self.literal).then_some(self.text.as_str())
    }

    /// `--name` and `--name=value`, without the dashes.
    pub fn flag(&self) -> Option<&str> {
        Some(self.plain()?.strip_prefix("--")?.trim_start_matches('-'))
    }

    /// The word up to the first `=`: what may be shown of `--name=value`, because the value may be a password.
    pub fn flag_name(&self) -> &str {
        self.text.split('=').next().unwrap_or_default()
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

/// Whether a character must be escaped in a word.
pub(super) fn special(c: char) -> bool {
    quote(c).is_some() || c == '\\'
}

/// Splits a line.
pub(super) fn words(line: &str) -> Result<Vec<Word>, Fault> {
    let chars: Vec<char> = line.chars().take(MAX_LINE + 1).collect();
    if chars.len() > MAX_LINE {
        return Err(Fault::new(MAX_LINE, "", format!("at most {MAX_LINE} characters"), "is too long"));
    }
    let mut quotes = Quotes::of(&chars);
    let mut words = Vec::new();
    let mut at = 0;
    while let Some(first) = chars.get(at) {
        if first.is_whitespace() {
            at += 1;
        } else {
            let mut word = word(&chars, &mut quotes, at)?;
            let gap = words.last().map_or(0, |last: &Word| last.end);
            word.gap = chars.get(gap..at).unwrap_or_default().iter().collect();
            at = word.end;
            words.push(word);
        }
    }
    Ok(words)
}

/// The word that begins at `start`.
fn word(chars: &[char], quotes: &mut Quotes<'_>, start: usize) -> Result<Word, Fault> {
    let mut word = Word {
        text: String::new(),
        start,
        end: start,
        value: start,
        literal: false,
        raw: String::new(),
        gap: String::new(),
    };
    let mut at = start;
    while let Some(&c) = chars.get(at).filter(|c| !c.is_whitespace()) {
        let rest = chars.get(at + 1..).unwrap_or_default();
        if quote(c).is_some() && begins(&word, at) {
            word.literal |= at == start;
            let Some(length) = quotes.closing(c, at + 1) else {
                // The text after a flag may be a password.
                let shown = if word.value == start { 20 } else { 1 };
                let found: String = chars.iter().skip(at).take(shown).collect();
                let expected = format!("a closing {}", quote(c).unwrap_or(c));
                return Err(Fault::new(at, &found, expected, "opens a quote that is never closed"));
            };
            unescaped(rest.get(..length).unwrap_or_default(), &mut word.text);
            at += length + 2;
            continue;
        }
        at += match c {
            '\\' => {
                word.literal |= at == start;
                let taken = rest.len().min(1);
                unescaped(chars.get(at..=at + taken).unwrap_or_default(), &mut word.text);
                1 + taken
            }
            _ if at == start => dashes(c, rest, &mut word.text),
            _ => {
                word.text.push(c);
                1
            }
        };
        // `--name=` ends here: what follows is the value.
        if word.value == start && c == '=' && word.flag().is_some() {
            word.value = at;
        }
    }
    word.end = at;
    word.raw = chars.get(start..at).unwrap_or_default().iter().collect();
    Ok(word)
}

/// Where quoted texts end. A line is read from left to right, and each search continues where the last one of its kind ended. So
/// the cost of a line grows with its length, whatever it contains.
struct Quotes<'c> {
    chars: &'c [char],
    /// The next quote that closes a text, by kind (single, double) and by whether it must be the plain one.
    next: [Option<usize>; 4],
}

impl<'c> Quotes<'c> {
    fn of(chars: &'c [char]) -> Self {
        Self { chars, next: [None; 4] }
    }

    /// How long a quoted text that begins at `start` is, up to the quote that closes it.
    fn closing(&mut self, opening: char, start: usize) -> Option<usize> {
        let single = quote(opening) == Some('\'');
        let mut end = self.next(single, false, start)?;
        // Other quotes may be between two plain ones: "he said “hi”".
        if matches!(opening, '"' | '\'') {
            end = self.next(single, true, start).unwrap_or(end);
        }
        Some(end - start)
    }

    /// The first quote from `start` on that closes a text.
    fn next(&mut self, single: bool, plain: bool, start: usize) -> Option<usize> {
        let known = self.next.get_mut(usize::from(single) + 2 * usize::from(plain))?;
        let chars = self.chars;
        let found = match *known {
            Some(at) if at >= start => at,
            _ => {
                let mut places = start..chars.len();
                places.find(|at| closes(chars, *at, single, plain)).unwrap_or(chars.len())
            }
        };
        *known = Some(found);
        (found < chars.len()).then_some(found)
    }
}

/// Whether the character at `at` closes a quoted text.
fn closes(chars: &[char], at: usize, single: bool, plain: bool) -> bool {
    let Some(&c) = chars.get(at) else { return false };
    let kind = if single { '\'' } else { '"' };
    if quote(c) != Some(kind) || (plain && c != kind) {
        return false;
    }
    let before = chars.get(..at).unwrap_or_default();
    let escaped = before.iter().rev().take_while(|c| **c == '\\').count() % 2 == 1;
    // The apostrophe in 'it's' closes nothing. A single quote closes a text only at a place where a word may end.
    let apostrophe = single && chars.get(at + 1).is_some_and(|next| !next.is_whitespace());
    !escaped && !apostrophe
}

/// Removes backslashes, except before letters and digits: `C:\temp` and `\d+` do not change.
fn unescaped(chars: &[char], text: &mut String) {
    let mut chars = chars.iter().copied().peekable();
    while let Some(c) = chars.next() {
        match chars.peek().copied().filter(|_| c == '\\') {
            Some(next) if !next.is_alphanumeric() => {
                text.push(next);
                chars.next();
            }
            _ => text.push(c),
        }
    }
}

/// The first character of a word, and how many characters were read. A phone makes one dash of two.
fn dashes(first: char, rest: &[char], text: &mut String) -> usize {
    let next = rest.first().copied();
    match first {
        '—' | '―' => text.push_str("--"),
        // `––name` and `–-name` are two dashes typed on a phone.
        '–' | '−' | '‒' if matches!(next, Some('–' | '−' | '‒' | '-')) => {
            text.push_str("--");
            return 2;
        }
        // Before a letter it was two dashes as well. Before a digit it is a minus.
        '–' | '−' | '‒' if next.is_some_and(char::is_alphabetic) => text.push_str("--"),
        '–' | '−' | '‒' => text.push('-'),
        _ => text.push(first),
    }
    1
}

/// Whether a quote here opens one: at the beginning of a word, or of a flag's value.
fn begins(word: &Word, at: usize) -> bool {
    at == word.start || (word.value != word.start && at == word.value)
}
