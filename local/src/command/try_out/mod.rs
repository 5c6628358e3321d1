//! Commands to try apps and to develop them.

mod check;
mod completions;
mod event;
mod init;
mod run;
mod schema;
mod serve;
mod validate;

use super::shared::runtime::block_on;
use crate::failure::Failure;
use clap::Subcommand;
use cloud_app::App;
use std::process::ExitCode;

/// Commands to try apps and to develop them.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Serve the whole bundle on this machine, with a demo Mattermost in which its apps are installed.
    Serve(serve::Serve),
    /// Run a command as a user types it, and show what the user sees.
    Run(run::Run),
    /// Create a new workspace: an app, the functions, a template, sample events and a test.
    Init(init::Init),
    /// Check an app's manifest, and show every problem with its line.
    Validate(validate::Validate),
    /// Test an external app: it must answer good requests and refuse forged ones.
    Check(check::Check),
    /// Print a sample event for a function: `sam local invoke -e -` takes it.
    Event(event::Event),
    /// Print the JSON Schema of a manifest.
    Schema,
    /// Print completions for a shell.
    Completions {
        /// The shell.
        shell: clap_complete::Shell,
    },
}

/// Does it. `apps` are linked into this program; `line` is the whole command line.
pub fn run(command: Command, apps: Vec<App>, line: clap::Command) -> Result<ExitCode, Failure> {
    match command {
        Command::Serve(serve) => block_on(serve::run(serve, apps)),
        Command::Run(run) => block_on(run::run(run)),
        Command::Init(init) => init::run(&init),
        Command::Validate(validate) => validate::run(&validate),
        Command::Check(check) => block_on(check::run(check)),
        Command::Event(event) => event::run(&event),
        Command::Schema => schema::run(),
        Command::Completions { shell } => Ok(completions::run(shell, line)),
    }
}
