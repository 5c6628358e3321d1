//! `cloud-apps sync`.

use crate::{
    command::shared::{
        connect::{MANAGE_CODE, installer, settle},
        managed::ManagedInstall,
        output::print,
    },
    failure::Failure,
    install::{self, ADMIN_TOKEN, Synced, Teams, interrupt, person::Terminal},
    terminal::Line,
};
use clap::Args;
use cloud_apps_protocol::{SiteUrl, install::InstallPatch};
use std::{process::ExitCode, sync::Arc};

/// `sync`.
#[derive(Debug, Args)]
#[command(after_help = format!("{ADMIN_TOKEN}: see `cloud-apps install --help`."))]
pub struct Sync {
    #[command(flatten)]
    install: ManagedInstall,
    /// A team that gets the app's slash command from now on, by its name; may be repeated.
    #[arg(long = "team", value_name = "NAME", conflicts_with = "all_teams")]
    teams: Vec<String>,
    /// All teams get the app's slash command.
    #[arg(long)]
    all_teams: bool,
    /// The new address of the bundle, for the install and for its commands and webhooks on the server. Operators only.
    #[arg(long, value_name = "URL")]
    base_url: Option<SiteUrl>,
    /// Agree that commands and webhooks go to another host than before.
    #[arg(long)]
    yes: bool,
}

/// Makes the server match what the install wants.
pub async fn run(arguments: Sync) -> Result<ExitCode, Failure> {
    let person: Arc<Terminal> = Arc::default();
    let on = "You can run `cloud-apps sync` again at any time: it continues where it was.";
    let interrupt = interrupt::on_signals(person.clone(), on.to_owned());
    let bundle = arguments.install.at.bundle(MANAGE_CODE).await?;
    if arguments.base_url.is_some() {
        let allowed = bundle.needs_operator("moving an install to another address");
        allowed.map_err(|trouble| trouble.failure(bundle.base_url()))?;
    }
    let mut view = arguments.install.which.install(&bundle).await?;
    let site = arguments.install.which.site(&bundle, &view)?.clone();
    if let Some(address) = &arguments.base_url {
        let rebase = InstallPatch::Rebase(address.to_string());
        let moved = bundle.change(&view.install_id, &rebase).await;
        view = moved.map_err(|trouble| trouble.failure(bundle.base_url()))?.install;
    }
    let installer = installer(&arguments.install.at, bundle, &site, &*person, interrupt)?;
    let teams = if arguments.all_teams { Teams::All } else { Teams::Named(arguments.teams.clone()) };
    // An operator who gives the address agrees to it.
    let agreed = arguments.yes || arguments.base_url.is_some();
    let outcome = install::sync(&installer, &view, &teams, agreed).await;
    let synced = settle(&installer, outcome)?;
    print(arguments.install.json, &synced, || done(&synced))
}

fn done(synced: &Synced) -> Vec<Line> {
    let mut lines = Vec::new();
    if synced.changed.is_empty() {
        lines.push("Nothing had to be changed.".to_owned());
    } else {
        lines.push("Changed:".to_owned());
        lines.extend(synced.changed.iter().map(|one| format!("  {one}")));
    }
    lines.extend(synced.by_hand.iter().map(|one| format!("You have to do this yourself: {one}")));
    lines.push(format!("{} answers in {}.", synced.install_id, synced.teams.join(", ")));
    Line::all(lines)
}
