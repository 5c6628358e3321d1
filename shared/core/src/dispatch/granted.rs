//! What the install was granted, what its sender may, and what this version serves.

use super::AuthenticatedCommand;
use crate::{http::Refusal, not_served::NotServed};
use cloud_apps_protocol::{
    Code,
    manifest::{CommandEntry, Permission},
};

/// Requires that the command may run.
pub(super) fn require(entry: &CommandEntry, command: &AuthenticatedCommand) -> Result<(), Refusal> {
    let granted = &command.sender.install.granted;
    // Locations are an open set: one that this version does not know is passed on, and needs the message box's grant.
    let location = command.request.context.source.granted_as();
    if !granted.locations.contains(location) {
        let app = &command.sender.install.app;
        let message = if granted.locations.is_empty() {
            format!(
                "{app} was not allowed to appear anywhere on this server, so none of its commands run: an admin grants \
                 {location}."
            )
        } else {
            format!("{app} was not allowed to appear in {location} on this server: an admin grants it.")
        };
        return Err(Refusal::new(Code::NotGranted, message).with("location", location));
    }
    let as_user = entry.post_as_user || entry.account.is_some();
    if as_user && command.sender.proof.of_user().is_none() {
        let message = format!("`{}` acts for a user, and a static token proves none.", entry.function);
        return Err(Refusal::new(Code::Forbidden, message));
    }
    if entry.post_as_user && !granted.permissions.contains(&Permission::ActAsUser) {
        let message = format!(
            "{} was not allowed to act as its users on this server: an admin grants act_as_user.",
            command.sender.install.app
        );
        return Err(Refusal::new(Code::NotGranted, message).with("permission", "act_as_user"));
    }
    match NotServed::of(entry) {
        Some(part) => Err(part.refusal(&format!("`{}` was not run.", entry.function))),
        None => Ok(()),
    }
}
