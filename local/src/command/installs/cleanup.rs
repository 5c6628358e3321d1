//! `cloud-apps cleanup`.

use crate::{
    certificates::{Authorities, CertificateFault},
    command::shared::{
        connect::{given_admin_token, server},
        output::print,
    },
    failure::Failure,
    install::{
        self, ADMIN_TOKEN, Admin, Cleaned, Patience, Remains, Stop, Survey, agrees,
        bundle::{Bundle, Rights},
        interrupt,
        person::{Person, Terminal},
    },
    mattermost::TIMEOUT,
    terminal::Line,
};
use clap::Args;
use cloud_apps_protocol::{AppId, Code, SiteUrl};
use serde_json::json;
use std::{process::ExitCode, sync::Arc};

/// `cleanup`.
#[derive(Debug, Args)]
#[command(after_help = format!("\
Without --bundle it shows what the apps of every bundle have on the server, and removes nothing. With --bundle it removes what \
belongs to that bundle: it revokes the bots' tokens, disables the bots, and deletes slash commands and webhooks. It refuses if that \
bundle still answers: then `cloud-apps uninstall` removes what the bundle has.\n\n\
{ADMIN_TOKEN}: see `cloud-apps install --help`."))]
pub struct Cleanup {
    /// The Mattermost server: `https://chat.example.com`
    #[arg(long, value_name = "URL")]
    site: SiteUrl,
    /// The base URL of the lost bundle, as this command shows it without the option.
    #[arg(long, value_name = "URL")]
    bundle: Option<SiteUrl>,
    /// Only what belongs to this app.
    #[arg(long, value_name = "APP", requires = "bundle")]
    app: Option<AppId>,
    /// Also disable this bot, whose description does not say to which bundle it belongs.
    #[arg(long, value_name = "NAME", requires = "bundle")]
    bot: Option<String>,
    /// Do not ask.
    #[arg(long, requires = "bundle")]
    yes: bool,
    #[command(flatten)]
    authorities: Authorities,
    /// Print the result as JSON.
    #[arg(long)]
    json: bool,
}

/// Shows what bundles left on a server, or removes what one left.
pub async fn run(arguments: Cleanup) -> Result<ExitCode, Failure> {
    let person: Arc<Terminal> = Arc::default();
    let on = "You can run `cloud-apps cleanup` again at any time: it looks again for what is left.";
    let interrupt = interrupt::on_signals(person.clone(), on.to_owned());
    let server = server(&arguments.site, &arguments.authorities)?;
    let token = given_admin_token();
    let admin = Admin { server, token, person: &*person, interrupt, patience: Patience::default() };
    let failed = |stop: Stop| stop.failure_at(&admin.server);
    let Some(bundle) = &arguments.bundle else {
        let survey = install::survey(&admin).await.map_err(failed)?;
        let shown = json!({ "left": survey.left(), "not_looked_at": survey.not_looked_at() });
        return print(arguments.json, &shown, || surveyed(&arguments.site, &survey));
    };
    if answers(bundle, &arguments.authorities).await? {
        return Err(Failure::new(format!("a bundle answers at {bundle}: it is not lost")).hint(
            "`cloud-apps uninstall APP --site URL` with that bundle removes what its apps have on the server",
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
    let cleaned = install::cleanup(&admin, bundle, app, bot, asked).await.map_err(failed)?;
    print(arguments.json, &cleaned, || done(bundle, &arguments.site, &cleaned))?;
    let whole = cleaned.iter().all(|one| one.done.is_whole());
    Ok(if whole { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Whether a bundle answers there. A bundle that says it cannot answer just now is one that answers. A bundle whose certificate
/// is not trusted may well be the one that is asked for, unless the certificate is for another name.
async fn answers(address: &SiteUrl, authorities: &Authorities) -> Result<bool, Failure> {
    let nobody = Rights::Code(String::new().into());
    let Ok(bundle) = Bundle::new(address.clone(), nobody, TIMEOUT, authorities) else { return Ok(false) };
    match bundle.index().await {
        Ok(_) => Ok(true),
        Err(trouble) => match trouble.certificate() {
            None | Some(CertificateFault::OtherName) => {
                Ok(trouble.code().is_some_and(|code| code != Code::BadAnswer))
            }
            Some(_) => Err(trouble
                .failure(address)
                .more(["So it cannot be seen whether the bundle there is lost, and nothing was removed."
                    .to_owned()])),
        },
    }
}

fn lines(left: &[Remains]) -> Vec<String> {
    let mut lines = Vec::new();
    for one in left {
        lines.push(match &one.bundle {
            Some(bundle) => format!("{} of the bundle at {bundle}:", one.app),
            None => format!("{} of an unknown bundle:", one.app),
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
            "`cloud-apps cleanup --site {site} --bundle URL` removes what belongs to a bundle that is lost for good."
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
        lines.push(format!("Nothing on {site} belongs to the bundle at {bundle}."));
    }
    Line::all(lines)
}
