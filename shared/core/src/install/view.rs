//! An install as it is shown to its server, an admin or an operator. Passwords are never shown.

use super::{plan, registrations, settings};
use crate::{
    apps::ServedApp,
    store::model::{Install, Team},
};
use cloud_apps_protocol::{
    Manifest, TeamId,
    install::{Granted, InstallView, Offered, Server},
};

/// The install as it is shown. If there is no manifest, the reason is shown, and what depends on the manifest is left out.
/// That includes the settings, because nobody knows which of them are passwords. `offered` is what an upgrade would give.
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
    let all = teams.iter().flat_map(|(id, team)| registrations::of_team(id, team, install));
    for (standing, accepted) in all.take(registrations::MAX_SHOWN) {
        // What was registered with a revoked code must be removed, and registered again.
        let asked = wanted.iter().any(|wanted| registrations::is(&standing, wanted));
        let list = if accepted && asked { &mut registered } else { &mut leftovers };
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
        server: Some(Server {
            site_url: install.site.clone(),
            version: install.server_version.clone(),
            facts: install.server.clone(),
        }),
        state: install.state.name().into(),
        rev: install.rev,
        bot: install.bot.clone(),
        bot_token_expires_at: install.bot_token_expires_at,
        granted: install.granted.clone(),
        settings: manifest.map(|manifest| settings::shown(manifest, &install.settings)).unwrap_or_default(),
        commands: manifest.map(|manifest| manifest.commands.clone()).unwrap_or_default(),
        own_presets: install.presets.clone(),
        presets: manifest.iter().flat_map(|m| &m.presets).chain(&install.presets).cloned().collect(),
        register: wanted,
        registered,
        leftovers,
        offered: offered.filter(|offered| !offered.is_agreed_by(install)).map(|offered| {
            let manifest = offered.manifest();
            Offered { version: manifest.version.clone(), requests: Granted::all_of(manifest) }
        }),
        teams: teams.iter().filter(|(_, team)| !team.commands.is_empty()).map(|(id, _)| id.clone()).collect(),
        endpoints: plan::endpoints(&install.base_url, &install.id),
        unavailable,
        created_at: install.created_at,
    }
}
