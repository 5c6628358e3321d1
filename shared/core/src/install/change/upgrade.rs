//! An upgrade gives an install the version of the app that new installs get. If that version asks for more than was granted,
//! the admin must name what is granted, or nothing changes.

use super::{Change, Outcome};
use crate::{
    http::{LogLine, Refusal},
    install::{
        apps,
        lifecycle::{self, LifecycleFunction},
        plan,
        problems::Reader,
        request, settings,
    },
    keys::sealed::{self, keep_settings},
    store::model::Install,
};
use cloud_apps_protocol::{Code, Manifest, Values, install::Granted};
use serde_json::{Value, json};

/// `{"upgrade":{"version","granted"}}`.
pub(super) async fn upgrade(change: &Change<'_>, line: &mut LogLine) -> Result<Outcome, Refusal> {
    let (management, install, now) = (change.management, change.install, change.request_info.now);
    // It is read from the store, so that a refusal gives the real reason.
    let app = apps::to_install(management, &install.app, now).await?;
    let manifest = app.manifest();
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
    if app.is_agreed_by(install) && install.granted == granted {
        return Ok(Outcome::of(install.clone()));
    }
    let mut upgraded = Install { version, manifest: Some(app.sha256()), granted, ..install.clone() };
    if let Some((kind, reason)) = plan::required(manifest, &upgraded) {
        let message = format!(
            "{} {} cannot do without the event {kind}, and it would not get it: {reason}. The install stays at {}.",
            manifest.id, manifest.version, install.version
        );
        return Err(Refusal::new(Code::InstallRefused, message).with("event", kind));
    }
    let held = management.services.keys.open_settings(install, now).await?;
    let new = fitting(manifest, &held)?;
    let in_clear = sealed::passwords(manifest).any(|name| install.settings.contains_key(name));
    if new != held || in_clear {
        let key = super::rotate::current_key(management, &install.app, now).await?;
        keep_settings(&key, &mut upgraded, manifest, new.clone(), &*management.services.random);
    }
    apps::keep_manifest(management, &app).await?;
    lifecycle::run(management, change.request_info, &app, &upgraded, LifecycleFunction::Upgrade, new, line)
        .await?;
    Ok(Outcome::of(upgraded))
}

/// The settings for the new version: without settings that it does not have, and with its defaults. If it does not accept a
/// value, or a required setting is missing, the admin must set it first.
fn fitting(manifest: &Manifest, held: &Values) -> Result<Values, Refusal> {
    let has = |name: &str| manifest.settings.iter().any(|field| field.name.as_str() == name);
    let kept: Values = held
        .iter()
        .filter(|(name, _)| has(name))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    let body = json!({ "settings": kept });
    let mut reader = Reader::new(&body);
    let fits = settings::read(&mut reader, manifest);
    reader.finish(Some(fits)).map_err(|refusal| Refusal {
        message: format!(
            "{} {} does not take the settings as they are. Change them with `cloud-apps configure`, then upgrade. {}",
            manifest.id, manifest.version, refusal.message
        ),
        ..refusal
    })
}

/// What was granted, if the new version asks for nothing more.
fn kept(install: &Install, manifest: &Manifest) -> Result<Granted, Refusal> {
    let asked = Granted::all_of(manifest);
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

/// What is asked for and was not granted, in words.
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
