//! The keys that a server keeps for itself: for the trigger ids that open dialogs, and for the cookies that hold the
//! integrations of ephemeral posts.

mod cookie;
mod trigger;

pub(crate) use cookie::{BlocksCookie, Cookie, CookieKey, KeptProps, Opened};
pub(crate) use trigger::{TriggerError, TriggerKey};
