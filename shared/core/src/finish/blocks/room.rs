//! What clients draw of a message.

use cloud_apps_protocol::{
    limits::{BLOCK_DEPTH, BLOCK_TEXT, BLOCKS},
    message::Problem,
};

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
