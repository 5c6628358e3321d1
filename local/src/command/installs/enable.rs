//! `cloud-apps enable` and `cloud-apps disable`.

use crate::command::managed::{ManagedInstall, change};
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
    let note = if enabled {
        "The app answers again everywhere as soon as caches have expired: after the stack's InstallCacheSeconds, 60 unless set."
    } else {
        "The app is refused everywhere as soon as caches have expired: after the stack's InstallCacheSeconds, 60 unless set. \
         Its data stays."
    };
    arguments.install.show(&changed, note)
}
