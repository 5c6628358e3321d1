//! Blocks as Mattermost Blocks (`mm_blocks`, from 11.10).
//!
//! A client drops a block that has a key of a wrong type or an unknown word, and says nothing. So they are made of types.

use super::{
    markdown::{UNSEEN, bold},
    room::Room,
};
use crate::finish::mentions::Mentions;
use cloud_apps_protocol::{
    Block,
    message::{Accent, Background, Fact, Gap, ImageSize, Problem, TextSize},
};
use serde::Serialize;

/// A block as Mattermost has it.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
#[allow(missing_docs)] // The words of Mattermost Blocks.
pub enum MattermostBlock {
    Text {
        text: String,
        #[serde(skip_serializing_if = "is_default")]
        is_subtle: bool,
        #[serde(skip_serializing_if = "is_default")]
        size: TextSize,
    },
    Image {
        url: String,
        alt_text: String,
        #[serde(skip_serializing_if = "is_default")]
        title: String,
        #[serde(skip_serializing_if = "is_default")]
        size: ImageSize,
    },
    Divider,
    Container {
        content: Vec<MattermostBlock>,
        #[serde(skip_serializing_if = "Option::is_none")]
        accent_color: Option<Accent>,
        #[serde(skip_serializing_if = "is_default")]
        border: bool,
        #[serde(skip_serializing_if = "is_default")]
        background: Background,
        #[serde(skip_serializing_if = "is_default")]
        gap: Gap,
    },
    Collapsible {
        header: Vec<MattermostBlock>,
        content: Vec<MattermostBlock>,
        #[serde(skip_serializing_if = "is_default")]
        collapsed: bool,
    },
    ColumnSet {
        columns: Vec<MattermostBlock>,
    },
    Column {
        items: Vec<MattermostBlock>,
        width: Width,
        #[serde(skip_serializing_if = "Option::is_none")]
        gap: Option<Gap>,
    },
}

/// How wide a column is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Width {
    /// It shares the room with the others.
    Stretch,
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// The blocks, and what does not fit.
pub fn rendered(blocks: &[Block], mentions: Mentions) -> (Vec<MattermostBlock>, Vec<Problem>) {
    let mut renderer = Renderer { mentions, room: Room::new("Mattermost Blocks") };
    let blocks = renderer.blocks(blocks, "/blocks", 1);
    (blocks, renderer.room.problems)
}

struct Renderer {
    mentions: Mentions,
    room: Room,
}

impl Renderer {
    fn blocks(&mut self, blocks: &[Block], pointer: &str, depth: usize) -> Vec<MattermostBlock> {
        let mut rendered = Vec::new();
        for (i, block) in blocks.iter().enumerate() {
            self.block(block, &format!("{pointer}/{i}"), depth, &mut rendered);
        }
        rendered
    }

    fn block(&mut self, block: &Block, at: &str, depth: usize, rendered: &mut Vec<MattermostBlock>) {
        let block = match block {
            Block::Facts(facts) => return self.facts(&facts.items, &format!("{at}/items"), depth, rendered),
            Block::Text(text) => self.text(&text.text, text.subtle, text.size, at, depth),
            Block::Image(image) => {
                self.take(at, depth);
                MattermostBlock::Image {
                    url: image.url.clone(),
                    alt_text: self.mentions.shown(&image.alt_text).into_owned(),
                    title: self.mentions.shown(&image.title).into_owned(),
                    size: image.size,
                }
            }
            Block::Divider(_) => {
                self.take(at, depth);
                MattermostBlock::Divider
            }
            Block::Container(container) => {
                self.take(at, depth);
                MattermostBlock::Container {
                    content: self.blocks(&container.content, &format!("{at}/content"), depth + 1),
                    accent_color: container.accent,
                    border: container.border,
                    background: container.background,
                    gap: container.gap,
                }
            }
            Block::Collapsible(collapsible) => {
                self.take(at, depth);
                MattermostBlock::Collapsible {
                    header: self.blocks(&collapsible.header, &format!("{at}/header"), depth + 1),
                    content: self.blocks(&collapsible.content, &format!("{at}/content"), depth + 1),
                    collapsed: collapsible.collapsed,
                }
            }
            Block::Columns(columns) => {
                self.take(at, depth);
                let column = |(i, column): (usize, &Vec<Block>)| {
                    let at = format!("{at}/columns/{i}");
                    self.take(&at, depth + 1);
                    MattermostBlock::column(self.blocks(column, &at, depth + 2), None)
                };
                MattermostBlock::ColumnSet {
                    columns: columns.columns.iter().enumerate().map(column).collect(),
                }
            }
        };
        rendered.push(block);
    }

    /// Two short facts stand side by side, any other alone: as clients draw the fields of an attachment.
    fn facts(&mut self, facts: &[Fact], at: &str, depth: usize, rendered: &mut Vec<MattermostBlock>) {
        let mut facts = facts.iter().enumerate().peekable();
        while let Some((i, fact)) = facts.next() {
            let here = format!("{at}/{i}");
            self.take(&here, depth);
            let beside = facts.next_if(|(_, next)| fact.short && next.short);
            rendered.push(match beside {
                Some((j, next)) => {
                    let mut column = |fact, at: &str| {
                        self.take(at, depth + 1);
                        MattermostBlock::column(self.fact(fact, at, depth + 2), Some(Gap::None))
                    };
                    let columns = vec![column(fact, &here), column(next, &format!("{at}/{j}"))];
                    MattermostBlock::ColumnSet { columns }
                }
                None => MattermostBlock::Container {
                    content: self.fact(fact, &here, depth + 1),
                    accent_color: None,
                    border: false,
                    background: Background::None,
                    gap: Gap::None,
                },
            });
        }
    }

    fn fact(&mut self, fact: &Fact, at: &str, depth: usize) -> Vec<MattermostBlock> {
        let title = bold(&fact.title);
        let title = (!title.is_empty()).then(|| self.text(&title, false, TextSize::Default, at, depth));
        let text = self.text(&fact.text, false, TextSize::Default, at, depth);
        title.into_iter().chain([text]).collect()
    }

    fn text(
        &mut self,
        text: &str,
        is_subtle: bool,
        size: TextSize,
        at: &str,
        depth: usize,
    ) -> MattermostBlock {
        self.take(at, depth);
        // A client leaves out an empty text, and then what holds nothing else: a header with its content.
        let text = if text.trim().is_empty() { UNSEEN } else { text };
        let text = self.mentions.shown(text).into_owned();
        self.room.text(&text, at);
        MattermostBlock::Text { text, is_subtle, size }
    }

    fn take(&mut self, at: &str, depth: usize) {
        self.room.blocks(1, at);
        self.room.depth(depth, at);
    }
}

impl MattermostBlock {
    fn column(items: Vec<Self>, gap: Option<Gap>) -> Self {
        Self::Column { items, width: Width::Stretch, gap }
    }
}
