//! What is wrong with a manifest, and where in its text.

use crate::{
    shape::{Found, MOST},
    text::shortened,
};
use serde::{Deserialize, Serialize};

/// A problem of a manifest, with its place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// The JSON pointer (RFC 6901): `/commands/0/fields/2/type`.
    pub pointer: String,
    /// The line, from 1.
    pub line: u32,
    /// The column, from 1, in characters.
    pub column: u32,
    /// How many characters to mark, at least 1.
    pub length: u32,
    /// What is wrong.
    pub message: String,
    /// What to do. It may be empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub hint: String,
}

/// How many characters of an author's text are repeated: as many as are needed to recognise it.
const POINTER: usize = 300;
const SENTENCES: usize = 600;

impl Found {
    /// A problem of a manifest that was not read from a text.
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

/// The first problems, and a last one that says how many more there are.
pub(super) fn told(mut problems: Vec<Problem>, more: usize) -> Vec<Problem> {
    let more = more + problems.len().saturating_sub(MOST);
    problems.truncate(MOST);
    if more > 0 {
        let rest = Found::new("", format!("There are {more} more problems."), "Fix the others first.");
        problems.push(rest.without_place());
    }
    problems
}
