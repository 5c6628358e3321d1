//! What a post carries beside its text, and how much of it a server stores.

use super::Rendered;
use cloud_apps_protocol::message::Problem;
use serde::Serialize;
use serde_json::{Map, Value, json};

/// What a post carries beside its text.
pub fn props(rendered: &Rendered) -> Map<String, Value> {
    let Rendered { attachments, blocks, registry } = rendered;
    let lists = [
        ("attachments", !attachments.is_empty(), json!(attachments)),
        ("mm_blocks", !blocks.is_empty(), json!(blocks)),
        ("mm_blocks_actions", !registry.is_empty(), json!(registry)),
    ];
    lists.into_iter().filter(|(_, some, _)| *some).map(|(key, _, list)| (key.to_owned(), list)).collect()
}

/// What of a message a server would not store.
pub fn too_large(rendered: &Rendered, room: usize) -> Option<Problem> {
    let Rendered { attachments, blocks, registry } = rendered;
    // A server writes every key of an attachment and of its actions.
    let actions: usize = attachments.iter().map(|attachment| attachment.actions.len()).sum();
    let keys = attachments.len() * EVERY_KEY.len() + actions * EVERY_ACTION_KEY.len();
    let registry = if registry.is_empty() { 0 } else { stored(registry) };
    let lists = [(attachments.is_empty(), stored(attachments)), (blocks.is_empty(), stored(blocks))];
    let length =
        keys + registry + lists.iter().map(|(none, length)| if *none { 0 } else { *length }).sum::<usize>();
    (length > room).then(|| {
        let message = format!(
            "As JSON the rendered blocks have {length} characters, and a post on this server has room for {room}. \
             Shorten the message."
        );
        Problem::new("/blocks", message)
    })
}

const EVERY_KEY: &str = concat!(
    r#""id":0,"fallback":"","color":"","pretext":"","author_name":"","author_link":"","author_icon":"","title":"","#,
    r#""title_link":"","text":"","fields":null,"image_url":"","thumb_url":"","footer":"","footer_icon":"","ts":null,"#
);

const EVERY_ACTION_KEY: &str = concat!(
    r#""id":"","type":"","name":"","disabled":false,"style":"","tooltip":"","data_source":"","#,
    r#""options":null,"default_option":"","integration":null,"cookie":"","#
);

/// Characters as the server counts them: of JSON as Go writes it.
fn stored<T: Serialize>(list: &T) -> usize {
    let json = serde_json::to_string(list).unwrap_or_default();
    let mut length = r#""mm_blocks_actions":,"#.len();
    let mut characters = json.chars();
    while let Some(c) = characters.next() {
        length += match c {
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => ESCAPED,
            '\\' => match characters.next() {
                Some('b' | 'f') => ESCAPED,
                _ => 2,
            },
            _ => 1,
        };
    }
    length
}

/// Go escapes some characters with a number that stand here as they are, or after a backslash.
const ESCAPED: usize = r"\u003c".len();
