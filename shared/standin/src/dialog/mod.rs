//! Interactive dialogs: an integration opens a form for a user, who fills it in, looks options up, goes through its
//! steps, and submits or closes it.
//!
//! An integration needs a trigger id to open a dialog; it gets one with each slash command and click ([`open`]). What
//! the user does with the dialog goes through the server to the integration ([`submit`], [`response`]). The server
//! itself stores nothing of it: the client has the dialog, its state and its address. How a web client fills a dialog
//! in is in [`crate::client`].

mod open;
mod response;
mod submit;

pub(crate) use open::open;
pub(crate) use response::{LookupResponse, SubmitResponse};
pub(crate) use submit::{lookup, submit};
