//! `cloud-apps uninstall`.

use crate::{
    command::shared::{
        connect::{MANAGE_CODE, installer, settle},
        managed::ManagedInstall,
        options::InstallOptions,
        output::print,
    },
    failure::Failure,
    install::{
        self, ADMIN_TOKEN, Removal, Uninstalled,
        bundle::Bundle,
        interrupt,
        person::{Person, Terminal},
    },
    terminal::Line,
};
use clap::Args;
use cloud_apps_protocol::{
    AppId, Code, SiteUrl,
    install::{AppView, InstallView},
};
use std::{process::ExitCode, sync::Arc};

/// What to do where the bundle has no such install.
const GONE: &str = "if the bundle does not have the install any more, name the app and its server: `cloud-apps uninstall \
                    APP --site URL` with the same options removes what is left on the server";

/// `uninstall`.
#[derive(Debug, Args)]
#[command(
    after_help = format!("You can run it again at any time, also if the bundle has no install any more: it looks again for what is \
left, and removes it. It leaves alone what belongs to another bundle.\n\n\
{ADMIN_TOKEN}: see `cloud-apps install --help`.")
)]
pub struct Uninstall {
    #[command(flatten)]
    install: ManagedInstall,
    /// Leave the bot enabled, for another install. Its token is revoked.
    #[arg(long)]
    keep_bot: bool,
    /// Name of the bot's account. Needed if the bundle has no install any more and the app's own name was taken, or if the
    /// bot's description does not say to which bundle it belongs.
    #[arg(long, value_name = "NAME")]
    bot: Option<String>,
    /// Another address that the bundle has or had; may be repeated. What calls that address is removed too. Operators only.
    #[arg(long = "base-url", value_name = "URL")]
    base_urls: Vec<SiteUrl>,
    /// Do not ask.
    #[arg(long)]
    yes: bool,
}

/// Removes an install from both sides.
pub async fn run(arguments: Uninstall) -> Result<ExitCode, Failure> {
    let person: Arc<Terminal> = Arc::default();
    let on = "You can run `cloud-apps uninstall` again at any time: it continues where it was.";
    let interrupt = interrupt::on_signals(person.clone(), on.to_owned());
    let bundle = arguments.install.at.bundle(MANAGE_CODE).await?;
    if !arguments.base_urls.is_empty() {
        let allowed = bundle.needs_operator("naming another address of the bundle");
        allowed.map_err(|trouble| trouble.failure(bundle.base_url()))?;
    }
    let (site, removal) = removal(&arguments, &bundle).await?;
    let installer = installer(&arguments.install.at, bundle, &site, &*person, interrupt)?;
    let question = format!("Remove {} from {site}, with all that it keeps?", removal.app);
    if !arguments.yes && !settle(&installer, installer.admin.agrees(&question).await)? {
        person.tell("Nothing was removed.");
        return Ok(ExitCode::FAILURE);
    }
    let outcome = install::uninstall(&installer, &removal).await;
    if outcome.is_err() {
        person.tell(&again(&removal, &site));
    }
    let gone = settle(&installer, outcome)?;
    print(arguments.install.json, &gone, || done(&removal, &site, &gone))?;
    Ok(if gone.is_whole() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// What has to be removed, and from where: what the bundle has, or what an earlier removal left on the site.
async fn removal(arguments: &Uninstall, bundle: &Bundle) -> Result<(SiteUrl, Removal), Failure> {
    let keep_bot = arguments.keep_bot;
    let (named_bot, mut addresses) = (arguments.bot.clone(), arguments.base_urls.clone());
    if let Some(install) = find(&arguments.install.which, bundle).await? {
        let (app, bot) = (install.app_id.clone(), install.bot.username.clone());
        let site = arguments.install.which.site(bundle, &install)?.clone();
        let known = |base: &SiteUrl| base == bundle.base_url() || addresses.contains(base);
        let own = install::base_of(&install).filter(|base| bundle.is_operator() && !known(base));
        addresses.extend(own);
        let install = Some(install);
        return Ok((site, Removal { app, install, bot, named_bot, addresses, hears: true, keep_bot }));
    }
    let Some((app, site)) = arguments.install.which.app_and_site() else {
        return Err(arguments.install.which.unknown().hint(GONE));
    };
    let view = app_of(&arguments.install.which, &app, bundle).await?;
    let hears = view.as_ref().is_none_or(|app| app.requests.events.contains("message_posted"));
    let own = view.map_or_else(|| app.to_string(), |app| app.bot.username);
    let bot = named_bot.clone().unwrap_or(own);
    Ok((site, Removal { app, install: None, bot, named_bot, addresses, hears, keep_bot }))
}

/// The install, if the bundle has it. A manage code ends with its install. So if somebody with a code names the app, the
/// bundle is not asked, and what stands on the server is all that there is to go by.
async fn find(which: &InstallOptions, bundle: &Bundle) -> Result<Option<InstallView>, Failure> {
    if bundle.is_operator() {
        return which.find(bundle).await;
    }
    match (which.id(), which.app_and_site()) {
        (Some(id), _) => bundle.show(&id).await.map_err(|trouble| {
            let failure = trouble.failure(bundle.base_url());
            if trouble.code() == Some(Code::Unauthorized) { failure.hint(GONE) } else { failure }
        }),
        (None, Some(_)) => Ok(None),
        (None, None) => which.find(bundle).await,
    }
}

/// The app, if the bundle tells it. If what was typed looks like an install's id and no app has that name, the bundle does
/// not have this install, and what is left of it cannot be found by its id.
async fn app_of(which: &InstallOptions, app: &AppId, bundle: &Bundle) -> Result<Option<AppView>, Failure> {
    if !bundle.is_operator() {
        return Ok(None);
    }
    match bundle.app(app).await {
        Ok(view) => Ok(Some(view)),
        Err(_) if which.id().is_none() => Ok(None),
        Err(trouble) if trouble.code() == Some(Code::BadRequest) => Err(which.unknown().hint(GONE)),
        Err(trouble) => Err(trouble.failure(bundle.base_url())),
    }
}

/// How to continue without the install: the bundle may not have it any more, and only the install knew the other address.
fn again(removal: &Removal, site: &SiteUrl) -> String {
    let mut options = format!("--site {site} --bot {}", removal.bot);
    for address in &removal.addresses {
        options = format!("{options} --base-url {address}");
    }
    format!("`cloud-apps uninstall {} {options}` with the same options continues where it was.", removal.app)
}

fn done(removal: &Removal, site: &SiteUrl, gone: &Uninstalled) -> Vec<Line> {
    let mut lines = vec![match &gone.install_id {
        Some(install) => format!("{} is removed (install {install}).", removal.app),
        None => format!("The bundle has no install of {} on that server.", removal.app),
    }];
    lines.extend(gone.warning.iter().map(|said| format!("The app said: {said}")));
    lines.extend(gone.removed.iter().map(|one| format!("  removed {one}")));
    lines.extend(gone.stays.iter().map(|one| format!("  stays   {one}")));
    lines.extend(gone.not_touched.iter().map(|one| format!("  not touched  {one}")));
    lines.extend(gone.failed.iter().map(|one| format!("  FAILED  {one}")));
    lines.extend(gone.not_looked_at.iter().map(|one| format!("  not looked at  {one}")));
    if !gone.not_touched.is_empty() {
        lines.push(format!(
            "What belongs to another bundle is removed with that bundle: check --stack, --bundle or --data. If that bundle \
             is lost for good: `cloud-apps cleanup --site {site}`."
        ));
        lines.push(format!(
            "What calls another address of this same bundle is removed with --base-url URL if you are its operator, and \
             otherwise with `cloud-apps uninstall {} --site {site} --bundle URL`.",
            removal.app
        ));
    }
    if !gone.failed.is_empty() || !gone.not_looked_at.is_empty() {
        lines.push(again(removal, site));
    }
    Line::all(lines)
}
