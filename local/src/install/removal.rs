//! Removes what stands on a server, with the admin's rights. What is dangerous goes first: the bot's tokens, the bot, then the
//! commands and webhooks.

use super::{mark, runner::Runner, stop::Stop};
use crate::mattermost::{Bot, Command, Finding, Mattermost, OutgoingWebhook, User};
use cloud_apps_protocol::{AppId, InstallId};
use serde::Serialize;

/// What a removal did.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Uninstalled {
    /// The install that was removed, if the bundle had one.
    pub install_id: Option<InstallId>,
    /// What was removed from the server, in words.
    pub removed: Vec<String>,
    /// What stays, and why.
    pub stays: Vec<String>,
    /// What could not be removed, and why. The same command tries it again.
    pub failed: Vec<String>,
    /// What was not looked at because it is switched off or hidden, so something of the app may stand there.
    pub not_looked_at: Vec<String>,
    /// What belongs to another bundle, and was not touched.
    pub not_touched: Vec<String>,
    /// The install's bot was not touched, and no command shows that another bundle took it over.
    pub bot_is_left: bool,
    /// What the app said when it could not clean up.
    pub warning: Option<String>,
}

impl Uninstalled {
    /// Whether nothing is left that this bundle made.
    pub fn is_whole(&self) -> bool {
        let only_others =
            self.removed.is_empty() && !self.not_touched.is_empty() && self.install_id.is_none();
        self.failed.is_empty() && self.not_looked_at.is_empty() && !self.bot_is_left && !only_others
    }
}

/// What was found on a server and belongs to one bundle.
#[derive(Default)]
pub struct Belongings {
    /// The bot. There is more than one only if somebody imitates it.
    pub bots: Vec<Bot>,
    /// Slash commands, each with the name of its team.
    pub commands: Vec<(String, Command)>,
    /// Outgoing webhooks, each with the name of its team.
    pub webhooks: Vec<(String, OutgoingWebhook)>,
}

impl Belongings {
    /// What it is, in words.
    pub fn words(&self) -> Vec<String> {
        let bot = self.bots.iter().map(bot_words);
        let commands =
            self.commands.iter().map(|(team, command)| format!("/{} of the team {team}", command.trigger));
        let webhooks = self.webhooks.iter().map(|(team, webhook)| {
            format!("the webhook of channel {} of the team {team}", webhook.channel_id)
        });
        bot.chain(commands).chain(webhooks).collect()
    }
}

/// A bot, in words.
pub fn bot_words(bot: &Bot) -> String {
    let state = if bot.delete_at == 0 { "enabled" } else { "disabled" };
    format!("the bot @{} ({state})", bot.username)
}

/// Fails if the admin has not the rights for it.
pub fn rights(server: &Mattermost, admin: &User) -> Result<(), Stop> {
    if admin.has_role("system_admin") {
        return Ok(());
    }
    Err(Finding::stop(
        format!("@{} is not a system admin of {}", admin.username, server.site()),
        "Use the token of a system admin: only a system admin can revoke the bot's token and disable the bot.",
    )
    .into())
}

/// Removes all of it, what is dangerous first. If something fails, that is noted and the rest is still removed.
pub async fn take_away(
    runner: &Runner<'_>,
    server: &Mattermost,
    (app, belongings): (&AppId, &Belongings),
    keep_bot: bool,
    done: &mut Uninstalled,
) -> Result<(), Stop> {
    for bot in &belongings.bots {
        let name = format!("@{}", bot.username);
        let revoke = async || {
            let mut revoked = 0;
            // A removed bot must keep no token that works if somebody enables it again.
            for token in server.tokens(&bot.user_id).await? {
                if !keep_bot || mark::is_token(app, &token) {
                    server.revoke_token(&token.id).await?;
                    revoked += 1;
                }
            }
            Ok(revoked)
        };
        if let Some(1..) = attempt(runner, &format!("the tokens of {name} are revoked"), revoke, done).await?
        {
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
            if attempt(runner, &format!("{name} is disabled"), disable, done).await?.is_some() {
                done.stays.push(format!(
                    "the bot {name}, disabled: Mattermost cannot delete a bot, and its posts keep their author"
                ));
            }
        }
    }
    for (team, command) in &belongings.commands {
        let what = format!("/{} of the team {team}", command.trigger);
        let delete = async || Ok(server.delete_command(&command.id).await?);
        if attempt(runner, &format!("removed {what}"), delete, done).await?.is_some() {
            done.removed.push(what);
        }
    }
    for (team, webhook) in &belongings.webhooks {
        let what = format!("the webhook of channel {} of the team {team}", webhook.channel_id);
        let delete = async || Ok(server.delete_webhook(&webhook.id).await?);
        if attempt(runner, &format!("removed {what}"), delete, done).await?.is_some() {
            done.removed.push(what);
        }
    }
    Ok(())
}

/// Runs one step. A failure is noted; `Err` only if somebody wants to stop.
async fn attempt<T>(
    runner: &Runner<'_>,
    title: &str,
    work: impl AsyncFnMut() -> Result<T, Stop>,
    done: &mut Uninstalled,
) -> Result<Option<T>, Stop> {
    match runner.step(title, work).await {
        Ok(value) => Ok(Some(value)),
        Err(Stop::Interrupted) => Err(Stop::Interrupted),
        Err(stop) => {
            done.failed.push(format!("{title}: {}", stop.line()));
            Ok(None)
        }
    }
}
