//! Slash commands: from the line that a user types to the integration, and from its answer to the channel.
//!
//! Source: `ExecuteCommand`, `tryExecuteCustomCommand` and `HandleCommandResponse` in mattermost-server
//! `app/command.go`; checked against the recordings of both versions.

mod execute;
mod mentions;
mod post;
mod response;
mod response_url;

pub(crate) use execute::execute;
pub use mentions::{mentioned_channels, mentioned_users};
pub(crate) use response_url::respond_later;
