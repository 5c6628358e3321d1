//! The shape of a manifest as a table, against which a text is held to find every wrong key and type at once.
//!
//! Serde stops at the first. What does not fit is reported and repaired (an optional key dropped, a required one filled
//! with a sample), so that the rules can be checked on all that is right. The leaves are checked by serde itself; a
//! test holds the keys to the JSON Schema made from the types.

use super::{
    AccountUse, AccountsType, Expand, Manifest, Permission,
    findings::{Findings, Found},
    rules,
};
use crate::{
    AppId, FieldType, FunctionName, Namespace,
    form::{SelectStyle, Subtype},
    json::escaped,
    values::nearest,
};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

/// The most entries of any list, and keys of most objects whose keys are the author's. The rules have lower limits for some;
/// this one bounds what checking a manifest can cost.
const ENTRIES: usize = 256;
/// Bytes of a key above other keys of the author's.
const NAME_LENGTH: usize = 64;
/// The most texts that are translated into one language.
const TRANSLATIONS: usize = 10_000;

pub(super) enum Shape {
    /// Any JSON.
    Any,
    /// What serde reads by itself, and a sample of it as JSON.
    Leaf(fn(&Value) -> Result<(), serde_json::Error>, &'static str),
    List(&'static Shape),
    /// At most so many keys of the author's choice.
    Map(usize, &'static Shape),
    Object(&'static [Key]),
    /// An object whose other keys depend on the word at this one.
    Tagged(&'static str, &'static [(&'static str, &'static [Key])]),
    /// An object with exactly one of these keys.
    One(&'static [Key]),
}

pub(super) struct Key {
    pub name: &'static str,
    pub required: bool,
    pub shape: &'static Shape,
}

const fn must(name: &'static str, shape: &'static Shape) -> Key {
    Key { name, required: true, shape }
}

const fn may(name: &'static str, shape: &'static Shape) -> Key {
    Key { name, required: false, shape }
}

const fn leaf<T: DeserializeOwned>(sample: &'static str) -> Shape {
    Shape::Leaf(|value| T::deserialize(value).map(|_: T| ()), sample)
}

use Shape::{Any, List, Object, One, Tagged};

static TEXT: Shape = leaf::<String>("\"\"");
static TEXTS: Shape = List(&TEXT);
static FLAG: Shape = leaf::<bool>("false");
static COUNT: Shape = leaf::<u32>("0");
static NAME: Shape = leaf::<FunctionName>("\"x\"");
static EXPAND: Shape = Shape::Map(ENTRIES, &leaf::<Expand>("\"id\""));
static FIELDS: Shape = List(&Object(FIELD));

pub(super) static MANIFEST: Shape = Object(&[
    may("$schema", &TEXT),
    must("protocol", &COUNT),
    must("id", &leaf::<AppId>("\"xx\"")),
    must("version", &TEXT),
    must("display_name", &TEXT),
    may("description", &TEXT),
    may("homepage_url", &TEXT),
    may("icon", &TEXT),
    may("namespace", &leaf::<Namespace>("\"xx\"")),
    may("bot", &Object(&[must("username", &TEXT), may("display_name", &TEXT)])),
    may("permissions", &List(&leaf::<Permission>("\"act_as_bot\""))),
    may("locations", &TEXTS),
    may("upstream", &Tagged("type", UPSTREAM)),
    may("accounts", &Object(ACCOUNTS)),
    may("settings", &FIELDS),
    may("commands", &List(&Object(COMMAND))),
    may("presets", &List(&Object(PRESET))),
    may("events", &List(&Object(EVENT))),
    may("webhooks", &List(&Object(WEBHOOK))),
    may("lifecycle", &Object(LIFECYCLE)),
    may("translations", &Shape::Map(ENTRIES, &Shape::Map(TRANSLATIONS, &TEXT))),
]);

const UPSTREAM: &[(&str, &[Key])] =
    &[("linked", &[]), ("http", &[must("url", &TEXT)]), ("aws_lambda", &[must("function", &TEXT)])];

const ACCOUNTS: &[Key] = &[
    must("type", &leaf::<AccountsType>("\"oauth2\"")),
    may("authorize_url", &TEXT),
    may("token_url", &TEXT),
    may("revoke_url", &TEXT),
    may("scopes", &TEXTS),
];

const FIELD: &[Key] = &[
    must("name", &NAME),
    must("type", &leaf::<FieldType>("\"text\"")),
    may("subtype", &leaf::<Subtype>("\"line\"")),
    may("label", &TEXT),
    may("description", &TEXT),
    may("hint", &TEXT),
    may("default", &Any),
    may("required", &FLAG),
    may("positional", &FLAG),
    may("min", &Any),
    may("max", &Any),
    may("max_length", &COUNT),
    may("pattern", &TEXT),
    may("refresh", &FLAG),
    may("options", &List(&Object(OPTION))),
    may("lookup", &FLAG),
    may("multiple", &FLAG),
    may("style", &leaf::<SelectStyle>("\"menu\"")),
];

const OPTION: &[Key] = &[must("value", &TEXT), may("label", &TEXT), may("description", &TEXT)];

const COMMAND: &[Key] = &[
    must("function", &NAME),
    may("summary", &TEXT),
    may("description", &TEXT),
    may("fields", &FIELDS),
    may("expand", &EXPAND),
    may("locations", &TEXTS),
    may("safe", &FLAG),
    may("deferred", &FLAG),
    may("confirm", &FLAG),
    may("post_as_user", &FLAG),
    may("account", &leaf::<AccountUse>("\"optional\"")),
];

const PRESET: &[Key] = &[
    must("name", &NAME),
    must("label", &TEXT),
    must("function", &NAME),
    may("values", &Shape::Map(ENTRIES, &Any)),
    may("locations", &TEXTS),
];

const EVENT: &[Key] = &[
    must("name", &NAME),
    must("kind", &TEXT),
    must("function", &NAME),
    may("expand", &EXPAND),
    may("user_id", &TEXT),
    may("channel_id", &TEXT),
    may("team_id", &TEXT),
    may("trigger_words", &TEXTS),
    may("required", &FLAG),
];

const WEBHOOK: &[Key] = &[
    must("path", &TEXT),
    must("function", &NAME),
    must("verify", &Tagged("scheme", VERIFY)),
    may("id_header", &TEXT),
    may("challenge", &One(CHALLENGE)),
    may("headers", &TEXTS),
    may("secret_setting", &NAME),
];

const CHALLENGE: &[Key] = &[may("json", &TEXT), may("query", &TEXT)];

const VERIFY: &[(&str, &[Key])] = &[
    ("standard", &[]),
    (
        "hmac",
        &[
            may("hash", &TEXT),
            must("header", &TEXT),
            may("prefix", &TEXT),
            may("encoding", &TEXT),
            may("signed", &TEXT),
            may("timestamp_header", &TEXT),
        ],
    ),
    ("token", &[must("header", &TEXT)]),
];

const LIFECYCLE: &[Key] =
    &[may("install", &NAME), may("uninstall", &NAME), may("configure", &NAME), may("upgrade", &NAME)];

/// What did not fit, and the pointers at which something else stands now.
#[derive(Default)]
pub(super) struct Fit {
    pub findings: Findings,
    repaired: Vec<String>,
}

impl Fit {
    /// Holds `value` against `shape`, reports what does not fit and repairs it.
    pub fn fit(&mut self, shape: &Shape, value: &mut Value, pointer: &str) {
        match shape {
            Any => {}
            Shape::Leaf(read, _) => {
                if let Err(error) = read(value) {
                    let (message, hint) = misfit(value, &error);
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
        variants: &[(&'static str, &'static [Key])],
        value: &mut Value,
        pointer: &str,
    ) {
        let Value::Object(entries) = value else {
            return self.wrong_type(shape, value, pointer, "an object");
        };
        let words = || variants.iter().map(|(word, _)| *word);
        let at = format!("{pointer}/{tag}");
        match entries.get(tag) {
            Some(Value::String(word)) => {
                if let Some((_, keys)) = variants.iter().find(|(variant, _)| variant == word) {
                    return self.keys(&[tag], keys, entries, pointer);
                }
                let message = format!("{word:?} is none of {}.", list(words(), ", "));
                self.findings.add(Found::new(&at, message, did_you_mean(word, words())));
            }
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
        entries.retain(|name, value| {
            let at = format!("{pointer}/{}", escaped(name));
            let Some(key) = keys.iter().find(|key| key.name == name) else {
                if also.contains(&name.as_str()) {
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
                self.findings.add(Found::new(&at, format!("There is no key {name:?} here."), hint).at_key());
                return false;
            };
            // Generators write null for what is not set.
            if value.is_null() && !key.required {
                return false;
            }
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

    fn wrong_type(&mut self, shape: &Shape, value: &mut Value, pointer: &str, expected: &str) {
        let message = format!("This must be {expected}, and is {}.", kind(value));
        self.replace(shape, value, pointer, &message, "");
    }

    fn replace(&mut self, shape: &Shape, value: &mut Value, pointer: &str, message: &str, hint: &str) {
        self.findings.add(Found::new(pointer, message, hint));
        self.repaired.push(pointer.to_owned());
        *value = sample(shape);
    }

    /// Reads what fits now, and checks the rules on it.
    pub fn read(&self, value: Value, findings: &mut Findings) -> Option<Manifest> {
        match serde_json::from_value::<Manifest>(value) {
            Ok(manifest) => {
                rules::broken(&manifest, &|pointer| self.blurs(pointer), findings);
                Some(manifest)
            }
            // A shape that the table lets through and the types do not; a test holds them together.
            Err(error) => {
                findings.add(Found::new("", format!("{error}."), ""));
                None
            }
        }
    }

    /// Whether a problem at `pointer` may come from a repair rather than from the author: something else stands there or
    /// above it, or what the whole object is depends on something else.
    fn blurs(&self, pointer: &str) -> bool {
        self.repaired.iter().any(|repaired| {
            let of = repaired.strip_suffix("/type").unwrap_or(repaired);
            pointer.strip_prefix(of).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        })
    }
}

/// Serde's complaint about a leaf in a person's words, and a hint.
fn misfit(value: &Value, error: &serde_json::Error) -> (String, String) {
    let text = error.to_string();
    let Some((_, expected)) = text.split_once(", expected ") else {
        return (format!("{text}."), String::new());
    };
    if let (Some(word), true) = (value.as_str(), text.starts_with("unknown variant")) {
        let words: Vec<_> = expected.split('`').skip(1).step_by(2).collect();
        let hint = did_you_mean(word, words.iter().copied());
        return (format!("{word:?} is none of {}.", words.join(", ")), hint);
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

pub(super) fn did_you_mean<'w>(word: &str, words: impl Iterator<Item = &'w str>) -> String {
    nearest(word, words).map_or_else(String::new, |near| format!("Did you mean {near:?}?"))
}

fn list<'w>(words: impl Iterator<Item = &'w str>, between: &str) -> String {
    words.collect::<Vec<_>>().join(between)
}

/// The least that has this shape.
fn sample(shape: &Shape) -> Value {
    let required = |keys: &[Key]| {
        keys.iter().filter(|key| key.required).map(|key| (key.name.to_owned(), sample(key.shape))).collect()
    };
    match shape {
        Any => Value::Null,
        Shape::Leaf(_, sample) => serde_json::from_str(sample).unwrap_or_default(),
        List(_) => Value::Array(Vec::new()),
        Shape::Map(..) => Value::Object(Map::new()),
        Object(keys) => Value::Object(required(keys)),
        Tagged(tag, variants) => {
            let (word, keys) = variants.first().copied().unwrap_or_default();
            let mut entries: Map<_, _> = required(keys);
            entries.insert((*tag).to_owned(), word.into());
            Value::Object(entries)
        }
        One(keys) => {
            Value::Object(keys.iter().take(1).map(|key| (key.name.to_owned(), sample(key.shape))).collect())
        }
    }
}

#[cfg(test)]
mod tests {
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

    fn same_keys(
        root: &Value,
        keys: &[Key],
        tag: Option<&str>,
        schema: &Value,
        at: &str,
        visited: &mut usize,
    ) {
        let of = |keep: fn(&Key) -> bool| -> BTreeSet<String> {
            keys.iter().filter(|key| keep(key)).map(|key| key.name).chain(tag).map(str::to_owned).collect()
        };
        assert_eq!(of(|_| true), names(&schema["properties"]), "keys of {at}");
        assert_eq!(of(|key| key.required), names(&schema["required"]), "required keys of {at}");
        for key in keys {
            *visited += 1;
            same(root, key.shape, &schema["properties"][key.name], &format!("{at}/{}", key.name), visited);
        }
    }

    fn same(root: &Value, shape: &Shape, schema: &Value, at: &str, visited: &mut usize) {
        let schema = resolve(root, schema);
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
                    _ => assert!(schema["type"] != "object" && schema["type"] != "array", "{at}: {schema}"),
                }
            }
            List(element) => {
                is("array");
                same(root, element, &schema["items"], &format!("{at}/*"), visited);
            }
            Shape::Map(_, each) => {
                is("object");
                match &schema["additionalProperties"] {
                    Value::Bool(true) => assert!(matches!(each, Any), "{at}"),
                    value => same(root, each, value, &format!("{at}/*"), visited),
                }
            }
            Object(keys) => {
                is("object");
                assert_eq!(schema["additionalProperties"], false, "{at} has no other keys");
                same_keys(root, keys, None, schema, at, visited);
            }
            Tagged(tag, variants) => {
                let one_of = schema["oneOf"].as_array().unwrap();
                assert_eq!(one_of.len(), variants.len(), "{at}");
                for (word, keys) in *variants {
                    let found = one_of.iter().find(|one| one["properties"][tag]["const"] == *word);
                    same_keys(root, keys, Some(tag), found.unwrap(), &format!("{at}({word})"), visited);
                }
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

    #[test]
    fn the_checker_and_the_json_schema_agree_on_every_key() {
        let schema = crate::manifest::schema();
        let mut visited = 0;
        same(&schema, &MANIFEST, &schema, "", &mut visited);
        assert!(visited > 80, "only {visited} keys were compared");
    }

    #[test]
    fn whatever_is_repaired_has_the_shape_of_a_manifest() {
        let manifest: super::super::Manifest = serde_json::from_value(sample(&MANIFEST)).unwrap();
        assert_eq!(manifest.id.as_str(), "xx");
    }
}
