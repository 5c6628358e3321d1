//! Takes back what an unfinished installation made, on both sides, by its journal. The entry of what is gone is removed; what cannot
//! be reached stays in the journal for the next try.
//!
//! Somebody else may have installed the same app from the same bundle since that run, with the same bot. So a command or a webhook
//! is removed only if it calls an install of this journal, and a bot is disabled only if no other installation has made a token
//! for it.

use super::{
    context::Context,
    journal::{Journal, Made},
    mark,
    owner::{BundleIdentity, Owner},
    steps,
    stop::Stop,
};
use cloud_apps_protocol::SiteUrl;
use std::collections::BTreeMap;

/// Takes everything back. `Err` with the first error, after everything else was tried.
pub async fn take_all_back(cx: &Context<'_>, mut journal: Journal, site: &SiteUrl) -> Result<(), Stop> {
    let mut trouble = None;
    // The bundle first: an install that serves must not lose its bot and its commands.
    if journal.has(&Made::Install) {
        let install = journal.install().cloned();
        cx.step("the bundle has no install of it any more", async || at_the_bundle(cx, &journal, site).await)
            .await?;
        if install.is_some() && !cx.bundle.is_operator() {
            cx.tell("    (a pending install serves nothing, and is removed when its code expires)");
        }
        journal.strike(&Made::Install)?;
        journal.strike_completion()?;
        journal.name_install(None)?;
    }
    let looking = async || bots_of_others(cx, &journal).await;
    let of_others = match cx.step("looked whether another installation has the bot", looking).await {
        Ok(of_others) => Some(of_others),
        Err(stop) => {
            trouble = Some(stop);
            None
        }
    };
    for made in journal.made().to_vec().iter().rev() {
        if is_about_a_bot(made) {
            // A bot that may belong to another installation is not touched.
            let Some(of_others) = &of_others else { continue };
            if of_others.contains(made) {
                journal.strike(made)?;
                continue;
            }
        }
        match cx.step(&title(made), async || take_back(cx, made, &journal).await).await {
            Ok(()) => journal.strike(made)?,
            Err(stop) => trouble = trouble.or(Some(stop)),
        }
    }
    match trouble {
        Some(stop) => Err(stop),
        None => Ok(journal.close()?),
    }
}

async fn at_the_bundle(cx: &Context<'_>, journal: &Journal, site: &SiteUrl) -> Result<(), Stop> {
    if !cx.bundle.is_operator() {
        if journal.completion().is_some() {
            return Err(Stop::Unsure(
                "it is not known whether the install was completed, and removing its bot could break one that works"
                    .to_owned(),
            ));
        }
        return Ok(());
    }
    let Some(view) = cx.bundle.find(&cx.app.id, site).await? else { return Ok(()) };
    if steps::is_ours(cx, (journal.install(), journal.run()), &view).await? {
        cx.bundle.remove(&view.install_id).await?;
    }
    Ok(())
}

fn is_about_a_bot(made: &Made) -> bool {
    matches!(made, Made::Bot { .. } | Made::FoundBot { .. } | Made::EnabledBot { .. } | Made::Member { .. })
}

/// The entries about bots that another installation uses since: such a bot has a token of `cloud-apps` that this run did not make
/// and that did not exist before it.
async fn bots_of_others(cx: &Context<'_>, journal: &Journal) -> Result<Vec<Made>, Stop> {
    let own = mark::token_description(&cx.app.id, journal.run());
    let mut taken: BTreeMap<String, bool> = BTreeMap::new();
    let mut of_others = Vec::new();
    for made in journal.made().iter().filter(|made| is_about_a_bot(made)) {
        let user = match made {
            Made::Bot { username } => match cx.server.user_named(username).await? {
                Some(user) if user.is_bot => user.id,
                _ => continue,
            },
            Made::FoundBot { user, .. } | Made::EnabledBot { user } | Made::Member { user, .. } => {
                user.clone()
            }
            _ => continue,
        };
        let is_taken = if let Some(known) = taken.get(&user) {
            *known
        } else {
            let before = journal.tokens_before(&user);
            let is_taken = cx.server.tokens(&user).await?.iter().any(|token| {
                mark::is_token(&cx.app.id, token) && token.description != own && !before.contains(&token.id)
            });
            if is_taken {
                cx.tell("    the bot stays as it is: another installation has made a token for it since");
            }
            taken.insert(user, is_taken);
            is_taken
        };
        if is_taken {
            of_others.push(made.clone());
        }
    }
    Ok(of_others)
}

fn title(made: &Made) -> String {
    match made {
        Made::Bot { username } => format!("@{username} is disabled (Mattermost cannot delete a bot)"),
        Made::FoundBot { .. } => "the bot is described as before".to_owned(),
        Made::EnabledBot { .. } => "the bot is disabled again".to_owned(),
        Made::BotToken { .. } => "the bot's token is revoked".to_owned(),
        Made::Member { .. } => "the bot is out of the team".to_owned(),
        Made::Install | Made::Completion { .. } => "the install is gone".to_owned(),
        Made::Command { trigger, .. } | Made::AdoptedCommand { trigger, .. } => {
            format!("/{trigger} of this installation is deleted")
        }
        Made::Webhook { .. } | Made::AdoptedWebhook { .. } => {
            "the outgoing webhook of this installation is deleted".to_owned()
        }
    }
}

async fn take_back(cx: &Context<'_>, made: &Made, journal: &Journal) -> Result<(), Stop> {
    let (server, app) = (cx.server, &cx.app.id);
    // What another bundle has stays as it is: it should have been taken over, and was not.
    let identity = BundleIdentity::of(cx.bundle, None);
    match made {
        Made::Bot { username } => {
            let Some(user) = server.user_named(username).await? else { return Ok(()) };
            let bot = server.bot(&user.id).await?;
            if bot.is_some_and(|bot| {
                matches!(identity.bot(app, &bot), Owner::ThisBundle | Owner::UnknownBundle)
            }) {
                disable(cx, &user.id).await?;
            }
        }
        Made::FoundBot { user, title, about, .. } => {
            if let Some(bot) = server.bot(user).await?
                && identity.bot(app, &bot) == Owner::ThisBundle
                && (bot.display_name != *title || bot.description != *about)
            {
                server.update_bot(&bot, title, about).await?;
            }
        }
        Made::EnabledBot { user } => disable(cx, user).await?,
        Made::BotToken { user } => {
            let description = mark::token_description(app, journal.run());
            for token in server.tokens(user).await? {
                if token.description == description {
                    server.revoke_token(&token.id).await?;
                }
            }
        }
        Made::Member { team, user } => {
            if server.is_member(team, user).await? {
                server.remove_member(team, user).await?;
            }
        }
        Made::Command { team, trigger } | Made::AdoptedCommand { team, trigger } => {
            for command in server.commands(team).await? {
                if command.trigger != *trigger || identity.command(app, &command) != Owner::ThisBundle {
                    continue;
                }
                if calls_ours(journal, &command.url) {
                    server.delete_command(&command.id).await?;
                } else {
                    cx.tell(&format!(
                        "    /{trigger} stays as it is: it calls another install, {}",
                        command.url
                    ));
                }
            }
        }
        Made::Webhook { team, channel } | Made::AdoptedWebhook { team, channel } => {
            for webhook in server.webhooks(team).await? {
                let ours = webhook.callback_urls.first().is_some_and(|url| calls_ours(journal, url));
                if webhook.channel_id == *channel
                    && identity.webhook(app, &webhook) == Owner::ThisBundle
                    && ours
                {
                    server.delete_webhook(&webhook.id).await?;
                }
            }
        }
        Made::Install | Made::Completion { .. } => {}
    }
    Ok(())
}

/// Whether the address belongs to an install of this journal.
fn calls_ours(journal: &Journal, url: &str) -> bool {
    mark::place(url).is_some_and(|(_, install)| journal.named(&install))
}

/// Disables the app's bot, if it is enabled.
async fn disable(cx: &Context<'_>, user: &str) -> Result<(), Stop> {
    if let Some(bot) = cx.server.bot(user).await?
        && bot.delete_at == 0
        && mark::is_bot(&cx.app.id, &bot)
    {
        cx.server.disable_bot(user).await?;
    }
    Ok(())
}
