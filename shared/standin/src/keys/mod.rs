//! The keys that a server keeps for itself: for the trigger ids that open dialogs, and for the cookies that hold the
//! integrations of ephemeral posts.

mod cookie;
mod trigger;

pub(crate) use cookie::{Cookie, CookieKey, KeptProps};
pub(crate) use trigger::{TriggerError, TriggerKey};
