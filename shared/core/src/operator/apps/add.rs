//! Registering an app, or another version of it.

use super::{
    bind::bound,
    manifest,
    secret::{self, current_key},
    show::answer,
};
use crate::{
    http::Refusal,
    operator::{catalogue, key_rings, messages::OperatorAnswer, walk},
    services::Management,
    store::{
        model::{RegisteredApp, Sha256},
        ports::{Changed, TRIES},
        rules::next,
    },
};
use cloud_apps_protocol::{Code, Generation, Manifest, Millis};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// How many versions of an app are stored.
const VERSIONS: usize = 100;

/// Registers an app, or gives it another manifest. The upstream secret is shown if the registration was not complete before.
pub(crate) async fn add(
    management: &Management,
    manifest: &Value,
    now: Millis,
) -> Result<OperatorAnswer, Refusal> {
    let manifest = manifest::read(&management.services, manifest)?;
    let id = manifest.id.clone();
    if management.services.apps.linked.contains_key(&id) {
        let message = format!(
            "There is an app {id} linked into this bundle. Give yours another id, or deploy a bundle that does not link \
             it."
        );
        return Err(Refusal::bad_request("/operator/manifest/id", message));
    }
    let first = key_rings::make_if_absent(management, &id, now).await?;
    let Written { app, replaced, new } = written(management, &manifest, first, now).await?;
    let fresh = catalogue::put(management, &id, Some(&manifest)).await?;
    management.services.apps.registered.forget(&id);
    for sha256 in replaced {
        // A manifest that stays because this fails only takes room. It is removed with the app.
        let _ = management.registry.remove_manifest(&id, &sha256).await;
    }
    let secret = if fresh || new { Some(secret::upstream(management, &app, now).await?) } else { None };
    Ok(answer(&app, &manifest, secret, now))
}

/// The result of a registration.
struct Written {
    app: RegisteredApp,
    /// The manifests that no install has any more.
    replaced: Vec<Sha256>,
    /// The app has a new secret, because there was no item before, or none with a valid MAC.
    new: bool,
}

/// Writes the app's item with this manifest as the offered version. `first`: the app's ring was made just now, so no secret
/// was ever derived from it.
async fn written(
    management: &Management,
    manifest: &Manifest,
    first: bool,
    now: Millis,
) -> Result<Written, Refusal> {
    let id = &manifest.id;
    let text = Sha256::text(manifest);
    let sha256 = Sha256::of(&text);
    for _ in 0..TRIES {
        let stored = management.services.apps.store.find(id).await?;
        let expected = stored.as_ref().map_or(0, |stored| stored.rev);
        let trusted = match stored {
            Some(stored) if management.services.apps.is_bound(&stored, now).await? => Some(stored),
            _ => None,
        };
        let new = trusted.is_none();
        let mut app = match trusted {
            Some(stored) => stored,
            None => RegisteredApp {
                rev: expected,
                id: id.clone(),
                version: manifest.version.clone(),
                versions: BTreeMap::new(),
                upstream_key: current_key(management, id, now).await?.0,
                upstream_generation: if first { Generation(1) } else { never_used(now) },
                upstream_previous: None,
                binding: None,
            },
        };
        management.registry.put_manifest(id, &sha256, &text).await?;
        let offered = app.binding.is_some() && app.version == manifest.version;
        if offered && same(management, &app, manifest, &sha256).await? {
            return Ok(Written { app, replaced: Vec::new(), new });
        }
        let replaced = with_version(management, &mut app, manifest, &sha256, now).await?;
        let app = bound(management, app, now).await?;
        if management.registry.put_app(&app, expected).await? == Changed::Yes {
            return Ok(Written { app: RegisteredApp { rev: next(expected), ..app }, replaced, new });
        }
    }
    Err(Refusal::conflict("this app"))
}

/// Whether the app has this manifest for its version, and it can be read. Another version of the bundle may have written the
/// same manifest in another form.
async fn same(
    management: &Management,
    app: &RegisteredApp,
    manifest: &Manifest,
    sha256: &Sha256,
) -> Result<bool, Refusal> {
    let Some(kept) = app.versions.get(&manifest.version) else { return Ok(false) };
    if kept == sha256 {
        return Ok(true);
    }
    match management.services.apps.registered.manifest(&app.id, kept).await {
        Ok(kept) => Ok(kept.is_some_and(|kept| *kept == *manifest)),
        Err(error) if error.passes() => Err(error.into()),
        // The stored text is not the one that was registered, or cannot be read any more.
        Err(_) => Ok(false),
    }
}

/// Makes this manifest the one that the app offers. Of the others, the app keeps those that installs have, and the one that it
/// offered until now, because an admin may just be agreeing to it. Returns the manifests that it does not keep.
async fn with_version(
    management: &Management,
    app: &mut RegisteredApp,
    manifest: &Manifest,
    sha256: &Sha256,
    now: Millis,
) -> Result<Vec<Sha256>, Refusal> {
    let id = app.id.clone();
    let installs = walk::installs(management, &id, now, |install| install.version.clone()).await?;
    // An install that cannot be read may have any version.
    let count = |version: &str| {
        installs.iter().filter(|install| install.found.as_ref().is_none_or(|held| held == version)).count()
    };
    let has = |version: &str| count(version) > 0;
    let version = &manifest.version;
    let other = !same(management, app, manifest, sha256).await? && app.versions.contains_key(version);
    if other && has(version) {
        let count = count(version);
        let message = format!(
            "{id} {version} is registered with another manifest, and installs agreed to that one ({count} of them), so nothing \
             was changed. Give this manifest a higher version: installs then go on as they are until they are upgraded."
        );
        return Err(Refusal::new(Code::VersionConflict, message).with("version", version.as_str()));
    }
    let before: BTreeSet<Sha256> = app.versions.values().cloned().collect();
    let offered = std::mem::replace(&mut app.version, version.clone());
    app.versions.retain(|kept, _| has(kept) || *kept == offered || kept == version);
    if other || !app.versions.contains_key(version) {
        app.versions.insert(version.clone(), sha256.clone());
    }
    if app.versions.len() > VERSIONS {
        let message = format!(
            "Installs of {id} have {VERSIONS} versions of it already, and no more are kept. Upgrade some of them first \
             (`cloud-apps upgrade`); then try again."
        );
        return Err(Refusal::new(Code::VersionConflict, message));
    }
    Ok(before.into_iter().filter(|sha256| !app.versions.values().any(|kept| kept == sha256)).collect())
}

/// A generation for which no secret was ever derived, whatever somebody wrote into the table. The secret of an earlier
/// registration may have leaked, so its generation must not come again. Generations are seconds since 2020 here, and nobody
/// rotates a secret every second.
fn never_used(now: Millis) -> Generation {
    /// 2020-01-01. Seconds since then fit into the nine digits of a kid until 2051.
    const FROM: Millis = 1_577_836_800_000;
    let seconds = (now.saturating_sub(FROM) / 1_000).min(999_999_999);
    Generation(u32::try_from(seconds).unwrap_or(999_999_999).max(1))
}
