//! What the types cannot say of a message.

use super::{Action, Block, Button, Image, Message, Problem};
use crate::limits;

/// Every problem of the message.
pub(super) fn problems(message: &Message) -> Vec<Problem> {
    let mut rules = Rules::default();
    if !message.blocks.is_empty() && !message.attachments.is_empty() {
        let text = "A message has blocks or attachments, not both. Write the attachments as blocks.";
        rules.say("/attachments", text);
    }
    rules.blocks(&message.blocks, "/blocks", 1);
    if rules.actions > limits::ACTIONS {
        let (most, found) = (limits::ACTIONS, rules.actions);
        rules.say("/blocks", format!("These have {found} actions, at most {most} are allowed."));
    }
    rules.problems
}

#[derive(Default)]
struct Rules {
    problems: Vec<Problem>,
    /// How many actions there are.
    actions: usize,
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
            Block::Actions(actions) => {
                let at = format!("{at}/items");
                self.some(&actions.items, &at);
                for (i, action) in actions.items.iter().enumerate() {
                    self.action(action, &format!("{at}/{i}"));
                }
            }
        }
    }

    fn action(&mut self, action: &Action, at: &str) {
        self.actions += 1;
        let state = match action {
            Action::Button(button) => {
                self.button(button, at);
                &button.state
            }
            Action::Select(select) => &select.state,
            Action::Checkbox(checkbox) => &checkbox.state,
        };
        if serde_json::to_vec(state).map_or(0, |json| json.len()) > limits::STATE {
            let most = limits::STATE / 1024;
            self.say(
                &format!("{at}/state"),
                format!("This is larger than {most} KiB. Keep an id in it instead."),
            );
        }
    }

    fn button(&mut self, button: &Button, at: &str) {
        let Button { function, url, preset, .. } = button;
        let targets = [function.is_some(), url.is_some(), preset.is_some()];
        if targets.into_iter().filter(|target| *target).count() != 1 {
            self.say(at, "A button has exactly one of function, url and preset.");
        }
        if preset.is_none() && button.label.trim().is_empty() {
            self.say(&format!("{at}/label"), "This is empty. Say what a click does.");
        }
        if function.is_none() && !button.values.is_empty() {
            self.say(&format!("{at}/values"), "Only a button with a function has values.");
        }
        if url.is_some() {
            for (key, given) in [
                ("state", !button.state.is_null()),
                ("once", button.once),
                ("expires_in", button.expires_in.is_some()),
            ] {
                if given {
                    self.say(
                        &format!("{at}/{key}"),
                        "The bundle does not learn of a click that opens an address.",
                    );
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
