//! An admin's calls to the REST API v4 of a Mattermost server, 5.37 to 12: those that installing, managing and removing an app
//! need, and no others.
//!
//! The admin's token stays here. It is sent only to its own site, over `https` or on this machine, and a redirect is not followed,
//! because it would take the token to another server. An error of a call is a [`CallError`]. An admin reads it as a [`Finding`]: what
//! it is, which setting or permission, and what to do.

mod calls;
mod client;
mod endpoint;
mod error;
mod finding;
mod http;
mod login;
mod model;
mod text;

pub use client::Mattermost;
pub use cloud_app::mattermost::Team;
pub use error::{CallError, why};
pub use finding::{Finding, Setting};
pub use http::{TIMEOUT, client, date, loopback};
pub use login::{Login, Session};
pub use model::{
    AdminSettings, Bot, ClientConfig, Command, NewCommand, NewWebhook, OutgoingWebhook, Token, User,
};
pub use text::one_line;
