//! The buttons and menus that a client shows with a post.

use crate::blocks::{ACTIONS, BLOCKS, links};
use crate::database::Database;
use crate::model::{Action, Post};
use crate::version::Ability;
use serde_json::{Map, Value};

/// A button or a menu.
#[derive(Debug, Clone, Default)]
pub(super) struct Control {
    pub action_id: String,
    /// What the user reads on it; on a menu of blocks, what it shows before a choice.
    pub label: String,
    pub disabled: bool,
    /// Where a menu gets its options: `users`, `channels`; empty for its own `options`.
    pub data_source: String,
    pub options: Vec<Value>,
    /// In an ephemeral post: what the client sends so that the server knows the integration.
    pub cookie: String,
    /// What the client sends for the address of the integration.
    pub query: Map<String, Value>,
    /// Whether it is a block.
    pub block: bool,
}

/// The buttons and menus that a client shows with a post, in order: those in its text, and then those of its blocks if it
/// has any and the server has blocks switched on, or else those of its attachments.
pub(super) fn controls(db: &Database, post: &Post) -> Vec<Control> {
    let cookie = post.props.get(ACTIONS).and_then(Value::as_str).unwrap_or_default();
    let mut all = Vec::new();
    let made = ["from_bot", "from_plugin", "from_webhook"].iter().any(|key| post.props.contains_key(*key));
    let in_text = made && db.version.has(Ability::BlockActions);
    if in_text {
        all.extend(in_markdown(&post.message, cookie));
    }
    let given = post.props.get(BLOCKS).and_then(Value::as_array).is_some_and(|list| !list.is_empty());
    if given && db.version.has(Ability::Blocks) && db.settings.mm_blocks_enabled {
        in_blocks(&post.blocks(), in_text, cookie, &mut all);
    } else {
        let cards = post.attachments.iter();
        all.extend(cards.flat_map(|card| card.actions.iter().flatten()).map(of_attachment));
    }
    all
}

fn of_attachment(action: &Action) -> Control {
    Control {
        action_id: action.id.clone(),
        label: action.name.clone(),
        disabled: action.disabled,
        data_source: action.data_source.clone(),
        options: action.options.clone().unwrap_or_default(),
        cookie: action.cookie.clone(),
        ..Control::default()
    }
}

fn in_markdown(text: &str, cookie: &str) -> impl Iterator<Item = Control> {
    links(text).into_iter().map(|link| Control {
        action_id: link.action_id,
        label: link.label,
        query: link.query,
        cookie: cookie.to_owned(),
        ..Control::default()
    })
}

fn in_blocks(blocks: &[Value], in_text: bool, cookie: &str, all: &mut Vec<Control>) {
    for block in blocks {
        let text = |key: &str| block.get(key).and_then(Value::as_str).unwrap_or_default();
        let label = match text("type") {
            "button" => text("text"),
            "static_select" => text("placeholder"),
            kind => {
                if kind == "text" && in_text {
                    all.extend(in_markdown(text("text"), cookie));
                }
                for children in ["header", "content", "columns", "items"] {
                    let list = block.get(children).and_then(Value::as_array);
                    in_blocks(list.map_or(&[], Vec::as_slice), in_text, cookie, all);
                }
                continue;
            }
        };
        all.push(Control {
            action_id: text("action_id").to_owned(),
            label: label.to_owned(),
            disabled: block.get("disabled") == Some(&Value::Bool(true)),
            data_source: text("data_source").to_owned(),
            options: block.get("options").and_then(Value::as_array).cloned().unwrap_or_default(),
            cookie: cookie.to_owned(),
            query: block.get("query").and_then(Value::as_object).cloned().unwrap_or_default(),
            block: true,
        });
    }
}
