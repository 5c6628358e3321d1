//! `cloud-apps operator`: what only the operator of a bundle can do.
//!
//! One rule says where a command stands: what is done with one install stands at the top level, and what is done with the
//! bundle itself stands here.

mod apps;
mod codes;
mod dead_letters;
mod keys;
mod register;

use super::shared::options::OperatorOptions;
use crate::failure::Failure;
use clap::{Args, Subcommand};
use std::process::ExitCode;

/// `operator`.
#[derive(Debug, Args)]
#[command(
    after_help = "The local bundle is reached over its socket, and a stack by invoking its install function."
)]
pub struct Operator {
    #[command(flatten)]
    at: OperatorOptions,
    #[command(subcommand)]
    command: Command,
}

/// What an operator does with a bundle.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Register the apps that are linked into the bundle, and make their key rings.
    Register,
    /// Make an install code: somebody without AWS rights can install one app on one Mattermost server with it, once.
    Code(codes::InstallCode),
    /// Make a manage code: somebody without AWS rights can manage one install with it for some minutes.
    ManageCode(codes::ManageCode),
    /// Revoke all manage codes of an install, and the slash commands and webhooks that were registered with them.
    RevokeCodes(codes::RevokeCodes),
    /// Add, list, show or remove apps, or rotate the secret of an external app.
    Apps(apps::Apps),
    /// List, rotate or revoke the keys of an app.
    Keys(keys::Keys),
    /// List, send back or discard dead letters: jobs that failed for good.
    DeadLetters(dead_letters::DeadLetters),
}

/// Does it.
pub async fn run(arguments: Operator) -> Result<ExitCode, Failure> {
    let at = &arguments.at;
    match arguments.command {
        Command::Register => register::run(at).await,
        Command::Code(code) => codes::install_code(at, &code).await,
        Command::ManageCode(code) => codes::manage_code(at, &code).await,
        Command::RevokeCodes(codes) => codes::revoke(at, &codes).await,
        Command::Apps(apps) => apps::run(at, apps).await,
        Command::Keys(keys) => keys::run(at, keys).await,
        Command::DeadLetters(dead_letters) => dead_letters::run(at, dead_letters).await,
    }
}
