//! Blocks as message attachments.
//!
//! An attachment shows its text, then its table, then its picture, whatever the order of its keys. So a block goes into the
//! attachment before it where that keeps the order, and otherwise begins the next one.

use super::{
    click::attachment_action,
    markdown::{UNSEEN, bold},
    room::Room,
};
use crate::finish::{
    actions::{Controls, Kind, Piece, pieces},
    address::is_picture,
    mentions::Mentions,
};
use cloud_apps_protocol::{
    Attachment, Block, limits,
    message::{Accent, AttachmentField, Fact, Image, ImageSize, Problem},
};

/// The attachments, and what does not fit or cannot be shown.
pub fn rendered(
    blocks: &[Block],
    controls: &Controls,
    mentions: Mentions,
) -> (Vec<Attachment>, Vec<Problem>) {
    let mut renderer = Renderer {
        mentions,
        controls,
        room: Room::new("attachments"),
        done: Vec::new(),
        current: Attachment::default(),
        accent: None,
        single: false,
    };
    renderer.blocks(blocks, "/blocks", Weight::Normal);
    renderer.close();
    (renderer.done, renderer.room.problems)
}

/// How texts look.
#[derive(Clone, Copy, PartialEq)]
enum Weight {
    Normal,
    Bold,
}

struct Renderer<'c> {
    mentions: Mentions,
    controls: &'c Controls,
    room: Room,
    done: Vec<Attachment>,
    /// The attachment that the next block may go into.
    current: Attachment,
    /// The color of the container around it.
    accent: Option<Accent>,
    /// The last field of its table stands alone in its line, with room beside it.
    single: bool,
}

impl Renderer<'_> {
    fn blocks(&mut self, blocks: &[Block], pointer: &str, weight: Weight) {
        for (i, block) in blocks.iter().enumerate() {
            self.block(block, &format!("{pointer}/{i}"), weight);
        }
    }

    fn block(&mut self, block: &Block, at: &str, weight: Weight) {
        match block {
            Block::Text(text) => {
                let plain = without_links(&text.text);
                match weight {
                    Weight::Bold => self.text(&bold(&plain), at),
                    Weight::Normal => self.text(&plain, at),
                }
                self.actions(at);
            }
            Block::Facts(facts) => {
                for (i, fact) in facts.items.iter().enumerate() {
                    self.fact(fact, &format!("{at}/items/{i}"));
                }
            }
            Block::Image(image) => self.image(image, at),
            Block::Divider(_) => self.text("---", at),
            Block::Container(container) => {
                self.close();
                let outer = self.accent;
                self.accent = container.accent.or(outer);
                self.blocks(&container.content, &format!("{at}/content"), weight);
                self.close();
                self.accent = outer;
            }
            Block::Collapsible(collapsible) => {
                self.blocks(&collapsible.header, &format!("{at}/header"), Weight::Bold);
                self.blocks(&collapsible.content, &format!("{at}/content"), weight);
            }
            Block::Columns(columns) => {
                for (i, column) in columns.columns.iter().enumerate() {
                    self.blocks(column, &format!("{at}/columns/{i}"), weight);
                }
            }
            Block::Actions(_) => {
                let open = self.controls.at(at).iter().filter_map(|control| match &control.kind {
                    Kind::Open(url) if !control.disabled => Some(format!("[{}]({url})", control.label)),
                    Kind::Open(_) => Some(control.label.clone()),
                    Kind::Button(_) | Kind::Menu { .. } => None,
                });
                self.text(&open.collect::<Vec<_>>().join(" · "), at);
                self.actions(at);
            }
        }
    }

    /// The buttons and menus of the block at this pointer. A client draws them under everything else of an attachment.
    fn actions(&mut self, at: &str) {
        for control in self.controls.at(at) {
            let Some(action) = attachment_action(control, self.controls, self.mentions) else { continue };
            self.open(at);
            // A client draws the actions of an attachment in a container.
            self.room.blocks(if self.current.actions.is_empty() { 2 } else { 1 }, at);
            self.room.text(&self.mentions.shown(&control.label), at);
            self.current.actions.push(action);
        }
    }

    /// Begins the next attachment if there are actions already: what comes next stands below them.
    fn below_actions(&mut self) {
        if !self.current.actions.is_empty() {
            self.close();
        }
    }

    fn text(&mut self, text: &str, at: &str) {
        if text.trim().is_empty() {
            return;
        }
        self.below_actions();
        if !self.current.fields.is_empty() || !self.current.image_url.is_empty() {
            self.close();
        }
        self.open(at);
        let text = self.mentions.shown(text);
        if self.current.text.is_empty() {
            self.room.blocks(1, at);
        } else {
            self.current.text.push_str(PARAGRAPH);
            self.room.text(PARAGRAPH, at);
        }
        self.room.text(&text, at);
        self.current.text.push_str(&text);
    }

    fn fact(&mut self, fact: &Fact, at: &str) {
        self.below_actions();
        if !self.current.image_url.is_empty() {
            self.close();
        }
        self.open(at);
        let title = self.mentions.shown(&fact.title).into_owned();
        // Clients leave out a field without a value, its title too.
        let value = match self.mentions.shown(&fact.text) {
            blank if blank.trim().is_empty() => UNSEEN.to_owned(),
            text => text.into_owned(),
        };
        // A field becomes a container of its title and its value. Two short ones become columns instead.
        let beside = fact.short && self.single;
        let table = usize::from(self.current.fields.is_empty());
        let around = if beside { 2 } else { 1 };
        self.room.blocks(table + around + usize::from(!title.is_empty()) + 1, at);
        if !title.is_empty() {
            self.room.text(&format!("**{title}:**"), at);
        }
        self.room.text(&value, at);
        self.single = fact.short && !beside;
        self.current.fields.push(AttachmentField {
            title,
            value,
            short: fact.short,
            ..AttachmentField::default()
        });
    }

    fn image(&mut self, image: &Image, at: &str) {
        if !is_picture(&image.url) {
            let message =
                "This is not the address of a picture. Write https://…, or a path on the Mattermost server.";
            self.room.problems.push(Problem::new(format!("{at}/url"), message));
            return;
        }
        self.text(&bold(&image.title), at);
        let small = matches!(image.size, ImageSize::Xsmall | ImageSize::Small);
        self.below_actions();
        let taken = if small { &self.current.thumb_url } else { &self.current.image_url };
        if !taken.is_empty() || (!small && !self.current.fields.is_empty()) {
            self.close();
        }
        self.open(at);
        if small {
            // Two columns, and the picture in the second. An empty first one holds a blank text.
            self.room.blocks(5, at);
            self.room.text(UNSEEN, at);
            self.current.thumb_url.clone_from(&image.url);
        } else {
            self.room.blocks(1, at);
            self.current.image_url.clone_from(&image.url);
        }
        if !self.current.fallback.is_empty() {
            self.current.fallback.push('\n');
        }
        self.current.fallback.push_str(&self.mentions.shown(&image.alt_text));
    }

    /// What is about to be added may be the first of its attachment.
    fn open(&mut self, at: &str) {
        if self.current != Attachment::default() {
            return;
        }
        self.room.blocks(1, at);
        if self.done.len() == limits::ATTACHMENTS {
            let message = format!(
                "With this the message has more than {} attachments. Leave out dividers, pictures or containers, or send \
                 less at once.",
                limits::ATTACHMENTS
            );
            self.room.problems.push(Problem::new(at, message));
        }
    }

    fn close(&mut self) {
        self.single = false;
        if self.current == Attachment::default() {
            return;
        }
        self.current.color = self.accent.map_or_else(String::new, color);
        self.done.push(std::mem::take(&mut self.current));
    }
}

/// The text with the words of the commands in it.
fn without_links(text: &str) -> String {
    pieces(text)
        .map(|piece| match piece {
            Piece::Text(text) | Piece::Command { label: text, .. } => text,
        })
        .collect()
}

const PARAGRAPH: &str = "\n\n";

/// A color as attachments have it. `default` is that of an attachment without one, and what older clients do not know by
/// name is the color of Mattermost's own buttons.
fn color(accent: Accent) -> String {
    match accent {
        Accent::Default => String::new(),
        Accent::Primary => "#1C58D9".to_owned(),
        Accent::Good | Accent::Warning | Accent::Danger | Accent::Color(..) => accent.to_string(),
    }
}
