//! What the types cannot say of a message.

use super::{Block, Image, Message, Problem};
use crate::limits;

/// Every problem of the message.
pub(super) fn problems(message: &Message) -> Vec<Problem> {
    let mut rules = Rules::default();
    if !message.blocks.is_empty() && !message.attachments.is_empty() {
        let text = "A message has blocks or attachments, not both. Write the attachments as blocks.";
        rules.say("/attachments", text);
    }
    rules.blocks(&message.blocks, "/blocks", 1);
    rules.problems
}

#[derive(Default)]
struct Rules {
    problems: Vec<Problem>,
}

impl Rules {
    fn say(&mut self, pointer: &str, message: impl Into<String>) {
        self.problems.push(Problem::new(pointer, message));
    }

    /// Goes no deeper than clients do: a tree that an app made in memory may have any depth.
    fn blocks(&mut self, blocks: &[Block], pointer: &str, depth: usize) {
        if depth > limits::BLOCK_DEPTH {
            let most = limits::BLOCK_DEPTH;
            return self.say(pointer, format!("These blocks are nested deeper than {most} levels."));
        }
        for (i, block) in blocks.iter().enumerate() {
            self.block(block, &format!("{pointer}/{i}"), depth);
        }
    }

    fn block(&mut self, block: &Block, at: &str, depth: usize) {
        match block {
            Block::Text(_) | Block::Divider(_) => {}
            Block::Facts(facts) => self.some(&facts.items, &format!("{at}/items")),
            Block::Image(Image { alt_text, .. }) => {
                if alt_text.trim().is_empty() {
                    let text = "This is empty. Say what the picture shows, for readers who do not see it.";
                    self.say(&format!("{at}/alt_text"), text);
                }
            }
            Block::Container(container) => self.list(&container.content, &format!("{at}/content"), depth),
            Block::Collapsible(collapsible) => {
                self.list(&collapsible.header, &format!("{at}/header"), depth);
                self.list(&collapsible.content, &format!("{at}/content"), depth);
            }
            Block::Columns(columns) => {
                let at = format!("{at}/columns");
                self.some(&columns.columns, &at);
                for (i, column) in columns.columns.iter().enumerate() {
                    self.list(column, &format!("{at}/{i}"), depth + 1);
                }
            }
        }
    }

    fn list(&mut self, blocks: &[Block], pointer: &str, depth: usize) {
        self.some(blocks, pointer);
        self.blocks(blocks, pointer, depth + 1);
    }

    /// Clients draw nothing of what holds an empty list, its header included.
    fn some<T>(&mut self, list: &[T], pointer: &str) {
        if list.is_empty() {
            self.say(pointer, "This list is empty. Put something into it, or leave the whole block out.");
        }
    }
}
