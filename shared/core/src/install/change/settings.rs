//! What an admin sets: settings, presets, and whether the install serves.

use super::{Change, Outcome};
use crate::{
    apps::ServedApp,
    http::{LogLine, Refusal},
    install::{
        lifecycle::{self, LifecycleFunction},
        problems::Reader,
        request,
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

/// `{"settings":{…}}`: what is named replaces what there is, `null` unsets. The app may refuse. Where what was agreed to is
/// not kept any more, they are set for the version that an upgrade moves to, and it is then that the app is asked.
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
        // Passwords whose key was revoked are lost: setting them anew is the way out.
        Err(StoreError::Corrupt { .. }) => install.settings.clone(),
        Err(error) => return Err(error.into()),
    };
    // What the manifest does not have any more goes without a word.
    merged.retain(|name, _| manifest.settings.iter().any(|field| field.name.as_str() == name.as_str()));
    for (name, value) in given {
        if value.is_null() {
            known_setting(manifest, name)?;
            merged.remove(name);
        } else {
            merged.insert(name.clone(), value.clone());
        }
    }
    let body = json!({ "settings": merged });
    let mut reader = Reader::new(&body);
    let checked = request::settings(&mut reader, manifest);
    stay_where_they_were_given(&mut reader, manifest, install, given, &checked);
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

/// The manifest with the settings that only the version has which an upgrade moves to: what that version cannot do
/// without is set before the upgrade, and is not required until then.
fn with_new_settings<'m>(agreed: &'m Manifest, offered: Option<&Manifest>) -> Cow<'m, Manifest> {
    let known = |field: &Field| agreed.settings.iter().any(|setting| setting.name == field.name);
    let new = offered.iter().flat_map(|offered| &offered.settings).filter(|field| !known(field));
    let new: Vec<Field> = new.map(|field| Field { required: false, ..field.clone() }).collect();
    if new.is_empty() {
        return Cow::Borrowed(agreed);
    }
    let mut manifest = agreed.clone();
    manifest.settings.extend(new);
    Cow::Owned(manifest)
}

/// A setting of subtype `url` says where an app sends passwords. Whoever changes it gives the passwords anew: with one that
/// somebody else gave, who may set it and never read it would send it to an address of their own.
fn stay_where_they_were_given(
    reader: &mut Reader<'_>,
    manifest: &Manifest,
    install: &Install,
    given: &Values,
    settings: &Values,
) {
    let urls = manifest.settings.iter().filter(|field| field.subtype == Some(Subtype::Url));
    // What is not named has not moved: a setting that is new to the install has its default.
    let moved = urls
        .map(|field| field.name.as_str())
        .find(|name| given.contains_key(*name) && settings.get(*name) != install.settings.get(*name));
    let Some(moved) = moved else { return };
    let kept = |name: &&String| settings.contains_key(*name) && !given.contains_key(*name);
    for name in install.passwords.keys().filter(kept) {
        let message = format!(
            "was given for the {moved} that there is: give it again together with the new {moved}, or null to unset it"
        );
        reader.problem(format!("/settings/{name}"), message);
    }
}

/// Whether the install has exactly these settings: then the app is not asked again.
async fn same(
    management: &crate::services::Management,
    settings: &Values,
    install: &Install,
    now: u64,
) -> bool {
    management.services.keys.open_settings(install, now).await.is_ok_and(|held| held == *settings)
}

fn known_setting(manifest: &Manifest, name: &str) -> Result<(), Refusal> {
    if manifest.settings.iter().any(|field| field.name.as_str() == name) {
        return Ok(());
    }
    let known: Vec<&str> = manifest.settings.iter().map(|field| field.name.as_str()).collect();
    let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
    let message = format!("There is no such setting of {} to unset; it has: {known}.", manifest.id);
    Err(Refusal::bad_request("/settings", message))
}

/// `{"presets":[…]}`: replaces the admin's list. They are held to the rules of the manifest's own.
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

/// What the manifest's rules say of these presets beside its own, with pointers into the request.
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

/// `{"enabled":false}`.
pub(super) fn enabled(change: &Change<'_>) -> Result<Outcome, Refusal> {
    let Some(enabled) = change.body.pointer("/enabled").and_then(Value::as_bool) else {
        return Err(
            Refusal::new(Code::BadRequest, "enabled is neither true nor false.").with("pointer", "/enabled")
        );
    };
    let state = if enabled { State::Active } else { State::Disabled };
    Ok(Outcome::of(Install { state, ..change.install.clone() }))
}
