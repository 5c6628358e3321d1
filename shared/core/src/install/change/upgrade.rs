//! An install moves to the version of the app that the bundle has. What it asks for beyond what was granted is named by
//! the admin, or nothing changes.

use super::{Change, Outcome};
use crate::{
    install::{
        lifecycle::{self, Turn},
        problems::Reader,
        request, view,
    },
    log::LogLine,
    model::Install,
    refusal::Refusal,
};
use cloud_apps_protocol::{Code, install::Granted};
use serde_json::Value;

/// `{"upgrade":{"version","granted"}}`.
pub(super) async fn upgrade(change: &Change<'_>, line: &mut LogLine) -> Result<Outcome, Refusal> {
    let (install, manifest) = (change.install, change.manifest()?);
    let mut reader = Reader::new(change.body);
    let version = reader.text("/upgrade/version").map(str::to_owned);
    let named = reader.at("/upgrade/granted").is_some();
    let granted = named.then(|| request::granted(&mut reader, "/upgrade/granted", manifest));
    let version = reader.finish(version)?;
    if version != manifest.version {
        let message = format!(
            "The bundle has {} {} and not {version}. Name that version, or deploy the other one.",
            manifest.id, manifest.version
        );
        return Err(Refusal::new(Code::VersionConflict, message).with("offered", manifest.version.as_str()));
    }
    let granted = match granted {
        Some(granted) => granted,
        None => kept(install, manifest)?,
    };
    if install.version == version && install.granted == granted {
        return Ok(Outcome::of(install.clone()));
    }
    let upgraded = Install { version, granted, ..install.clone() };
    // An app whose new version has new settings finds their defaults where nothing is set.
    let settings = change.office.world.keys.open_settings(install, change.moment.now).await?;
    lifecycle::run(change.office, change.moment, change.app()?, &upgraded, Turn::Upgrade, settings, line)
        .await?;
    Ok(Outcome::of(upgraded))
}

/// What was granted, if the new version asks for nothing beyond it.
fn kept(install: &Install, manifest: &cloud_apps_protocol::Manifest) -> Result<Granted, Refusal> {
    let asked = view::requests(manifest);
    let more = beyond(&asked, &install.granted);
    if more.is_empty() {
        let held = &install.granted;
        return Ok(Granted {
            permissions: held.permissions.intersection(&asked.permissions).copied().collect(),
            locations: held.locations.intersection(&asked.locations).cloned().collect(),
            events: held.events.intersection(&asked.events).cloned().collect(),
            webhooks: held.webhooks.intersection(&asked.webhooks).cloned().collect(),
        });
    }
    let message = format!(
        "{} {} asks for more than was granted: {}. Send `granted` with what you agree to; until then the install stays at \
         {}.",
        manifest.id,
        manifest.version,
        more.join(", "),
        install.version
    );
    Err(Refusal::new(Code::NotGranted, message).with("more", Value::from(more)))
}

/// What is asked for and not held, in words.
fn beyond(asked: &Granted, held: &Granted) -> Vec<String> {
    let permissions = asked.permissions.difference(&held.permissions).filter_map(|permission| {
        let name = serde_json::to_value(permission).ok()?;
        Some(format!("permission {}", name.as_str()?))
    });
    let of = |kind: &'static str,
              asked: &std::collections::BTreeSet<String>,
              held: &std::collections::BTreeSet<String>| {
        asked.difference(held).map(|name| format!("{kind} {name}")).collect::<Vec<_>>()
    };
    permissions
        .chain(of("location", &asked.locations, &held.locations))
        .chain(of("event", &asked.events, &held.events))
        .chain(of("webhook", &asked.webhooks, &held.webhooks))
        .collect()
}
