//! What an admin sets: the settings, the presets, and whether the install is switched on.

use super::{Change, Outcome};
use crate::{
    apps::ServedApp,
    http::{LogLine, Refusal},
    install::{
        lifecycle::{self, LifecycleFunction},
        problems::Reader,
        settings as values,
    },
    keys::sealed::keep_settings,
    store::{
        model::{Install, State},
        ports::StoreError,
    },
};
use cloud_apps_protocol::{
    Code, Field, Manifest, Values,
    form::Subtype,
    json::without_values,
    manifest::{Preset, Problem},
};
use serde_json::{Value, json};
use std::{borrow::Cow, collections::BTreeSet};

/// How many presets an admin may have.
const MAX_PRESETS: usize = 100;
/// The largest list of an admin's presets, in bytes of JSON.
const MAX_PRESET_BYTES: usize = 64 * 1024;

/// `{"settings":{…}}`: sets the settings that are named; `null` unsets one. The app may refuse. If the version that the admin
/// agreed to is not stored any more, the settings are for the version that an upgrade gives, and the app is called then.
pub(super) async fn settings(change: &Change<'_>, line: &mut LogLine) -> Result<Outcome, Refusal> {
    let (management, install) = (change.management, change.install);
    let manifest = &*match (change.app, change.offered) {
        (Err(_), Some(offered)) => Cow::Borrowed(offered.manifest()),
        (_, offered) => with_new_settings(change.manifest()?, offered.map(ServedApp::manifest)),
    };
    let now = change.request_info.now;
    let Some(given) = change.body.pointer("/settings").and_then(Value::as_object) else {
        return Err(Refusal::bad_request("/settings", "settings is not an object of names and values."));
    };
    let key = super::rotate::current_key(management, &install.app, now).await?;
    let mut merged = match management.services.keys.open_settings(install, now).await {
        Ok(held) => held,
        // Passwords whose key was revoked are lost. The admin can set them again.
        Err(StoreError::Corrupt { .. }) => install.settings.clone(),
        Err(error) => return Err(error.into()),
    };
    // Settings that the manifest does not have any more are dropped.
    merged.retain(|name, _| manifest.settings.iter().any(|field| field.name.as_str() == name.as_str()));
    for (name, value) in given {
        if value.is_null() {
            has_setting(manifest, name)?;
            merged.remove(name);
        } else {
            merged.insert(name.clone(), value.clone());
        }
    }
    let body = json!({ "settings": merged });
    let mut reader = Reader::new(&body);
    let checked = values::read(&mut reader, manifest);
    passwords_stay_with_their_url(&mut reader, manifest, install, given, &checked);
    let settings = reader.finish(Some(checked))?;
    let mut changed = install.clone();
    let before = (changed.settings.clone(), changed.passwords.clone());
    changed.passwords.retain(|name, _| !given.contains_key(name));
    keep_settings(&key, &mut changed, manifest, settings.clone(), &*management.services.random);
    if same(management, &settings, install, now).await {
        (changed.settings, changed.passwords) = before;
        return Ok(Outcome::of(changed));
    }
    if let Ok(app) = change.app {
        lifecycle::run(
            management,
            change.request_info,
            app,
            &changed,
            LifecycleFunction::Configure,
            settings,
            line,
        )
        .await?;
    }
    Ok(Outcome::of(changed))
}

/// The manifest with the new settings of the version that an upgrade gives. They can be set before the upgrade, and are not
/// required before it.
fn with_new_settings<'m>(agreed: &'m Manifest, offered: Option<&Manifest>) -> Cow<'m, Manifest> {
    let has = |field: &Field| agreed.settings.iter().any(|setting| setting.name == field.name);
    let new = offered.iter().flat_map(|offered| &offered.settings).filter(|field| !has(field));
    let new: Vec<Field> = new.map(|field| Field { required: false, ..field.clone() }).collect();
    if new.is_empty() {
        return Cow::Borrowed(agreed);
    }
    let mut manifest = agreed.clone();
    manifest.settings.extend(new);
    Cow::Owned(manifest)
}

/// A setting of subtype `url` says where an app sends passwords. A caller who changes it must give the passwords again.
/// Otherwise somebody who can set passwords, but not read them, could have them sent to an address of their own.
fn passwords_stay_with_their_url(
    reader: &mut Reader<'_>,
    manifest: &Manifest,
    install: &Install,
    given: &Values,
    settings: &Values,
) {
    let urls = manifest.settings.iter().filter(|field| field.subtype == Some(Subtype::Url));
    // A setting that is not named did not change. One that is new to the install has its default.
    let moved = urls
        .map(|field| field.name.as_str())
        .find(|name| given.contains_key(*name) && settings.get(*name) != install.settings.get(*name));
    let Some(moved) = moved else { return };
    let kept = |name: &&String| settings.contains_key(*name) && !given.contains_key(*name);
    for name in install.passwords.keys().filter(kept) {
        let message = format!(
            "was given for the current {moved}: give it again together with the new {moved}, or null to unset it"
        );
        reader.problem(format!("/settings/{name}"), message);
    }
}

/// Whether the install has exactly these settings. Then the app is not called again.
async fn same(
    management: &crate::services::Management,
    settings: &Values,
    install: &Install,
    now: u64,
) -> bool {
    management.services.keys.open_settings(install, now).await.is_ok_and(|held| held == *settings)
}

fn has_setting(manifest: &Manifest, name: &str) -> Result<(), Refusal> {
    if manifest.settings.iter().any(|field| field.name.as_str() == name) {
        return Ok(());
    }
    let known: Vec<&str> = manifest.settings.iter().map(|field| field.name.as_str()).collect();
    let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
    let message = format!("There is no such setting of {} to unset; it has: {known}.", manifest.id);
    Err(Refusal::bad_request("/settings", message))
}

/// `{"presets":[…]}`: replaces the admin's presets. The rules for the manifest's presets hold for them too.
pub(super) fn presets(change: &Change<'_>) -> Result<Outcome, Refusal> {
    let manifest = change.manifest()?;
    let mut reader = Reader::new(change.body);
    let given = reader.list("/presets");
    if given.len() > MAX_PRESETS {
        let message = format!("has {} entries, and an admin may have {MAX_PRESETS}: send fewer", given.len());
        reader.problem("/presets", message);
        return reader.finish(None);
    }
    let size = serde_json::to_string(given).map_or(usize::MAX, |json| json.len());
    if size > MAX_PRESET_BYTES {
        let message = format!(
            "has {size} bytes, and an admin's presets may have {MAX_PRESET_BYTES}: send fewer or shorter ones"
        );
        reader.problem("/presets", message);
        return reader.finish(None);
    }
    let mut presets: Vec<Preset> = Vec::with_capacity(given.len());
    for (n, preset) in given.iter().enumerate() {
        match serde_json::from_value(preset.clone()) {
            Ok(preset) => presets.push(preset),
            Err(error) => reader.problem(
                format!("/presets/{n}"),
                format!(
                    "is not a preset ({}): send name, label, function, values and locations",
                    without_values(&error)
                ),
            ),
        }
    }
    if presets.len() == given.len() {
        for problem in problems(manifest, &presets) {
            let message = match problem.hint.as_str() {
                "" => problem.message,
                hint => format!("{} {hint}", problem.message),
            };
            reader.problem(problem.pointer, format!("is not right: {message}"));
        }
        let granted = &change.install.granted.locations;
        for (n, preset) in presets.iter().enumerate() {
            for location in preset.locations.iter().filter(|location| !granted.contains(*location)) {
                let message =
                    format!("names {location}, which was not granted: upgrade the install to grant it");
                reader.problem(format!("/presets/{n}/locations"), message);
            }
        }
    }
    let presets = reader.finish(Some(presets))?;
    Ok(Outcome::of(Install { presets, ..change.install.clone() }))
}

/// The problems that these presets have together with the manifest's own, with pointers into the request.
fn problems(manifest: &Manifest, presets: &[Preset]) -> Vec<Problem> {
    let own = manifest.presets.len();
    let mut whole = manifest.clone();
    whole.presets.extend_from_slice(presets);
    let known: BTreeSet<String> = manifest.check().into_iter().map(|problem| problem.pointer).collect();
    let found = whole.check().into_iter().filter(|problem| !known.contains(&problem.pointer));
    found
        .filter_map(|mut problem| {
            let rest = problem.pointer.strip_prefix("/presets/")?;
            let (n, field) =
                rest.split_once('/').map_or((rest, String::new()), |(n, f)| (n, format!("/{f}")));
            let n = n.parse::<usize>().ok()?.checked_sub(own)?;
            problem.pointer = format!("/presets/{n}{field}");
            Some(problem)
        })
        .collect()
}

/// `{"enabled":false}`: switches the install on or off.
pub(super) fn enabled(change: &Change<'_>) -> Result<Outcome, Refusal> {
    let Some(enabled) = change.body.pointer("/enabled").and_then(Value::as_bool) else {
        return Err(
            Refusal::new(Code::BadRequest, "enabled is neither true nor false.").with("pointer", "/enabled")
        );
    };
    let state = if enabled { State::Active } else { State::Disabled };
    Ok(Outcome::of(Install { state, ..change.install.clone() }))
}
