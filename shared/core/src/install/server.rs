//! What an install knows of its server is read again from the server, with the bot's token. What is shown on the server
//! follows it: blocks or attachments, and how long a post may be.

use super::{state::unchangeable, stored};
use crate::{
    http::{LogLine, Refusal},
    keys::InstallBot,
    services::Management,
    store::{
        model::Install,
        ports::{Changed, TRIES},
    },
};
use cloud_app::Mattermost;
use cloud_apps_protocol::{
    InstallId, Millis,
    manifest::Permission,
    server::{ServerFacts, ServerVersion},
};
use std::sync::Arc;

/// How much later another look may have begun that ended before this one, in ms. A time that is later still comes from a clock
/// that was wrong, and must not keep everything out until then.
const RACE: Millis = 15 * 60_000;

/// Reads the settings of an install's server, and stores what changed. If the server does not answer, nothing is stored and
/// that is no failure: the server's next answers show again that it changed.
pub(crate) async fn look(
    management: &Management,
    id: &InstallId,
    now: Millis,
    line: &mut LogLine,
) -> Result<(), Refusal> {
    line.install = Some(id.to_string());
    let Some(install) = stored::find(management, id, now).await? else { return Ok(()) };
    line.app = Some(install.app.to_string());
    if unchangeable(&install).is_some() || !install.granted.permissions.contains(&Permission::ActAsBot) {
        return Ok(());
    }
    let services = &management.services;
    let bot = InstallBot {
        installs: Arc::clone(&services.installs),
        keys: Arc::clone(&services.keys),
        // This look is what a difference would ask for.
        watch: Arc::default(),
        install,
        now,
    };
    let settings = match Mattermost::bot(services.http.clone(), Arc::new(bot)).server_settings().await {
        Ok(settings) => settings,
        Err(error) => {
            line.failed(&error);
            return Ok(());
        }
    };
    if !ServerVersion::is_version(&settings.version) {
        line.warn("the server does not say which version it is".to_owned());
        return Ok(());
    }
    keep(management, id, &settings.version, &settings.facts(), now).await
}

/// Stores what was read at `now`. Another request may change the install at the same time; nothing of that is lost.
async fn keep(
    management: &Management,
    id: &InstallId,
    version: &str,
    facts: &ServerFacts,
    now: Millis,
) -> Result<(), Refusal> {
    for _ in 0..TRIES {
        let Some(install) = stored::find(management, id, now).await? else { return Ok(()) };
        let newer = install.server.looked_at.is_some_and(|at| at > now && at - now <= RACE);
        if unchangeable(&install).is_some() || newer {
            return Ok(());
        }
        let changed = with_server(&install, version, facts.clone(), now);
        if changed == *install {
            return Ok(());
        }
        let written = management.registry.change(&changed, install.rev).await?;
        management.services.installs.forget(id);
        if written == Changed::Yes {
            return Ok(());
        }
    }
    Err(Refusal::conflict("this install"))
}

/// The install with what was learned of its server at `now`.
pub(crate) fn with_server(install: &Install, version: &str, facts: ServerFacts, now: Millis) -> Install {
    let facts = facts.over(&install.server, now);
    let looked_at = if version == install.server_version { facts.looked_at } else { Some(now) };
    Install {
        server_version: version.to_owned(),
        server: ServerFacts { looked_at, ..facts },
        ..install.clone()
    }
}
