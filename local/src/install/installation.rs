//! The whole way of an installation: what stands in the way, what the admin agrees to, every step, and taking it back.

use super::{
    adopt,
    bundle::ENTRIES,
    consent,
    context::Context,
    installer::Installer,
    journal::Journal,
    plan::Plan,
    preflight::check,
    registration::RegistrationStep,
    request::Request,
    runner::Runner,
    standing,
    steps::{self, Left},
    stop::Stop,
    sync,
    undo::take_all_back,
};
use crate::failure::Failure;
use cloud_apps_core::{
    http::system_now,
    random::{Random, SystemRandom},
};
use cloud_apps_protocol::{
    AppId, InstallId, SiteUrl, Values,
    install::{InstallCompleted, InstallView, Registered, Unavailable},
};
use serde::Serialize;
use std::cell::RefCell;
use tokio_util::sync::CancellationToken;

/// What an installation came to.
#[derive(Debug, Clone, Serialize)]
pub struct Installed {
    /// The install.
    pub install_id: InstallId,
    /// Its app.
    pub app_id: AppId,
    /// Its server.
    pub site_url: SiteUrl,
    /// `active`.
    pub state: String,
    /// The bot's name.
    pub bot: String,
    /// In which teams.
    pub teams: Vec<String>,
    /// What to type.
    pub r#try: Vec<String>,
    /// What does not work on this server, and why.
    pub unavailable: Vec<Unavailable>,
    /// What somebody has to register by hand.
    pub by_hand: Vec<String>,
}

/// Installs an app: the whole way.
pub async fn install(installer: &Installer<'_>, request: &Request) -> Result<Installed, Stop> {
    let mut journal = open(installer, request)?;
    if let Some(result) = resume(installer, request, &journal).await? {
        journal.close()?;
        return Ok(result);
    }
    let app = installer.app(&request.app).await?;
    installer
        .admin
        .logged_in(async |server| {
            let cx = installer.context(server, &app);
            let (plan, settings) = prepare(installer, &cx, request, &journal).await?;
            let mut outcome = make(&cx, &mut journal, &plan, &settings).await;
            if let (Err(Stop::Server(_) | Stop::Bundle(_)), true) = (&outcome, journal.completion().is_some())
            {
                // Perhaps only the answer was lost.
                if let Ok(Left::Completed(view)) =
                    steps::left_behind(&cx, &RefCell::new(&mut journal), &plan).await
                {
                    outcome = Ok(installed(plan.place(), found_complete(&cx, &view), Vec::new()));
                }
            }
            match outcome {
                Ok(result) => {
                    journal.close()?;
                    Ok(result)
                }
                Err(stop) => Err(give_up(installer, &cx, journal, request, stop).await),
            }
        })
        .await
}

/// All that is done before anything is made: shows what the app asks for, looks for what stands in the way, and asks for
/// yes or no.
async fn prepare(
    installer: &Installer<'_>,
    cx: &Context<'_>,
    request: &Request,
    journal: &Journal,
) -> Result<(Plan, Values), Stop> {
    for line in consent::asks(cx.app) {
        cx.tell(&line);
    }
    let mut plan = installer.admin.unless_interrupted(looked(cx, request, journal)).await?;
    if journal.unfinished() {
        cx.tell("An earlier run was not finished: this one continues it.");
    }
    if !plan.takes_over.is_empty() && !plan.take_over {
        // --yes agrees to what the app asks for, and not to this.
        if !installer.admin.person.answers() {
            return Err(Stop::Found(plan.takes_over.iter().map(|what| adopt::not_agreed(what)).collect()));
        }
        if !installer.admin.agrees("Take it from that bundle, which stops serving it?").await? {
            return Err(Stop::Declined);
        }
        plan.take_over = true;
    }
    let settings =
        consent::settings(cx.app, &request.set, request.settings.clone(), &installer.admin.interruptible())
            .await?;
    let names: Vec<&str> = plan.teams.iter().map(|team| team.name.as_str()).collect();
    let question = format!("Install {} on {} in {}?", cx.app.display_name, plan.site, names.join(", "));
    if !request.agreed && !installer.admin.agrees(&question).await? {
        return Err(Stop::Declined);
    }
    Ok((plan, settings))
}

/// Makes everything, in order.
async fn make(
    cx: &Context<'_>,
    journal: &mut Journal,
    plan: &Plan,
    settings: &Values,
) -> Result<Installed, Stop> {
    let log = &RefCell::new(journal);
    match cx
        .step("looked for what an earlier run left", async || steps::left_behind(cx, log, plan).await)
        .await?
    {
        Left::Completed(view) => return Ok(installed(plan.place(), found_complete(cx, &view), Vec::new())),
        Left::Nothing => {}
    }
    let bot = cx.step(&format!("bot @{}", plan.bot), async || steps::bot(cx, log, plan).await).await?;
    cx.step("the bot is in its teams", async || steps::members(cx, log, plan, &bot).await).await?;
    let token = cx.step("a token for the bot", async || steps::token(cx, log, &bot).await).await?;
    let code = async || Ok(cx.bundle.code(&cx.app.id, &plan.site).await?);
    let code = cx.step("an install code", code).await?;
    let who = (&code, bot.as_str(), &token);
    let begun = cx
        .step("handed over to the bundle", async || steps::begin(cx, log, plan, who, settings).await)
        .await?;
    let only = async || steps::only_token(cx, &bot, &token).await;
    let revoked = cx.step(&format!("no other token of @{} works", plan.bot), only).await?;
    if revoked > 0 {
        cx.tell(&format!("    revoked {revoked} that stood before"));
    }
    let describe = async || steps::describe(cx, &bot).await;
    cx.step("the bot's description names the bundle", describe).await?;
    let registration = RegistrationStep::new(cx, log, plan, &begun);
    let mut registered = cx.step("slash commands", async || registration.commands().await).await?;
    if !begun.wanted.channels.is_empty() {
        registered.extend(cx.step("webhooks", async || registration.webhooks().await).await?);
    }
    let key = (&code, &begun.created.install_id);
    let completed =
        cx.step("completed", async || steps::complete(cx, log, plan, key, &registered).await).await?;
    let mut by_hand = begun.wanted.by_hand;
    by_hand.extend(the_rest(cx, &completed.install_id, &registered).await);
    Ok(installed(plan.place(), completed, by_hand))
}

/// Sends what did not fit into the last request. Only an operator can; with a code it is left to `sync`.
async fn the_rest(cx: &Context<'_>, install: &InstallId, registered: &[Registered]) -> Option<String> {
    let rest = registered.get(ENTRIES..).filter(|rest| !rest.is_empty())?;
    let sent = cx.step("the other teams", async || sync::register(cx, install, rest).await).await;
    sent.err().map(|_| format!("{} more teams and channels wait for `cloud-apps sync {install}`", rest.len()))
}

/// Ends a run that was cut off in its last step. With an install code nobody can ask whether that step was done. So it is done
/// again, with what stands on the server, by the code that began the install.
async fn resume(
    installer: &Installer<'_>,
    request: &Request,
    journal: &Journal,
) -> Result<Option<Installed>, Stop> {
    let (Some((bot, teams)), Some(install)) = (journal.completion(), journal.install()) else {
        return Ok(None);
    };
    if installer.bundle.is_operator() {
        return Ok(None);
    }
    let code = installer.bundle.code(&request.app, &request.site).await?;
    installer
        .admin
        .logged_in(async |server| {
            let looked = async || standing::of_install(server, journal.teams(), install).await;
            let registered =
                installer.admin.runner().step("looked for what an earlier run left", looked).await?;
            let again =
                async || steps::complete_again(&installer.bundle, (&code, install), &registered).await;
            let completed = installer.admin.runner().step("completed", again).await?;
            Ok(Some(installed((bot, teams.to_vec()), completed, Vec::new())))
        })
        .await
}

/// Takes back what was made, unless the admin wants to keep it, or it is not known whether the install serves.
async fn give_up(
    installer: &Installer<'_>,
    cx: &Context<'_>,
    journal: Journal,
    request: &Request,
    stop: Stop,
) -> Stop {
    if !journal.unfinished() {
        return stop;
    }
    let again = format!("cloud-apps install {} --site {}", request.app, request.site);
    let kept = format!("`{again}` continues it, and `{again} --undo` removes what was made.");
    if request.keep {
        installer.admin.person.tell(&format!("Kept what was made. {kept}"));
        return stop;
    }
    installer.admin.person.tell("Removing what was made:");
    // This also runs after Ctrl-C, so it does not stop for that one.
    let runner = Runner { interrupt: CancellationToken::new(), ..installer.admin.runner() };
    let undoing = Context { runner, ..installer.context(cx.server, cx.app) };
    match take_all_back(&undoing, journal, &request.site).await {
        Ok(()) => installer.admin.person.tell("Nothing is left of it."),
        Err(trouble) => {
            installer.admin.person.tell(&format!(
                "Not all of it could be removed: {}. {kept}",
                trouble.line().trim_end_matches('.')
            ));
        }
    }
    stop
}

/// What would be done, and every call for it.
pub async fn plan(installer: &Installer<'_>, request: &Request) -> Result<(Plan, Vec<String>), Stop> {
    let app = installer.app(&request.app).await?;
    let journal = open(installer, request)?;
    installer
        .admin
        .logged_in(async |server| {
            let cx = installer.context(server, &app);
            for line in consent::asks(&app) {
                installer.admin.person.tell(&line);
            }
            let plan = installer.admin.unless_interrupted(looked(&cx, request, &journal)).await?;
            let calls = plan.calls(&app, &installer.bundle);
            Ok((plan, calls))
        })
        .await
}

/// Takes back what unfinished runs made. False if there was nothing.
pub async fn undo(installer: &Installer<'_>, request: &Request) -> Result<bool, Stop> {
    let journal = open(installer, request)?;
    if !journal.unfinished() {
        return Ok(false);
    }
    let app = installer.app(&request.app).await?;
    installer
        .admin
        .logged_in(async |server| {
            take_all_back(&installer.context(server, &app), journal, &request.site).await?;
            Ok(true)
        })
        .await
}

async fn looked(cx: &Context<'_>, request: &Request, journal: &Journal) -> Result<Plan, Stop> {
    let looking = async || check(cx.server, cx.bundle, cx.app, request, journal).await;
    let plan = cx.step("looked at the server and the bundle", looking).await?;
    for note in &plan.notes {
        for line in note.lines("!") {
            cx.tell(&line);
        }
    }
    for what in &plan.takes_up {
        cx.tell(&format!("  ! takes up {what}: it gets a new token"));
    }
    for what in &plan.takes_over {
        cx.tell(&format!("  ! {}", adopt::loses(what)));
    }
    Ok(plan)
}

fn open(installer: &Installer<'_>, request: &Request) -> Result<Journal, Failure> {
    let random: &dyn Random = &SystemRandom;
    let run: String = random.base32().chars().take(12).collect();
    let of = (&request.app, &request.site);
    Journal::open(&installer.journals, of, installer.bundle.base_url().as_str(), &run, system_now())
}

/// What the lost answer of `complete` said.
fn found_complete(cx: &Context<'_>, view: &InstallView) -> InstallCompleted {
    let typed = view.granted.locations.contains("message_box");
    InstallCompleted {
        install_id: view.install_id.clone(),
        app_id: view.app_id.clone(),
        site_url: view.site_url.clone(),
        state: view.state.clone(),
        r#try: if typed { vec![format!("/{} help", cx.app.namespace)] } else { Vec::new() },
        unavailable: view.unavailable.clone(),
    }
}

fn installed(
    (bot, teams): (&str, Vec<String>),
    completed: InstallCompleted,
    by_hand: Vec<String>,
) -> Installed {
    Installed {
        install_id: completed.install_id,
        app_id: completed.app_id,
        site_url: completed.site_url,
        state: completed.state,
        bot: bot.to_owned(),
        teams,
        r#try: completed.r#try,
        unavailable: completed.unavailable,
        by_hand,
    }
}
