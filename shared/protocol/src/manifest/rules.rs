//! How the rules of a manifest report problems.

use crate::{
    shape::{Findings, Found, did_you_mean},
    values::Checker,
};
use std::collections::{BTreeMap, BTreeSet};

/// Collects problems.
pub(super) struct Rules<'f> {
    findings: &'f mut Findings,
    /// Whether a problem at a pointer may come from a repair rather than from the author.
    blurred: &'f dyn Fn(&str) -> bool,
    pub(super) checker: Checker,
}

impl<'f> Rules<'f> {
    pub(super) fn new(findings: &'f mut Findings, blurred: &'f dyn Fn(&str) -> bool) -> Self {
        Self { findings, blurred, checker: Checker::default() }
    }

    pub(super) fn say(&mut self, pointer: &str, message: impl Into<String>, hint: impl Into<String>) {
        self.add(Found::new(pointer, message, hint));
    }

    pub(super) fn say_at_key(&mut self, pointer: &str, message: impl Into<String>, hint: impl Into<String>) {
        self.add(Found::new(pointer, message, hint).at_key());
    }

    fn add(&mut self, found: Found) {
        if !(self.blurred)(&found.pointer) {
            self.findings.add(found);
        }
    }

    /// A hint, where the problem that it belongs to is told.
    pub(super) fn did_you_mean<'w>(&self, word: &str, words: impl Iterator<Item = &'w str>) -> String {
        if self.findings.is_full() { String::new() } else { did_you_mean(word, words) }
    }

    pub(super) fn at_most(&mut self, n: usize, most: usize, what: &str, pointer: &str) {
        if n > most {
            self.say(pointer, format!("There are {n} {what} here, at most {most} are allowed."), "");
        }
    }

    pub(super) fn filled(&mut self, text: &str, pointer: &str) {
        if text.trim().is_empty() {
            self.say(pointer, "This cannot be empty.", "");
        }
    }

    /// Each name may be there once. The second and later ones are problems.
    pub(super) fn distinct<'n>(
        &mut self,
        names: impl Iterator<Item = &'n str>,
        what: &str,
        pointer: impl Fn(usize) -> String,
    ) {
        let mut seen = BTreeMap::new();
        for (i, name) in names.enumerate() {
            let first = *seen.entry(name).or_insert(i);
            if first != i {
                let hint = format!("The first is at {}.", pointer(first));
                self.say(&pointer(i), format!("There is a {what} {name:?} already."), hint);
            }
        }
    }

    /// Each header name may be there once, in any case.
    pub(super) fn headers<'h>(
        &mut self,
        headers: impl Iterator<Item = &'h str>,
        pointer: impl Fn(usize) -> String,
    ) {
        let mut seen = BTreeSet::new();
        for (i, header) in headers.enumerate() {
            let token = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b);
            if header.is_empty() || !header.bytes().all(token) {
                self.say(&pointer(i), format!("{header:?} is not the name of a header."), "");
            } else if !seen.insert(header.to_ascii_lowercase()) {
                self.say(&pointer(i), format!("There is a header {header:?} already."), "");
            }
        }
    }
}
