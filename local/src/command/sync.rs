//! `cloud-apps sync`.

use super::{
    install::print,
    reach::{Reach, Which, means, settle},
};
use crate::{
    failure::Failure,
    install::{self, ADMIN_TOKEN, Synced, Teams, interrupt::Interrupt, person::Terminal},
    terminal::Line,
};
use clap::Args;
use cloud_apps_protocol::{SiteUrl, install::InstallPatch};
use std::{process::ExitCode, sync::Arc};

/// `sync`.
#[derive(Debug, Args)]
#[command(after_help = format!("{ADMIN_TOKEN} is as for `install`: `cloud-apps install --help`."))]
pub struct Sync {
    /// Which install.
    #[command(flatten)]
    pub which: Which,
    /// A team that is to have the app from now on, by its name; may be repeated.
    #[arg(long = "team", value_name = "NAME", conflicts_with = "all_teams")]
    pub teams: Vec<String>,
    /// All teams are to have it.
    #[arg(long)]
    pub all_teams: bool,
    /// The bundle has another address now: tell the install, and its commands and webhooks on the server. An operator's.
    #[arg(long, value_name = "URL")]
    pub base_url: Option<SiteUrl>,
    /// Let commands and webhooks go to another host than they do now, without asking.
    #[arg(long)]
    pub yes: bool,
    /// Where the bundle is.
    #[command(flatten)]
    pub reach: Reach,
    /// Print the result as JSON.
    #[arg(long)]
    pub json: bool,
}

/// Brings an install and its server together again.
pub async fn run(arguments: Sync) -> Result<ExitCode, Failure> {
    let person: Arc<Terminal> = Arc::default();
    let on = "`cloud-apps sync` may be run again at any time: it goes on where it was.";
    let interrupt = Interrupt::listen(person.clone(), on.to_owned());
    let bundle = arguments.reach.bundle("A manage code of the install").await?;
    if arguments.base_url.is_some() {
        let allowed = bundle.needs_operator("moving an install to another address");
        allowed.map_err(|trouble| trouble.failure(bundle.base_url()))?;
    }
    let mut view = arguments.which.install(&bundle).await?;
    let site = arguments.which.site(&bundle, &view)?.clone();
    if let Some(address) = &arguments.base_url {
        let rebase = InstallPatch::Rebase(address.to_string());
        let moved = bundle.change(&view.install_id, &rebase).await;
        view = moved.map_err(|trouble| trouble.failure(bundle.base_url()))?.install;
    }
    let means = means(&arguments.reach, bundle, &site, &*person, interrupt)?;
    let teams = if arguments.all_teams { Teams::All } else { Teams::Named(arguments.teams.clone()) };
    // Who names the address agrees to it.
    let agreed = arguments.yes || arguments.base_url.is_some();
    let outcome = install::sync(&means, &view, &teams, agreed).await;
    let synced = settle(&means, outcome)?;
    print(arguments.json, &synced, || done(&synced))
}

fn done(synced: &Synced) -> Vec<Line> {
    let mut lines = Vec::new();
    if synced.changed.is_empty() {
        lines.push("All was right.".to_owned());
    } else {
        lines.push("Changed:".to_owned());
        lines.extend(synced.changed.iter().map(|one| format!("  {one}")));
    }
    lines.extend(synced.by_hand.iter().map(|one| format!("Left to you: {one}")));
    lines.push(format!("{} answers in {}.", synced.install_id, synced.teams.join(", ")));
    Line::all(lines)
}
