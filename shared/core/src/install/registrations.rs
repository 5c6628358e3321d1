//! What is registered on an install's server, as it is shown.

use crate::store::model::{Install, Team};
use cloud_apps_protocol::{
    TeamId,
    install::{Standing, Wanted},
};

/// How many registrations are shown at most. This is more than an install may register.
pub(super) const MAX_SHOWN: usize = 2_000;

/// The registrations of a team, each with whether its token is accepted.
pub(super) fn of_team(team_id: &TeamId, team: &Team, install: &Install) -> Vec<(Standing, bool)> {
    let commands = team.commands.iter().map(|(trigger, command)| {
        let shown = Standing::SlashCommand {
            team_id: team_id.clone(),
            id: command.id.clone(),
            trigger: trigger.clone(),
        };
        (shown, command.stands(install))
    });
    let webhooks = team.webhooks.iter().map(|(id, webhook)| {
        let shown = Standing::OutgoingWebhook {
            team_id: team_id.clone(),
            id: id.clone(),
            channel_id: webhook.channel.clone(),
        };
        (shown, webhook.stands(install))
    });
    commands.chain(webhooks).collect()
}

/// Whether a registration is the one that the install asks for.
pub(super) fn is(standing: &Standing, wanted: &Wanted) -> bool {
    match (wanted, standing) {
        (Wanted::SlashCommand { trigger, .. }, Standing::SlashCommand { trigger: there, .. }) => {
            trigger == there
        }
        (Wanted::OutgoingWebhook { channel_id }, Standing::OutgoingWebhook { channel_id: there, .. }) => {
            channel_id == there
        }
        _ => false,
    }
}
