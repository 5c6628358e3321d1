//! Interactive dialogs: an integration opens a form before a user, who fills it in, looks values up, goes through
//! its steps, sends it or closes it.
//!
//! A dialog is opened by a trigger id alone, which came with a slash command or a click ([`opening`]); what the
//! user does with it goes through the server to the integration ([`submitting`], [`answer`]). The server keeps
//! nothing of it: dialog, state and address are in the client's hands. What a web client makes of it ([`client`],
//! [`filling`]) is here for tests that act as a person does.

mod answer;
pub(crate) mod client;
mod filling;
pub(crate) mod form;
mod opening;
mod submitting;

pub(crate) use opening::open;
pub(crate) use submitting::{lookup, submit};

use crate::naming::user_id;
use crate::world::World;
use crate::{Standin, StandinError};
use form::Dialog;
use serde_json::{Map, Value};

/// A dialog that stands before a user.
#[derive(Debug, Clone, PartialEq)]
pub struct OpenDialog {
    pub(crate) trigger_id: String,
    pub(crate) user_id: String,
    pub(crate) url: String,
    pub(crate) dialog: Dialog,
    pub(crate) seen: Seen,
}

/// Where a client is, and what it keeps from one step of a dialog to the next.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Seen {
    pub channel_id: String,
    pub team_id: String,
    /// The state of the first step, which version 11 goes on telling when it looks options up.
    pub first_state: Option<String>,
    /// The values of the steps before, which 11 sends again with those of the next.
    pub earlier: Map<String, Value>,
}

/// The last trigger id that a user's client was told, and where the user was then.
#[derive(Debug, Clone)]
#[expect(clippy::struct_field_names, reason = "the names of the API")]
pub(crate) struct Told {
    pub user_id: String,
    pub trigger_id: String,
    pub channel_id: String,
    pub team_id: String,
}

/// Notes what the answer to a command or click tells the client.
pub(crate) fn tell(world: &mut World, told: Told) {
    world.told.retain(|known| known.user_id != told.user_id);
    world.told.push(told);
}

impl OpenDialog {
    /// What it looks like.
    pub fn dialog(&self) -> &Dialog {
        &self.dialog
    }

    /// Where its answers go. The client knows it, and so does its user.
    pub fn url(&self) -> &str {
        &self.url
    }
}

impl Standin {
    /// The dialogs that a user has before him, the newest last. A client shows a dialog only if its trigger id is
    /// the last that the client was told: with the answer to a command or click that succeeded.
    ///
    /// # Errors
    /// There is no such user.
    pub fn dialogs_of(&self, user: &str) -> Result<Vec<OpenDialog>, StandinError> {
        let world = self.world();
        let user = user_id(&world, user)?;
        let Some(told) = world.told.iter().find(|told| told.user_id == user) else { return Ok(Vec::new()) };
        let shown =
            world.dialogs.iter().filter(|open| open.user_id == user && open.trigger_id == told.trigger_id);
        let place = |open: &OpenDialog| {
            let mut open = open.clone();
            open.seen.channel_id.clone_from(&told.channel_id);
            open.seen.team_id.clone_from(&told.team_id);
            open
        };
        Ok(shown.map(place).collect())
    }
}
