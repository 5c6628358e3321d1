//! The `cloud-apps` command: the whole bundle on a laptop, and what authors and operators do from a terminal.
//!
//! A workspace of one's own has a `main` of one line that hands its apps to [`main`].

mod arguments;
mod bounded;
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

use arguments::{Arguments, Command};
use clap::Parser;
use cloud_app::App;
use failure::Failure;
use std::process::ExitCode;

/// Reads the command line, does what it says, and answers the exit code: 0 done, 1 refused or failed, 2 the command
/// line is wrong, 3 nothing answers there.
pub fn main(apps: Vec<App>) -> ExitCode {
    let arguments = Arguments::parse();
    match run(arguments, apps) {
        Ok(code) => code,
        Err(failure) => {
            failure.print();
            failure.exit_code()
        }
    }
}

fn run(arguments: Arguments, apps: Vec<App>) -> Result<ExitCode, Failure> {
    match arguments.command {
        Command::Validate(validate) => command::validate::run(&validate),
        Command::Schema => command::schema::run(),
        Command::Completions { shell } => command::completions::run(shell),
        Command::Init(init) => command::init::run(&init),
        Command::Event(event) => command::event::run(&event),
        Command::Serve(serve) => runtime()?.block_on(command::serve::run(serve, apps)),
        Command::Run(run) => runtime()?.block_on(command::run::run(run)),
        Command::Install(install) => runtime()?.block_on(command::install::run(*install)),
        Command::Sync(sync) => runtime()?.block_on(command::sync::run(sync)),
        Command::Uninstall(uninstall) => runtime()?.block_on(command::uninstall::run(uninstall)),
        Command::Cleanup(cleanup) => runtime()?.block_on(command::cleanup::run(cleanup)),
        Command::List(list) => runtime()?.block_on(command::list::list(list)),
        Command::Show(show) => runtime()?.block_on(command::list::show(show)),
        Command::Configure(configure) => runtime()?.block_on(command::change::configure(configure)),
        Command::Presets(presets) => runtime()?.block_on(command::change::presets(presets)),
        Command::Enable(switch) => runtime()?.block_on(command::change::switch(switch, true)),
        Command::Disable(switch) => runtime()?.block_on(command::change::switch(switch, false)),
        Command::Rotate(rotate) => runtime()?.block_on(command::rotate::run(rotate)),
        Command::Upgrade(upgrade) => runtime()?.block_on(command::change::upgrade(upgrade)),
        Command::Keys(keys) => runtime()?.block_on(command::keys::run(keys)),
        Command::Doctor(doctor) => runtime()?.block_on(command::doctor::run(doctor)),
        Command::Dead(dead) => runtime()?.block_on(command::dead::run(dead)),
        Command::App(app) => runtime()?.block_on(command::app::run(app)),
        Command::Check(check) => runtime()?.block_on(command::check::run(check)),
        Command::Operator(operator) => runtime()?.block_on(command::operator::run(operator)),
    }
}

fn runtime() -> Result<tokio::runtime::Runtime, Failure> {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(|e| Failure::new(format!("the system gives no threads: {e}")))
}
