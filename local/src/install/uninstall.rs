//! `cloud-apps uninstall`: the bundle stops serving the install first. Then what stands on the server is removed, with the
//! admin's own rights.
//!
//! It may be run again from nothing, also if the bundle has no install any more: what is gone is gone, and what is left is
//! looked for again. A feature that is switched off on the server is not looked at, and that is said; everything else is still
//! removed. Only what is shown to belong to this bundle is touched: a description alone is no proof, and another bundle may
//! serve the same app on the same server.

use super::{
    installer::Installer,
    listing::Listing,
    mark,
    owner::{BundleIdentity, Owner},
    removal::{Belongings, Uninstalled, rights, take_away},
    runner::Runner,
    stop::Stop,
};
use crate::mattermost::{Bot, Mattermost, Setting, Team};
use cloud_apps_protocol::{
    AppId, SiteUrl, TeamId,
    install::{InstallView, Registration},
};
use std::collections::BTreeMap;

/// What has to be removed.
#[derive(Debug, Clone)]
pub struct Removal {
    /// The app.
    pub app: AppId,
    /// The install, if the bundle still has it.
    pub install: Option<InstallView>,
    /// The bot's name, if there is no install.
    pub bot: String,
    /// The name of a bot that the admin typed: the bot of that name on the server belongs to this bundle, although its
    /// description does not say so.
    pub named_bot: Option<String>,
    /// More addresses that the bundle has or had, as its operator says.
    pub addresses: Vec<SiteUrl>,
    /// The app may have webhooks.
    pub hears: bool,
    /// The bot stays enabled, without a token.
    pub keep_bot: bool,
}

/// Removes an install from both sides.
pub async fn uninstall(installer: &Installer<'_>, removal: &Removal) -> Result<Uninstalled, Stop> {
    let runner = installer.admin.runner();
    installer.admin.logged_in(async |server| {
        // Rights first: if the install stopped serving and could not be cleaned up, the removal would be half done.
        let admin = runner.step("looked who asks", async || Ok(server.me().await?)).await?;
        rights(server, &admin)?;
        let identity = BundleIdentity::of(&installer.bundle, removal.install.as_ref()).also_at(&removal.addresses);
        let looking = async || look(&runner, server, removal, &identity).await;
        let (mut done, belongings) = runner.step("looked for what is to go", looking).await?;
        if let Some(install) = &removal.install {
            let id = &install.install_id;
            let remove = async || Ok(installer.bundle.remove(id).await?);
            let removed = runner.step(&format!("install {id} does not serve any more"), remove).await?;
            if removed.state == "removing" {
                done.stays.push(
                    "the bundle is still deleting what it kept: run the same command again in a minute to see it end"
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
        take_away(&runner, server, (&removal.app, &belongings), removal.keep_bot, &mut done).await?;
        Ok(done)
    })
    .await
}

/// Finds what stands there and belongs to this bundle. Nothing is changed.
async fn look(
    runner: &Runner<'_>,
    server: &Mattermost,
    removal: &Removal,
    identity: &BundleIdentity,
) -> Result<(Uninstalled, Belongings), Stop> {
    let (app, install) = (&removal.app, removal.install.as_ref());
    let mut done = Uninstalled::default();
    let bot = bot(server, removal).await?;
    let seen = Listing::of(runner, server, &teams(server, install, bot.as_ref()).await?).await?;
    let mut belongings = Belongings::default();
    let mut others: Vec<SiteUrl> = Vec::new();
    let all_seen = !seen.commands_off && seen.hidden.is_empty();
    for (team, command) in seen.commands {
        match identity.command(app, &command) {
            Owner::ThisBundle => belongings.commands.push((team, command)),
            Owner::OtherBundle(bundle) => {
                done.not_touched.push(format!("/{} of the team {team}: {}", command.trigger, of(&bundle)));
                others.push(bundle);
            }
            Owner::UnknownBundle if identity.on_record() && registered(install, &command.id) => {
                belongings.commands.push((team, command));
            }
            Owner::UnknownBundle => done.not_touched.push(format!(
                "/{} of the team {team}: it calls {}, which is no address of a bundle",
                command.trigger, command.url
            )),
            Owner::OtherApp => {}
        }
    }
    for (team, webhook) in seen.webhooks {
        match identity.webhook(app, &webhook) {
            Owner::ThisBundle => belongings.webhooks.push((team, webhook)),
            Owner::OtherBundle(bundle) => done.not_touched.push(format!(
                "the webhook of channel {} of the team {team}: {}",
                webhook.channel_id,
                of(&bundle)
            )),
            Owner::UnknownBundle if identity.on_record() && registered(install, &webhook.id) => {
                belongings.webhooks.push((team, webhook));
            }
            Owner::UnknownBundle | Owner::OtherApp => {}
        }
    }
    if let Some(bot) = bot
        && is_to_go(server, (removal, identity), &bot, (&belongings, all_seen.then_some(&others)), &mut done)
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

/// Whether the bot belongs to this bundle and has to go. If not, `done` says why. `others` are the other bundles that the app's
/// commands name; `None` if not every command was seen.
async fn is_to_go(
    server: &Mattermost,
    (removal, identity): (&Removal, &BundleIdentity),
    bot: &Bot,
    (belongings, others): (&Belongings, Option<&Vec<SiteUrl>>),
    done: &mut Uninstalled,
) -> Result<bool, Stop> {
    let (app, name) = (&removal.app, &bot.username);
    let on_record = removal.install.is_some() && identity.on_record();
    // The name on the server counts: the bundle could give any bot any name.
    let is_named = removal.named_bot.as_ref().is_some_and(|typed| typed.eq_ignore_ascii_case(name));
    // The commands count for the bot of that name, and not for one whose id only the bundle says.
    let by_commands =
        removal.install.is_none() && others.is_some_and(Vec::is_empty) && !belongings.commands.is_empty();
    match identity.bot(app, bot) {
        Owner::ThisBundle => return Ok(true),
        // The bundle's own record names it; the description may be older than the address.
        Owner::OtherBundle(bundle) if on_record && others.is_some_and(|all| !all.contains(&bundle)) => {
            return Ok(true);
        }
        Owner::OtherBundle(bundle) => {
            done.bot_is_left = removal.install.is_some() && others.is_none_or(|all| !all.contains(&bundle));
            done.not_touched.push(format!("the bot @{name}: {}", of(&bundle)));
        }
        // Older versions did not write which bundle: the record, the commands or the admin must say it.
        Owner::UnknownBundle if on_record || is_named || by_commands => return Ok(true),
        Owner::UnknownBundle => {
            done.bot_is_left = removal.install.is_some();
            done.not_touched.push(format!(
                "the bot @{name}: its description does not say to which bundle it belongs. If it belongs to this one, add \
                 --bot {name}"
            ));
        }
        Owner::OtherApp if mark::bot_mark(&bot.description).is_some() => {
            done.bot_is_left = removal.install.is_some();
            done.not_touched
                .push(format!("the bot @{name}: its description says that it belongs to another app"));
        }
        // Anybody who may edit the bot may have written another description, and its tokens still work.
        Owner::OtherApp if on_record => return Ok(true),
        Owner::OtherApp if has_our_token(server, app, bot).await? => {
            if is_named {
                return Ok(true);
            }
            done.failed.push(format!(
                "the bot @{name}: its description does not say any more that it belongs to {app}, but it has a token that \
                 cloud-apps made for {app}. If it belongs to this bundle, add --bot {name}"
            ));
        }
        Owner::OtherApp => {}
    }
    Ok(false)
}

/// Whether the bot has a token whose description says that cloud-apps made it for the app.
async fn has_our_token(server: &Mattermost, app: &AppId, bot: &Bot) -> Result<bool, Stop> {
    Ok(server.tokens(&bot.user_id).await?.iter().any(|token| mark::is_token(app, token)))
}

fn of(bundle: &SiteUrl) -> String {
    format!("it belongs to the bundle at {bundle}")
}

/// Whether the install has registered something of a kind; `None` if there is no install.
fn stands(install: Option<&InstallView>, commands: bool) -> Option<bool> {
    let mut all = install?.registered.iter().chain(&install?.leftovers);
    Some(all.any(|standing| match standing {
        Registration::SlashCommand { .. } => commands,
        Registration::OutgoingWebhook { .. } => !commands,
        Registration::Bot { .. } => false,
    }))
}

/// Whether the bundle has something registered under this id.
fn registered(install: Option<&InstallView>, id: &str) -> bool {
    install.is_some_and(|install| {
        install.registered.iter().chain(&install.leftovers).any(|standing| match standing {
            Registration::SlashCommand { id: known, .. }
            | Registration::OutgoingWebhook { id: known, .. } => known == id,
            Registration::Bot { .. } => false,
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

/// The teams of the install and of its bot. If the bundle has no install, all teams: nobody knows which ones.
async fn teams(
    server: &Mattermost,
    install: Option<&InstallView>,
    bot: Option<&Bot>,
) -> Result<Vec<Team>, Stop> {
    let Some(install) = install else { return Ok(server.teams().await?) };
    let mut teams: BTreeMap<TeamId, Team> = BTreeMap::new();
    if let Some(bot) = bot {
        teams.extend(server.teams_of(&bot.user_id).await?.into_iter().map(|team| (team.id.clone(), team)));
    }
    let registered =
        install.registered.iter().chain(&install.leftovers).filter_map(|standing| match standing {
            Registration::SlashCommand { team_id, .. } | Registration::OutgoingWebhook { team_id, .. } => {
                Some(team_id)
            }
            Registration::Bot { .. } => None,
        });
    for id in install.teams.iter().chain(registered) {
        if !teams.contains_key(id)
            && let Some(team) = server.team(id.as_str()).await?
        {
            teams.insert(team.id.clone(), team);
        }
    }
    Ok(teams.into_values().collect())
}
