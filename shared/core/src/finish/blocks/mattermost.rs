//! Blocks as Mattermost Blocks (`mm_blocks`, from 11.10).
//!
//! A client drops a block that has a key of a wrong type or an unknown word, and says nothing. So they are made of types.

use super::{
    click::{Context, MenuOption, data_source, menu_options},
    markdown::{UNSEEN, bold},
    room::Room,
};
use crate::finish::{
    actions::{Control, Controls, Kind, Piece, pieces},
    mentions::Mentions,
};
use cloud_apps_protocol::{
    Block,
    message::{Accent, Background, Fact, Gap, ImageSize, Problem, Style, TextSize},
};
use serde::Serialize;
use std::collections::BTreeMap;

/// What the clicks of a post do, by the ids of its controls.
pub type Registry = BTreeMap<String, Entry>;

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
        #[serde(skip_serializing_if = "is_default")]
        flow: Flow,
    },
    Button {
        text: String,
        action_id: String,
        #[serde(skip_serializing_if = "is_default")]
        style: Style,
        #[serde(skip_serializing_if = "String::is_empty")]
        tooltip: String,
        #[serde(skip_serializing_if = "is_default")]
        disabled: bool,
    },
    StaticSelect {
        action_id: String,
        placeholder: String,
        #[serde(skip_serializing_if = "Vec::is_empty")]
        options: Vec<MenuOption>,
        #[serde(skip_serializing_if = "Option::is_none")]
        data_source: Option<&'static str>,
        #[serde(skip_serializing_if = "Option::is_none")]
        initial_option: Option<String>,
        #[serde(skip_serializing_if = "is_default")]
        disabled: bool,
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

/// In which direction a container grows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs)] // The words of Mattermost Blocks.
pub enum Flow {
    #[default]
    Vertical,
    Horizontal,
}

/// What a click does (`mm_blocks_actions`, from 11.9). The server gives clients nothing of it but the id.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "type")]
pub enum Entry {
    /// The server sends the click to this address, with the context.
    #[serde(rename = "external")]
    External {
        /// Where.
        url: String,
        /// What.
        context: Context,
    },
    /// The client opens this address.
    #[serde(rename = "openURL")]
    Open {
        /// Which.
        url: String,
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

/// The blocks, what their clicks do, and what does not fit.
pub fn rendered(
    blocks: &[Block],
    controls: &Controls,
    mentions: Mentions,
) -> (Vec<MattermostBlock>, Registry, Vec<Problem>) {
    let mut renderer =
        Renderer { mentions, controls, registry: Registry::new(), room: Room::new("Mattermost Blocks") };
    let blocks = renderer.blocks(blocks, "/blocks", 1);
    (blocks, renderer.registry, renderer.room.problems)
}

struct Renderer<'c> {
    mentions: Mentions,
    controls: &'c Controls,
    registry: Registry,
    room: Room,
}

impl Renderer<'_> {
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
            Block::Text(text) => {
                let with_links = self.with_links(&text.text, at);
                self.text(&with_links, text.subtle, text.size, at, depth)
            }
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
                    flow: Flow::Vertical,
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
            Block::Actions(_) => {
                self.take(at, depth);
                let controls = self.controls.at(at);
                MattermostBlock::Container {
                    content: controls.iter().map(|control| self.control(control, at, depth + 1)).collect(),
                    accent_color: None,
                    border: false,
                    background: Background::None,
                    gap: Gap::Small,
                    flow: Flow::Horizontal,
                }
            }
        };
        rendered.push(block);
    }

    fn control(&mut self, control: &Control, at: &str, depth: usize) -> MattermostBlock {
        self.take(at, depth);
        self.register(control);
        let text = self.mentions.shown(&control.label).into_owned();
        self.room.text(&text, at);
        let (action_id, disabled) = (control.id.clone(), control.disabled);
        match &control.kind {
            Kind::Button(_) | Kind::Open(_) => MattermostBlock::Button {
                text,
                action_id,
                style: control.style,
                tooltip: self.mentions.shown(&control.tooltip).into_owned(),
                disabled,
            },
            Kind::Menu { entries, chosen, .. } => MattermostBlock::StaticSelect {
                action_id,
                placeholder: text,
                options: menu_options(entries),
                data_source: data_source(entries),
                initial_option: chosen.clone(),
                disabled,
            },
        }
    }

    /// What a click does. Of what is disabled nothing is said, so no client can do it all the same.
    fn register(&mut self, control: &Control) {
        if control.disabled {
            return;
        }
        let entry = match &control.kind {
            Kind::Button(click) | Kind::Menu { click, .. } => {
                Entry::External { url: self.controls.url().to_owned(), context: Context::of(click) }
            }
            Kind::Open(url) => Entry::Open { url: url.clone() },
        };
        self.registry.insert(control.id.clone(), entry);
    }

    /// The text with a button in place of each command in it.
    fn with_links(&mut self, text: &str, at: &str) -> String {
        let controls = self.controls.at(at);
        let mut controls = controls.iter();
        let mut shown = String::new();
        for piece in pieces(text) {
            match piece {
                Piece::Text(text) => shown.push_str(text),
                Piece::Command { label, .. } => match controls.next() {
                    Some(control) => {
                        self.register(control);
                        shown.extend(["[", label, "](mmaction://", &control.id, ")"]);
                    }
                    None => shown.push_str(label),
                },
            }
        }
        shown
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
                    flow: Flow::Vertical,
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
