//! `cloud-apps completions`.

use crate::terminal;
use std::process::ExitCode;

/// Prints completions for a shell on standard output.
pub fn run(shell: clap_complete::Shell, mut command_line: clap::Command) -> ExitCode {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut command_line, "cloud-apps", &mut script);
    terminal::own(&script);
    ExitCode::SUCCESS
}
