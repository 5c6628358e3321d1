//! Refusals that ask to wait for another request.

use crate::http::Refusal;
use cloud_apps_protocol::{Code, Millis};

/// Another request is completing the install, until `lease` at most.
pub(super) fn for_completion(lease: Millis, now: Millis) -> Refusal {
    until(lease, now, |seconds| {
        format!("This installation is being completed by another request. Ask again in {seconds} s.")
    })
}

/// Another request is removing the install, and its app is cleaning up until `until` at most.
pub(super) fn for_cleanup(ends: Millis, now: Millis) -> Refusal {
    until(ends, now, |seconds| {
        format!(
            "This install is being removed by another request, and its app is cleaning up. Ask again in {seconds} s to see \
             it end."
        )
    })
}

fn until(ends: Millis, now: Millis, message: impl FnOnce(u64) -> String) -> Refusal {
    let seconds = ends.saturating_sub(now).div_ceil(1_000).max(1);
    Refusal {
        retry_after: Some(u32::try_from(seconds).unwrap_or(u32::MAX)),
        ..Refusal::new(Code::Unavailable, message(seconds))
    }
}
