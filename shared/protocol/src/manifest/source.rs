//! The text of a manifest, and where in it each value stands.

use super::Problem;
use crate::json::escaped;
use jsonc_parser::{CollectOptions, ParseOptions, ast, common::Ranged, parse_to_ast};
use serde_json::Value;
use std::{
    collections::{BTreeMap, btree_map::Entry},
    ops::Range,
};

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
        Problem {
            pointer: self.pointer,
            line: 0,
            column: 0,
            length: 1,
            message: self.message,
            hint: self.hint,
        }
    }
}

/// Bytes of the text.
struct Span {
    key: Range<usize>,
    value: Range<usize>,
}

/// A JSON text and its value.
pub(super) struct Source<'t> {
    text: &'t str,
    spans: BTreeMap<String, Span>,
    /// Keys that stand in an object more than once: the pointer and each place but the last.
    doubled: Vec<(String, Range<usize>)>,
}

const STRICT: ParseOptions = ParseOptions {
    allow_comments: false,
    allow_loose_object_property_names: false,
    allow_trailing_commas: false,
    allow_missing_commas: false,
    allow_single_quoted_strings: false,
    allow_hexadecimal_numbers: false,
    allow_unary_plus_numbers: false,
    allow_bare_decimal_point_numbers: false,
    allow_non_finite_numbers: false,
    allow_extended_string_escapes: false,
};

impl<'t> Source<'t> {
    /// Reads the text. What is no JSON is one problem.
    pub fn read(text: &'t str) -> Result<(Self, Value), Problem> {
        let mut source = Self { text, spans: BTreeMap::new(), doubled: Vec::new() };
        let value = serde_json::from_str(text).map_err(|error| source.broken(&error))?;
        // Serde is the judge of what is JSON; the other parser knows the places.
        let tree = parse_to_ast(text, &CollectOptions::default(), &STRICT).map_err(|error| {
            let message = format!("This is not JSON: {}.", error.kind());
            source.place(error.range().start..error.range().end, Found::new("", message, ""))
        })?;
        if let Some(tree) = &tree.value {
            source.collect(tree, String::new(), range(tree));
        }
        Ok((source, value))
    }

    fn broken(&self, error: &serde_json::Error) -> Problem {
        let text = error.to_string();
        let what = text.split(" at line ").next().unwrap_or_default().to_owned();
        let hint = match what.as_str() {
            _ if self.text.starts_with('\u{feff}') => "Save the file without a byte order mark.",
            "trailing comma" => "Remove the comma before the closing bracket.",
            "key must be a string" => "Write the key in double quotes. JSON has no comments.",
            "expected value" => "JSON has no comments, no single quotes and no undefined.",
            _ if error.is_eof() => "Close every bracket and quote.",
            _ => "",
        };
        let start: usize =
            self.text.split_inclusive('\n').take(error.line().saturating_sub(1)).map(str::len).sum();
        // Serde counts bytes from 1, and 0 for the end of the line before.
        let mut at = (start + error.column().saturating_sub(1)).min(self.text.len());
        while !self.text.is_char_boundary(at) {
            at -= 1;
        }
        self.place(at..at + 1, Found::new("", format!("This is not JSON: {what}."), hint))
    }

    fn collect(&mut self, value: &ast::Value, pointer: String, key: Range<usize>) {
        match value {
            ast::Value::Object(object) => {
                for property in &object.properties {
                    let pointer = format!("{pointer}/{}", escaped(property.name.as_str()));
                    self.collect(&property.value, pointer, range(&property.name));
                }
            }
            ast::Value::Array(array) => {
                for (i, element) in array.elements.iter().enumerate() {
                    self.collect(element, format!("{pointer}/{i}"), range(element));
                }
            }
            _ => {}
        }
        let span = Span { key, value: range(value) };
        match self.spans.entry(pointer) {
            Entry::Vacant(entry) => {
                entry.insert(span);
            }
            Entry::Occupied(mut entry) => {
                let earlier = entry.insert(span);
                // Everything below a doubled key is doubled too: one report is enough.
                let pointer = entry.key().clone();
                self.doubled.retain(|(other, _)| !other.starts_with(&format!("{pointer}/")));
                self.doubled.push((pointer, earlier.key));
            }
        }
    }

    /// Keys that stand twice: the value of the last is the one that is checked.
    pub fn doubled(&self) -> Vec<Problem> {
        let problem = |(pointer, at): &(String, Range<usize>)| {
            let found = Found::new(pointer, "This key stands here twice.", "Keep one of them.");
            self.place(at.clone(), found)
        };
        self.doubled.iter().map(problem).collect()
    }

    /// Gives a problem its place: the value or key of its pointer or, where there is none, the start of what it is
    /// missing from.
    pub fn locate(&self, found: Found) -> Problem {
        let mut pointer = found.pointer.as_str();
        let span = loop {
            if let Some(span) = self.spans.get(pointer) {
                let exact = pointer == found.pointer;
                break match (exact, found.key) {
                    (true, true) => span.key.clone(),
                    (true, false) => span.value.clone(),
                    (false, _) => span.value.start..span.value.start + 1,
                };
            }
            match pointer.rsplit_once('/') {
                Some((parent, _)) => pointer = parent,
                None => break 0..1,
            }
        };
        self.place(span, found)
    }

    fn place(&self, span: Range<usize>, found: Found) -> Problem {
        let before = self.text.get(..span.start).unwrap_or(self.text);
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        let column = before.get(line_start..).unwrap_or_default().chars().count() + 1;
        let meant = self.text.get(span).unwrap_or_default();
        // A caret line marks one line of the text.
        let length = meant.lines().next().unwrap_or_default().chars().count().max(1);
        Problem {
            pointer: found.pointer,
            line: count(before.matches('\n').count() + 1),
            column: count(column),
            length: count(length),
            message: found.message,
            hint: found.hint,
        }
    }
}

fn count(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

fn range(node: &impl Ranged) -> Range<usize> {
    node.start()..node.end()
}
