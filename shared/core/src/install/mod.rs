//! How an app comes to a Mattermost server, how its install is changed there, and how it is removed.
//!
//! An install is made in two steps ([`state`] has the table). `POST /install` checks everything and makes the install
//! pending; the caller then registers on the server what the answer asks for; `complete` calls the app's own function, and
//! the install serves. Both steps need an install code, both may be repeated, and if one is interrupted anywhere, the install
//! is complete or there is none. After that it is changed, and at the end removed, by its server's admin or by the holder of
//! a manage code ([`access`]). What operators do is in [`operator`](mod@crate::operator).

pub(crate) mod access;
pub(crate) mod address;
pub(crate) mod apps;
pub(crate) mod begin;
pub(crate) mod catalogue;
pub(crate) mod change;
mod cleanup;
pub mod codes;
pub(crate) mod complete;
mod confirm_teams;
pub(crate) mod date;
mod lifecycle;
mod plan;
mod problems;
mod registered;
mod registrations;
pub(crate) mod remove;
pub(crate) mod removed;
mod request;
mod request_info;
pub(crate) mod server;
mod settings;
pub mod state;
mod static_token;
pub(crate) mod stored;
mod token_end;
pub(crate) mod view;
mod wait;
pub(crate) mod watch;

pub use request_info::RequestInfo;
pub use token_end::{DAY, TokenEnd, WARNINGS};
