//! The options of commands that change one install at the bundle, and what they show afterwards.

use super::{
    connect::MANAGE_CODE,
    options::{BundleOptions, InstallOptions},
    output::{print_json, show_install},
};
use crate::{failure::Failure, install::bundle::Bundle, terminal};
use clap::Args;
use cloud_apps_protocol::install::{InstallChanged, InstallPatch, InstallView};
use std::process::ExitCode;

/// Which install, of which bundle, and how it is shown.
#[derive(Debug, Args)]
pub struct ManagedInstall {
    #[command(flatten)]
    pub which: InstallOptions,
    #[command(flatten)]
    pub at: BundleOptions,
    /// Print the result as JSON.
    #[arg(long)]
    pub json: bool,
}

impl ManagedInstall {
    /// The bundle and the install, for its operator or with a manage code.
    pub async fn find(&self) -> Result<(Bundle, InstallView), Failure> {
        let bundle = self.at.bundle(MANAGE_CODE).await?;
        let view = self.which.install(&bundle).await?;
        Ok((bundle, view))
    }

    /// The bundle and the install, for an operator. `what` says what needs an operator's rights.
    pub async fn find_as_operator(&self, what: &'static str) -> Result<(Bundle, InstallView), Failure> {
        let bundle = self.at.operator(what).await?;
        let view = self.which.install(&bundle).await?;
        Ok((bundle, view))
    }

    /// Shows the install as it is now, and a note on standard error.
    pub fn show(&self, changed: &InstallChanged, note: &str) -> Result<ExitCode, Failure> {
        if self.json {
            return print_json(changed);
        }
        show_install(&changed.install);
        if !note.is_empty() {
            terminal::err(note);
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// Changes an install.
pub async fn change(
    bundle: &Bundle,
    view: &InstallView,
    patch: &InstallPatch,
) -> Result<InstallChanged, Failure> {
    bundle.change(&view.install_id, patch).await.map_err(|trouble| trouble.failure(bundle.base_url()))
}
