//! `cloud-apps show`.

use crate::command::shared::{
    managed::ManagedInstall,
    output::{print_json, show_install},
};
use crate::failure::Failure;
use clap::Args;
use std::process::ExitCode;

/// `show`.
#[derive(Debug, Args)]
pub struct Show {
    #[command(flatten)]
    install: ManagedInstall,
}

/// Shows one install.
pub async fn run(arguments: Show) -> Result<ExitCode, Failure> {
    let (_, view) = arguments.install.find().await?;
    if arguments.install.json {
        return print_json(&view);
    }
    show_install(&view);
    Ok(ExitCode::SUCCESS)
}
