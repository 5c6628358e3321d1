//! The things that a server stores and sends, as plain data: `model/` in mattermost-server.

mod account;
mod attachment;
mod channel;
mod dialog;
mod integration;
mod open_dialog;
mod post;
mod team;

pub use account::{Bot, User};
pub use attachment::{Action, Attachment, Field};
pub use channel::ChannelKind;
pub use dialog::{Choice, CollapsibleConfig, DateTimeConfig, Dialog, Element, MatrixConfig};
pub use open_dialog::OpenDialog;
pub use post::Post;

pub(crate) use account::{Caller, Credentials, Session, Token};
pub(crate) use attachment::{Audience, take_attachments};
pub(crate) use channel::{Channel, ChannelMember};
pub(crate) use integration::{
    Command, IncomingWebhook, OAuthApp, OutgoingWebhook, ResponseHook, is_http_url,
};
pub(crate) use open_dialog::{ClientState, Steps};
pub(crate) use post::Reaction;
pub(crate) use team::{Team, TeamMember};

/// Milliseconds since 1970, as everywhere in Mattermost's API.
pub type Millis = u64;
