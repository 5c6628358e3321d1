//! What is wrong with JSON, before its place in the text is known. Only so many problems are told at once.

/// The most problems that are told at once; of more only the number.
pub(crate) const MOST: usize = 50;

/// Something that is wrong, before its place in the text is known.
#[derive(Debug)]
pub(crate) struct Found {
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
}

/// The first problems, and how many more there are.
#[derive(Debug, Default)]
pub(crate) struct Findings {
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
