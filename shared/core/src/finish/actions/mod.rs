//! The actions of a message (sections 5 and 14.3): from what the app wrote to what a client can click.
//!
//! First every action is looked up in the manifest, so that a button of a function that does not exist is refused before
//! anything is sent. What it runs is then sealed. Both renderings of the message show the same [`Control`]s, and a client draws
//! one of the two.

mod links;
mod lookup;
mod sealer;

pub use links::{Piece, pieces};
pub use lookup::Offer;
pub use sealer::{Audience, Kept, Sealer};

use cloud_apps_protocol::{
    Block, FunctionName, Values,
    form::SelectOption,
    limits,
    message::{Problem, Style},
};
use serde_json::Value;
use std::collections::BTreeMap;

/// Everything that a message lets its readers click.
#[derive(Debug, Default)]
pub struct Controls {
    /// By the JSON pointer of the block that has them.
    at: BTreeMap<String, Vec<Control>>,
    /// Where the server sends clicks; empty until they are sealed.
    pub(in crate::finish) url: String,
}

/// Something that a reader clicks.
#[derive(Debug, Clone)]
pub struct Control {
    /// `a0`, `a1`, …: its id in the post. A link has none.
    pub id: String,
    /// What stands on it.
    pub label: String,
    /// How a button looks.
    pub style: Style,
    /// Shown while the pointer is on it.
    pub tooltip: String,
    /// Whether it can be clicked.
    pub disabled: bool,
    /// What kind of control it is.
    pub kind: Kind,
}

/// A kind of control, and what it does.
#[derive(Debug, Clone)]
pub enum Kind {
    /// A button that runs a function.
    Button(Click),
    /// A menu. What is chosen goes to the click's field.
    Menu {
        /// Its entries.
        entries: Entries,
        /// The entry that is chosen already.
        chosen: Option<String>,
        /// What a choice runs.
        click: Click,
    },
    /// A button that opens an address.
    Open(String),
}

/// The entries of a menu.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Entries {
    /// These options.
    Options(Vec<SelectOption>),
    /// The users of the server.
    Users,
    /// Its channels.
    Channels,
}

/// What a click runs.
#[derive(Debug, Clone)]
pub struct Click {
    /// The function.
    pub function: FunctionName,
    /// Its values, each checked against its field.
    pub values: Values,
    /// The app's own.
    pub state: Value,
    /// The field that gets what a reader chooses.
    pub field: Option<FunctionName>,
    /// The function's form opens, even if nothing is missing.
    pub opens_form: bool,
    /// Only the first click counts.
    pub once: bool,
    /// What the first click is remembered by. A message that is sent a second time, because nobody knows whether the first
    /// sending was shown, has the same.
    pub once_id: Option<String>,
    /// How long it can be clicked, in seconds.
    pub expires_in: Option<u32>,
    /// The seal of all this; empty until it is made, and for what is disabled.
    pub seal: String,
}

/// Whether the blocks let their readers click anything.
pub fn any(blocks: &[Block]) -> bool {
    blocks.iter().any(|block| match block {
        Block::Actions(_) => true,
        Block::Text(text) => links::any(&text.text),
        Block::Container(container) => any(&container.content),
        Block::Collapsible(collapsible) => any(&collapsible.header) || any(&collapsible.content),
        Block::Columns(columns) => columns.columns.iter().any(|column| any(column)),
        Block::Facts(_) | Block::Image(_) | Block::Divider(_) => false,
    })
}

impl Controls {
    /// The controls of these blocks, not sealed yet, and every problem of them.
    pub fn of(blocks: &[Block], offer: &Offer<'_>) -> (Self, Vec<Problem>) {
        let mut collector = Collector { offer, controls: Self::default(), next: 0, problems: Vec::new() };
        collector.blocks(blocks, "/blocks");
        if collector.next > limits::ACTIONS {
            let (most, found) = (limits::ACTIONS, collector.next);
            let message =
                format!("These have {found} actions and commands in texts, at most {most} are allowed.");
            collector.problems.push(Problem::new("/blocks", message));
        }
        (collector.controls, collector.problems)
    }

    /// The controls of the block at this pointer.
    pub fn at(&self, pointer: &str) -> &[Control] {
        self.at.get(pointer).map_or(&[], Vec::as_slice)
    }

    /// Where the server sends clicks.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.at.is_empty()
    }

    /// What has to be sealed: all clicks of controls that are not disabled, each with the pointer of its block.
    pub fn clicks(&mut self) -> impl Iterator<Item = (&str, &mut Click)> {
        self.at.iter_mut().flat_map(|(pointer, controls)| {
            let enabled = controls.iter_mut().filter(|control| !control.disabled);
            enabled.filter_map(|control| Some((pointer.as_str(), control.kind.click()?)))
        })
    }
}

impl Kind {
    fn click(&mut self) -> Option<&mut Click> {
        match self {
            Self::Button(click) | Self::Menu { click, .. } => Some(click),
            Self::Open(_) => None,
        }
    }
}

/// Walks the blocks in the order in which they are shown.
struct Collector<'a> {
    offer: &'a Offer<'a>,
    controls: Controls,
    /// The number of the next id.
    next: usize,
    problems: Vec<Problem>,
}

impl Collector<'_> {
    fn blocks(&mut self, blocks: &[Block], pointer: &str) {
        for (i, block) in blocks.iter().enumerate() {
            self.block(block, &format!("{pointer}/{i}"));
        }
    }

    fn block(&mut self, block: &Block, at: &str) {
        match block {
            Block::Actions(actions) => {
                for (i, action) in actions.items.iter().enumerate() {
                    let found = self.offer.control(action, &format!("{at}/items/{i}"));
                    self.keep(at, found);
                }
            }
            Block::Text(text) => {
                for piece in links::pieces(&text.text) {
                    let Piece::Command { label, function, query } = piece else { continue };
                    let found = self.offer.link(label, function, query, &format!("{at}/text"));
                    self.keep(at, found);
                }
            }
            Block::Container(container) => self.blocks(&container.content, &format!("{at}/content")),
            Block::Collapsible(collapsible) => {
                self.blocks(&collapsible.header, &format!("{at}/header"));
                self.blocks(&collapsible.content, &format!("{at}/content"));
            }
            Block::Columns(columns) => {
                for (i, column) in columns.columns.iter().enumerate() {
                    self.blocks(column, &format!("{at}/columns/{i}"));
                }
            }
            Block::Facts(_) | Block::Image(_) | Block::Divider(_) => {}
        }
    }

    fn keep(&mut self, at: &str, found: Result<Control, Vec<Problem>>) {
        match found {
            Ok(mut control) => {
                control.id = format!("a{}", self.next);
                self.next += 1;
                self.controls.at.entry(at.to_owned()).or_default().push(control);
            }
            Err(problems) => self.problems.extend(problems),
        }
    }
}
