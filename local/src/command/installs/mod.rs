//! Commands on installs: they put an app on a Mattermost server, keep it right there and remove it.

mod cleanup;
mod configure;
mod doctor;
mod enable;
mod install;
mod list;
mod presets;
mod rotate;
mod show;
mod sync;
mod uninstall;
mod upgrade;

pub use list::install_ids;

use super::shared::runtime::block_on;
use crate::failure::Failure;
use clap::Subcommand;
use std::process::ExitCode;

/// Commands on installs.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Install an app on a Mattermost server, without changing the server itself.
    Install(Box<install::Install>),
    /// Bring an app to new teams, and fix its slash commands and webhooks on the server.
    Sync(sync::Sync),
    /// Remove an app from its Mattermost server and from the bundle.
    Uninstall(uninstall::Uninstall),
    /// Remove what the apps of a lost bundle left on a Mattermost server.
    Cleanup(cleanup::Cleanup),
    /// List the installs of a bundle.
    List(list::List),
    /// Show an install.
    Show(show::Show),
    /// Change an app's settings.
    Configure(configure::Configure),
    /// List, add, replace or remove the presets of an install: commands with values filled in.
    Presets(presets::Presets),
    /// Switch an install on.
    Enable(enable::Switch),
    /// Switch an install off. Its data stays.
    Disable(enable::Switch),
    /// Replace a credential of an install.
    Rotate(rotate::Rotate),
    /// Move an install to the version of the app that the bundle offers.
    Upgrade(upgrade::Upgrade),
    /// Check an install in Mattermost and in the bundle, and say how to fix each fault.
    Doctor(doctor::Doctor),
}

/// Does it.
pub fn run(command: Command) -> Result<ExitCode, Failure> {
    match command {
        Command::Install(install) => block_on(install::run(*install)),
        Command::Sync(sync) => block_on(sync::run(sync)),
        Command::Uninstall(uninstall) => block_on(uninstall::run(uninstall)),
        Command::Cleanup(cleanup) => block_on(cleanup::run(cleanup)),
        Command::List(list) => block_on(list::run(list)),
        Command::Show(show) => block_on(show::run(show)),
        Command::Configure(configure) => block_on(configure::run(configure)),
        Command::Presets(presets) => block_on(presets::run(presets)),
        Command::Enable(switch) => block_on(enable::run(switch, true)),
        Command::Disable(switch) => block_on(enable::run(switch, false)),
        Command::Rotate(rotate) => block_on(rotate::run(rotate)),
        Command::Upgrade(upgrade) => block_on(upgrade::run(upgrade)),
        Command::Doctor(doctor) => block_on(doctor::run(doctor)),
    }
}
