//! The `cloud-apps` command: the whole bundle on a laptop, and what authors, admins and operators do from a terminal.
//!
//! In a workspace of your own, `main` is one line that hands its apps to [`main`].

mod bounded;
pub mod certificates;
pub mod check;
mod command;
mod consumer;
mod demo;
pub mod doctor;
pub mod failure;
pub mod folder;
pub mod install;
pub mod local;
pub mod mattermost;
pub mod store;
pub mod terminal;

use cloud_app::App;
use std::process::ExitCode;

/// Reads the command line, does what it says, and returns the exit code. `cloud-apps --help` lists the exit codes.
pub fn main(apps: Vec<App>) -> ExitCode {
    command::run(apps).unwrap_or_else(|failure| {
        failure.print();
        failure.exit_code()
    })
}
