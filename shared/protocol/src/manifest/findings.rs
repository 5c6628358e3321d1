//! What is wrong with a manifest, before its place in the text is known. Only so many problems are told at once.

use super::Problem;
use crate::text::shortened;

/// The most problems that are told at once; of more only the number.
pub(super) const MOST: usize = 50;

/// Characters of a problem's parts: what an author wrote is repeated only to recognise it.
const POINTER: usize = 300;
const SENTENCES: usize = 600;

/// Something that is wrong, before its place in the text is known.
#[derive(Debug)]
pub(super) struct Found {
    pub pointer: String,
    /// The key is meant rather than the value.
    pub key: bool,
    pub message: String,
    pub hint: String,
}

impl Found {
    pub fn new(pointer: &str, message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { pointer: pointer.to_owned(), key: false, message: message.into(), hint: hint.into() }
    }

    pub fn at_key(mut self) -> Self {
        self.key = true;
        self
    }

    /// For a manifest that was never a text.
    pub fn without_place(self) -> Problem {
        self.at(0, 0, 1)
    }

    pub fn at(self, line: u32, column: u32, length: u32) -> Problem {
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

/// The first problems, and how many more there are.
#[derive(Debug, Default)]
pub(super) struct Findings {
    pub found: Vec<Found>,
    pub more: usize,
}

impl Findings {
    /// Whether another problem is only counted.
    pub fn is_full(&self) -> bool {
        self.found.len() >= MOST
    }

    pub fn add(&mut self, found: Found) {
        if self.is_full() {
            self.more += 1;
        } else {
            self.found.push(found);
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
