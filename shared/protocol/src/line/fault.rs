//! What is wrong at a place of a line.

use crate::{
    FunctionName,
    text::{shortened, without_ignorable},
};

/// What is wrong at a place of a line, before there is a message for a person.
#[derive(Debug)]
pub(super) struct Fault {
    pub position: usize,
    pub found: String,
    pub expected: String,
    /// The rest of a sentence that begins with the found word.
    pub what: String,
    pub near: Option<String>,
    /// The field, if the word is a value that does not fit it. Then the sentence begins with the field's name.
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

/// How many characters of a user's text are repeated, including the mark of a cut.
const SHOWN: usize = 61;

/// A user's text as they see it, shortened so that they still recognise it.
pub(super) fn cut(text: &str) -> String {
    shortened(&without_ignorable(text), SHOWN).into_owned()
}
