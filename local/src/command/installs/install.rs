//! `cloud-apps install`.

use crate::{
    command::shared::{
        connect::{installer, settle},
        json_file,
        options::BundleOptions,
        output::print,
    },
    failure::Failure,
    install::{self, ADMIN_TOKEN, Installed, Plan, Request, Teams, interrupt, person::Terminal},
    terminal::Line,
};
use anstyle::Style;
use clap::Args;
use cloud_apps_protocol::{AppId, SiteUrl};
use std::{path::PathBuf, process::ExitCode, sync::Arc};

/// `install`.
#[derive(Debug, Args)]
#[command(
    after_help = format!("\
{ADMIN_TOKEN} holds a personal access token of a system admin of the server (Profile > Security > Personal Access \
Tokens). Without it you are asked for one, or for name and password; then the session is logged out at the end. The token stays \
on this machine: the bundle never sees it.\n\n\
If the installation fails, or you stop it with Ctrl-C, it removes what it made, unless you give --keep. If it is cut off in \
another way (a crash, a second Ctrl-C, no network), the same command continues it, and --undo removes what was made. What is \
made is written down in the folder of the local bundle, or in $XDG_STATE_HOME/cloud-apps/installing \
(~/.local/state/…). No credential is written there.\n\n\
Examples:\n  \
cloud-apps install hello --site https://chat.example.com --team ops --stack my-bundle\n  \
cloud-apps install hello --site https://chat.example.com --all-teams --bundle https://bundle.example.com --dry-run")
)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of the command line")]
pub struct Install {
    /// The app's id.
    app: AppId,
    /// The Mattermost server: `https://chat.example.com`
    #[arg(long, value_name = "URL")]
    site: SiteUrl,
    /// A team that gets the app's slash command, by its name; may be repeated. Needed if the server has several teams.
    #[arg(long = "team", value_name = "NAME", conflicts_with = "all_teams")]
    teams: Vec<String>,
    /// All teams get the app's slash command.
    #[arg(long)]
    all_teams: bool,
    #[command(flatten)]
    at: BundleOptions,
    /// A setting of the app; may be repeated. Do not give a password here: you are asked for it, or it stands in the file of
    /// --settings.
    #[arg(long, value_name = "NAME=VALUE", value_parser = pair)]
    set: Vec<(String, String)>,
    /// Settings of the app: a file with a JSON object. Passwords may stand there.
    #[arg(long, value_name = "FILE")]
    settings: Option<PathBuf>,
    /// Name of the bot's account, if the app's own name is taken.
    #[arg(long, value_name = "NAME")]
    bot: Option<String>,
    /// Agree to what the app asks for.
    #[arg(long)]
    yes: bool,
    /// Take over the bot and the slash commands that another bundle has for this app on this server. The app stops working
    /// there.
    #[arg(long)]
    take_over: bool,
    /// Show what would be done, and change nothing.
    #[arg(long, conflicts_with_all = ["undo", "keep", "yes"])]
    dry_run: bool,
    /// If the installation fails, keep what was made for another try.
    #[arg(long)]
    keep: bool,
    /// Remove what an unfinished installation made.
    #[arg(long, conflicts_with = "keep")]
    undo: bool,
    /// Print the result as JSON.
    #[arg(long)]
    json: bool,
}

/// `NAME=VALUE`.
fn pair(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("write NAME=VALUE")?;
    Ok((name.to_owned(), value.to_owned()))
}

/// Installs, shows what would be done, or takes an unfinished installation back.
pub async fn run(arguments: Install) -> Result<ExitCode, Failure> {
    let settings = arguments.settings.as_deref().map(json_file::settings).transpose()?;
    let request = Request {
        app: arguments.app.clone(),
        site: arguments.site.clone(),
        teams: if arguments.all_teams { Teams::All } else { Teams::Named(arguments.teams.clone()) },
        bot: arguments.bot.clone(),
        set: arguments.set.clone(),
        settings: settings.unwrap_or_default(),
        agreed: arguments.yes,
        keep: arguments.keep,
        take_over: arguments.take_over,
    };
    let again = format!("cloud-apps install {} --site {}", request.app, request.site);
    let on = format!("`{again}` with the same options continues it, and with --undo removes what was made.");
    let person: Arc<Terminal> = Arc::default();
    let interrupt = interrupt::on_signals(person.clone(), on);
    let code =
        "An install code for this app and site (an operator makes one with `cloud-apps operator code`)";
    let bundle = arguments.at.bundle(code).await?;
    let installer = installer(&arguments.at, bundle, &request.site, &*person, interrupt)?;
    if arguments.undo {
        let undone = settle(&installer, install::undo(&installer, &request).await)?;
        let said = if undone { "Nothing is left of it." } else { "There was nothing to remove." };
        return print(arguments.json, &serde_json::json!({ "undone": undone }), || vec![said.into()]);
    }
    if arguments.dry_run {
        let (plan, calls) = settle(&installer, install::plan(&installer, &request).await)?;
        let shown = serde_json::json!({ "plan": plan, "calls": calls });
        return print(arguments.json, &shown, || planned(&plan, &calls));
    }
    let outcome = install::install(&installer, &request).await;
    let result = settle(&installer, outcome)?;
    print(arguments.json, &result, || done(&result))
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
        lines.push("Not available on this server:".into());
        let missing = installed.unavailable.iter();
        lines.extend(missing.map(|one| format!("  {} {}: {}", one.kind, one.name, one.reason).into()));
    }
    if !installed.by_hand.is_empty() {
        lines.push("You have to do this yourself:".into());
        lines.extend(installed.by_hand.iter().map(|one| format!("  {one}").into()));
    }
    if !installed.r#try.is_empty() {
        lines.push(format!("Try: {}", installed.r#try.join("   ")).into());
    }
    lines
}
