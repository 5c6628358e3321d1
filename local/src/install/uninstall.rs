//! `cloud-apps uninstall`: the bundle stops serving first; then what stands on the server goes, with the admin's own
//! rights, and what is dangerous goes first: the bot's token, the bot, the commands.
//!
//! It may be repeated from nothing, also when the bundle has no install any more: what is gone is gone, and what is left
//! is looked for again. A feature that is switched off on the server is not looked at, and that is said; it keeps nothing
//! else from going. Only what is shown to be this bundle's is touched: a description alone is no proof, and another
//! bundle may serve the same app on the same server.

use super::{
    Means, as_admin,
    mark::{self, Home, Whose},
    stop::Stop,
    work::Pace,
};
use crate::mattermost::{Bot, Command, Finding, Mattermost, OutgoingWebhook, Setting, Team, Trouble, User};
use cloud_apps_protocol::{
    AppId, InstallId, SiteUrl,
    install::{InstallView, Standing},
};
use serde::Serialize;
use std::collections::BTreeMap;

/// What a removal did.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Uninstalled {
    /// The install that is no more; none where the bundle had none.
    pub install_id: Option<InstallId>,
    /// What was removed from the server, in words.
    pub removed: Vec<String>,
    /// What stays, and why.
    pub stays: Vec<String>,
    /// What could not be removed, and why: the same again tries it again.
    pub failed: Vec<String>,
    /// What was not looked at because it is switched off or hidden, and where something of the app may stand.
    pub not_looked_at: Vec<String>,
    /// What belongs to another bundle, and was not touched.
    pub not_touched: Vec<String>,
    /// The install's bot is among what was not touched, and no command shows that another bundle took it over.
    pub bot_is_left: bool,
    /// What the app said when it could not clean up.
    pub warning: Option<String>,
}

impl Uninstalled {
    /// Nothing is left that this bundle made.
    pub fn is_whole(&self) -> bool {
        let only_others =
            self.removed.is_empty() && !self.not_touched.is_empty() && self.install_id.is_none();
        self.failed.is_empty() && self.not_looked_at.is_empty() && !self.bot_is_left && !only_others
    }
}

/// What is to be removed.
#[derive(Debug, Clone)]
pub struct Removal {
    /// The app.
    pub app: AppId,
    /// The install, as far as the bundle still has it.
    pub install: Option<InstallView>,
    /// The bot's name, where no install tells.
    pub bot: String,
    /// The name of a bot that somebody typed: the bot of that name on the server is this bundle's although its
    /// description does not say so.
    pub named_bot: Option<String>,
    /// More addresses that the bundle has or had, as its operator says.
    pub addresses: Vec<SiteUrl>,
    /// The app has webhooks, as far as is known.
    pub hears: bool,
    /// The bot goes on existing, without a token.
    pub keep_bot: bool,
}

/// What is found on a server, and is this bundle's.
#[derive(Default)]
pub(super) struct Belongings {
    /// The bot. Of more than one only where somebody imitates it.
    pub bots: Vec<Bot>,
    /// Slash commands, each with the name of its team.
    pub commands: Vec<(String, Command)>,
    /// Outgoing webhooks, each with the name of its team.
    pub webhooks: Vec<(String, OutgoingWebhook)>,
}

/// Removes an install from both sides.
pub async fn uninstall(means: &Means<'_>, removal: &Removal) -> Result<Uninstalled, Stop> {
    let pace = means.pace();
    as_admin(means, async |server| {
        // Rights first: what stops serving and cannot be cleaned up is half a removal.
        let admin = pace.step("looked who asks", async || Ok(server.me().await?)).await?;
        rights(server, &admin)?;
        let home = Home::of(&means.bundle, removal.install.as_ref()).also_at(&removal.addresses);
        let looking = async || look(&pace, server, removal, &home).await;
        let (mut done, belongings) = pace.step("looked for what is to go", looking).await?;
        if let Some(install) = &removal.install {
            let id = &install.install_id;
            let remove = async || Ok(means.bundle.remove(id).await?);
            let removed = pace.step(&format!("install {id} does not serve any more"), remove).await?;
            if removed.state == "removing" {
                done.stays.push(
                    "the bundle is still deleting what it held: run the same again in a minute to see it end"
                        .into(),
                );
            }
            if removed.more {
                done.stays.push(
                    "what the bundle did not list: look for further commands and webhooks with this bot's name in \
                     Integrations"
                        .into(),
                );
            }
            done.warning = removed.warning;
            done.install_id = Some(removed.install_id);
        }
        take_away(&pace, server, (&removal.app, &belongings), removal.keep_bot, &mut done).await?;
        Ok(done)
    })
    .await
}

/// Fails where the admin could not do it.
pub(super) fn rights(server: &Mattermost, admin: &User) -> Result<(), Stop> {
    if admin.has_role("system_admin") {
        return Ok(());
    }
    Err(Finding::stop(
        format!("@{} is no system admin of {}", admin.username, server.site()),
        "Use the token of a system admin: it takes one to revoke the bot's token and to disable the bot.",
    )
    .into())
}

/// Removes all of it, what is dangerous first. What fails is noted, and keeps nothing else from going.
pub(super) async fn take_away(
    pace: &Pace<'_>,
    server: &Mattermost,
    (app, belongings): (&AppId, &Belongings),
    keep_bot: bool,
    done: &mut Uninstalled,
) -> Result<(), Stop> {
    for bot in &belongings.bots {
        let name = format!("@{}", bot.username);
        let revoke = async || {
            let mut revoked = 0;
            // A bot that goes keeps no token that works when somebody enables it.
            for token in server.tokens(&bot.user_id).await? {
                if !keep_bot || mark::is_token(app, &token) {
                    server.revoke_token(&token.id).await?;
                    revoked += 1;
                }
            }
            Ok(revoked)
        };
        if let Some(1..) = attempt(pace, &format!("the tokens of {name} are revoked"), revoke, done).await? {
            done.removed.push(format!("the token of {name}"));
        }
        if keep_bot {
            done.stays.push(format!("the bot {name}, as --keep-bot says"));
        } else {
            let disable = async || {
                if bot.delete_at == 0 {
                    server.disable_bot(&bot.user_id).await?;
                }
                Ok(())
            };
            if attempt(pace, &format!("{name} is disabled"), disable, done).await?.is_some() {
                done.stays.push(format!(
                    "the bot {name}, disabled: Mattermost cannot delete a bot, and what it posted stays its own"
                ));
            }
        }
    }
    for (team, command) in &belongings.commands {
        let what = format!("/{} of the team {team}", command.trigger);
        let delete = async || Ok(server.delete_command(&command.id).await?);
        if attempt(pace, &format!("removed {what}"), delete, done).await?.is_some() {
            done.removed.push(what);
        }
    }
    for (team, webhook) in &belongings.webhooks {
        let what = format!("the webhook of channel {} of the team {team}", webhook.channel_id);
        let delete = async || Ok(server.delete_webhook(&webhook.id).await?);
        if attempt(pace, &format!("removed {what}"), delete, done).await?.is_some() {
            done.removed.push(what);
        }
    }
    Ok(())
}

/// One step; what it fails at is noted. `Err` only where somebody wants an end.
async fn attempt<T>(
    pace: &Pace<'_>,
    title: &str,
    work: impl AsyncFnMut() -> Result<T, Stop>,
    done: &mut Uninstalled,
) -> Result<Option<T>, Stop> {
    match pace.step(title, work).await {
        Ok(value) => Ok(Some(value)),
        Err(Stop::Interrupted) => Err(Stop::Interrupted),
        Err(stop) => {
            done.failed.push(format!("{title}: {}", stop.line()));
            Ok(None)
        }
    }
}

/// What is there, and what of it is this bundle's. Nothing is changed.
async fn look(
    pace: &Pace<'_>,
    server: &Mattermost,
    removal: &Removal,
    home: &Home,
) -> Result<(Uninstalled, Belongings), Stop> {
    let (app, install) = (&removal.app, removal.install.as_ref());
    let mut done = Uninstalled::default();
    let bot = bot(server, removal).await?;
    let seen = seen(pace, server, &teams(server, install, bot.as_ref()).await?).await?;
    let mut belongings = Belongings::default();
    let mut others: Vec<SiteUrl> = Vec::new();
    let all_seen = !seen.commands_off && seen.hidden.is_empty();
    for (team, command) in seen.commands {
        match home.command(app, &command) {
            Whose::Ours => belongings.commands.push((team, command)),
            Whose::OtherBundle(bundle) => {
                done.not_touched.push(format!("/{} of the team {team}: {}", command.trigger, of(&bundle)));
                others.push(bundle);
            }
            Whose::Unsaid if home.on_record() && registered(install, &command.id) => {
                belongings.commands.push((team, command));
            }
            Whose::Unsaid => done.not_touched.push(format!(
                "/{} of the team {team}: it calls {}, which is no address of a bundle",
                command.trigger, command.url
            )),
            Whose::NotTheApp => {}
        }
    }
    for (team, webhook) in seen.webhooks {
        match home.webhook(app, &webhook) {
            Whose::Ours => belongings.webhooks.push((team, webhook)),
            Whose::OtherBundle(bundle) => done.not_touched.push(format!(
                "the webhook of channel {} of the team {team}: {}",
                webhook.channel_id,
                of(&bundle)
            )),
            Whose::Unsaid if home.on_record() && registered(install, &webhook.id) => {
                belongings.webhooks.push((team, webhook));
            }
            Whose::Unsaid | Whose::NotTheApp => {}
        }
    }
    if let Some(bot) = bot
        && is_to_go(server, (removal, home), &bot, (&belongings, all_seen.then_some(&others)), &mut done)
            .await?
    {
        belongings.bots.push(bot);
    }
    let kinds = [
        (seen.commands_off, Setting::COMMANDS, "slash commands", stands(install, true).unwrap_or(true)),
        (
            seen.webhooks_off,
            Setting::WEBHOOKS,
            "outgoing webhooks",
            stands(install, false).unwrap_or(removal.hears),
        ),
    ];
    for (off, setting, what, matters) in kinds {
        if off && matters {
            done.not_looked_at.push(format!(
                "{what}: they are switched off ({}). Nothing of them works now; switch them on and run the same again \
                 to remove what stands",
                setting.key
            ));
        } else if off {
            done.stays.push(format!("{what}, if there are any: they are switched off ({})", setting.key));
        }
    }
    done.not_looked_at.extend(seen.hidden);
    Ok((done, belongings))
}

/// Whether the bot is this bundle's and is to go. If not, what is said of it is noted. `others` are the bundles that the
/// app's commands name beside this one; none where not every command was seen.
async fn is_to_go(
    server: &Mattermost,
    (removal, home): (&Removal, &Home),
    bot: &Bot,
    (belongings, others): (&Belongings, Option<&Vec<SiteUrl>>),
    done: &mut Uninstalled,
) -> Result<bool, Stop> {
    let (app, name) = (&removal.app, &bot.username);
    let on_record = removal.install.is_some() && home.on_record();
    // The name that the server has: what the bundle calls the bot of an id is only its word.
    let is_named = removal.named_bot.as_ref().is_some_and(|typed| typed.eq_ignore_ascii_case(name));
    // The commands speak for the bot of that name, and not for one whose id only the bundle says.
    let by_commands =
        removal.install.is_none() && others.is_some_and(Vec::is_empty) && !belongings.commands.is_empty();
    match home.bot(app, bot) {
        Whose::Ours => return Ok(true),
        // The bundle's own record names it; a description may be older than an address.
        Whose::OtherBundle(bundle) if on_record && others.is_some_and(|all| !all.contains(&bundle)) => {
            return Ok(true);
        }
        Whose::OtherBundle(bundle) => {
            done.bot_is_left = removal.install.is_some() && others.is_none_or(|all| !all.contains(&bundle));
            done.not_touched.push(format!("the bot @{name}: {}", of(&bundle)));
        }
        // Older versions did not write which bundle: the record says it, the commands do, or somebody.
        Whose::Unsaid if on_record || is_named || by_commands => return Ok(true),
        Whose::Unsaid => {
            done.bot_is_left = removal.install.is_some();
            done.not_touched.push(format!(
                "the bot @{name}: its description does not say of which bundle it is. If it is of this one, name it: \
                 --bot {name}"
            ));
        }
        Whose::NotTheApp if mark::bot_mark(&bot.description).is_some() => {
            done.bot_is_left = removal.install.is_some();
            done.not_touched.push(format!("the bot @{name}: its description says that it is another app's"));
        }
        // Anybody who may edit the bot may have written another description; its tokens work on.
        Whose::NotTheApp if on_record => return Ok(true),
        Whose::NotTheApp if has_our_token(server, app, bot).await? => {
            if is_named {
                return Ok(true);
            }
            done.failed.push(format!(
                "the bot @{name}: its description does not say that it is {app}'s any more, and it has a token that \
                 cloud-apps made for {app}. If it is of this bundle, name it: --bot {name}"
            ));
        }
        Whose::NotTheApp => {}
    }
    Ok(false)
}

/// A token of the bot works, and its description says that cloud-apps made it for the app.
async fn has_our_token(server: &Mattermost, app: &AppId, bot: &Bot) -> Result<bool, Stop> {
    Ok(server.tokens(&bot.user_id).await?.iter().any(|token| mark::is_token(app, token)))
}

fn of(bundle: &SiteUrl) -> String {
    format!("it belongs to the bundle at {bundle}")
}

/// Whether the install has registered something of a kind; none where there is no install.
fn stands(install: Option<&InstallView>, commands: bool) -> Option<bool> {
    let mut all = install?.registered.iter().chain(&install?.leftovers);
    Some(all.any(|standing| match standing {
        Standing::SlashCommand { .. } => commands,
        Standing::OutgoingWebhook { .. } => !commands,
        Standing::Bot { .. } => false,
    }))
}

/// The bundle has it registered under this id.
fn registered(install: Option<&InstallView>, id: &str) -> bool {
    install.is_some_and(|install| {
        install.registered.iter().chain(&install.leftovers).any(|standing| match standing {
            Standing::SlashCommand { id: known, .. } | Standing::OutgoingWebhook { id: known, .. } => {
                known == id
            }
            Standing::Bot { .. } => false,
        })
    })
}

/// The install's bot, or the one of that name.
async fn bot(server: &Mattermost, removal: &Removal) -> Result<Option<Bot>, Stop> {
    if let Some(install) = &removal.install {
        return Ok(server.bot(install.bot.id.as_str()).await?);
    }
    let Some(user) = server.user_named(&removal.bot).await?.filter(|user| user.is_bot) else {
        return Ok(None);
    };
    Ok(server.bot(&user.id).await?)
}

/// The teams that the install or its bot is in. Where the bundle has no install, all: nobody remembers which.
async fn teams(
    server: &Mattermost,
    install: Option<&InstallView>,
    bot: Option<&Bot>,
) -> Result<Vec<Team>, Stop> {
    let Some(install) = install else { return Ok(server.teams().await?) };
    let mut teams: BTreeMap<String, Team> = BTreeMap::new();
    if let Some(bot) = bot {
        teams.extend(server.teams_of(&bot.user_id).await?.into_iter().map(|team| (team.id.clone(), team)));
    }
    let registered =
        install.registered.iter().chain(&install.leftovers).filter_map(|standing| match standing {
            Standing::SlashCommand { team_id, .. } | Standing::OutgoingWebhook { team_id, .. } => {
                Some(team_id)
            }
            Standing::Bot { .. } => None,
        });
    for id in install.teams.iter().chain(registered) {
        if !teams.contains_key(id.as_str())
            && let Some(team) = server.team(id.as_str()).await?
        {
            teams.insert(team.id.clone(), team);
        }
    }
    Ok(teams.into_values().collect())
}

/// The commands and webhooks of teams, of whomever.
#[derive(Default)]
pub(super) struct Seen {
    pub commands: Vec<(String, Command)>,
    pub webhooks: Vec<(String, OutgoingWebhook)>,
    pub commands_off: bool,
    pub webhooks_off: bool,
    /// Teams that the server did not show.
    pub hidden: Vec<String>,
}

/// Looks at every team. What is switched off is asked for once. A list that is never shown keeps nothing else from
/// going: after the last try it counts as not looked at.
pub(super) async fn seen(pace: &Pace<'_>, server: &Mattermost, teams: &[Team]) -> Result<Seen, Stop> {
    let (mut seen, mut pace) = (Seen::default(), pace.clone());
    for team in teams {
        if !seen.commands_off {
            let list = pace.patiently(async || Ok(server.commands(&team.id).await?)).await;
            match list.map_err(Unlisted::of) {
                Ok(list) => {
                    seen.commands.extend(list.into_iter().map(|command| (team.name.clone(), command)));
                }
                Err(Unlisted::Off) => seen.commands_off = true,
                Err(Unlisted::Hidden(trouble)) => {
                    still_there(&mut pace, server, &trouble).await?;
                    seen.hidden.push(format!("the slash commands of the team {}: {trouble}", team.name));
                }
                Err(Unlisted::Ends(stop)) => return Err(stop),
            }
        }
        if !seen.webhooks_off {
            let list = pace.patiently(async || Ok(server.webhooks(&team.id).await?)).await;
            match list.map_err(Unlisted::of) {
                Ok(list) => {
                    seen.webhooks.extend(list.into_iter().map(|webhook| (team.name.clone(), webhook)));
                }
                Err(Unlisted::Off) => seen.webhooks_off = true,
                Err(Unlisted::Hidden(trouble)) => {
                    still_there(&mut pace, server, &trouble).await?;
                    seen.hidden.push(format!("the outgoing webhooks of the team {}: {trouble}", team.name));
                }
                Err(Unlisted::Ends(stop)) => return Err(stop),
            }
        }
    }
    Ok(seen)
}

/// Why a list is not there.
enum Unlisted {
    /// The feature is switched off (`api.command.disabled`, `api.outgoing_webhook.disabled`).
    Off,
    /// The server does not show it to this admin, has no such team, shows more than is read, or fails at it each time.
    Hidden(Trouble),
    /// The token is over, or somebody wants an end.
    Ends(Stop),
}

impl Unlisted {
    fn of(stop: Stop) -> Self {
        match stop {
            Stop::Server(trouble) if trouble.status() == Some(501) && trouble.id().contains("disabled") => {
                Self::Off
            }
            Stop::Server(trouble) if trouble.transient() => Self::Hidden(trouble),
            Stop::Server(trouble) if trouble.status().is_some_and(|status| status != 401) => {
                Self::Hidden(trouble)
            }
            stop => Self::Ends(stop),
        }
    }
}

/// Fails where the server answers nothing at all: then it is no matter of one list. If it does answer, the next lists are
/// not waited for as long.
async fn still_there(pace: &mut Pace<'_>, server: &Mattermost, trouble: &Trouble) -> Result<(), Stop> {
    if trouble.transient() {
        server.me().await?;
        pace.patience.tries = 1;
    }
    Ok(())
}
