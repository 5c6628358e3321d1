//! What a post carries beside its text, and how much of it a server stores.

use super::mattermost::MattermostBlock;
use cloud_apps_protocol::{Attachment, message::Problem};
use serde::Serialize;
use serde_json::{Map, Value, json};

/// What a post carries beside its text.
pub fn props(attachments: &[Attachment], blocks: &[MattermostBlock]) -> Map<String, Value> {
    let lists = [
        ("attachments", !attachments.is_empty(), json!(attachments)),
        ("mm_blocks", !blocks.is_empty(), json!(blocks)),
    ];
    lists.into_iter().filter(|(_, some, _)| *some).map(|(key, _, list)| (key.to_owned(), list)).collect()
}

/// What of a message a server would not store.
pub fn too_large(attachments: &[Attachment], blocks: &[MattermostBlock], room: usize) -> Option<Problem> {
    // A server writes every key of an attachment.
    let length = stored(attachments) + attachments.len() * EVERY_KEY.len() + stored(blocks);
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

/// Characters as the server counts them: of JSON as Go writes it.
fn stored<T: Serialize>(list: &[T]) -> usize {
    if list.is_empty() {
        return 0;
    }
    let json = serde_json::to_string(list).unwrap_or_default();
    let mut length = r#""attachments":,"#.len();
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
