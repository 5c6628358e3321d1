//! Which actions the content of a post names.

use super::{BLOCKS, links};
use serde_json::{Map, Value};
use std::collections::BTreeSet;

/// The ids of the actions that the text and the blocks of a post name, in any of the three formats of blocks. A disabled
/// control names none.
pub(super) fn referenced(props: &Map<String, Value>, message: &str) -> BTreeSet<String> {
    let mut ids = BTreeSet::new();
    in_text(message, &mut ids);
    if let Some(blocks) = props.get(BLOCKS) {
        native(blocks, &mut ids);
    }
    if let Some(blocks) = props.get("blocks") {
        block_kit(blocks, &mut ids);
    }
    if let Some(cards) = props.get("cards") {
        adaptive_cards(cards, &mut ids);
    }
    ids
}

fn in_text(text: &str, ids: &mut BTreeSet<String>) {
    ids.extend(links(text).into_iter().map(|link| link.action_id));
}

fn text<'a>(block: &'a Value, key: &str) -> &'a str {
    block.get(key).and_then(Value::as_str).unwrap_or_default()
}

fn name(block: &Value, key: &str, ids: &mut BTreeSet<String>) {
    let id = text(block, key);
    if !id.is_empty() && block.get("disabled") != Some(&Value::Bool(true)) {
        ids.insert(id.to_owned());
    }
}

fn each(list: &Value) -> impl Iterator<Item = &Value> {
    list.as_array().into_iter().flatten()
}

/// Blocks of Mattermost.
fn native(list: &Value, ids: &mut BTreeSet<String>) {
    for block in each(list) {
        match text(block, "type") {
            "text" => in_text(text(block, "text"), ids),
            "button" | "static_select" => name(block, "action_id", ids),
            _ => {}
        }
        for children in ["content", "header", "columns", "items"] {
            native(&block[children], ids);
        }
    }
}

/// Slack's Block Kit: the controls of `actions`, and the one beside a `section`.
fn block_kit(list: &Value, ids: &mut BTreeSet<String>) {
    for block in each(list) {
        for control in each(&block["elements"]).chain([&block["accessory"]]) {
            if matches!(text(control, "type"), "button" | "static_select") {
                name(control, "action_id", ids);
            }
        }
    }
}

/// Adaptive Cards: the ids of their `Action.Submit`.
fn adaptive_cards(list: &Value, ids: &mut BTreeSet<String>) {
    for card in each(list) {
        for action in each(&card["actions"]) {
            if text(action, "type") == "Action.Submit" {
                name(action, "id", ids);
            }
        }
        for children in ["body", "items", "columns"] {
            adaptive_cards(&card[children], ids);
        }
    }
}
