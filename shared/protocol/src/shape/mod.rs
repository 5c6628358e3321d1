//! The shape of JSON as a table, against which a value is held to find every wrong key and type at once.
//!
//! Serde stops at the first. What does not fit is reported and repaired (an optional key dropped, a required one filled
//! with a sample), so that the rules can be checked on all that is right. The leaves are checked by serde itself; tests
//! hold the tables to the JSON Schemas made from the types.

mod findings;

pub(crate) use findings::{Findings, Found, MOST};

use crate::{json, json::escaped, values::nearest};
use Shape::{Any, List, Object, One, Open, Tagged};
use Variant::{Keys, NotServed};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

/// The most entries of any list, and keys of most objects whose keys are the author's. The rules have lower limits for some;
/// this one bounds what checking can cost.
pub(crate) const ENTRIES: usize = 256;
/// Bytes of a key above other keys of the author's.
const NAME_LENGTH: usize = 64;

pub(crate) enum Shape {
    /// Any JSON.
    Any,
    /// What serde reads by itself, and a sample of it as JSON.
    Leaf(fn(&Value) -> Result<(), serde_json::Error>, &'static str),
    List(&'static Shape),
    /// At most so many keys of the author's choice.
    Map(usize, &'static Shape),
    Object(&'static [Key]),
    /// An object that may have other keys beside these; they are left as they are.
    Open(&'static [Key]),
    /// An object whose other keys depend on the word at this one.
    Tagged(&'static str, &'static [(&'static str, Variant)]),
    /// An object with exactly one of these keys.
    One(&'static [Key]),
}

/// What an object with a certain word is.
pub(crate) enum Variant {
    /// It has these other keys.
    Keys(&'static [Key]),
    /// The protocol has it, and this version of the bundle does not serve it: the sentence that says so.
    NotServed(&'static str),
}

pub(crate) struct Key {
    pub name: &'static str,
    pub required: bool,
    pub shape: &'static Shape,
}

pub(crate) const fn must(name: &'static str, shape: &'static Shape) -> Key {
    Key { name, required: true, shape }
}

pub(crate) const fn may(name: &'static str, shape: &'static Shape) -> Key {
    Key { name, required: false, shape }
}

pub(crate) const fn leaf<T: DeserializeOwned>(sample: &'static str) -> Shape {
    Shape::Leaf(|value| T::deserialize(value).map(|_: T| ()), sample)
}

/// What did not fit, and the pointers at which something else stands now.
#[derive(Default)]
pub(crate) struct Fit {
    pub findings: Findings,
    repaired: Vec<String>,
    /// What is checked may hold a token in the wrong place, so no value is repeated, and a key only where it looks like
    /// one.
    confidential: bool,
}

impl Fit {
    /// For what a service wrote, which goes into a log. An author's own file is told more.
    pub fn confidential() -> Self {
        Self { confidential: true, ..Self::default() }
    }

    /// Holds `value` against `shape`, reports what does not fit and repairs it.
    pub fn fit(&mut self, shape: &Shape, value: &mut Value, pointer: &str) {
        match shape {
            Any => {}
            Shape::Leaf(read, _) => {
                if let Err(error) = read(value) {
                    let (message, hint) = self.misfit(value, &error);
                    self.replace(shape, value, pointer, &message, &hint);
                }
            }
            List(element) => match value {
                Value::Array(elements) => {
                    self.at_most(elements.len(), ENTRIES, pointer);
                    elements.truncate(ENTRIES);
                    for (i, value) in elements.iter_mut().enumerate() {
                        self.fit(element, value, &format!("{pointer}/{i}"));
                    }
                }
                _ => self.wrong_type(shape, value, pointer, "a list"),
            },
            Shape::Map(most, each) => match value {
                Value::Object(entries) => {
                    self.at_most(entries.len(), *most, pointer);
                    let mut room = *most;
                    entries.retain(|key, _| {
                        let kept = room > 0;
                        room = room.saturating_sub(1);
                        kept && !self.too_long(each, key, pointer)
                    });
                    for (key, value) in entries {
                        self.fit(each, value, &format!("{pointer}/{}", escaped(key)));
                    }
                }
                _ => self.wrong_type(shape, value, pointer, "an object"),
            },
            Object(keys) => match value {
                Value::Object(entries) => self.keys(&[], keys, entries, pointer),
                _ => self.wrong_type(shape, value, pointer, "an object"),
            },
            Open(keys) => match value {
                Value::Object(entries) => self.known_keys(keys, entries, pointer),
                _ => self.wrong_type(shape, value, pointer, "an object"),
            },
            Tagged(tag, variants) => self.tagged(shape, tag, variants, value, pointer),
            One(keys) => match value {
                Value::Object(entries) => {
                    self.keys(&[], keys, entries, pointer);
                    if entries.len() != 1 {
                        let names = list(keys.iter().map(|key| key.name), " or ");
                        let message = format!("This needs exactly one key: {names}.");
                        self.replace(shape, value, pointer, &message, "");
                    }
                }
                _ => self.wrong_type(shape, value, pointer, "an object"),
            },
        }
    }

    /// Keys above other keys are names: each stands in the pointer of everything below it.
    fn too_long(&mut self, below: &Shape, key: &str, pointer: &str) -> bool {
        let long = matches!(below, Shape::Map(..)) && key.len() > NAME_LENGTH;
        if long {
            let message = format!("This key has more than {NAME_LENGTH} bytes.");
            self.findings.add(Found::new(&format!("{pointer}/{}", escaped(key)), message, "").at_key());
        }
        long
    }

    fn at_most(&mut self, n: usize, most: usize, pointer: &str) {
        if n > most {
            let message = format!("There are {n} entries here, at most {most} are allowed.");
            self.findings.add(Found::new(pointer, message, ""));
        }
    }

    fn tagged(
        &mut self,
        shape: &Shape,
        tag: &str,
        variants: &[(&'static str, Variant)],
        value: &mut Value,
        pointer: &str,
    ) {
        let Value::Object(entries) = value else {
            return self.wrong_type(shape, value, pointer, "an object");
        };
        let served = |(word, variant): &(&'static str, Variant)| matches!(variant, Keys(_)).then_some(*word);
        let words = || variants.iter().filter_map(served);
        let at = format!("{pointer}/{tag}");
        match entries.get(tag) {
            Some(Value::String(word)) => match variants.iter().find(|(variant, _)| variant == word) {
                Some((_, Keys(keys))) => return self.keys(&[tag], keys, entries, pointer),
                Some((_, NotServed(sentence))) => self.findings.add(Found::new(&at, *sentence, "")),
                None => {
                    let message = format!("{} is none of {}.", self.quoted(word), list(words(), ", "));
                    self.findings.add(Found::new(&at, message, did_you_mean(word, words())));
                }
            },
            Some(other) => {
                let message = format!("This must be one of {}, and is {}.", list(words(), ", "), kind(other));
                self.findings.add(Found::new(&at, message, ""));
            }
            None => {
                let message = format!("The key {tag:?} is missing.");
                let hint = format!("It is one of {}.", list(words(), ", "));
                self.findings.add(Found::new(&at, message, hint));
            }
        }
        *value = sample(shape);
        self.repaired.push(pointer.to_owned());
    }

    /// Checks an object's keys; `also` are keys that are checked elsewhere.
    fn keys(&mut self, also: &[&str], keys: &[Key], entries: &mut Map<String, Value>, pointer: &str) {
        let names = || keys.iter().map(|key| key.name).chain(also.iter().copied());
        entries.retain(|name, _| {
            if names().any(|known| known == name) {
                return true;
            }
            if self.findings.is_full() {
                self.findings.more += 1;
                return false;
            }
            let mut hint = did_you_mean(name, names());
            if hint.is_empty() {
                hint = format!("Known here: {}.", list(names(), ", "));
            }
            let at = format!("{pointer}/{}", self.segment(name));
            let message = if self.confidential {
                "There is no such key here.".to_owned()
            } else {
                format!("There is no key {name:?} here.")
            };
            self.findings.add(Found::new(&at, message, hint).at_key());
            false
        });
        self.known_keys(keys, entries, pointer);
    }

    /// Checks the keys that are known, and leaves others as they are.
    fn known_keys(&mut self, keys: &[Key], entries: &mut Map<String, Value>, pointer: &str) {
        entries.retain(|name, value| {
            let Some(key) = keys.iter().find(|key| key.name == name) else { return true };
            // Generators write null for what is not set.
            if value.is_null() && !key.required {
                return false;
            }
            let at = format!("{pointer}/{name}");
            let repaired = self.repaired.len();
            self.fit(key.shape, value, &at);
            // What is optional is better left out than made up.
            key.required || self.repaired.get(repaired..).is_none_or(|new| !new.contains(&at))
        });
        for key in keys.iter().filter(|key| key.required) {
            if !entries.contains_key(key.name) {
                let at = format!("{pointer}/{}", key.name);
                self.findings.add(Found::new(&at, format!("The key {:?} is missing.", key.name), ""));
                entries.insert(key.name.to_owned(), sample(key.shape));
                self.repaired.push(at);
            }
        }
    }

    /// A key as it stands in a pointer.
    fn segment(&self, key: &str) -> String {
        if self.confidential { json::segment(key) } else { escaped(key) }
    }

    /// A word that is wrong.
    fn quoted(&self, word: &str) -> String {
        if self.confidential { "This".to_owned() } else { format!("{word:?}") }
    }

    fn wrong_type(&mut self, shape: &Shape, value: &mut Value, pointer: &str, expected: &str) {
        let message = format!("This must be {expected}, and is {}.", kind(value));
        self.replace(shape, value, pointer, &message, "");
    }

    fn replace(&mut self, shape: &Shape, value: &mut Value, pointer: &str, message: &str, hint: &str) {
        self.findings.add(Found::new(pointer, message, hint));
        self.repaired.push(pointer.to_owned());
        *value = sample(shape);
    }

    /// Serde's complaint about a leaf in a person's words, and a hint.
    fn misfit(&self, value: &Value, error: &serde_json::Error) -> (String, String) {
        let text = if self.confidential { json::without_values(error) } else { error.to_string() };
        let Some((found, expected)) = text.split_once(", expected ") else {
            return (format!("{}.", capitalized(&text)), String::new());
        };
        let unknown = found.starts_with("unknown variant") || found == "unknown word";
        if let (Some(word), true) = (value.as_str(), unknown) {
            let words: Vec<_> = expected.split('`').skip(1).step_by(2).collect();
            let hint = did_you_mean(word, words.iter().copied());
            return (format!("{} is none of {}.", self.quoted(word), words.join(", ")), hint);
        }
        let expected = match expected {
            "a string" => "text",
            "a boolean" => "true or false",
            "u32" => "a whole number from 0",
            // An enum's name in Rust tells an author nothing.
            other if other.starts_with("string") || other.contains("enum") => "one of the known words",
            other => other,
        };
        (format!("This must be {expected}, and is {}.", kind(value)), String::new())
    }

    /// Whether a problem at `pointer` may come from a repair rather than from the author: something else stands there or
    /// above it, or what the whole object is depends on something else.
    pub fn blurs(&self, pointer: &str) -> bool {
        self.repaired.iter().any(|repaired| {
            let of = repaired.strip_suffix("/type").unwrap_or(repaired);
            pointer.strip_prefix(of).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        })
    }
}

fn capitalized(text: &str) -> String {
    let mut characters = text.chars();
    characters.next().map_or_else(String::new, |first| first.to_uppercase().chain(characters).collect())
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(number) if number.is_f64() => "a fraction",
        Value::Number(number) if number.as_i64().is_some_and(i64::is_negative) => "a negative number",
        Value::Number(_) => "a number",
        Value::String(_) => "text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

pub(crate) fn did_you_mean<'w>(word: &str, words: impl Iterator<Item = &'w str>) -> String {
    nearest(word, words).map_or_else(String::new, |near| format!("Did you mean {near:?}?"))
}

fn list<'w>(words: impl Iterator<Item = &'w str>, between: &str) -> String {
    words.collect::<Vec<_>>().join(between)
}

/// The least that has this shape.
pub(crate) fn sample(shape: &Shape) -> Value {
    let required = |keys: &[Key]| {
        keys.iter().filter(|key| key.required).map(|key| (key.name.to_owned(), sample(key.shape))).collect()
    };
    match shape {
        Any => Value::Null,
        Shape::Leaf(_, sample) => serde_json::from_str(sample).unwrap_or_default(),
        List(_) => Value::Array(Vec::new()),
        Shape::Map(..) => Value::Object(Map::new()),
        Object(keys) | Open(keys) => Value::Object(required(keys)),
        Tagged(tag, variants) => {
            let first = variants.iter().find_map(|(word, variant)| match variant {
                Keys(keys) => Some((*word, *keys)),
                NotServed(_) => None,
            });
            let (word, keys) = first.unwrap_or_default();
            let mut entries: Map<_, _> = required(keys);
            entries.insert((*tag).to_owned(), word.into());
            Value::Object(entries)
        }
        One(keys) => {
            Value::Object(keys.iter().take(1).map(|key| (key.name.to_owned(), sample(key.shape))).collect())
        }
    }
}

/// Holds a table to a JSON Schema.
#[cfg(test)]
pub(crate) mod schema {
    use super::*;
    use std::collections::BTreeSet;

    /// Follows references and what wraps an optional or described type.
    fn resolve<'s>(root: &'s Value, mut schema: &'s Value) -> &'s Value {
        loop {
            let some = |list: &'s Value| list.as_array()?.iter().find(|one| one["type"] != "null");
            if let Some(reference) = schema["$ref"].as_str() {
                schema = root.pointer(reference.strip_prefix('#').unwrap()).unwrap();
            } else if let Some(one) = some(&schema["anyOf"]) {
                schema = one;
            } else {
                return schema;
            }
        }
    }

    fn names(value: &Value) -> BTreeSet<String> {
        match value {
            Value::Object(entries) => entries.keys().cloned().collect(),
            Value::Array(names) => names.iter().map(|name| name.as_str().unwrap().to_owned()).collect(),
            _ => BTreeSet::new(),
        }
    }

    /// What was compared.
    struct Compared<'s> {
        root: &'s Value,
        keys: usize,
        /// Shapes that may hold themselves.
        tagged: Vec<*const Shape>,
    }

    impl Compared<'_> {
        fn same_keys(&mut self, keys: &[Key], tag: Option<&str>, schema: &Value, at: &str) {
            let of = |keep: fn(&Key) -> bool| -> BTreeSet<String> {
                keys.iter()
                    .filter(|key| keep(key))
                    .map(|key| key.name)
                    .chain(tag)
                    .map(str::to_owned)
                    .collect()
            };
            assert_eq!(of(|_| true), names(&schema["properties"]), "keys of {at}");
            assert_eq!(of(|key| key.required), names(&schema["required"]), "required keys of {at}");
            for key in keys {
                self.keys += 1;
                self.same(key.shape, &schema["properties"][key.name], &format!("{at}/{}", key.name));
            }
        }

        fn same(&mut self, shape: &Shape, schema: &Value, at: &str) {
            let schema = resolve(self.root, schema);
            let is = |wanted: &str| {
                let r#type = &schema["type"];
                assert!(*r#type == wanted || r#type[0] == wanted, "{at} is {wanted}: {schema}");
            };
            match shape {
                Any => assert!(schema["type"].is_null(), "{at} is anything: {schema}"),
                Shape::Leaf(read, sample) => {
                    let sample: Value = serde_json::from_str(sample).unwrap();
                    assert!(read(&sample).is_ok(), "{at}: {sample}");
                    match &sample {
                        Value::Bool(_) => is("boolean"),
                        Value::Number(_) => is("integer"),
                        _ => {
                            assert!(
                                schema["type"] != "object" && schema["type"] != "array",
                                "{at}: {schema}"
                            );
                        }
                    }
                }
                List(element) => {
                    is("array");
                    self.same(element, &schema["items"], &format!("{at}/*"));
                }
                Shape::Map(_, each) => {
                    is("object");
                    match &schema["additionalProperties"] {
                        Value::Bool(true) => assert!(matches!(each, Any), "{at}"),
                        value => self.same(each, value, &format!("{at}/*")),
                    }
                }
                Object(keys) => {
                    is("object");
                    assert_eq!(schema["additionalProperties"], false, "{at} has no other keys");
                    self.same_keys(keys, None, schema, at);
                }
                Open(keys) => {
                    is("object");
                    assert_ne!(schema["additionalProperties"], false, "{at} may have other keys");
                    self.same_keys(keys, None, schema, at);
                }
                Tagged(tag, variants) => {
                    if self.tagged.contains(&std::ptr::from_ref(shape)) {
                        return;
                    }
                    self.tagged.push(shape);
                    let one_of = schema["oneOf"].as_array().unwrap();
                    let mut served = 0;
                    for (word, variant) in *variants {
                        let Keys(keys) = variant else { continue };
                        served += 1;
                        let found = one_of.iter().find(|one| one["properties"][tag]["const"] == *word);
                        self.same_keys(keys, Some(tag), found.unwrap(), &format!("{at}({word})"));
                    }
                    assert_eq!(one_of.len(), served, "{at}");
                }
                One(keys) => {
                    let of_schema: BTreeSet<_> = schema["oneOf"]
                        .as_array()
                        .unwrap()
                        .iter()
                        .flat_map(|one| names(&one["properties"]))
                        .collect();
                    assert_eq!(of_schema, keys.iter().map(|key| key.name.to_owned()).collect(), "{at}");
                }
            }
        }
    }

    /// Fails where the table and the schema differ in a key; tells how many keys were compared.
    pub(crate) fn assert_agrees(shape: &Shape, root: &Value, schema: &Value) -> usize {
        let mut compared = Compared { root, keys: 0, tagged: Vec::new() };
        compared.same(shape, schema, "");
        compared.keys
    }
}
