//! Slash commands and outgoing webhooks as an install wants them: what stands and is right is taken, what stands and
//! differs is put right, what is missing is made. Used by an installation and by `sync`.

use super::{mark, preflight, stop::Stop};
use crate::{
    failure::Failure,
    mattermost::{Finding, Mattermost, Team},
};
use cloud_apps_protocol::{
    ChannelId, TeamId,
    install::{AppView, Endpoints, Registered},
};

/// What was done about one thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// It stood, and was right.
    None,
    /// It was made.
    Made,
    /// It stood, and differed.
    Mended,
}

/// How a slash command is to look.
#[derive(Debug, Clone)]
pub struct Wish {
    /// Without `/`.
    pub trigger: String,
    /// Shown in the suggestion.
    pub about: String,
    /// Shown behind the trigger.
    pub hint: String,
}

/// The slash command of one team. `before` is called before anything is changed.
pub async fn command(
    server: &Mattermost,
    (app, endpoints): (&AppView, &Endpoints),
    team: &Team,
    wish: &Wish,
    before: impl FnOnce() -> Result<(), Failure>,
) -> Result<(Registered, Change), Stop> {
    let wanted = mark::command(app, &team.id, &wish.trigger, (&wish.about, &wish.hint), &endpoints.slash);
    let stands = server.commands(&team.id).await?;
    let stands = stands.into_iter().find(|command| command.trigger == wish.trigger);
    let (command, change) = match stands {
        Some(stands) if wanted.is(&stands) => (stands, Change::None),
        Some(stands) if mark::is_command(&app.id, &stands) || stands.url == endpoints.slash => {
            before()?;
            server.update_command(&stands, &wanted).await?;
            (stands, Change::Mended)
        }
        Some(stands) => return Err(preflight::clash(server, team, &stands).await?.into()),
        None => {
            before()?;
            (server.create_command(&wanted).await?, Change::Made)
        }
    };
    let registered = Registered::SlashCommand {
        team_id: id(&team.id)?,
        id: command.id,
        trigger: wish.trigger.clone(),
        token: command.token,
    };
    Ok((registered, change))
}

/// The outgoing webhook of one channel. Of several that stand one is kept: each would send every post once more.
pub async fn webhook(
    server: &Mattermost,
    (app, endpoints): (&AppView, &Endpoints),
    channel: &ChannelId,
    before: impl FnOnce(&str) -> Result<(), Failure>,
) -> Result<(Registered, Change), Stop> {
    let Some(team) = server.team_of_channel(channel.as_str()).await?.filter(|team| !team.is_empty()) else {
        return Err(Finding::stop(
            format!("the app watches the channel {channel}, and there is no such channel in a team"),
            "Name a public channel in the app's settings.",
        )
        .into());
    };
    let wanted = mark::webhook(app, &team, channel, &endpoints.webhook);
    let mut ours: Vec<_> = server.webhooks(&team).await?;
    ours.retain(|webhook| {
        let goes_here = webhook.callback_urls.contains(&endpoints.webhook);
        webhook.channel_id == channel.as_str() && (goes_here || mark::is_webhook(&app.id, webhook))
    });
    // The one that is right already, else the oldest.
    let keep = ours.iter().position(|webhook| wanted.is(webhook)).unwrap_or(0);
    let right = ours.get(keep).is_some_and(|webhook| wanted.is(webhook));
    if !right || ours.len() > 1 {
        before(&team)?;
    }
    for (_, doubled) in ours.iter().enumerate().filter(|(n, _)| *n != keep) {
        server.delete_webhook(&doubled.id).await?;
    }
    let doubled = ours.len() > 1;
    let (webhook, change) = match ours.into_iter().nth(keep) {
        Some(stands) if right => (stands, if doubled { Change::Mended } else { Change::None }),
        Some(stands) => {
            server.update_webhook(&stands, &wanted).await?;
            (stands, Change::Mended)
        }
        None => (server.create_webhook(&wanted).await?, Change::Made),
    };
    let registered = Registered::OutgoingWebhook {
        team_id: id(&team)?,
        id: webhook.id,
        channel_id: channel.clone(),
        token: webhook.token,
    };
    Ok((registered, change))
}

/// An id as the server wrote it.
fn id(text: &str) -> Result<TeamId, Failure> {
    text.parse().map_err(|e: cloud_apps_protocol::BadId| Failure::new(format!("the server's answer: {e}")))
}

/// What an install wants registered, sorted by who registers it.
#[derive(Debug, Default)]
pub struct Wanted {
    /// One in each team.
    pub commands: Vec<Wish>,
    /// One for each channel.
    pub channels: Vec<ChannelId>,
    /// What this program does not register, told in words.
    pub by_hand: Vec<String>,
}

impl Wanted {
    /// From what the bundle wants; `unknown` is what this program cannot even read.
    pub fn of(register: &[cloud_apps_protocol::install::Wanted], unknown: &[serde_json::Value]) -> Self {
        use cloud_apps_protocol::install::Wanted as W;
        let mut wanted = Self::default();
        for one in register {
            match one {
                W::SlashCommand { trigger, per, auto_complete_desc, auto_complete_hint } if per == "team" => {
                    wanted.commands.push(Wish {
                        trigger: trigger.clone(),
                        about: auto_complete_desc.clone(),
                        hint: auto_complete_hint.clone(),
                    });
                }
                W::SlashCommand { trigger, per, .. } => wanted.by_hand.push(format!(
                    "a slash command /{trigger} per {per}, which this `cloud-apps` does not know: use a newer one"
                )),
                W::OutgoingWebhook { channel_id } => wanted.channels.push(channel_id.clone()),
                W::OauthApp { callback_url } => wanted.by_hand.push(format!(
                    "an OAuth 2.0 application with the callback URL {callback_url}: make it in Integrations > OAuth \
                     2.0 Applications, and give its id and secret to the operator of the bundle"
                )),
            }
        }
        wanted.by_hand.extend(unknown.iter().map(|one| {
            let kind = one.get("kind").and_then(serde_json::Value::as_str).unwrap_or("something");
            format!(
                "{}, which this `cloud-apps` does not know: use a newer one",
                crate::mattermost::tame(kind)
            )
        }));
        wanted
    }
}
