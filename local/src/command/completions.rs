//! `cloud-apps completions`.

use crate::{arguments::Arguments, failure::Failure, terminal};
use clap::CommandFactory;
use std::process::ExitCode;

/// Prints completions for a shell on standard output.
#[allow(clippy::unnecessary_wraps)] // The shape of every subcommand.
pub fn run(shell: clap_complete::Shell) -> Result<ExitCode, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Arguments::command(), "cloud-apps", &mut script);
    terminal::own(&script);
    Ok(ExitCode::SUCCESS)
}
