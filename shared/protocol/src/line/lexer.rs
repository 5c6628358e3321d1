//! Splits a line into words with their places.
//!
//! A quote opens a quoted text only at the beginning of a word or of a flag's value, because people write `don't`. The quotes and
//! dashes of phones count as plain ones. After a backslash, a character has no meaning, unless it is a letter or a digit.
//! Characters that nobody sees count for nothing between words and in names. A line is always split: a quote that is never
//! closed is a character of its word, and [`Word::unclosed`] says so to who needs the word's value.

use super::{Fault, MAX_LINE};
use crate::text::is_ignorable;

/// A line.
pub(super) struct Source(Vec<char>);

/// Which quotes open a quoted text.
#[derive(Clone, Copy)]
pub(super) enum Opening<'f> {
    /// Those at the beginning of any word or of a flag's value.
    Everywhere,
    /// Those of the values of these flags only. In a prose, a word may begin with an apostrophe.
    After(&'f dyn Fn(&str) -> bool),
}

impl Opening<'_> {
    fn after(self, flag: Option<&str>) -> bool {
        match self {
            Self::Everywhere => true,
            Self::After(is_flag) => flag.is_some_and(is_flag),
        }
    }
}

/// One word of a line.
#[derive(Debug)]
pub(super) struct Word {
    /// The text without quotes and escapes.
    pub text: String,
    /// Where it begins, in characters: at the first character that people see.
    pub start: usize,
    /// Where it ends: the character after it.
    pub end: usize,
    /// Where the value of `--name=value` begins. For other words it is `start`.
    pub value: usize,
    /// As it was typed.
    pub raw: String,
    /// Whether the word, or the value of a flag, is one text in quotes.
    pub quoted: bool,
    /// The quote that is never closed, if it begins the word or its value.
    pub unclosed: Option<Unclosed>,
    /// The name that it may be: see [`Word::plain`].
    plain: Option<String>,
}

/// A quote that is never closed.
#[derive(Debug)]
pub(super) struct Unclosed {
    at: usize,
    shown: String,
    closing: char,
}

impl Unclosed {
    /// The fault of a word whose value is needed.
    pub fn fault(&self) -> Fault {
        let expected = format!("a closing {}", self.closing);
        Fault::new(self.at, &self.shown, expected, "opens a quote that is never closed")
    }
}

impl Word {
    /// The word as a function's name, a flag without its value, or a keyword: with plain dashes, without what nobody sees. `None`:
    /// it begins with a quote or a backslash, so it is always text.
    pub fn plain(&self) -> Option<&str> {
        self.plain.as_deref()
    }

    /// The name of `--name` and `--name=value`, without the dashes.
    pub fn flag(&self) -> Option<&str> {
        flag_name(self.plain()?)
    }

    /// The value of `--name=value`.
    pub fn flag_value(&self) -> Option<&str> {
        if self.value == self.start { None } else { self.text.split_once('=').map(|(_, value)| value) }
    }

    /// The word up to the first `=`: what may be shown of `--name=value`, because the value may be a password. An empty word
    /// is shown as it was typed.
    pub fn flag_name(&self) -> &str {
        let name = self.plain().unwrap_or(&self.text).split('=').next().unwrap_or_default();
        if name.is_empty() { &self.raw } else { name }
    }

    /// What may be shown of a word that is no flag. An empty word is shown as it was typed.
    pub fn shown(&self) -> &str {
        if self.text.is_empty() { &self.raw } else { &self.text }
    }

    /// Whether it is `--`, which ends the flags.
    pub fn is_two_dashes(&self) -> bool {
        self.plain() == Some("--")
    }

    /// Whether it was probably meant as a flag: it begins with two dashes of a keyboard and a letter.
    pub fn looks_like_a_flag(&self) -> bool {
        self.has_plain_dashes() && self.flag().is_some_and(|name| name.starts_with(char::is_alphabetic))
    }

    /// Whether its dashes are those of a keyboard, and not ones that a phone or a writer makes.
    pub fn has_plain_dashes(&self) -> bool {
        self.raw.chars().filter(|c| !is_ignorable(*c)).take(2).eq(['-', '-'])
    }

    /// Whether a value without quotes around it has the end of a quotation or of code in it: in `he said "use --name=x"`, the
    /// flag belongs to what he said.
    pub fn ends_a_quotation(&self) -> bool {
        let value: Vec<char> = self.raw.chars().filter(|c| !is_ignorable(*c)).collect();
        let double = |c: &char| *c == '`' || quote(*c) == Some('"');
        let last = value.last().copied().and_then(quote);
        !self.quoted && (value.iter().any(double) || last.is_some())
    }
}

impl Source {
    /// A line that is not too long.
    pub fn of(line: &str) -> Result<Self, Fault> {
        let chars: Vec<char> = line.chars().take(MAX_LINE + 1).collect();
        if chars.len() > MAX_LINE {
            return Err(Fault::new(MAX_LINE, "", format!("at most {MAX_LINE} characters"), "is too long"));
        }
        Ok(Self(chars))
    }

    /// Where the line ends.
    pub fn end(&self) -> usize {
        self.0.len()
    }

    /// The words between two places.
    pub fn words(&self, start: usize, end: usize, opening: Opening<'_>) -> Vec<Word> {
        let chars = self.0.get(..end).unwrap_or_default();
        let mut quotes = Quotes { chars, next: [None; 4] };
        let mut words: Vec<Word> = Vec::new();
        let mut at = start;
        while let Some(first) = chars.get(at) {
            if first.is_whitespace() || is_ignorable(*first) {
                at += 1;
            } else {
                let flag = words.last().filter(|last| last.flag_value().is_none()).and_then(Word::flag);
                let word = word(chars, &mut quotes, at, opening.after(flag), opening);
                at = word.end;
                words.push(word);
            }
        }
        words
    }

    /// What was typed between two places, without the white space around it.
    pub fn typed(&self, start: usize, end: usize) -> String {
        self.0.get(start..end).unwrap_or_default().iter().collect::<String>().trim().to_owned()
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

/// The word that begins at `start`. `opens`: whether a quote there opens a quoted text.
fn word(chars: &[char], quotes: &mut Quotes<'_>, start: usize, opens: bool, opening: Opening<'_>) -> Word {
    let mut text = String::new();
    let (mut at, mut value) = (start, start);
    let (mut closed, mut unclosed) = (None, None);
    let mut opens = opens;
    let mut seen = chars.get(start..).unwrap_or_default().iter().copied().filter(|c| !is_ignorable(*c));
    let flag = plain(seen.by_ref().take(2)).starts_with("--");
    while let Some(&c) = chars.get(at).filter(|c| !c.is_whitespace()) {
        let rest = chars.get(at + 1..).unwrap_or_default();
        // At the beginning of a word or of a flag's value.
        let begins = opens && (at == start || (value != start && at == value));
        match c {
            _ if begins && quote(c).is_some() => {
                if let Some(length) = quotes.closing(c, at + 1) {
                    unescaped(rest.get(..length).unwrap_or_default(), &mut text);
                    at += length + 2;
                    let seen = skip_ignorable(chars, at);
                    if ends_a_word(chars, seen) {
                        at = seen;
                        closed = Some(at);
                    }
                } else {
                    // The text after a flag may be a password.
                    let shown = if value == start { 20 } else { 1 };
                    let shown = chars.iter().skip(at).take(shown).collect();
                    unclosed = Some(Unclosed { at, shown, closing: quote(c).unwrap_or(c) });
                    text.push(c);
                    at += 1;
                }
            }
            '\\' => {
                let taken = rest.len().min(1);
                unescaped(chars.get(at..=at + taken).unwrap_or_default(), &mut text);
                at += 1 + taken;
            }
            // `--name=` ends here: what follows is the value.
            '=' | '＝' if flag && value == start => {
                opens = opening.after(flag_name(&plain(text.chars())));
                text.push('=');
                at += 1;
                let seen = skip_ignorable(chars, at);
                if chars.get(seen).is_some_and(|c| quote(*c).is_some()) {
                    at = seen;
                }
                value = at;
            }
            _ => {
                text.push(c);
                at += 1;
            }
        }
    }
    let named = if value == start { text.as_str() } else { text.split('=').next().unwrap_or_default() };
    let literal = chars.get(start).is_some_and(|c| special(*c));
    Word {
        plain: (!literal).then(|| plain(named.chars())),
        start,
        end: at,
        value,
        raw: chars.get(start..at).unwrap_or_default().iter().collect(),
        quoted: closed == Some(at),
        unclosed,
        text,
    }
}

/// The name of a flag, without its dashes.
fn flag_name(word: &str) -> Option<&str> {
    let name = word.strip_prefix("--")?.trim_start_matches('-');
    (!name.is_empty()).then_some(name)
}

/// The first place from `at` on with a character that people see.
fn skip_ignorable(chars: &[char], at: usize) -> usize {
    let rest = chars.get(at..).unwrap_or_default();
    at + rest.iter().take_while(|c| is_ignorable(**c)).count()
}

/// Whether a word that is read up to this place is over.
fn ends_a_word(chars: &[char], at: usize) -> bool {
    chars.get(at).is_none_or(|c| c.is_whitespace())
}

/// Where quoted texts end. A line is read from left to right, and each search continues where the last one of its kind ended. So
/// the cost of a line grows with its length, whatever it contains.
struct Quotes<'c> {
    chars: &'c [char],
    /// The next quote that closes a text, by kind (single, double) and by whether it must be the plain one.
    next: [Option<usize>; 4],
}

impl Quotes<'_> {
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
    let apostrophe = single && !ends_a_word(chars, skip_ignorable(chars, at + 1));
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

/// A word with plain dashes and without what nobody sees. A phone makes one dash of the two of a flag.
fn plain(word: impl Iterator<Item = char>) -> String {
    let mut word = word.filter(|c| !is_ignorable(*c)).peekable();
    let mut text = String::new();
    match word.peek().copied() {
        Some('—' | '―') => text.push('-'),
        Some('–' | '−' | '‒') => {
            word.next();
            text.push('-');
            // Before a letter it was two dashes as well. Before a digit it is a minus.
            if word.peek().is_some_and(|next| next.is_alphabetic()) {
                text.push('-');
            }
        }
        _ => {}
    }
    text.extend(word.map(|c| if is_dash(c) { '-' } else { c }));
    text
}

/// The dashes and hyphens that people, phones and word processors write for `-`.
pub(super) fn is_dash(c: char) -> bool {
    matches!(c, '-' | '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{fe58}' | '\u{fe63}' | '\u{ff0d}')
}
