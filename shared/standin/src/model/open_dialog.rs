//! Dialogs that are open in a client, and what the server told that client.

use super::Dialog;
use serde_json::{Map, Value};

/// A dialog that is open for a user.
#[derive(Debug, Clone, PartialEq)]
pub struct OpenDialog {
    pub(crate) trigger_id: String,
    pub(crate) user_id: String,
    pub(crate) url: String,
    pub(crate) dialog: Dialog,
    pub(crate) steps: Steps,
}

/// Where the client is, and what it keeps from one step of a dialog to the next.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Steps {
    pub channel_id: String,
    pub team_id: String,
    /// The state of the first step, which version 11 still sends when it looks options up.
    pub first_state: Option<String>,
    /// The values of the earlier steps, which version 11 sends again with those of the next.
    pub earlier: Map<String, Value>,
}

/// The last trigger id that a user's client got, and where the user was then.
#[derive(Debug, Clone)]
#[expect(clippy::struct_field_names, reason = "the names of the API")]
pub(crate) struct ClientState {
    pub user_id: String,
    pub trigger_id: String,
    pub channel_id: String,
    pub team_id: String,
}

impl OpenDialog {
    /// The form that the user sees.
    pub fn dialog(&self) -> &Dialog {
        &self.dialog
    }

    /// Where its answers go. The client knows it, and so does its user.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Whether both are the same dialog, even if the client is elsewhere by now.
    pub(crate) fn is(&self, other: &OpenDialog) -> bool {
        self.trigger_id == other.trigger_id && self.url == other.url && self.dialog == other.dialog
    }
}
