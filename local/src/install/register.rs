//! Registers the slash commands and outgoing webhooks that an install wants: what stands and is right is used, what stands and
//! differs is fixed, and what is missing is made. Installations and `sync` use it.

use super::{adopt, mark, owner::BundleIdentity, stop::Stop};
use crate::{
    failure::Failure,
    mattermost::{Command, Finding, Mattermost, OutgoingWebhook, Team},
};
use cloud_apps_protocol::{
    ChannelId,
    install::{AppView, Endpoints, Registered},
};

/// What was done about one thing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// It stood and was right.
    None,
    /// It was made.
    Made,
    /// It stood, differed and was fixed.
    Fixed,
    /// It stood, and neither the journal nor the bundle knew it. It has a new token now.
    Adopted {
        /// What it is, and who made it, for people.
        what: String,
    },
}

/// For which app something is registered, and where.
#[derive(Clone, Copy)]
pub struct Registrar<'a> {
    /// The server, as the admin.
    pub server: &'a Mattermost,
    /// The app.
    pub app: &'a AppView,
    /// The addresses that the commands and webhooks call.
    pub endpoints: &'a Endpoints,
    /// By what the bundle's own things are recognised.
    pub identity: &'a BundleIdentity,
    /// The admin agreed that another bundle loses what it has.
    pub take_over: bool,
}

/// How a slash command should look.
#[derive(Debug, Clone)]
pub struct WantedCommand {
    /// Without `/`.
    pub trigger: String,
    /// Shown in the suggestion.
    pub about: String,
    /// Shown after the trigger.
    pub hint: String,
}

/// Registers the slash command of one team. `known` says whether a command is this installation's own, which is used as it is.
/// `before` is called before anything is changed, and is told whether the command is made here.
pub async fn command(
    registrar: Registrar<'_>,
    team: &Team,
    wish: &WantedCommand,
    known: impl FnOnce(&Command) -> bool,
    before: impl FnOnce(bool) -> Result<(), Failure>,
) -> Result<(Registered, Change), Stop> {
    let Registrar { server, app, endpoints, identity, take_over } = registrar;
    let wanted =
        mark::command(app, team.id.as_str(), &wish.trigger, (&wish.about, &wish.hint), &endpoints.slash);
    let stands = server.commands(team.id.as_str()).await?;
    let stands = stands.into_iter().find(|command| command.trigger == wish.trigger);
    let (command, change) = match stands {
        Some(stands) if known(&stands) => {
            if wanted.is(&stands) {
                (stands, Change::None)
            } else {
                before(true)?;
                server.update_command(&stands, &wanted).await?;
                (stands, Change::Fixed)
            }
        }
        Some(stands) => {
            let what =
                adopt::command(server, (&app.id, identity), team, &stands).await?.with_consent(take_over)?;
            before(false)?;
            // The token first: from here on the old one is useless.
            let token = server.regenerate_command_token(&stands.id).await?;
            if !wanted.is(&stands) {
                server.update_command(&stands, &wanted).await?;
            }
            (Command { token, ..stands }, Change::Adopted { what })
        }
        None => {
            before(true)?;
            (server.create_command(&wanted).await?, Change::Made)
        }
    };
    let registered = Registered::SlashCommand {
        team_id: team.id.clone(),
        id: command.id,
        trigger: wish.trigger.clone(),
        token: command.token,
    };
    Ok((registered, change))
}

/// Registers the outgoing webhook of one channel. If several stand, one is kept, because each would send every post again.
pub async fn webhook(
    registrar: Registrar<'_>,
    channel: &ChannelId,
    known: impl Fn(&OutgoingWebhook) -> bool,
    before: impl FnOnce(&str, bool) -> Result<(), Failure>,
) -> Result<(Registered, Change), Stop> {
    let Registrar { server, app, endpoints, identity, .. } = registrar;
    let Some(team) = server.team_of_channel(channel.as_str()).await? else {
        return Err(Finding::stop(
            format!("the app watches the channel {channel}, but no team has such a channel"),
            "Name a public channel in the app's settings.",
        )
        .into());
    };
    let wanted = mark::webhook(app, team.as_str(), channel, &endpoints.webhook);
    let mut ours = Vec::new();
    let mut makers = Vec::new();
    for webhook in server.webhooks(team.as_str()).await? {
        if webhook.channel_id != channel.as_str() {
            continue;
        }
        let maker = if known(&webhook) {
            None
        } else {
            match adopt::webhook(server, (&app.id, identity), &webhook).await? {
                Some(maker) => Some(maker),
                None => continue,
            }
        };
        ours.push(webhook);
        makers.push(maker);
    }
    // One that is known and right, else one that is right, else the oldest.
    let right = |of_us: bool| {
        let mut all = ours.iter().zip(&makers);
        all.position(|(webhook, maker)| wanted.is(webhook) && maker.is_none() == of_us)
    };
    let keep = right(true).or_else(|| right(false)).unwrap_or(0);
    let maker = makers.get(keep).cloned().flatten();
    let right = ours.get(keep).is_some_and(|webhook| wanted.is(webhook));
    if !right || ours.len() > 1 || maker.is_some() {
        before(team.as_str(), maker.is_none())?;
    }
    for (_, doubled) in ours.iter().enumerate().filter(|(n, _)| *n != keep) {
        server.delete_webhook(&doubled.id).await?;
    }
    let doubled = ours.len() > 1;
    let (webhook, change) = match (ours.into_iter().nth(keep), maker) {
        (Some(stands), Some(maker)) => {
            let token = server.regenerate_webhook_token(&stands.id).await?;
            let stands = OutgoingWebhook { token, ..stands };
            if !right {
                server.update_webhook(&stands, &wanted).await?;
            }
            let what = format!("the webhook of channel {channel} (made by {maker})");
            (stands, Change::Adopted { what })
        }
        (Some(stands), None) if right => (stands, if doubled { Change::Fixed } else { Change::None }),
        (Some(stands), None) => {
            server.update_webhook(&stands, &wanted).await?;
            (stands, Change::Fixed)
        }
        (None, _) => (server.create_webhook(&wanted).await?, Change::Made),
    };
    let registered = Registered::OutgoingWebhook {
        team_id: team,
        id: webhook.id,
        channel_id: channel.clone(),
        token: webhook.token,
    };
    Ok((registered, change))
}

/// What an install wants registered, sorted by who registers it.
#[derive(Debug, Default)]
pub struct Wanted {
    /// One in each team.
    pub commands: Vec<WantedCommand>,
    /// One for each channel.
    pub channels: Vec<ChannelId>,
    /// What this program cannot register, in words.
    pub by_hand: Vec<String>,
}

impl Wanted {
    /// Sorts what the bundle wants. `unknown` is what this program cannot even read.
    pub fn of(register: &[cloud_apps_protocol::install::Wanted], unknown: &[serde_json::Value]) -> Self {
        use cloud_apps_protocol::install::Wanted as W;
        let mut wanted = Self::default();
        for one in register {
            match one {
                W::SlashCommand { trigger, per, auto_complete_desc, auto_complete_hint } if per == "team" => {
                    wanted.commands.push(WantedCommand {
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
            format!("{kind}, which this `cloud-apps` does not know: use a newer one")
        }));
        wanted
    }
}
