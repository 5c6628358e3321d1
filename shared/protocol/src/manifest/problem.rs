//! What is wrong with a manifest, and where in its text.

use crate::{
    shape::{Found, MOST},
    text::shortened,
};
use serde::{Deserialize, Serialize};

/// One thing that is wrong with a manifest, and where.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// RFC 6901: `/commands/0/fields/2/type`.
    pub pointer: String,
    /// From 1.
    pub line: u32,
    /// From 1, in characters.
    pub column: u32,
    /// How many characters are meant, at least 1; for a caret.
    pub length: u32,
    /// What is wrong.
    pub message: String,
    /// What to do; may be empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub hint: String,
}

/// Characters of a problem's parts: what an author wrote is repeated only to recognise it.
const POINTER: usize = 300;
const SENTENCES: usize = 600;

impl Found {
    /// For a manifest that was never a text.
    pub(super) fn without_place(self) -> Problem {
        self.at(0, 0, 1)
    }

    pub(super) fn at(self, line: u32, column: u32, length: u32) -> Problem {
        Problem {
            pointer: shortened(&self.pointer, POINTER).into_owned(),
            line,
            column,
            length,
            message: shortened(&self.message, SENTENCES).into_owned(),
            hint: shortened(&self.hint, SENTENCES).into_owned(),
        }
    }
}

/// At most so many problems, and a last one that says how many more there are.
pub(super) fn told(mut problems: Vec<Problem>, more: usize) -> Vec<Problem> {
    let more = more + problems.len().saturating_sub(MOST);
    problems.truncate(MOST);
    if more > 0 {
        let rest = Found::new("", format!("There are {more} more problems."), "Fix the others first.");
        problems.push(rest.without_place());
    }
    problems
}
