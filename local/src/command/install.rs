//! `cloud-apps install`.

use super::reach::{Reach, means, settle};
use crate::{
    failure::{Failure, file},
    install::{self, ADMIN_TOKEN, Installed, Plan, Request, Teams, interrupt::Interrupt, person::Terminal},
    terminal::{self, Line},
};
use anstyle::Style;
use clap::Args;
use cloud_apps_protocol::{AppId, SiteUrl, Values};
use serde::Serialize;
use std::{path::PathBuf, process::ExitCode, sync::Arc};

/// `install`.
#[derive(Debug, Args)]
#[command(
    after_help = format!("\
{ADMIN_TOKEN} holds a personal access token of a system admin of the server (Profile > Security > Personal Access \
Tokens). Without it you are asked, and can log in with name and password instead: the session is logged out at the end. \
It stays on this machine: the bundle never sees it.\n\n\
A run that fails, or is ended with Ctrl-C, takes back what it made, unless --keep says else. Whatever ends it (a crash, \
a second Ctrl-C, a network that is away), the same command goes on where it was, and --undo takes back what was made. \
What is to be made is written down beside the local bundle's files, or in $XDG_STATE_HOME/cloud-apps/installing \
(~/.local/state/…); no credential stands there.\n\n\
Examples:\n  \
cloud-apps install hello --site https://chat.example.com --team ops --stack my-bundle\n  \
cloud-apps install hello --site https://chat.example.com --all-teams --bundle https://bundle.example.com --dry-run")
)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of the command line")]
pub struct Install {
    /// The app's id.
    pub app: AppId,
    /// The Mattermost server: `https://chat.example.com`
    #[arg(long, value_name = "URL")]
    pub site: SiteUrl,
    /// A team that gets the app's slash command, by its name; may be repeated. Needed where there are several.
    #[arg(long = "team", value_name = "NAME", conflicts_with = "all_teams")]
    pub teams: Vec<String>,
    /// All teams get it.
    #[arg(long)]
    pub all_teams: bool,
    /// Where the bundle is.
    #[command(flatten)]
    pub reach: Reach,
    /// A setting of the app. Passwords are asked for, or stand in the file of --settings.
    #[arg(long = "set", value_name = "NAME=VALUE", value_parser = pair)]
    pub set: Vec<(String, String)>,
    /// Settings of the app: a JSON object.
    #[arg(long, value_name = "FILE")]
    pub settings: Option<PathBuf>,
    /// Name of the bot's account, where the app's own is taken.
    #[arg(long, value_name = "NAME")]
    pub bot: Option<String>,
    /// Agree to what the app asks for.
    #[arg(long)]
    pub yes: bool,
    /// Take over the bot and the slash commands that another bundle has for this app on this server: there it stops.
    #[arg(long)]
    pub take_over: bool,
    /// Show what would be done, and change nothing.
    #[arg(long, conflicts_with_all = ["undo", "keep", "yes"])]
    pub dry_run: bool,
    /// Keep what was made when it fails, for another try.
    #[arg(long)]
    pub keep: bool,
    /// Take back what an unfinished run made.
    #[arg(long, conflicts_with = "keep")]
    pub undo: bool,
    /// Print the result as JSON.
    #[arg(long)]
    pub json: bool,
}

/// `NAME=VALUE`.
fn pair(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("write NAME=VALUE")?;
    Ok((name.to_owned(), value.to_owned()))
}

/// Installs, shows what installing would do, or takes it back.
pub async fn run(arguments: Install) -> Result<ExitCode, Failure> {
    let request = Request {
        app: arguments.app.clone(),
        site: arguments.site.clone(),
        teams: if arguments.all_teams { Teams::All } else { Teams::Named(arguments.teams.clone()) },
        bot: arguments.bot.clone(),
        set: arguments.set.clone(),
        settings: settings(arguments.settings.as_ref())?,
        agreed: arguments.yes,
        keep: arguments.keep,
        take_over: arguments.take_over,
    };
    let again = format!("cloud-apps install {} --site {}", request.app, request.site);
    let on = format!(
        "`{again}` with the same options goes on where it was, and with --undo takes back what was made."
    );
    let person: Arc<Terminal> = Arc::default();
    let interrupt = Interrupt::listen(person.clone(), on);
    let bundle = arguments
        .reach
        .bundle(
            "An install code for this app and site (an operator makes one with `cloud-apps operator code`)",
        )
        .await?;
    let means = means(&arguments.reach, bundle, &request.site, &*person, interrupt)?;
    if arguments.undo {
        let undone = settle(&means, install::undo(&means, &request).await)?;
        let said = if undone { "Nothing is left of it." } else { "There was nothing to take back." };
        return print(arguments.json, &serde_json::json!({ "undone": undone }), || vec![said.into()]);
    }
    if arguments.dry_run {
        let (plan, calls) = settle(&means, install::plan(&means, &request).await)?;
        let shown = serde_json::json!({ "plan": plan, "calls": calls });
        return print(arguments.json, &shown, || planned(&plan, &calls));
    }
    let outcome = install::install(&means, &request).await;
    let installed = settle(&means, outcome)?;
    print(arguments.json, &installed, || done(&installed))
}

fn settings(path: Option<&PathBuf>) -> Result<Values, Failure> {
    let Some(path) = path else { return Ok(Values::new()) };
    let text = std::fs::read_to_string(path).map_err(file("read", path))?;
    // The parser's message may quote what stands there.
    serde_json::from_str(&text).map_err(|e| {
        Failure::usage(format!("{} is not a JSON object (line {})", path.display(), e.line()))
            .hint("write {\"name\": \"value\"}")
    })
}

/// The result: as JSON, or in words, a line each.
pub fn print(
    json: bool,
    result: &impl Serialize,
    words: impl FnOnce() -> Vec<Line>,
) -> Result<ExitCode, Failure> {
    if json {
        terminal::json(result)?;
    } else {
        words().into_iter().for_each(terminal::out);
    }
    Ok(ExitCode::SUCCESS)
}

fn planned(plan: &Plan, calls: &[String]) -> Vec<Line> {
    let teams: Vec<&str> = plan.teams.iter().map(|team| team.name.as_str()).collect();
    let mut lines = vec![Line::from(format!(
        "{} would be installed on {} (Mattermost {}) in {}, with the bot @{}:",
        plan.app,
        plan.site,
        plan.server_version,
        teams.join(", "),
        plan.bot
    ))];
    lines.extend(calls.iter().map(|call| format!("  {call}").into()));
    lines.push("Nothing was changed.".into());
    lines
}

fn done(installed: &Installed) -> Vec<Line> {
    let bold = Style::new().bold();
    let what = format!("{} is installed on {}", installed.app_id, installed.site_url);
    let place = format!(
        " in {}, as @{}. Install: {}",
        installed.teams.join(", "),
        installed.bot,
        installed.install_id
    );
    let mut lines = vec![Line::new().styled(bold, &what).text(&place)];
    if !installed.unavailable.is_empty() {
        lines.push("Not on this server:".into());
        let missing = installed.unavailable.iter();
        lines.extend(missing.map(|one| format!("  {} {}: {}", one.kind, one.name, one.reason).into()));
    }
    if !installed.by_hand.is_empty() {
        lines.push("Left to you:".into());
        lines.extend(installed.by_hand.iter().map(|one| format!("  {one}").into()));
    }
    if !installed.r#try.is_empty() {
        lines.push(format!("Try: {}", installed.r#try.join("   ")).into());
    }
    lines
}
