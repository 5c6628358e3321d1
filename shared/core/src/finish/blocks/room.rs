//! What clients draw of a message, and what a server stores of it.

use super::mattermost::MattermostBlock;
use cloud_apps_protocol::{
    Attachment,
    limits::{BLOCK_DEPTH, BLOCK_TEXT, BLOCKS},
    message::Problem,
};
use serde::Serialize;

/// Counts as a client does that draws Mattermost Blocks, and attachments by turning them into blocks: Mattermost's mobile
/// app, `block_renderer/translation/limits.ts`, and its web app alike.
pub struct Room {
    /// As what the message is drawn.
    drawn_as: &'static str,
    blocks: usize,
    text: usize,
    too_deep: bool,
    pub problems: Vec<Problem>,
}

impl Room {
    pub fn new(drawn_as: &'static str) -> Self {
        Self { drawn_as, blocks: 0, text: 0, too_deep: false, problems: Vec::new() }
    }

    /// Takes room for so many blocks, for the block of the app's at this pointer.
    pub fn blocks(&mut self, blocks: usize, at: &str) {
        let fit = self.blocks <= BLOCKS;
        self.blocks += blocks;
        if fit && self.blocks > BLOCKS {
            self.full(at, &format!("more than {BLOCKS} blocks"));
        }
    }

    /// Takes room for a text, which clients measure in UTF-16.
    pub fn text(&mut self, text: &str, at: &str) {
        let fit = self.text <= BLOCK_TEXT;
        self.text += text.encode_utf16().count();
        if fit && self.text > BLOCK_TEXT {
            self.full(at, &format!("texts of more than {BLOCK_TEXT} characters"));
        }
    }

    /// Takes a level of nesting.
    pub fn depth(&mut self, depth: usize, at: &str) {
        if depth > BLOCK_DEPTH && !self.too_deep {
            self.too_deep = true;
            self.full(at, &format!("more than {BLOCK_DEPTH} levels"));
        }
    }

    fn full(&mut self, at: &str, what: &str) {
        let message = format!(
            "With this the message has {what} as {}, and clients draw no more. Shorten it.",
            self.drawn_as
        );
        self.problems.push(Problem::new(at, message));
    }
}

/// What of a message a server would not store.
pub fn too_large_for_a_post(
    attachments: &[Attachment],
    blocks: &[MattermostBlock],
    room: usize,
) -> Option<Problem> {
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
