//! `cloud-apps cleanup`.

use super::{install::print, reach::given_admin_token};
use crate::{
    failure::Failure,
    install::{
        self, ADMIN_TOKEN, Cleaned, Cleaning, Patience, Remains, Stop, Survey, agrees,
        bundle::{Bundle, Rights},
        interrupt::Interrupt,
        person::{Person, Terminal},
        work::Pace,
    },
    mattermost::{Mattermost, TIMEOUT},
    terminal::Line,
};
use clap::Args;
use cloud_apps_protocol::{AppId, Code, SiteUrl};
use serde_json::json;
use std::{process::ExitCode, sync::Arc};

/// `cleanup`.
#[derive(Debug, Args)]
#[command(after_help = format!("\
Without --of it shows what the apps of every bundle have on the server, and removes nothing. With --of it removes what is of that \
bundle: it revokes the bots' tokens, disables the bots, and deletes slash commands and webhooks. A bundle that still answers is \
left alone: `cloud-apps uninstall` removes what it has.\n\n\
{ADMIN_TOKEN} is as for `install`: `cloud-apps install --help`."))]
pub struct Cleanup {
    /// The Mattermost server: `https://chat.example.com`
    #[arg(long, value_name = "URL")]
    site: SiteUrl,
    /// The base URL of the bundle that is lost, as it is shown without this option.
    #[arg(long, value_name = "URL")]
    of: Option<SiteUrl>,
    /// Of this app only.
    #[arg(long, value_name = "APP", requires = "of")]
    app: Option<AppId>,
    /// A bot whose description does not say of which bundle it is: it goes too.
    #[arg(long, value_name = "NAME", requires = "of")]
    bot: Option<String>,
    /// Do not ask.
    #[arg(long, requires = "of")]
    yes: bool,
    /// Print the result as JSON.
    #[arg(long)]
    json: bool,
}

/// Shows what bundles left on a server, or removes what one left.
pub async fn run(arguments: Cleanup) -> Result<ExitCode, Failure> {
    let person: Arc<Terminal> = Arc::default();
    let on = "`cloud-apps cleanup` may be run again at any time: it looks again for what is left.";
    let interrupt = Interrupt::listen(person.clone(), on.to_owned());
    let server = Mattermost::new(&arguments.site, TIMEOUT).map_err(|trouble| {
        Failure::usage(trouble.to_string()).hint("give the https address of the Mattermost server")
    })?;
    let pace = Pace { person: &*person, interrupt, patience: Patience::default() };
    let cleaning = Cleaning { server, token: given_admin_token(), pace };
    let failed = |stop: Stop| stop.failure_at(&cleaning.server);
    let Some(bundle) = &arguments.of else {
        let survey = install::survey(&cleaning).await.map_err(failed)?;
        let shown = json!({ "left": survey.left(), "not_looked_at": survey.not_looked_at() });
        return print(arguments.json, &shown, || surveyed(&arguments.site, &survey));
    };
    if answers(bundle).await {
        return Err(Failure::new(format!("a bundle answers at {bundle}: it is not lost")).hint(
            "`cloud-apps uninstall APP --site URL` at that bundle removes what its apps have on the server",
        ));
    }
    let asked = async |left: &[Remains]| {
        for line in lines(left) {
            person.tell(&line);
        }
        let question = format!("Remove all of this from {}?", arguments.site);
        if arguments.yes { Ok(true) } else { agrees(&*person, &question).await }
    };
    let (app, bot) = (arguments.app.as_ref(), arguments.bot.as_deref());
    let cleaned = install::cleanup(&cleaning, bundle, app, bot, asked).await.map_err(failed)?;
    print(arguments.json, &cleaned, || done(bundle, &arguments.site, &cleaned))?;
    let whole = cleaned.iter().all(|one| one.done.is_whole());
    Ok(if whole { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Whether a bundle answers there, be it that it cannot just now.
async fn answers(bundle: &SiteUrl) -> bool {
    let nobody = Rights::Code(String::new().into());
    match Bundle::new(bundle.clone(), nobody, TIMEOUT) {
        Ok(bundle) => match bundle.index().await {
            Ok(_) => true,
            Err(trouble) => trouble.code().is_some_and(|code| code != Code::BadAnswer),
        },
        Err(_) => false,
    }
}

fn lines(left: &[Remains]) -> Vec<String> {
    let mut lines = Vec::new();
    for one in left {
        lines.push(match &one.bundle {
            Some(bundle) => format!("{} of the bundle at {bundle}:", one.app),
            None => format!("{} of a bundle that is not named:", one.app),
        });
        lines.extend(one.stands.iter().map(|what| format!("  {what}")));
    }
    lines
}

fn surveyed(site: &SiteUrl, survey: &Survey) -> Vec<Line> {
    let left = survey.left();
    let mut lines = lines(&left);
    lines.extend(survey.not_looked_at().iter().map(|one| format!("not looked at: {one}")));
    lines.push(if left.is_empty() {
        format!("No bundle has an app on {site}.")
    } else {
        format!(
            "`cloud-apps cleanup --site {site} --of URL` removes what is of a bundle that is lost for good."
        )
    });
    Line::all(lines)
}

fn done(bundle: &SiteUrl, site: &SiteUrl, cleaned: &[Cleaned]) -> Vec<Line> {
    let mut lines = Vec::new();
    for Cleaned { app, done } in cleaned {
        lines.push(format!("{app}:"));
        lines.extend(done.removed.iter().map(|one| format!("  removed {one}")));
        lines.extend(done.stays.iter().map(|one| format!("  stays   {one}")));
        lines.extend(done.failed.iter().map(|one| format!("  FAILED  {one}")));
        lines.extend(done.not_looked_at.iter().map(|one| format!("  not looked at  {one}")));
    }
    if cleaned.is_empty() {
        lines.push(format!("Nothing on {site} is of the bundle at {bundle}."));
    }
    Line::all(lines)
}
