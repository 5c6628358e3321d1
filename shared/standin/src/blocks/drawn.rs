//! Which blocks a client draws.
//!
//! A client skips a block of an unknown type, and ignores unknown keys. If a known key has a wrong type or word, it drops
//! the whole block, and it drops a container without anything in it. It says nothing of that to anybody, so a block that
//! is drawn here is the only sign that it was made right.

use serde_json::{Map, Value};

/// The most blocks that a client draws in a post; nested ones count too.
const MOST_BLOCKS: usize = 100;
/// How deep blocks may be nested.
const DEEPEST: usize = 32;
/// The most characters of texts and labels; the rest is cut off.
const MOST_CHARACTERS: usize = 16_000;

/// What a key of a block must be.
enum Kind {
    Text,
    /// A text that is not blank.
    Label,
    Flag,
    Number,
    OneOf(&'static [&'static str]),
    /// One of the words for the style of a button, or a color.
    Style,
    /// An object of texts.
    Query,
    /// A list of options with a text and a value.
    Options,
}

const GAPS: Kind = Kind::OneOf(&["none", "small", "medium", "large", "xlarge"]);

/// The keys that a type of block needs, and those that it may have.
type Keys = (&'static [(&'static str, Kind)], &'static [(&'static str, Kind)]);

fn keys(kind: &str) -> Option<Keys> {
    Some(match kind {
        "text" => (
            &[("text", Kind::Text)],
            &[("is_subtle", Kind::Flag), ("size", Kind::OneOf(&["small", "default"]))],
        ),
        "image" => (
            &[("url", Kind::Text), ("alt_text", Kind::Text)],
            &[
                ("title", Kind::Text),
                ("size", Kind::OneOf(&["auto", "xsmall", "small", "medium", "large", "stretch"])),
                ("max_width", Kind::Number),
                ("max_height", Kind::Number),
                ("image_style", Kind::OneOf(&["default", "person"])),
                ("horizontal_alignment", Kind::OneOf(&["left", "center", "right"])),
            ],
        ),
        "divider" => (&[], &[]),
        "button" => (
            &[("text", Kind::Text), ("action_id", Kind::Label)],
            &[
                ("style", Kind::Style),
                ("tooltip", Kind::Text),
                ("disabled", Kind::Flag),
                ("query", Kind::Query),
            ],
        ),
        "static_select" => (
            &[("action_id", Kind::Label), ("placeholder", Kind::Label)],
            &[
                ("options", Kind::Options),
                ("initial_option", Kind::Text),
                ("disabled", Kind::Flag),
                ("data_source", Kind::OneOf(&["users", "channels"])),
                ("query", Kind::Query),
            ],
        ),
        "container" => (
            &[],
            &[
                ("border", Kind::Flag),
                // One of five words, or any color of CSS.
                ("accent_color", Kind::Text),
                ("background", Kind::OneOf(&["none", "gray"])),
                ("flow", Kind::OneOf(&["vertical", "horizontal"])),
                ("gap", GAPS),
                ("max_height", Kind::OneOf(&["none", "small", "medium", "large"])),
            ],
        ),
        "collapsible" => (&[], &[("collapsed", Kind::Flag)]),
        "column_set" => (&[], &[("gap", GAPS)]),
        "column" => (&[], &[("width", Kind::OneOf(&["auto", "stretch"])), ("gap", GAPS)]),
        _ => return None,
    })
}

/// The lists of blocks in a type of block, none of which may be empty.
fn children(kind: &str) -> &'static [&'static str] {
    match kind {
        "container" => &["content"],
        "collapsible" => &["header", "content"],
        "column_set" => &["columns"],
        "column" => &["items"],
        _ => &[],
    }
}

impl Kind {
    fn fits(&self, value: &Value) -> bool {
        let text = |fits: &dyn Fn(&str) -> bool| value.as_str().is_some_and(fits);
        match self {
            Kind::Text => value.is_string(),
            Kind::Label => text(&|text| !text.trim().is_empty()),
            Kind::Flag => value.is_boolean(),
            Kind::Number => value.is_number(),
            Kind::OneOf(words) => text(&|text| words.contains(&text)),
            Kind::Style => text(&|text| {
                let words = ["default", "primary", "danger", "good", "success", "warning"];
                let digits = text.strip_prefix('#').filter(|digits| digits.len() == 6);
                words.contains(&text)
                    || digits.is_some_and(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()))
            }),
            Kind::Query => value.as_object().is_some_and(|query| query.values().all(Value::is_string)),
            Kind::Options => value.as_array().is_some_and(|options| {
                options.iter().all(|option| {
                    ["text", "value"].iter().all(|key| option.get(key).is_some_and(Value::is_string))
                })
            }),
        }
    }
}

/// How much a client still draws.
struct Room {
    blocks: usize,
    characters: usize,
}

/// The blocks that a client draws, with what is cut off their texts.
pub(crate) fn drawn(blocks: &Value) -> Vec<Value> {
    let mut room = Room { blocks: MOST_BLOCKS, characters: MOST_CHARACTERS };
    room.all(blocks, 1)
}

impl Room {
    fn all(&mut self, list: &Value, depth: usize) -> Vec<Value> {
        let list = list.as_array().into_iter().flatten();
        list.filter_map(|block| self.one(block.as_object()?, depth)).collect()
    }

    fn one(&mut self, block: &Map<String, Value>, depth: usize) -> Option<Value> {
        let kind = block.get("type").and_then(Value::as_str)?;
        let (needed, optional) = keys(kind)?;
        let right = needed.iter().all(|(key, kind)| block.get(*key).is_some_and(|value| kind.fits(value)))
            && optional.iter().all(|(key, kind)| block.get(*key).is_none_or(|value| kind.fits(value)));
        let offers =
            kind != "static_select" || block.contains_key("options") || block.contains_key("data_source");
        if !right || !offers || depth > DEEPEST {
            return None;
        }
        self.blocks = self.blocks.checked_sub(1)?;
        let mut block = block.clone();
        for key in children(kind) {
            let list = block.get(*key)?;
            let inner = self.all(list, depth + 1);
            // A set of columns is drawn with all of its columns, or not at all.
            let partial = kind == "column_set" && list.as_array().is_none_or(|all| all.len() != inner.len());
            if inner.is_empty() || partial {
                return None;
            }
            block.insert((*key).to_owned(), inner.into());
        }
        if matches!(kind, "text" | "button") {
            let text = block.get("text").and_then(Value::as_str).unwrap_or_default();
            let text: String = text.chars().take(self.characters).collect();
            self.characters -= text.chars().count();
            block.insert("text".to_owned(), text.into());
        }
        Some(block.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_block_with_a_wrong_key_is_dropped_and_the_others_are_drawn() {
        let text = json!({"type": "text", "text": "a"});
        for wrong in [
            json!({"type": "text"}),
            json!({"type": "text", "text": 1}),
            json!({"type": "text", "text": "a", "size": "tiny"}),
            json!({"type": "nosuch"}),
            json!({"type": "text_input", "name": "title", "label": "Title"}),
            json!({"type": "image", "url": "https://a.test/i.png"}),
            json!({"type": "button", "text": "Go", "action_id": "go", "disabled": "true"}),
            json!({"type": "button", "text": "Go", "action_id": "go", "style": "#12345"}),
            json!({"type": "button", "text": "Go", "action_id": "go", "query": {"a": 1}}),
            json!({"type": "static_select", "action_id": "a", "placeholder": " ", "options": []}),
            json!({"type": "static_select", "action_id": "a", "placeholder": "p"}),
            json!({"type": "container", "content": []}),
            json!({"type": "container", "content": [{"type": "nosuch"}]}),
            json!({"type": "container", "content": [text], "gap": "tiny"}),
            json!({"type": "collapsible", "header": [], "content": [text]}),
            json!({"type": "column_set", "columns": [
                {"type": "column", "items": [text]}, {"type": "column", "items": []}]}),
            json!("text"),
        ] {
            assert_eq!(drawn(&json!([wrong, text])), std::slice::from_ref(&text), "{wrong}");
        }
    }

    #[test]
    fn unknown_keys_are_ignored() {
        let block = json!({"type": "divider", "nosuch": 1});
        assert_eq!(drawn(&json!([block])), [block]);
        assert_eq!(drawn(&json!({"type": "divider"})), Vec::<Value>::new());
    }

    #[test]
    fn a_client_draws_a_hundred_blocks_and_sixteen_thousand_characters() {
        let dividers: Value = (0..120).map(|_| json!({"type": "divider"})).collect();
        assert_eq!(drawn(&dividers).len(), 100);
        let texts: Value = (0..3).map(|_| json!({"type": "text", "text": "ä".repeat(7_000)})).collect();
        let lengths: Vec<usize> =
            drawn(&texts).iter().map(|block| block["text"].as_str().unwrap().chars().count()).collect();
        assert_eq!(lengths, [7_000, 7_000, 2_000]);
        let mut deep = json!({"type": "divider"});
        for _ in 0..32 {
            deep = json!({"type": "container", "content": [deep]});
        }
        assert_eq!(drawn(&json!([deep])), Vec::<Value>::new());
        assert_eq!(drawn(&deep["content"]).len(), 1);
    }
}
