//! What stands on the server for an install of which only the id is known.

use super::{adopt, stop::Stop};
use crate::{failure::Failure, mattermost::Mattermost};
use cloud_apps_protocol::{BadId, InstallId, TeamId, install::Registered};

/// The commands and webhooks whose address holds the install's id and that a system admin made. Anybody else who may make
/// commands can write that address too, and knows the token.
pub async fn of_install(
    server: &Mattermost,
    teams: impl IntoIterator<Item = &str>,
    install: &InstallId,
) -> Result<Vec<Registered>, Stop> {
    let place = format!("/hooks/{install}/");
    let bad = |error: BadId| Failure::new(format!("the server's answer: {error}"));
    let mut all = Vec::new();
    for team in teams {
        let team_id: TeamId = team.parse().map_err(bad)?;
        for command in server.commands(team).await? {
            if command.url.contains(&place) && adopt::made_by_an_admin(server, &command.creator_id).await? {
                let (team_id, trigger) = (team_id.clone(), command.trigger);
                all.push(Registered::SlashCommand { team_id, id: command.id, trigger, token: command.token });
            }
        }
        for webhook in server.webhooks(team).await? {
            let calls_it = webhook.callback_urls.iter().any(|url| url.contains(&place));
            if calls_it && adopt::made_by_an_admin(server, &webhook.creator_id).await? {
                let (team_id, channel_id) = (team_id.clone(), webhook.channel_id.parse().map_err(bad)?);
                all.push(Registered::OutgoingWebhook {
                    team_id,
                    id: webhook.id,
                    channel_id,
                    token: webhook.token,
                });
            }
        }
    }
    Ok(all)
}
