//! The text of a manifest, and the place of each value in it.

use super::Problem;
use crate::{
    json::{self, escaped},
    shape::{Findings, Found},
};
use jsonc_parser::{CollectOptions, ParseOptions, ast, common::Ranged, parse_to_ast};
use serde_json::Value;
use std::{collections::HashMap, ops::Range};

/// Bytes of the text.
struct Span {
    key: Range<usize>,
    value: Range<usize>,
}

/// A JSON text and its value.
pub(super) struct Source<'t> {
    text: &'t str,
    tree: Option<ast::Value<'t>>,
}

impl Problem {
    /// A problem that only the bundle can see, with its place in the text.
    pub fn in_text(text: &str, pointer: &str, message: impl Into<String>, hint: impl Into<String>) -> Self {
        let found = Found::new(pointer, message, hint);
        match Source::read(text) {
            Ok((source, _)) => source.locate(found),
            Err(_) => found.without_place(),
        }
    }
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
    /// Reads the text. A text that is not JSON is one problem.
    pub fn read(text: &'t str) -> Result<(Self, Value), Problem> {
        let mut source = Self { text, tree: None };
        let value = serde_json::from_str(text).map_err(|error| source.broken(&error))?;
        // Serde decides what is JSON. The other parser knows the places.
        let tree = parse_to_ast(text, &CollectOptions::default(), &STRICT).map_err(|error| {
            let message = format!("This is not JSON: {}.", error.kind());
            source.place(error.range().start..error.range().end, Found::new("", message, ""))
        })?;
        source.tree = tree.value;
        Ok((source, value))
    }

    fn broken(&self, error: &serde_json::Error) -> Problem {
        let text = error.to_string();
        let what = text.split(" at line ").next().unwrap_or_default();
        let hint = json::hint(self.text, error);
        let at = json::offset(self.text, error);
        self.place(at..at + 1, Found::new("", format!("This is not JSON: {what}."), hint))
    }

    /// Keys that are repeated. The last value is the one that is checked.
    pub fn doubled(&self) -> (Vec<Problem>, usize) {
        let mut doubled = Doubled::default();
        if let Some(tree) = &self.tree {
            doubled.look(tree);
        }
        let Doubled { findings, places, .. } = doubled;
        let problems = findings.found.into_iter().zip(places).map(|(found, at)| self.place(at, found));
        (problems.collect(), findings.more)
    }

    /// Gives a problem its place: the value or key of its pointer or, where there is none, the start of what it is
    /// missing from.
    pub fn locate(&self, found: Found) -> Problem {
        let (span, exact) = self.span(&found.pointer);
        let place = match (exact, found.key) {
            (true, true) => span.key,
            (true, false) => span.value,
            (false, _) => span.value.start..span.value.start + 1,
        };
        self.place(place, found)
    }

    /// The place of the value at a pointer, or of the nearest one above it.
    fn span(&self, pointer: &str) -> (Span, bool) {
        let Some(mut value) = self.tree.as_ref() else { return (Span { key: 0..1, value: 0..1 }, false) };
        let mut span = Span { key: range(value), value: range(value) };
        for segment in pointer.split('/').skip(1) {
            let segment = segment.replace("~1", "/").replace("~0", "~");
            let below = match value {
                ast::Value::Object(object) => {
                    let property = object.properties.iter().rev().find(|p| p.name.as_str() == segment);
                    property.map(|property| (range(&property.name), &property.value))
                }
                ast::Value::Array(array) => {
                    let element = segment.parse().ok().and_then(|n: usize| array.elements.get(n));
                    element.map(|element| (range(element), element))
                }
                _ => None,
            };
            let Some((key, found)) = below else { return (span, false) };
            span = Span { key, value: range(found) };
            value = found;
        }
        (span, true)
    }

    fn place(&self, span: Range<usize>, found: Found) -> Problem {
        let before = self.text.get(..span.start).unwrap_or(self.text);
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        let column = before.get(line_start..).unwrap_or_default().chars().count() + 1;
        let meant = self.text.get(span).unwrap_or_default();
        // A mark is on one line of the text.
        let length = meant.lines().next().unwrap_or_default().chars().count().max(1);
        found.at(count(before.matches('\n').count() + 1), count(column), count(length))
    }
}

/// Looks for keys that are repeated in an object.
#[derive(Default)]
struct Doubled<'t> {
    /// Where it looks.
    path: Vec<Segment<'t>>,
    findings: Findings,
    /// All places of such a key except the last.
    places: Vec<Range<usize>>,
}

enum Segment<'t> {
    Key(&'t str),
    Index(usize),
}

impl<'t> Doubled<'t> {
    /// It goes as deep as the JSON, which serde has read before.
    fn look(&mut self, value: &'t ast::Value<'t>) {
        match value {
            ast::Value::Object(object) => {
                let names = object.properties.iter().map(|property| property.name.as_str());
                let last: HashMap<&str, usize> = names.enumerate().map(|(i, name)| (name, i)).collect();
                for (i, property) in object.properties.iter().enumerate() {
                    let name = property.name.as_str();
                    self.path.push(Segment::Key(name));
                    // An earlier value does not count, and neither does anything in it.
                    if last.get(name) == Some(&i) {
                        self.look(&property.value);
                    } else {
                        self.found(range(&property.name));
                    }
                    self.path.pop();
                }
            }
            ast::Value::Array(array) => {
                for (i, element) in array.elements.iter().enumerate() {
                    self.path.push(Segment::Index(i));
                    self.look(element);
                    self.path.pop();
                }
            }
            _ => {}
        }
    }

    fn found(&mut self, place: Range<usize>) {
        if self.findings.is_full() {
            self.findings.more += 1;
            return;
        }
        let segment = |segment: &Segment<'_>| match segment {
            Segment::Key(name) => format!("/{}", escaped(name)),
            Segment::Index(i) => format!("/{i}"),
        };
        let pointer: String = self.path.iter().map(segment).collect();
        self.findings.add(Found::new(&pointer, "This key stands here twice.", "Keep one of them."));
        self.places.push(place);
    }
}

fn count(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

fn range(node: &impl Ranged) -> Range<usize> {
    node.start()..node.end()
}
