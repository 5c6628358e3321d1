//! The dialects: ways in which a command arrives and its answer leaves. Each is a file with pure functions: what it
//! reads, and what it writes.
//!
//! A new one is a new file here, a line in [`of`], and a route (`http/route.rs`). If its sender proves itself in a new way,
//! it is also a file in `authenticate/`, and a case of [`Presented`] and of
//! [`SenderProof`](crate::authenticate::SenderProof). Nothing else has to know it.

mod action;
mod dialog;
mod slash;
mod v2;

pub use slash::wrong_method;

use crate::store::model::{Install, Sha256};
use crate::{
    authenticate::{Presented, Sender, Spend},
    finish::{Finished, Surface},
    http::{Arrival, Refusal, Responder, Route},
};
use bytes::Bytes;
use cloud_apps_protocol::{CommandRequest, Manifest};
use http::Response;
use std::collections::BTreeMap;

/// A way in which a command arrives and its answer leaves.
pub trait Dialect: Sync {
    /// The credential. Nothing else of the body is read: anybody may send it.
    fn presented<'a>(&self, arrival: &'a Arrival) -> Result<Presented<'a>, Refusal>;

    /// What a sender that is known asks. `manifest`: of the app, as the install's admin agreed to it.
    fn decode(&self, arrival: &Arrival, sender: &Sender, manifest: &Manifest) -> Result<Decoded, Refusal>;

    /// The response: of a finished answer, or of a refusal.
    fn render(&self, responder: &Responder, answer: Result<&Finished, &Refusal>) -> Response<Bytes>;

    /// Whether the sender keeps the app's manifest, and is told in each response which one is in force (section 18).
    fn tells_manifest(&self) -> bool {
        false
    }
}

/// A command, as the protocol has it whatever dialect it came in.
pub struct Decoded {
    /// What is asked; the context as the sender gave it.
    pub request: CommandRequest,
    /// The app's idempotency key.
    pub delivery_id: String,
    /// What can be shown where it came from.
    pub surface: Surface,
    /// What is spent before the function runs, if it must not run twice.
    pub once: Option<Spend>,
}

/// The dialect of a route; `None`: it brings no commands.
pub fn of(route: &Route) -> Option<&'static dyn Dialect> {
    match route {
        Route::Root | Route::Command => Some(&v2::V2),
        Route::Slash { .. } => Some(&slash::Slash),
        Route::Action { .. } => Some(&action::Action),
        Route::Dialog { .. } => Some(&dialog::Dialog),
        _ => None,
    }
}

/// 16 bytes of SHA-256 over the install, the kind and what was done, in hex: an app's idempotency key. Without a trigger id the
/// request itself is what was done.
fn delivery_id(install: &Install, kind: &str, trigger_id: &str, request_id: &str) -> String {
    let of = if trigger_id.is_empty() { request_id } else { trigger_id };
    let mut hash = Sha256::of(&format!("{}\0{kind}\0{of}", install.id)).as_str().to_owned();
    hash.truncate(32);
    hash
}

/// A text with a line for each field.
fn with_list(text: &str, fields: &BTreeMap<String, String>) -> String {
    let list: Vec<String> = fields.iter().map(|(name, message)| format!("* `{name}`: {message}")).collect();
    if list.is_empty() { text.to_owned() } else { format!("{text}\n\n{}", list.join("\n")) }
}
