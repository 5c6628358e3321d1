//! `cloud-apps upgrade`.

use crate::command::shared::{
    managed::{ManagedInstall, change},
    output::{print, words},
};
use crate::{
    failure::Failure,
    install,
    install::person::{Person, Terminal},
};
use clap::Args;
use cloud_apps_protocol::install::{self as wire, Granted, InstallPatch};
use std::process::ExitCode;

/// `upgrade`.
#[derive(Debug, Args)]
pub struct Upgrade {
    #[command(flatten)]
    install: ManagedInstall,
    /// Agree to what the new version asks for.
    #[arg(long)]
    yes: bool,
}

/// Moves an install to the version that the bundle offers.
pub async fn run(arguments: Upgrade) -> Result<ExitCode, Failure> {
    let (bundle, view) = arguments.install.find().await?;
    let Some(offered) = &view.offered else {
        return print(arguments.install.json, &view, || {
            let what = format!("{} {} is what the bundle has", view.app_id, view.version);
            vec![format!("{what}: there is nothing to upgrade to.").into()]
        });
    };
    let more = beyond(&offered.requests, &view.granted);
    let person = Terminal;
    if !more.is_empty() {
        person.tell(&format!("{} {} asks for more than was agreed to:", view.app_id, offered.version));
        for one in &more {
            person.tell(&format!("  {one}"));
        }
        if !arguments.yes {
            let agreed = install::agrees(&person, "Agree, and upgrade?").await;
            let agreed = agreed.map_err(|_| {
                Failure::usage("nobody is at the terminal to agree")
                    .hint("--yes agrees to what is listed above")
            })?;
            if !agreed {
                person.tell(&format!("The install stays at {}, with what was agreed to.", view.version));
                return Ok(ExitCode::FAILURE);
            }
        }
    }
    let upgrade = wire::Upgrade { version: offered.version.clone(), granted: offered.requests.clone() };
    let changed = change(&bundle, &view, &InstallPatch::Upgrade(upgrade)).await?;
    let note = format!("`cloud-apps sync {}` updates its commands on the server.", view.install_id);
    arguments.install.show(&changed, &note)
}

/// What is asked for and was not agreed to, in words.
fn beyond(asked: &Granted, held: &Granted) -> Vec<String> {
    let permissions = asked.permissions.difference(&held.permissions);
    let permissions = permissions.map(|one| format!("permission {}", words([one])));
    let locations = asked.locations.difference(&held.locations).map(|one| format!("location {one}"));
    let events = asked.events.difference(&held.events).map(|one| format!("event {one}"));
    let webhooks = asked.webhooks.difference(&held.webhooks).map(|one| format!("webhook {one}"));
    permissions.chain(locations).chain(events).chain(webhooks).collect()
}
