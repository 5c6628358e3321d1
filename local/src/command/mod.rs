//! The command line. Each file is one command: its options, which are also what `--help` says, and what it does.
//!
//! The folders are the groups of `cloud-apps --help`: [`try_out`], [`installs`] and [`operator`]. What several commands
//! need is in [`shared`]. A new subcommand is a file in the folder of its group and a variant of `Command` in that
//! group's `mod.rs`, whose doc comment is its line in the help.

mod installs;
mod operator;
mod shared;
mod try_out;

use crate::failure::Failure;
use clap::{FromArgMatches, Parser, Subcommand};
use cloud_app::App;
use shared::{help, runtime};
use std::process::ExitCode;

/// Make, install and operate apps for Mattermost that run as a serverless bundle.
#[derive(Debug, Parser)]
#[command(name = "cloud-apps", version, max_term_width = 100, next_line_help = true, after_help = help::AFTER)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    #[command(flatten)]
    TryOut(try_out::Command),
    #[command(flatten)]
    Installs(installs::Command),
    /// What only the operator of a bundle can do.
    Operator(operator::Operator),
}

/// The whole command line. `width` is for tests: without it, help is as wide as the terminal, up to 100 columns.
fn command_line(width: Option<usize>) -> clap::Command {
    let groups: [help::Group; 3] = [
        ("Try and develop", "", <try_out::Command as Subcommand>::augment_subcommands),
        ("Install and manage", "", <installs::Command as Subcommand>::augment_subcommands),
        ("Operate a bundle", "operator ", <operator::Command as Subcommand>::augment_subcommands),
    ];
    let command = <Arguments as clap::CommandFactory>::command();
    let command = match width {
        Some(width) => command.term_width(width),
        None => command,
    };
    help::in_groups(command, &groups, width)
}

/// Reads the command line and does what it says.
pub fn run(apps: Vec<App>) -> Result<ExitCode, Failure> {
    let matches = command_line(None).get_matches();
    let arguments = Arguments::from_arg_matches(&matches).unwrap_or_else(|error| error.exit());
    match arguments.command {
        Command::TryOut(command) => try_out::run(command, apps, command_line(None)),
        Command::Installs(command) => installs::run(command),
        Command::Operator(operator) => runtime::block_on(operator::run(operator)),
    }
}
