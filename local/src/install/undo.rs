//! Taking back what an unfinished installation made, on both sides, by its journal. What is gone is struck out; what
//! cannot be reached stays in the journal for the next try.

use super::{
    journal::{Journal, Made},
    mark::{self, Home, Whose},
    stop::Stop,
    work::Work,
};
use cloud_apps_protocol::SiteUrl;

/// Takes everything back. `Err` with the first trouble, after all the rest was tried.
pub async fn undo(work: &Work<'_>, mut journal: Journal, site: &SiteUrl) -> Result<(), Stop> {
    let mut trouble = None;
    // The bundle first: what serves must not lose its bot and its commands.
    if journal.has(&Made::Install) {
        let install = journal.install().cloned();
        work.step("the bundle has no install of it any more", async || {
            at_the_bundle(work, &journal, site).await
        })
        .await?;
        if install.is_some() && !work.bundle.is_operator() {
            work.tell("    (a pending install serves nothing, and goes with its code)");
        }
        journal.strike(&Made::Install)?;
        journal.strike_completion()?;
        journal.name_install(None)?;
    }
    let run = journal.run().to_owned();
    for made in journal.made().to_vec().iter().rev() {
        match work.step(&title(made), async || take_back(work, made, &run).await).await {
            Ok(()) => journal.strike(made)?,
            Err(stop) => trouble = trouble.or(Some(stop)),
        }
    }
    match trouble {
        Some(stop) => Err(stop),
        None => Ok(journal.close()?),
    }
}

async fn at_the_bundle(work: &Work<'_>, journal: &Journal, site: &SiteUrl) -> Result<(), Stop> {
    if !work.bundle.is_operator() {
        if journal.completion().is_some() {
            return Err(Stop::Unsure(
                "whether the install was completed is not known, and removing its bot could break one that works"
                    .to_owned(),
            ));
        }
        return Ok(());
    }
    let Some(view) = work.bundle.find(&work.app.id, site).await? else { return Ok(()) };
    let ours = if let Some(known) = journal.install() {
        *known == view.install_id
    } else {
        let user = work.server.user_named(&view.bot.username).await?;
        user.is_some_and(|user| user.id == view.bot.id.as_str())
    };
    if ours {
        work.bundle.remove(&view.install_id).await?;
    }
    Ok(())
}

fn title(made: &Made) -> String {
    match made {
        Made::Bot { username } => format!("@{username} is disabled (Mattermost cannot delete a bot)"),
        Made::EnabledBot { .. } => "the bot is disabled again".to_owned(),
        Made::BotToken { .. } => "the bot's token is revoked".to_owned(),
        Made::Member { .. } => "the bot is out of the team".to_owned(),
        Made::Install | Made::Completion { .. } => "the install is gone".to_owned(),
        Made::Command { trigger, .. } | Made::AdoptedCommand { trigger, .. } => {
            format!("/{trigger} is deleted")
        }
        Made::Webhook { .. } | Made::AdoptedWebhook { .. } => "the outgoing webhook is deleted".to_owned(),
    }
}

async fn take_back(work: &Work<'_>, made: &Made, run: &str) -> Result<(), Stop> {
    let (server, app) = (work.server, &work.app.id);
    // What another bundle has goes on as it is: it was to be taken over, and was not.
    let home = Home::of(work.bundle, None);
    match made {
        Made::Bot { username } => {
            let Some(user) = server.user_named(username).await? else { return Ok(()) };
            let bot = server.bot(&user.id).await?;
            if bot.is_some_and(|bot| matches!(home.bot(app, &bot), Whose::Ours | Whose::Unsaid)) {
                disable(work, &user.id).await?;
            }
        }
        Made::EnabledBot { user } => disable(work, user).await?,
        Made::BotToken { user } => {
            let description = mark::token_description(app, run);
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
                if command.trigger == *trigger && home.command(app, &command) == Whose::Ours {
                    server.delete_command(&command.id).await?;
                }
            }
        }
        Made::Webhook { team, channel } | Made::AdoptedWebhook { team, channel } => {
            for webhook in server.webhooks(team).await? {
                if webhook.channel_id == *channel && home.webhook(app, &webhook) == Whose::Ours {
                    server.delete_webhook(&webhook.id).await?;
                }
            }
        }
        Made::Install | Made::Completion { .. } => {}
    }
    Ok(())
}

/// Disables the app's bot if it is not.
async fn disable(work: &Work<'_>, user: &str) -> Result<(), Stop> {
    if let Some(bot) = work.server.bot(user).await?
        && bot.delete_at == 0
        && mark::is_bot(&work.app.id, &bot)
    {
        work.server.disable_bot(user).await?;
    }
    Ok(())
}
