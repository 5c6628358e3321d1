//! `cloud-apps uninstall`: the bundle stops serving first; then what stands on the server is listed and removed, with
//! the admin's own rights. It may be repeated: what is gone is gone, and what is left is looked for again.

use super::{Means, as_admin, mark, stop::Stop, sync::words};
use crate::mattermost::{Mattermost, User};
use cloud_apps_protocol::{
    AppId, InstallId,
    install::{InstallView, Standing},
};
use serde::Serialize;
use std::collections::BTreeSet;

/// What a removal did.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Uninstalled {
    /// The install that is no more; none where the bundle had none.
    pub install_id: Option<InstallId>,
    /// What was removed from the server, in words.
    pub removed: Vec<String>,
    /// What stays, and why.
    pub stays: Vec<String>,
    /// What the app said when it could not clean up.
    pub warning: Option<String>,
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
    /// The bot goes on existing, without a token.
    pub keep_bot: bool,
}

/// Removes an install from both sides.
pub async fn uninstall(means: &Means<'_>, removal: &Removal) -> Result<Uninstalled, Stop> {
    let pace = means.pace();
    as_admin(means, async |server| {
        // Rights first: what stops serving and cannot be cleaned up is half a removal.
        let admin = pace.step("looked who asks", async || Ok(server.me().await?)).await?;
        rights(server, &admin)?;
        let mut done = Uninstalled::default();
        let mut left: BTreeSet<Standing> = BTreeSet::new();
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
            done.warning = removed.warning;
            done.install_id = Some(removed.install_id);
            left.extend(removed.leftovers);
            left.extend(install.registered.iter().chain(&install.leftovers).cloned());
        }
        let bot =
            pace.step("looked for what is left", async || look(server, removal, &mut left).await).await?;
        for standing in left.iter().filter(|standing| !matches!(standing, Standing::Bot { .. })) {
            let title = format!("removed {}", words(standing));
            pace.step(&title, async || super::sync::remove(server, standing).await).await?;
            done.removed.push(words(standing));
        }
        if let Some(bot) = bot {
            part(means, server, removal, &bot, &mut done).await?;
        }
        Ok(done)
    })
    .await
}

fn rights(server: &Mattermost, admin: &User) -> Result<(), Stop> {
    if admin.has_role("system_admin") {
        return Ok(());
    }
    Err(crate::mattermost::Finding::stop(
        format!("@{} is no system admin of {}", admin.username, server.site()),
        "Use the token of a system admin: it takes one to revoke the bot's token and to disable the bot.",
    )
    .into())
}

/// What is recognisably of this install, or of this app where there is no install any more, in every team that knew
/// it. The bot, if it is the app's.
async fn look(
    server: &Mattermost,
    removal: &Removal,
    left: &mut BTreeSet<Standing>,
) -> Result<Option<User>, Stop> {
    let name = removal.install.as_ref().map_or(removal.bot.as_str(), |install| install.bot.username.as_str());
    let mut bot = server.user_named(name).await?;
    if let Some(user) = &bot {
        let known = server.bot(&user.id).await?;
        if !known.is_some_and(|known| mark::is_bot(&removal.app, &known)) {
            bot = None;
        }
    }
    let mut teams: BTreeSet<String> = left
        .iter()
        .filter_map(|standing| match standing {
            Standing::SlashCommand { team_id, .. } | Standing::OutgoingWebhook { team_id, .. } => {
                Some(team_id.to_string())
            }
            Standing::Bot { .. } => None,
        })
        .collect();
    if let Some(bot) = &bot {
        teams.extend(server.teams_of(&bot.id).await?.into_iter().map(|team| team.id));
    }
    // With the install known only what is its own: another bundle may serve the same app in other teams.
    let place = removal.install.as_ref().map(|install| format!("/hooks/{}/", install.install_id));
    let mine = |marked: bool, url: &str| place.as_ref().map_or(marked, |place| url.contains(place.as_str()));
    for team in &teams {
        let Ok(team_id) = cloud_apps_protocol::TeamId::new(team.as_str()) else { continue };
        for command in server.commands(team).await? {
            if mine(mark::is_command(&removal.app, &command), &command.url) {
                let (id, trigger) = (command.id, command.trigger);
                left.insert(Standing::SlashCommand { team_id: team_id.clone(), id, trigger });
            }
        }
        for webhook in server.webhooks(team).await? {
            let marked = mark::is_webhook(&removal.app, &webhook);
            let Ok(channel_id) = webhook.channel_id.parse() else { continue };
            if webhook.callback_urls.iter().any(|url| mine(marked, url)) {
                let (team_id, id) = (team_id.clone(), webhook.id);
                left.insert(Standing::OutgoingWebhook { team_id, id, channel_id });
            }
        }
    }
    Ok(bot)
}

/// The bot's tokens, and the bot.
async fn part(
    means: &Means<'_>,
    server: &Mattermost,
    removal: &Removal,
    bot: &User,
    done: &mut Uninstalled,
) -> Result<(), Stop> {
    let pace = means.pace();
    let revoke = async || {
        let mut revoked = 0;
        for token in server.tokens(&bot.id).await? {
            if mark::is_token(&removal.app, &token) {
                server.revoke_token(&token.id).await?;
                revoked += 1;
            }
        }
        Ok(revoked)
    };
    let revoked = pace.step(&format!("the tokens of @{} are revoked", bot.username), revoke).await?;
    if revoked > 0 {
        done.removed.push(format!("the token of @{}", bot.username));
    }
    if removal.keep_bot {
        done.stays.push(format!("the bot @{}, as --keep-bot says", bot.username));
        return Ok(());
    }
    let disable = async || {
        let active = server.bot(&bot.id).await?.is_some_and(|bot| bot.delete_at == 0);
        if active {
            server.disable_bot(&bot.id).await?;
        }
        Ok(())
    };
    pace.step(&format!("@{} is disabled", bot.username), disable).await?;
    done.stays.push(format!(
        "the bot @{}, disabled: Mattermost cannot delete a bot, and what it posted stays its own",
        bot.username
    ));
    Ok(())
}
