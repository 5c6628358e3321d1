//! The steps of an installation, in their order. Each looks before it acts, writes into the journal what it is about to do, and may
//! be done again at any time.

use super::{
    adopt,
    bundle::{Bundle, ENTRIES},
    context::Context,
    journal::{Journal, Made},
    mark,
    owner::BundleIdentity,
    plan::Plan,
    register::Wanted,
    stop::Stop,
};
use crate::{
    failure::Failure,
    mattermost::{Finding, Setting},
};
use cloud_apps_protocol::{
    Code, InstallId, Millis, Values,
    install::{
        BotCredentials, CompleteRequest, InstallCompleted, InstallCreated, InstallRequest, InstallView,
        Registered,
    },
};
use secrecy::{ExposeSecret, SecretString};
use std::cell::RefCell;

/// A pending install.
pub struct BegunInstall {
    /// What the bundle answered.
    pub created: InstallCreated,
    /// What has to be registered.
    pub wanted: Wanted,
}

/// What an earlier run left at the bundle.
pub enum Left {
    /// No install of this journal: it can be begun.
    Nothing,
    /// The install was completed, and only the answer was lost.
    Completed(Box<InstallView>),
}

/// The journal, shared by the steps.
pub type SharedJournal<'a> = RefCell<&'a mut Journal>;

/// Writes into the journal what is about to be made.
pub fn intend(log: &SharedJournal<'_>, made: Made) -> Result<(), Failure> {
    log.borrow_mut().intend(made)
}

/// A token of the bot.
pub struct BotToken {
    /// Its id on the server. It is not secret.
    pub id: String,
    /// The credential.
    pub secret: SecretString,
    /// When the server ends it. `None`: it does not.
    pub end: Option<Millis>,
}

/// Makes the bot's account, or takes it up. Returns its user id.
pub async fn bot(cx: &Context<'_>, log: &SharedJournal<'_>, plan: &Plan) -> Result<String, Stop> {
    let (server, app) = (cx.server, cx.app);
    let identity = BundleIdentity::of(cx.bundle, None);
    let Some(user) = server.user_named(&plan.bot).await? else {
        intend(log, Made::Bot { username: plan.bot.clone() })?;
        let (title, about) = (mark::bot_title(app), mark::bot_description(app, cx.bundle.base_url()));
        return Ok(server.create_bot(&plan.bot, &title, &about).await?.user_id);
    };
    let Some(bot) = server.bot(&user.id).await? else {
        let what = format!("@{} is no bot", plan.bot);
        return Err(Finding::stop(what, "Choose another name for the bot with --bot NAME.").into());
    };
    let made_here = log.borrow().has(&Made::Bot { username: plan.bot.clone() });
    if !(made_here && bot.owner_id == plan.admin.id && mark::is_bot(&app.id, &bot)) {
        adopt::bot(server, (&app.id, &identity), &bot).await?.with_consent(plan.take_over)?;
    }
    let known = log.borrow().knows_bot(&plan.bot, &bot.user_id);
    if !known {
        let tokens = server.tokens(&bot.user_id).await?.into_iter().map(|token| token.id).collect();
        let (user, title, about) = (bot.user_id.clone(), bot.display_name.clone(), bot.description.clone());
        intend(log, Made::FoundBot { user, title, about, tokens })?;
    }
    if bot.delete_at != 0 {
        intend(log, Made::EnabledBot { user: bot.user_id.clone() })?;
        server.enable_bot(&bot.user_id).await?;
    }
    Ok(bot.user_id)
}

/// Gives the bot this bundle's display name and description. That is done only when no other token of the bot works: a bundle
/// recognises its bot by the description, and until then another bundle may serve with this bot.
pub async fn describe(cx: &Context<'_>, bot: &str) -> Result<(), Stop> {
    let (title, about) = (mark::bot_title(cx.app), mark::bot_description(cx.app, cx.bundle.base_url()));
    if let Some(bot) = cx.server.bot(bot).await?
        && (bot.display_name != title || bot.description != about)
    {
        cx.server.update_bot(&bot, &title, &about).await?;
    }
    Ok(())
}

/// Adds the bot to its teams.
pub async fn members(cx: &Context<'_>, log: &SharedJournal<'_>, plan: &Plan, bot: &str) -> Result<(), Stop> {
    for team in &plan.teams {
        if cx.server.is_member(team.id.as_str(), bot).await? {
            continue;
        }
        intend(log, Made::Member { team: team.id.to_string(), user: bot.to_owned() })?;
        cx.server.add_member(team.id.as_str(), bot).await?;
    }
    Ok(())
}

/// Makes a token for the bot. If an earlier try made one, its secret is lost, so it is revoked: no token is left that nobody
/// holds.
pub async fn token(cx: &Context<'_>, log: &SharedJournal<'_>, bot: &str) -> Result<BotToken, Stop> {
    let description = mark::token_description(&cx.app.id, log.borrow().run());
    for lost in cx.server.tokens(bot).await? {
        if lost.description == description {
            cx.server.revoke_token(&lost.id).await?;
        }
    }
    intend(log, Made::BotToken { user: bot.to_owned() })?;
    let made = cx.server.create_token(bot, &description).await?;
    if made.token.is_empty() {
        let what = "the server made a token for the bot, but its answer has no token";
        return Err(Finding::stop(what, "Run the same again.").at(Setting::TOKENS).into());
    }
    let end = made.end();
    Ok(BotToken { id: made.id, secret: SecretString::from(made.token), end })
}

/// Revokes every other token of the bot, because somebody else may have one of a bot that already existed. Returns how many.
pub async fn only_token(cx: &Context<'_>, bot: &str, ours: &BotToken) -> Result<usize, Stop> {
    let mut revoked = 0;
    for other in cx.server.tokens(bot).await?.iter().filter(|token| token.id != ours.id) {
        cx.server.revoke_token(&other.id).await?;
        revoked += 1;
    }
    Ok(revoked)
}

/// What an earlier run left. A pending install of this journal is removed: its code is lost, and a new code makes a new
/// install.
pub async fn left_behind(cx: &Context<'_>, log: &SharedJournal<'_>, plan: &Plan) -> Result<Left, Stop> {
    let (begun, known, run) = {
        let journal = log.borrow();
        (journal.has(&Made::Install), journal.install().cloned(), journal.run().to_owned())
    };
    // With a code, the same request is sent again and gets the same answer.
    if !begun || !cx.bundle.is_operator() {
        return Ok(Left::Nothing);
    }
    if let Some(view) = cx.bundle.find(&cx.app.id, &plan.site).await? {
        let ours = is_ours(cx, (known.as_ref(), &run), &view).await?;
        let done = matches!(view.state.as_str(), "active" | "disabled");
        if !ours {
            let what = format!(
                "somebody else has installed {} on {} meanwhile: install {}, {}",
                cx.app.id, plan.site, view.install_id, view.state
            );
            let fix = "Remove what this installation made with --undo; the other one keeps working.";
            return Err(Finding::stop(what, fix).into());
        }
        if done {
            return Ok(Left::Completed(Box::new(view)));
        }
        cx.bundle.remove(&view.install_id).await?;
    }
    let mut journal = log.borrow_mut();
    journal.strike_completion()?;
    journal.name_install(None)?;
    Ok(Left::Nothing)
}

/// Whether an install at the bundle is the one that a run began: the one that the bundle named. If the answer that named it was
/// lost, the install is not completed, and its bot has the token of that run. Anybody who begins another install removes this one
/// first and revokes that token.
pub async fn is_ours(
    cx: &Context<'_>,
    (known, run): (Option<&InstallId>, &str),
    view: &InstallView,
) -> Result<bool, Stop> {
    if let Some(known) = known {
        return Ok(*known == view.install_id);
    }
    if !matches!(view.state.as_str(), "pending" | "removing") {
        return Ok(false);
    }
    let description = mark::token_description(&cx.app.id, run);
    let tokens = cx.server.tokens(view.bot.id.as_str()).await?;
    Ok(tokens.iter().any(|token| token.description == description))
}

/// Begins the install at the bundle. The same code gets the same answer again.
pub async fn begin(
    cx: &Context<'_>,
    log: &SharedJournal<'_>,
    plan: &Plan,
    (code, bot, token): (&SecretString, &str, &BotToken),
    settings: &Values,
) -> Result<BegunInstall, Stop> {
    let request = InstallRequest {
        app_id: cx.app.id.clone(),
        server: plan.server.clone(),
        bot: BotCredentials {
            user_id: parsed(bot)?,
            username: plan.bot.clone(),
            access_token: token.secret.expose_secret().to_owned(),
            token_id: token.id.parse().ok(),
            expires_at: token.end,
        },
        installed_by: parsed(&plan.admin.id)?,
        v2: false,
        static_token: false,
        granted: cx.app.requests.clone(),
        settings: settings.clone(),
    };
    intend(log, Made::Install)?;
    match cx.bundle.begin(code, &request).await {
        Ok((created, unknown)) => {
            log.borrow_mut().name_install(Some(created.install_id.clone()))?;
            let wanted = Wanted::of(&created.register, &unknown);
            Ok(BegunInstall { created, wanted })
        }
        Err(trouble) => {
            // A refused request began nothing. A lost one may have.
            if !trouble.transient() {
                log.borrow_mut().strike(&Made::Install)?;
            }
            Err(trouble.into())
        }
    }
}

/// Does the last step again, in another run. With the code that began the install, the bundle tells how it ended.
pub async fn complete_again(
    bundle: &Bundle,
    (code, install): (&SecretString, &InstallId),
    registered: &[Registered],
) -> Result<InstallCompleted, Stop> {
    let request = CompleteRequest { registered: registered.iter().take(ENTRIES).cloned().collect() };
    match bundle.complete(code, install, &request).await {
        Err(trouble) if trouble.code() == Some(Code::Unauthorized) => Err(Stop::Unsure(format!(
            "an earlier run was about to complete install {install}, and this code is not the one that began it, or it has \
             expired: the operator of the bundle can see whether that install is active (`cloud-apps show {install}`)"
        ))),
        other => Ok(other?),
    }
}

/// Does the last step. From here on the app serves.
pub async fn complete(
    cx: &Context<'_>,
    log: &SharedJournal<'_>,
    plan: &Plan,
    (code, install): (&SecretString, &InstallId),
    registered: &[Registered],
) -> Result<InstallCompleted, Stop> {
    let teams = plan.teams.iter().map(|team| team.name.clone()).collect();
    intend(log, Made::Completion { bot: plan.bot.clone(), teams })?;
    let request = CompleteRequest { registered: registered.iter().take(ENTRIES).cloned().collect() };
    let outcome = cx.bundle.complete(code, install, &request).await;
    if let Err(trouble) = &outcome
        && matches!(trouble.code(), Some(Code::InstallRefused | Code::BadRequest | Code::Unauthorized))
    {
        let mut journal = log.borrow_mut();
        journal.strike_completion()?;
        if trouble.code() == Some(Code::InstallRefused) {
            // The bundle has undone its side.
            journal.strike(&Made::Install)?;
            journal.name_install(None)?;
        }
    }
    Ok(outcome?)
}

fn parsed(id: &str) -> Result<cloud_apps_protocol::UserId, Failure> {
    id.parse().map_err(|e: cloud_apps_protocol::BadId| Failure::new(format!("the server's answer: {e}")))
}
