//! What is registered on an install's server, as it is shown.

use crate::store::model::{Install, Team};
use cloud_apps_protocol::{
    TeamId,
    install::{Registration, Wanted},
};

/// How many registrations are shown at most. This is more than an install may register.
pub(super) const MAX_SHOWN: usize = 2_000;

/// The registrations of a team, each with whether its token is accepted.
pub(super) fn of_team(team_id: &TeamId, team: &Team, install: &Install) -> Vec<(Registration, bool)> {
    let commands = team.commands.iter().map(|(trigger, command)| {
        let shown = Registration::SlashCommand {
            team_id: team_id.clone(),
            id: command.id.clone(),
            trigger: trigger.clone(),
        };
        (shown, command.stands(install))
    });
    let webhooks = team.webhooks.iter().map(|(id, webhook)| {
        let shown = Registration::OutgoingWebhook {
            team_id: team_id.clone(),
            id: id.clone(),
            channel_id: webhook.channel.clone(),
        };
        (shown, webhook.stands(install))
    });
    commands.chain(webhooks).collect()
}

/// Whether a registration is the one that the install asks for.
pub(super) fn is(standing: &Registration, wanted: &Wanted) -> bool {
    match (wanted, standing) {
        (Wanted::SlashCommand { trigger, .. }, Registration::SlashCommand { trigger: there, .. }) => {
            trigger == there
        }
        (Wanted::OutgoingWebhook { channel_id }, Registration::OutgoingWebhook { channel_id: there, .. }) => {
            channel_id == there
        }
        _ => false,
    }
}
