//! Makes a message for a person from a fault.
//!
//! What a user wrote is shown shortened, as code or escaped, and never if it may be a password.

use super::{
    Grammar, LineError, MAX_NAMED, Target,
    fault::Fault,
    find::{self, flag},
    lexer, next_word,
};
use crate::FieldType;
use std::collections::BTreeMap;

impl Grammar<'_> {
    /// Where to find help of what was typed.
    pub(super) fn see_help(&self, target: Option<Target<'_>>) -> String {
        match target {
            Some(target) => {
                format!("See `/{} help {}`.", self.manifest.namespace(), find::spoken(target.name().as_str()))
            }
            None => format!("See `/{} help`.", self.manifest.namespace()),
        }
    }

    pub(super) fn explain(&self, fault: Fault, target: Option<Target<'_>>) -> LineError {
        let at = format!("(at character {})", fault.position + 1);
        let near = fault.near.as_ref().map(|near| format!(" Did you mean `{near}`?")).unwrap_or_default();
        let help = self.see_help(target);
        let mut fields = BTreeMap::new();
        let message = if let Some(name) = &fault.field {
            // The message of the field's check says what was expected.
            fields.insert(name.to_string(), fault.what.clone());
            let flag = format!("--{}", name.as_str().replace('_', "-"));
            format!("{} {at}: {} {help}", code(&flag), sentence(&fault.what))
        } else {
            let found = if fault.found.is_empty() { "The line".to_owned() } else { code(&fault.found) };
            format!("{found} {} {at}. Expected {}.{near} {help}", fault.what, fault.expected)
        };
        LineError {
            message,
            position: fault.position,
            found: fault.found,
            expected: fault.expected,
            unknown_function: false,
            fields,
        }
    }

    /// A fault of words that name no command: the first word that is not possible at its place.
    pub(super) fn unknown(&self, words: &[lexer::Word]) -> LineError {
        let stem = find::joined(words);
        let near = self.nearest(&stem);
        let bare: Vec<String> = find::bare(words).map(find::normal).collect();
        let known = (1..=bare.len())
            .rev()
            .filter_map(|n| Some((n, bare.get(..n)?.join("_"))))
            .find(|(n, stem)| *n < words.len() && self.goes_on(stem));
        let (at, what, expected) = match known {
            Some((n, stem)) => {
                let mut next: Vec<String> = self
                    .names()
                    .filter_map(|name| next_word(name, &stem))
                    .map(|word| format!("`{word}`"))
                    .collect();
                next.dedup();
                next.truncate(MAX_NAMED);
                let what = format!("cannot follow {}", code(&find::spoken(&stem)));
                (n, what, next.join(" or "))
            }
            None => (0, "is no command".to_owned(), format!("a command of {}", self.manifest.display_name)),
        };
        let word = words.get(at);
        let found = word.map(lexer::Word::flag_name).unwrap_or_default();
        let fault = Fault::new(word.map_or(0, |w| w.start), found, expected, what).near(near);
        LineError { unknown_function: true, ..self.explain(fault, None) }
    }

    pub(super) fn no_function(&self, function: &str) -> LineError {
        let expected = format!("a command of {}", self.manifest.display_name);
        let near = self.nearest(&find::normal(function));
        let fault = Fault::new(0, function, expected, "is no command").near(near);
        LineError { unknown_function: true, ..self.explain(fault, None) }
    }
}

/// What is wrong with a value, as the end of a sentence.
pub(super) fn sentence(why: &str) -> String {
    let stop = if why.ends_with(['?', '.']) { "" } else { "." };
    format!("{}{stop}", escaped(why))
}

/// A text that Markdown shows unchanged.
fn escaped(text: &str) -> String {
    let active = |c: char| "\\`*_~[]<>|".contains(c);
    text.chars().flat_map(|c| active(c).then_some('\\').into_iter().chain([c])).collect()
}

/// A text as Markdown code. `CommonMark` needs a fence that is longer than any run of backticks inside.
pub(super) fn code(text: &str) -> String {
    let text = text.replace(['\n', '\r'], " ");
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest + 1);
    let space = if text.starts_with('`') || text.ends_with('`') { " " } else { "" };
    format!("{fence}{space}{text}{space}{fence}")
}

/// The fault of a flag that the command does not have. `near`: the flag that was probably meant.
pub(super) fn unknown_flag(target: Target<'_>, word: &lexer::Word, near: Option<String>) -> Fault {
    let fields = target.command.fields.iter().filter(|f| f.r#type != FieldType::Markdown);
    let flags: Vec<String> = fields.map(|f| format!("`{}`", flag(f))).take(12).collect();
    let name = find::spoken(target.name().as_str());
    let expected = if flags.is_empty() {
        format!("no flags after `{name}`")
    } else {
        format!("one of {}, or `--` before text that begins with dashes", flags.join(", "))
    };
    Fault::new(word.start, word.flag_name(), expected, format!("is no flag of `{name}`")).near(near)
}
