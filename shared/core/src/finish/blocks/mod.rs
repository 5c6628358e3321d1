//! The blocks of a message, rendered for the server that shows it (section 5): as message attachments, which every
//! Mattermost shows, and beside them as Mattermost Blocks where the server has those. A client draws one of the two.
//!
//! A client leaves out what is too much for it and says nothing, and a server refuses a post that is too large. So all of it
//! is measured here, before anything is sent: a message that does not fit is refused, with the limit and the block.
//!
//! Pure: from a message and what its server can show to what is sent.

mod attachments;
mod click;
mod markdown;
mod mattermost;
mod props;
mod room;

#[cfg(test)]
mod tests;

pub use mattermost::{MattermostBlock, Registry};
pub use props::props;

use super::{actions::Controls, mentions::Mentions, text::POST_LIMIT};
use crate::store::model::Install;
use cloud_apps_protocol::{Attachment, Message, message::Problem, server::ServerVersion};
use std::fmt;

/// What the server that shows a message can show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ServerAbilities {
    /// It has Mattermost Blocks, and they are switched on. No version says so: the server has to be asked.
    pub blocks: bool,
    /// How many characters of JSON a post has room for beside its text.
    pub props: usize,
    /// How many characters of text a post has room for.
    pub post: usize,
    /// A click can change a message that the server does not store (11.10).
    pub updates_ephemeral: bool,
    /// A click can open an address (11.9).
    pub opens_addresses: bool,
}

/// The first version that has Mattermost Blocks.
const BLOCKS: ServerVersion = ServerVersion::new(11, 10);
/// The first version in which a click changes a message that is not stored.
const UPDATES_EPHEMERAL: ServerVersion = ServerVersion::new(11, 10);
/// The first version in which a click opens an address.
const OPENS_ADDRESSES: ServerVersion = ServerVersion::new(11, 9);
/// The first version with the larger limit of a post's properties.
const LARGE_PROPS: ServerVersion = ServerVersion::new(6, 0);
/// The fewest characters of a post that any server takes: `PostMessageMaxRunesV1` in `model/post.go`.
const LEAST_POST: usize = 4_000;

impl ServerAbilities {
    /// What the server of an install can show, by what is known of it.
    pub fn of(install: &Install) -> Self {
        let version = ServerVersion::of(&install.server_version);
        // The server's limit less what it keeps for its own additions: `PostPropsMaxUserRunes` in `model/post.go`.
        let props = if version >= LARGE_PROPS { 760_000 } else { 7_600 };
        let post = install.server.max_post_size.and_then(|size| usize::try_from(size).ok());
        Self {
            blocks: version >= BLOCKS && install.server.mm_blocks == Some(true),
            props,
            post: post.map_or(POST_LIMIT, |size| size.max(LEAST_POST)),
            updates_ephemeral: version >= UPDATES_EPHEMERAL,
            opens_addresses: version >= OPENS_ADDRESSES,
        }
    }

    /// What any server shows its user alone. It does not store such a message, so it has no limit for it.
    pub fn ephemeral() -> Self {
        Self {
            blocks: false,
            props: usize::MAX,
            post: POST_LIMIT,
            updates_ephemeral: false,
            opens_addresses: false,
        }
    }
}

/// What is sent of a message's blocks.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Rendered {
    /// For every client.
    pub attachments: Vec<Attachment>,
    /// For the clients of a server that has them; otherwise none.
    pub blocks: Vec<MattermostBlock>,
    /// What the clicks on those blocks do.
    pub registry: Registry,
}

/// Why a message is not sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// At least one.
    pub problems: Vec<Problem>,
}

impl std::error::Error for Refused {}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("The app's message cannot be shown, so it was not sent.")?;
        for problem in self.problems.iter().take(1) {
            write!(f, " {problem}")?;
        }
        match self.problems.len().saturating_sub(1) {
            0 => Ok(()),
            1 => f.write_str(" There is 1 more problem."),
            more => write!(f, " There are {more} more problems."),
        }
    }
}

/// Renders the blocks of a message. `controls`: its actions, sealed.
pub fn rendered(
    message: &Message,
    controls: &Controls,
    abilities: ServerAbilities,
) -> Result<Rendered, Refused> {
    let problems = message.problems();
    if !problems.is_empty() {
        return Err(Refused { problems });
    }
    let mentions = Mentions::of(message.notify);
    let (attachments, mut problems) = attachments::rendered(&message.blocks, controls, mentions);
    let (mut blocks, mut registry) = (Vec::new(), Registry::new());
    if abilities.blocks {
        let more;
        (blocks, registry, more) = mattermost::rendered(&message.blocks, controls, mentions);
        problems.extend(more);
    }
    let rendered = Rendered { attachments, blocks, registry };
    problems.extend(props::too_large(&rendered, abilities.props));
    if problems.is_empty() { Ok(rendered) } else { Err(Refused { problems }) }
}
