//! Which commands must not run twice.

use super::resolve::resolve;
use cloud_apps_protocol::{CommandRequest, Manifest, Millis, line::Line};

/// Whether a request runs, as far as the app's own definition says, a command that must not run twice.
pub fn must_spend(manifest: &Manifest, request: &CommandRequest, now: Millis) -> bool {
    match resolve(manifest, &[], request, None, now) {
        Ok(Line::Run(invocation)) => {
            manifest.command(invocation.function.as_str()).is_some_and(|command| !command.safe)
        }
        Ok(Line::Help(_)) | Err(_) => false,
    }
}
