//! What is wrong at a place of a line.

use crate::{FunctionName, text::shortened};

/// What is wrong at a place of the line, before it is put into words for a person.
#[derive(Debug)]
pub(super) struct Fault {
    pub position: usize,
    pub found: String,
    pub expected: String,
    /// Reads after the found word.
    pub what: String,
    pub near: Option<String>,
    /// The field that the word, a value, does not fit; then `what` reads after the field's name.
    pub field: Option<Box<FunctionName>>,
}

impl Fault {
    pub fn new(position: usize, found: &str, expected: impl Into<String>, what: impl Into<String>) -> Self {
        Self {
            position,
            found: cut(found),
            expected: expected.into(),
            what: what.into(),
            near: None,
            field: None,
        }
    }

    pub fn near(mut self, near: Option<String>) -> Self {
        self.near = near;
        self
    }
}

/// Characters of somebody's own words that are repeated, the mark of a cut included.
const SHOWN: usize = 61;

/// Somebody's own words, cut to what is needed to recognise them.
pub(super) fn cut(text: &str) -> String {
    shortened(text, SHOWN).into_owned()
}
