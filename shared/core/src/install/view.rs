//! What a server, an admin or an operator may know of an install. Settings of type `password` are write-only.

use super::plan;
use crate::{
    apps::ServedApp,
    store::model::{Install, State, Team},
};
use cloud_apps_protocol::{
    Manifest, TeamId, Values,
    form::Subtype,
    install::{Granted, InstallView, Offered, Standing, Wanted},
};

/// The most that is shown of what is registered: more than an install may register.
pub(crate) const MAX_STANDING: usize = 2_000;

/// The install as it is shown. Without a manifest what the app would say is left out, settings included: nobody knows
/// which are passwords; and the reason is told. `offered` is what an upgrade moves to.
pub fn view(
    manifest: Result<&Manifest, &str>,
    offered: Option<&ServedApp<'_>>,
    install: &Install,
    teams: &[(TeamId, Team)],
) -> InstallView {
    let (manifest, missing) = match manifest {
        Ok(manifest) => (Some(manifest), ""),
        Err(reason) => (None, reason),
    };
    let wanted = manifest.map(|manifest| plan::register(manifest, install)).unwrap_or_default();
    let mut registered = Vec::new();
    let mut leftovers = Vec::new();
    let all = teams.iter().flat_map(|(id, team)| standing(id, team, install)).take(MAX_STANDING);
    for (standing, stands) in all {
        // What a revoked code registered is to be removed, and registered again.
        let list = if stands && is_wanted(&standing, &wanted) { &mut registered } else { &mut leftovers };
        list.push(standing);
    }
    let unavailable = match manifest {
        None => vec![plan::not_here(&install.app, missing)],
        Some(manifest) => {
            let mut list = plan::unavailable(manifest, install);
            list.extend(plan::needs_sync(install, &wanted, &registered));
            list
        }
    };
    InstallView {
        install_id: install.id.clone(),
        app_id: install.app.clone(),
        version: install.version.clone(),
        site_url: install.site.clone(),
        state: word(&install.state).into(),
        rev: install.rev,
        bot: install.bot.clone(),
        granted: install.granted.clone(),
        settings: manifest.map(|manifest| shown(manifest, &install.settings)).unwrap_or_default(),
        commands: manifest.map(|manifest| manifest.commands.clone()).unwrap_or_default(),
        own_presets: install.presets.clone(),
        presets: manifest.iter().flat_map(|m| &m.presets).chain(&install.presets).cloned().collect(),
        register: wanted,
        registered,
        leftovers,
        offered: offered.filter(|offered| !has(install, offered)).map(|offered| {
            let manifest = offered.manifest();
            Offered { version: manifest.version.clone(), requests: requests(manifest) }
        }),
        teams: teams.iter().filter(|(_, team)| !team.commands.is_empty()).map(|(id, _)| id.clone()).collect(),
        endpoints: plan::endpoints(&install.base_url, &install.id),
        unavailable,
        created_at: install.created_at,
    }
}

/// Whether an install agreed to this very manifest.
pub fn has(install: &Install, offered: &ServedApp<'_>) -> bool {
    install.version == offered.manifest().version
        && install.manifest.as_ref().is_none_or(|sha256| *sha256 == offered.sha256())
}

/// Whether the install asks for what stands there.
fn is_wanted(standing: &Standing, wanted: &[Wanted]) -> bool {
    wanted.iter().any(|wanted| match (wanted, standing) {
        (Wanted::SlashCommand { trigger, .. }, Standing::SlashCommand { trigger: there, .. }) => {
            trigger == there
        }
        (Wanted::OutgoingWebhook { channel_id }, Standing::OutgoingWebhook { channel_id: there, .. }) => {
            channel_id == there
        }
        _ => false,
    })
}

/// All that a manifest asks to be granted.
pub fn requests(manifest: &Manifest) -> Granted {
    Granted {
        permissions: manifest.permissions.iter().copied().collect(),
        locations: manifest.locations.iter().cloned().collect(),
        events: manifest.events.iter().map(|event| event.kind.clone()).collect(),
        webhooks: manifest.webhooks.iter().map(|webhook| webhook.path.clone()).collect(),
    }
}

/// What is registered in a team, as it is shown, and whether its token is good.
pub(crate) fn standing(team_id: &TeamId, team: &Team, install: &Install) -> Vec<(Standing, bool)> {
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

/// The settings that the manifest knows and that are no passwords: what it does not know any more may have been one.
pub fn shown(manifest: &Manifest, settings: &Values) -> Values {
    let open = |name: &str| {
        let field = manifest.settings.iter().find(|field| field.name.as_str() == name);
        field.is_some_and(|field| field.subtype != Some(Subtype::Password))
    };
    settings
        .iter()
        .filter(|(name, _)| open(name))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect()
}

/// The word for a state.
pub fn word(state: &State) -> &'static str {
    match state {
        State::Pending { .. } => "pending",
        State::Completing { .. } => "completing",
        State::Active => "active",
        State::Disabled => "disabled",
        State::Removing => "removing",
    }
}
