//! `cloud-apps validate`: checks a manifest as a compiler checks a program.

use crate::{
    command::shared::{manifest_file::ManifestFile, output::count},
    failure::Failure,
    terminal,
};
use clap::Args;
use cloud_apps_protocol::Manifest;
use std::{path::PathBuf, process::ExitCode};

/// `validate`.
#[derive(Debug, Args)]
pub struct Validate {
    /// The manifest, usually `mattermost-cloud-app.json`; `-` reads standard input.
    file: PathBuf,
}

/// Checks a manifest.
pub fn run(arguments: &Validate) -> Result<ExitCode, Failure> {
    let file = ManifestFile::read(&arguments.file)?;
    match Manifest::parse(&file.text) {
        Ok(manifest) => {
            terminal::out(format!(
                "{}: {} {} is valid: {}, {}, {}.",
                file.name,
                manifest.id,
                manifest.version,
                count(manifest.commands.len(), "command"),
                count(manifest.events.len(), "event"),
                count(manifest.settings.len(), "setting"),
            ));
            Ok(ExitCode::SUCCESS)
        }
        Err(problems) => {
            let found = file.show_problems(&problems);
            terminal::err(format!("{}: {found}.", file.name));
            Ok(ExitCode::FAILURE)
        }
    }
}
