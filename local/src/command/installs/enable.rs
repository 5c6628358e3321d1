//! `cloud-apps enable` and `cloud-apps disable`.

use crate::command::shared::managed::{ManagedInstall, change};
use crate::failure::Failure;
use clap::Args;
use cloud_apps_protocol::install::InstallPatch;
use std::process::ExitCode;

/// `enable`, `disable`.
#[derive(Debug, Args)]
pub struct Switch {
    #[command(flatten)]
    install: ManagedInstall,
}

/// Switches an install on or off.
pub async fn run(arguments: Switch, enabled: bool) -> Result<ExitCode, Failure> {
    let (bundle, view) = arguments.install.find().await?;
    let changed = change(&bundle, &view, &InstallPatch::Enabled(enabled)).await?;
    let note = if enabled { "The app answers again." } else { "The app is refused, and its data stays." };
    let when = "In a stack this is so everywhere when caches have expired: after its InstallCacheSeconds, 60 unless set.";
    arguments.install.show(&changed, &format!("{note} {when}"))
}
