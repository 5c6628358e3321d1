//! What this version of the bundle does not serve, and every sentence that says so. When a part is served, its sentences
//! go from here.

use crate::http::Refusal;
use cloud_apps_protocol::{
    Code,
    manifest::{AccountUse, CommandEntry},
};

/// Said where an app starts a conversation.
pub const CONVERSATION: &str =
    "This starts a conversation, which this version of the bundle cannot do. Add the values to the command.";
/// Said where an app answers with a form and the surface shows none.
pub const FORM_OF_APP: &str =
    "This opens a form, which this version of the bundle cannot do. Add the values to the command.";
/// Said where an app answers with a form that has a state.
pub const FORM_WITH_STATE: &str =
    "This opens a form that remembers something, which this version of the bundle cannot do.";
/// Said where a user asks for the form of a command.
pub const FORM_OF_COMMAND: &str = "This version of the bundle opens no forms. Add the values to the command.";
/// Said where a form reaches a renderer that has none.
pub const FORM: &str = "This version of the bundle opens no forms.";
/// Why an app does not get an event that was granted.
pub const EVENTS_NOT_DELIVERED: &str = "events are not delivered by this version of the bundle";

/// A part of the protocol that this version does not serve.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotServed {
    /// Dialogs that are sent or closed.
    Dialogs,
    /// Requests of an open dialog for choices or another form.
    DialogRequests,
    /// Queries of V2 servers while a user types.
    Queries,
    /// Events of V2 servers.
    Events,
    /// Webhooks of vendors.
    VendorWebhooks,
    /// The pages where a user connects an account elsewhere.
    Accounts,
    /// The locations of dialogs and conversations.
    Interactions,
    /// Commands that run from a queue.
    DeferredCommands,
    /// Commands that need an account of the user elsewhere.
    AccountCommands,
    /// Commands that post as the user.
    CommandsAsUser,
}

impl NotServed {
    /// What of a command is not served, if anything is not.
    pub fn of(command: &CommandEntry) -> Option<Self> {
        if command.deferred {
            Some(Self::DeferredCommands)
        } else if command.account == Some(AccountUse::Required) {
            Some(Self::AccountCommands)
        } else if command.post_as_user {
            Some(Self::CommandsAsUser)
        } else {
            None
        }
    }

    /// Why something does not work, as a part of a sentence: `webhooks of vendors are not served by …`.
    pub fn reason(self) -> String {
        let subject = match self {
            Self::Dialogs => "dialogs are",
            Self::DialogRequests => "lookups and refreshes of dialogs are",
            Self::Queries => "the Autocomplete Query API is",
            Self::Events => "events are",
            Self::VendorWebhooks => "webhooks of vendors are",
            Self::Accounts => "accounts of users elsewhere are",
            Self::Interactions => "dialogs and conversations are",
            Self::DeferredCommands => "commands that run from a queue are",
            Self::AccountCommands => "commands that need an account of the user elsewhere are",
            Self::CommandsAsUser => "commands that post as the user are",
        };
        format!("{subject} not served by this version of the bundle")
    }

    /// The refusal of a request. `instead` is a sentence: what happened to the request, or what to do.
    pub fn refusal(self, instead: &str) -> Refusal {
        let reason = self.reason();
        let mut letters = reason.chars();
        let first = letters.next().map(|letter| letter.to_ascii_uppercase());
        let sentence: String = first.into_iter().chain(letters).collect();
        Refusal::new(Code::NoRoute, format!("{sentence}. {instead}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_is_the_reason_as_a_sentence_with_what_to_do() {
        let refusal = NotServed::Dialogs.refusal("Use the slash command instead.");
        assert_eq!(refusal.code, Code::NoRoute);
        assert_eq!(
            refusal.message,
            "Dialogs are not served by this version of the bundle. Use the slash command instead."
        );
    }
}
