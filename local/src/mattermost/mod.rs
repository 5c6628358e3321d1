//! An admin's calls to the REST API v4 of a Mattermost server, 5.37 to 11: those that an install, its upkeep and its
//! end take, and no others.
//!
//! The admin's token lives here and nowhere else: it goes to the one site that it is for, over `https` (or without
//! leaving the machine), and a redirect is not followed, because it would carry the token to somebody else. What a server
//! refuses is a [`CallError`], and a trouble is told as a [`Finding`]: what, which setting or permission, what to do.

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
pub use error::CallError;
pub use finding::{Finding, Setting};
pub use http::{TIMEOUT, client, date, is_this_machine, loopback};
pub use login::{Login, Session};
pub use model::{Bot, ClientConfig, Command, NewCommand, NewWebhook, OutgoingWebhook, Team, Token, User};
pub use text::one_line;
