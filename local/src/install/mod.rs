//! `cloud-apps install`, `sync`, `uninstall`: how an app comes to a Mattermost server that knows nothing of us, is kept
//! right there, and goes again.
//!
//! It all runs on the admin's machine, between two sides that do not trust each other with everything: the server sees
//! the admin's token, the bundle sees the bot's. [`install`] is the whole way. What makes it survive a crash, Ctrl-C
//! and a network that comes and goes:
//!
//! * each step looks before it acts, so that any step may be done again ([`steps`]);
//! * what is about to be made is written down before ([`journal`]), without any credential: what was made is found
//!   again by its description ([`mark`]), and a secret that was lost is replaced;
//! * a run that fails takes back what it made ([`undo`]), unless it is told to keep it for another try.

mod adopt;
pub mod bundle;
mod cleanup;
mod consent;
mod credentials;
pub mod interrupt;
pub mod journal;
mod mark;
pub mod person;
mod preflight;
mod register;
mod rotate;
pub mod rotation;
mod steps;
mod stop;
mod sync;
mod undo;
mod uninstall;
pub mod work;

pub use cleanup::{Cleaned, Cleaning, Remains, Survey, cleanup, survey};
pub use consent::{agrees, read as read_setting};
pub use credentials::ADMIN_TOKEN;
pub use mark::{Home, Whose, base_of, is_token, token_description};
pub use preflight::Plan;
pub use rotate::{Rotated, rotate_bot_token};
pub use stop::Stop;
pub use sync::{Synced, sync};
pub use uninstall::{Removal, Uninstalled, uninstall};
pub use work::Patience;

use crate::{failure::Failure, mattermost::Mattermost};
use bundle::Bundle;
use cloud_apps_core::http::system_now;
use cloud_apps_protocol::{
    AppId, InstallId, SiteUrl, Values,
    install::{AppView, InstallCompleted, Registered, Unavailable},
};
use interrupt::Interrupt;
use journal::Journal;
use person::{Heeding, Person};
use preflight::check;
use secrecy::SecretString;
use serde::Serialize;
use std::{cell::RefCell, path::PathBuf};
use steps::Left;
use work::{Pace, Work};

/// What an admin wants installed.
#[derive(Debug, Clone)]
pub struct Request {
    /// Which app.
    pub app: AppId,
    /// On which server.
    pub site: SiteUrl,
    /// In which teams.
    pub teams: Teams,
    /// The bot's name, where it is not to be the app's own.
    pub bot: Option<String>,
    /// Settings as typed, `name` and `value`.
    pub set: Vec<(String, String)>,
    /// Settings from a file, passwords among them.
    pub settings: Values,
    /// The admin agrees to what the app asks for.
    pub agreed: bool,
    /// What was made is kept when the run fails.
    pub keep: bool,
    /// What another bundle has of the app on this server is taken from it.
    pub take_over: bool,
}

/// In which teams an app gets its commands.
#[derive(Debug, Clone)]
pub enum Teams {
    /// Those of these names; of none, the server's only team.
    Named(Vec<String>),
    /// All.
    All,
}

/// With what it is done.
pub struct Means<'a> {
    /// The server, as nobody.
    pub server: Mattermost,
    /// The bundle.
    pub bundle: Bundle,
    /// The admin's personal access token, where it was given.
    pub token: Option<SecretString>,
    /// Who is told and asked.
    pub person: &'a dyn Person,
    /// Who may want an end.
    pub interrupt: Interrupt,
    /// How patiently.
    pub patience: Patience,
    /// Where journals stand.
    pub journals: PathBuf,
}

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
pub async fn install(means: &Means<'_>, request: &Request) -> Result<Installed, Stop> {
    let mut journal = open(means, request)?;
    if let Some(installed) = resume(means, request, &journal).await? {
        journal.close()?;
        return Ok(installed);
    }
    let app = means.app(&request.app).await?;
    as_admin(means, async |server| {
        let work = means.work(server, &app);
        let (plan, settings) = prepare(means, &work, request, &journal).await?;
        let mut outcome = make(&work, &mut journal, &plan, &settings).await;
        if let (Err(Stop::Server(_) | Stop::Bundle(_)), true) = (&outcome, journal.completion().is_some()) {
            // Only the news of it may have been lost.
            if let Ok(Left::Completed(view)) =
                steps::left_behind(&work, &RefCell::new(&mut journal), &plan).await
            {
                outcome = Ok(installed(plan.place(), found_complete(&work, &view), Vec::new()));
            }
        }
        match outcome {
            Ok(installed) => {
                journal.close()?;
                Ok(installed)
            }
            Err(stop) => Err(give_up(means, &work, journal, request, stop).await),
        }
    })
    .await
}

/// All that is done before anything is made: what the app asks for, what stands in the way, yes or no.
async fn prepare(
    means: &Means<'_>,
    work: &Work<'_>,
    request: &Request,
    journal: &Journal,
) -> Result<(Plan, Values), Stop> {
    for line in consent::asks(work.app) {
        work.tell(&line);
    }
    let mut plan = unless_interrupted(means, looked(work, request, journal)).await?;
    if journal.unfinished() {
        work.tell("An earlier run was not finished: this one goes on where it was.");
    }
    if !plan.takes_over.is_empty() && !plan.take_over {
        // --yes agrees to what the app asks for, and not to this.
        if !means.person.answers() {
            return Err(Stop::Found(plan.takes_over.iter().map(|what| adopt::not_agreed(what)).collect()));
        }
        if !means.agrees("Take it from that bundle, which stops serving it?").await? {
            return Err(Stop::Declined);
        }
        plan.take_over = true;
    }
    let settings =
        consent::settings(work.app, &request.set, request.settings.clone(), &means.heeding()).await?;
    let names: Vec<&str> = plan.teams.iter().map(|team| team.name.as_str()).collect();
    let question = format!("Install {} on {} in {}?", work.app.display_name, plan.site, names.join(", "));
    if !request.agreed && !means.agrees(&question).await? {
        return Err(Stop::Declined);
    }
    Ok((plan, settings))
}

/// Makes everything, in order.
async fn make(
    work: &Work<'_>,
    journal: &mut Journal,
    plan: &Plan,
    settings: &Values,
) -> Result<Installed, Stop> {
    let log = &RefCell::new(journal);
    match work
        .step("looked for what an earlier run left", async || steps::left_behind(work, log, plan).await)
        .await?
    {
        Left::Completed(view) => return Ok(installed(plan.place(), found_complete(work, &view), Vec::new())),
        Left::Nothing => {}
    }
    let bot = work.step(&format!("bot @{}", plan.bot), async || steps::bot(work, log, plan).await).await?;
    work.step("the bot is in its teams", async || steps::members(work, log, plan, &bot).await).await?;
    let token = work.step("a token for the bot", async || steps::token(work, log, &bot).await).await?;
    let code = async || Ok(work.bundle.code(&work.app.id, &plan.site).await?);
    let code = work.step("an install code", code).await?;
    let who = (&code, bot.as_str(), &token);
    let begun = work
        .step("handed over to the bundle", async || steps::begin(work, log, plan, who, settings).await)
        .await?;
    let only = async || steps::only_token(work, &bot, &token).await;
    let revoked = work.step(&format!("no other token of @{} works", plan.bot), only).await?;
    if revoked > 0 {
        work.tell(&format!("    revoked {revoked} that stood before"));
    }
    let describe = async || steps::describe(work, &bot).await;
    work.step("the bot's description names the bundle", describe).await?;
    let mut registered =
        work.step("slash commands", async || steps::commands(work, log, plan, &begun).await).await?;
    if !begun.wanted.channels.is_empty() {
        registered
            .extend(work.step("webhooks", async || steps::webhooks(work, log, plan, &begun).await).await?);
    }
    let key = (&code, &begun.created.install_id);
    let completed =
        work.step("completed", async || steps::complete(work, log, plan, key, &registered).await).await?;
    let mut by_hand = begun.wanted.by_hand;
    by_hand.extend(the_rest(work, &completed.install_id, &registered).await);
    Ok(installed(plan.place(), completed, by_hand))
}

/// What did not fit into the last request follows by itself where the bundle's operator installs.
async fn the_rest(work: &Work<'_>, install: &InstallId, registered: &[Registered]) -> Option<String> {
    let rest = registered.get(steps::ENTRIES..).filter(|rest| !rest.is_empty())?;
    let sent = work.step("the other teams", async || sync::register(work, install, rest).await).await;
    sent.err().map(|_| format!("{} more teams and channels wait for `cloud-apps sync {install}`", rest.len()))
}

/// With an install code nobody is told whether the last step was done: so it is done again, with what stands, by the
/// code that began it.
async fn resume(means: &Means<'_>, request: &Request, journal: &Journal) -> Result<Option<Installed>, Stop> {
    let (Some((bot, teams)), Some(install)) = (journal.completion(), journal.install()) else {
        return Ok(None);
    };
    if means.bundle.is_operator() {
        return Ok(None);
    }
    let code = means.bundle.code(&request.app, &request.site).await?;
    as_admin(means, async |server| {
        let looked = async || sync::standing(server, journal.teams(), install).await;
        let registered = means.pace().step("looked for what an earlier run left", looked).await?;
        let again = async || steps::complete_again(&means.bundle, (&code, install), &registered).await;
        let completed = means.pace().step("completed", again).await?;
        Ok(Some(installed((bot, teams.to_vec()), completed, Vec::new())))
    })
    .await
}

/// What was made is taken back, unless somebody wants it kept, or nobody knows whether it serves.
async fn give_up(
    means: &Means<'_>,
    work: &Work<'_>,
    journal: Journal,
    request: &Request,
    stop: Stop,
) -> Stop {
    if !journal.unfinished() {
        return stop;
    }
    let again = format!("cloud-apps install {} --site {}", request.app, request.site);
    let kept = format!("`{again}` goes on where it was, `{again} --undo` takes it back.");
    if request.keep {
        means.person.tell(&format!("Kept what was made. {kept}"));
        return stop;
    }
    means.person.tell("Taking back what was made:");
    // Also after Ctrl-C: that is how it ends in an orderly way.
    let pace = Pace { interrupt: Interrupt::never(), ..means.pace() };
    let undoing = Work { pace, ..means.work(work.server, work.app) };
    match undo::undo(&undoing, journal, &request.site).await {
        Ok(()) => means.person.tell("Nothing is left of it."),
        Err(trouble) => {
            means.person.tell(&format!(
                "It could not all be taken back: {}. {kept}",
                trouble.line().trim_end_matches('.')
            ));
        }
    }
    stop
}

/// What would be done.
pub async fn plan(means: &Means<'_>, request: &Request) -> Result<(Plan, Vec<String>), Stop> {
    let app = means.app(&request.app).await?;
    let journal = open(means, request)?;
    as_admin(means, async |server| {
        let work = means.work(server, &app);
        for line in consent::asks(&app) {
            means.person.tell(&line);
        }
        let plan = unless_interrupted(means, looked(&work, request, &journal)).await?;
        let calls = plan.calls(&app, &means.bundle);
        Ok((plan, calls))
    })
    .await
}

/// Takes back what unfinished runs made. False: there was nothing.
pub async fn undo(means: &Means<'_>, request: &Request) -> Result<bool, Stop> {
    let journal = open(means, request)?;
    if !journal.unfinished() {
        return Ok(false);
    }
    let app = means.app(&request.app).await?;
    as_admin(means, async |server| {
        undo::undo(&means.work(server, &app), journal, &request.site).await?;
        Ok(true)
    })
    .await
}

async fn looked(work: &Work<'_>, request: &Request, journal: &Journal) -> Result<Plan, Stop> {
    let looking = async || check(work.server, work.bundle, work.app, request, journal).await;
    let plan = work.step("looked at the server and the bundle", looking).await?;
    for note in &plan.notes {
        for line in note.lines("!") {
            work.tell(&line);
        }
    }
    for what in &plan.takes_up {
        work.tell(&format!("  ! takes up {what}: it gets a new token"));
    }
    for what in &plan.takes_over {
        work.tell(&format!("  ! {}", adopt::loses(what)));
    }
    Ok(plan)
}

fn open(means: &Means<'_>, request: &Request) -> Result<Journal, Failure> {
    let random: &dyn cloud_apps_core::random::Random = &cloud_apps_core::random::SystemRandom;
    let run: String = random.base32().chars().take(12).collect();
    let of = (&request.app, &request.site);
    Journal::open(&means.journals, of, means.bundle.base_url().as_str(), &run, system_now())
}

async fn as_admin<T>(
    means: &Means<'_>,
    work: impl AsyncFnOnce(&Mattermost) -> Result<T, Stop>,
) -> Result<T, Stop> {
    credentials::as_admin(&means.server, means.token.as_ref(), &means.heeding(), work).await
}

/// Where nothing is made yet, Ctrl-C may end it anywhere.
async fn unless_interrupted<T>(
    means: &Means<'_>,
    work: impl Future<Output = Result<T, Stop>>,
) -> Result<T, Stop> {
    tokio::select! {
        done = work => done,
        () = means.interrupt.set() => Err(Stop::Interrupted),
    }
}

impl Means<'_> {
    /// Yes or no.
    pub async fn agrees(&self, question: &str) -> Result<bool, Stop> {
        consent::agrees(&self.heeding(), question).await
    }

    fn heeding(&self) -> Heeding<'_> {
        Heeding { person: self.person, interrupt: &self.interrupt }
    }

    async fn app(&self, app: &AppId) -> Result<AppView, Stop> {
        let asked = async || Ok(self.bundle.app(app).await?);
        self.pace().step(&format!("asked {} for {app}", self.bundle.base_url()), asked).await
    }

    fn work<'a>(&'a self, server: &'a Mattermost, app: &'a AppView) -> Work<'a> {
        Work { server, bundle: &self.bundle, app, pace: self.pace() }
    }

    fn pace(&self) -> Pace<'_> {
        Pace { person: self.person, interrupt: self.interrupt.clone(), patience: self.patience }
    }
}

/// What `complete` would have said.
fn found_complete(work: &Work<'_>, view: &cloud_apps_protocol::install::InstallView) -> InstallCompleted {
    let typed = view.granted.locations.contains("message_box");
    InstallCompleted {
        install_id: view.install_id.clone(),
        app_id: view.app_id.clone(),
        site_url: view.site_url.clone(),
        state: view.state.clone(),
        r#try: if typed { vec![format!("/{} help", work.app.namespace)] } else { Vec::new() },
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
