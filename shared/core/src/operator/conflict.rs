//! Two who change one thing at the same time.

use crate::http::Refusal;
use cloud_apps_protocol::Code;

/// How often a change is tried again that somebody else was faster with.
pub(super) const TRIES: usize = 5;

pub(super) fn faster(what: &str) -> Refusal {
    let message = format!("Others keep changing {what} at the same time. Try again.");
    Refusal { retry_after: Some(1), ..Refusal::new(Code::VersionConflict, message) }
}
