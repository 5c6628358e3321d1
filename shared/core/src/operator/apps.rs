//! The registry of apps: what an operator registers, shows, removes and rotates, and what of it others may see.
//!
//! Four things are written for an app that runs elsewhere, in this order: its key ring, its manifest under its hash, its
//! item, its line in the catalogue. Whoever dies in between leaves an app that no request reaches yet; the same request
//! again finishes it. A removal goes the other way round.
//!
//! The item names every version that is kept, and is bound with a key of the app's ring ([`Binding`]). An install goes on
//! with the version that it agreed to; so a version stays until a later registration finds no install that has it, and one
//! that installs have is not replaced by another manifest of the same name.

use super::{
    conflict::{TRIES, faster},
    key_rings::{self, ring},
    words::OperatorAnswer,
};
use crate::{
    apps::{ServedApp, ServedAppError},
    http::Refusal,
    install::{self, catalogue::view, state::unchangeable, stored},
    services::{Management, Services},
    store::{
        cache::Freshness,
        model::{Binding, CatalogueEntry, Install, PreviousUpstream, RegisteredApp, Sha256},
        ports::Changed,
        rules::next,
    },
};
use cloud_app::http::Error as CallError;
use cloud_apps_protocol::{
    AppId, Code, Generation, KeyId, Manifest, Millis,
    manifest::{Problem, Upstream},
    secret::Secret,
    token::UpstreamKid,
};
use serde_json::Value;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

/// How long after a rotation calls are signed with the previous upstream secret, in ms (section 15).
pub const GRACE: Millis = 24 * 60 * 60_000;

/// How many versions of an app are kept.
const VERSIONS: usize = 100;

/// How many installs a refusal names.
const NAMED: usize = 5;

/// One app, whatever its upstream.
pub(super) async fn show(
    management: &Management,
    app: &AppId,
    now: Millis,
) -> Result<OperatorAnswer, Refusal> {
    match management.services.apps.app(app, Freshness::Reread, now).await? {
        None => Err(no_such_app(management, app).await?),
        Some(linked @ ServedApp::Linked { .. }) => Ok(OperatorAnswer::App {
            app: Box::new(view(linked.manifest())),
            versions: Vec::new(),
            address: None,
            kid: None,
            upstream_secret: None,
            previous_until: None,
        }),
        Some(ServedApp::Registered(known)) => Ok(answer(&known.app, &known.manifest, None, now)),
    }
}

/// Registers an app, or gives it another manifest. A secret is shown where the registration was not whole before.
pub(super) async fn add(
    management: &Management,
    manifest: &Value,
    now: Millis,
) -> Result<OperatorAnswer, Refusal> {
    let manifest = read(&management.services, manifest)?;
    let id = manifest.id.clone();
    if management.services.apps.linked.contains_key(&id) {
        let message = format!(
            "There is an app {id} linked into this bundle. Give yours another id, or deploy a bundle that does not link \
             it."
        );
        return Err(Refusal::bad_request("/operator/manifest/id", message));
    }
    let first = ring(management, &id, now).await?;
    let Written { app, replaced, anew } = written(management, &manifest, first, now).await?;
    let fresh = catalogued(management, &id, Some(&manifest)).await?;
    management.services.apps.registered.forget(&id);
    for sha256 in replaced {
        // What stays behind costs its room only, and goes with the app.
        let _ = management.registry.remove_manifest(&id, &sha256).await;
    }
    let secret = if fresh || anew { Some(secret(management, &app, now).await?) } else { None };
    Ok(answer(&app, &manifest, secret, now))
}

/// What came of a registration.
struct Written {
    app: RegisteredApp,
    /// Manifests that no install has any more.
    replaced: Vec<Sha256>,
    /// Nothing that stood there before was believed, if anything did: the app has a new secret.
    anew: bool,
}

/// The app's item becomes one that offers this manifest. `first`: the app's ring was made just now, so no secret was ever
/// derived from it.
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
        let believed = match stored {
            Some(stored) if management.services.apps.vouches_for(&stored, now).await? => Some(stored),
            _ => None,
        };
        let anew = believed.is_none();
        let mut app = match believed {
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
            return Ok(Written { app, replaced: Vec::new(), anew });
        }
        let replaced = with_version(management, &mut app, manifest, &sha256, now).await?;
        let app = bound(management, app, now).await?;
        if management.registry.put_app(&app, expected).await? == Changed::Yes {
            return Ok(Written { app: RegisteredApp { rev: next(expected), ..app }, replaced, anew });
        }
    }
    Err(faster("this app"))
}

/// Whether this is what the app has of that version, and has it whole. Another version of the bundle may have written the
/// same manifest in other words.
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
        // Its text is not what was registered, or cannot be read any more.
        Err(_) => Ok(false),
    }
}

/// The app offers this manifest, and keeps of the others what installs have, and what it offered until now: somebody may
/// just be agreeing to that. Which manifests it keeps no more.
async fn with_version(
    management: &Management,
    app: &mut RegisteredApp,
    manifest: &Manifest,
    sha256: &Sha256,
    now: Millis,
) -> Result<Vec<Sha256>, Refusal> {
    let id = app.id.clone();
    let installs = installs(management, &id, now).await?;
    let count = |version: &str| {
        installs.iter().filter(|has| has.as_ref().is_none_or(|(held, _)| held == version)).count()
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

/// A generation that no secret was ever derived for, whatever somebody wrote into the table, and whatever became of an
/// earlier registration, whose secret may have leaked since: nobody rotates a secret every second from 2020 on.
fn never_used(now: Millis) -> Generation {
    /// 2020-01-01: from then on seconds have the nine digits that a kid has room for, until 2051.
    const FROM: Millis = 1_577_836_800_000;
    let seconds = (now.saturating_sub(FROM) / 1_000).min(999_999_999);
    Generation(u32::try_from(seconds).unwrap_or(999_999_999).max(1))
}

/// The app, bound with the current key of its ring.
async fn bound(management: &Management, app: RegisteredApp, now: Millis) -> Result<RegisteredApp, Refusal> {
    let (key, root) = current_key(management, &app.id, now).await?;
    let binding = Binding::new(&key, &root, &app);
    Ok(RegisteredApp { binding: Some(binding), ..app })
}

/// Binds an app with the current key of its ring, where it is bound with an older one: a part of the walk after a rotation.
/// What is not bound is left alone: it would be vouched for unseen.
pub(super) async fn bind_again(management: &Management, app: &AppId, now: Millis) -> Result<(), Refusal> {
    for _ in 0..TRIES {
        let found = match management.services.apps.store.find(app).await {
            Ok(None) => return Ok(()),
            Ok(Some(stored)) if management.services.apps.vouches_for(&stored, now).await? => Ok(stored),
            Ok(Some(_)) => Err(ServedAppError::Unbound(app.clone())),
            Err(error) => Err(error.into()),
        };
        let stored = match found {
            Ok(stored) => stored,
            Err(error) if error.passes() => return Err(error.into()),
            // The installs are not kept waiting for what does not pass.
            Err(error) => {
                tracing::error!(app = app.as_str(), error = %error, "an app is not bound with its new key");
                return Ok(());
            }
        };
        let (rev, before) = (stored.rev, stored.binding.clone());
        let again = bound(management, stored, now).await?;
        if again.binding == before {
            return Ok(());
        }
        if management.registry.put_app(&again, rev).await? == Changed::Yes {
            management.services.apps.registered.forget(app);
            return Ok(());
        }
    }
    Err(faster("this app"))
}

/// Installs from before manifests were kept name none. Those that have the version in the build agreed to its manifest, so
/// they go on with it when a later build has another.
pub(super) async fn pin(management: &Management, app: &AppId, now: Millis) -> Result<(), Refusal> {
    let Some(known) = management.services.apps.linked.get(app) else { return Ok(()) };
    let (manifest, built) = (known.manifest(), management.services.apps.built(app));
    let unpinned = |install: &Install| install.manifest.is_none() && install.version == manifest.version;
    let seen =
        key_rings::installs(management, app, now, |install| unpinned(install).then(|| install.id.clone()))
            .await?;
    let mut ids = seen.into_iter().filter_map(|install| install.has.flatten()).peekable();
    if ids.peek().is_some() {
        install::keep_manifest(management, &ServedApp::Linked { app: known, agreed: None }).await?;
    }
    for id in ids {
        // One that somebody changes at this moment is pinned next time.
        let Some(install) = stored(management, &id, now).await?.filter(|install| unpinned(install)) else {
            continue;
        };
        if unchangeable(&install).is_none() {
            let pinned = Install { manifest: built.cloned(), ..(*install).clone() };
            management.registry.change(&pinned, install.rev).await?;
            management.services.installs.forget(&id);
        }
    }
    Ok(())
}

/// Forgets the manifests of a linked app that no install has, and that is not the one that was built.
pub(super) async fn tidy(management: &Management, app: &AppId, now: Millis) -> Result<(), Refusal> {
    let Some(built) = management.services.apps.built(app) else { return Ok(()) };
    let kept = management.registry.manifests(app).await?;
    if kept.iter().all(|sha256| sha256 == built) {
        return Ok(());
    }
    let installs = installs(management, app, now).await?;
    let used = |sha256: &Sha256| {
        installs.iter().any(|has| has.as_ref().is_none_or(|(_, held)| held.as_ref() == Some(sha256)))
    };
    for sha256 in kept.iter().filter(|sha256| *sha256 != built && !used(sha256)) {
        management.registry.remove_manifest(app, sha256).await?;
    }
    Ok(())
}

/// Which version each install has, and the hash of its manifest; `None` for one that cannot be read: it may have any.
async fn installs(
    management: &Management,
    app: &AppId,
    now: Millis,
) -> Result<Vec<Option<(String, Option<Sha256>)>>, Refusal> {
    let held = |install: &Install| (install.version.clone(), install.manifest.clone());
    let seen = key_rings::installs(management, app, now, held).await?;
    Ok(seen.into_iter().map(|install| install.has).collect())
}

/// The app's line in the catalogue becomes what its manifest says, or goes; whether it was not there before.
async fn catalogued(
    management: &Management,
    app: &AppId,
    manifest: Option<&Manifest>,
) -> Result<bool, Refusal> {
    for _ in 0..TRIES {
        let catalogue = management.services.apps.store.all().await?;
        let mut wanted = catalogue.clone();
        let before = match manifest {
            Some(manifest) => wanted.apps.insert(app.clone(), entry(manifest, false)),
            None => wanted.apps.remove(app),
        };
        let same = wanted == catalogue;
        if same || management.registry.put_catalogue(&wanted, catalogue.rev).await? == Changed::Yes {
            management.services.apps.catalogue.forget().await;
            return Ok(before.is_none());
        }
    }
    Err(faster("the catalogue"))
}

/// An app's line in the catalogue.
pub(super) fn entry(manifest: &Manifest, linked: bool) -> CatalogueEntry {
    CatalogueEntry {
        id: manifest.id.clone(),
        version: manifest.version.clone(),
        display_name: manifest.display_name.clone(),
        icon: manifest.icon.clone(),
        linked,
    }
}

/// Forgets an app that is installed nowhere. Its key ring stays: what was sealed with it may still lie in posts.
pub(super) async fn remove(management: &Management, app: &AppId) -> Result<(), Refusal> {
    if management.services.apps.linked.contains_key(app) {
        let message = format!(
            "{app} is linked into this bundle. Deploy a bundle that does not link it, then `cloud-apps operator register`."
        );
        return Err(Refusal::bad_request("/operator/app", message));
    }
    let installs = install::listed(management, app, NAMED, None).await?;
    if !installs.items.is_empty() {
        let named = installs.items.iter().map(|entry| format!("{} ({})", entry.site, entry.install));
        let named = named.collect::<Vec<_>>().join(", ");
        let more = if installs.cursor.is_some() { " and others" } else { "" };
        let message = format!(
            "{app} is installed on {named}{more}, so it stays. Uninstall it there first (`cloud-apps uninstall ID`); then \
             try again."
        );
        let ids: Vec<&str> = installs.items.iter().map(|entry| entry.install.as_str()).collect();
        return Err(Refusal::new(Code::AlreadyInstalled, message).with("installs", ids));
    }
    if !installs.unread.is_empty() {
        let sites: Vec<&str> = installs.unread.iter().map(|unread| unread.site.as_str()).collect();
        let message = format!(
            "What is stored of the installs of {app} on {} cannot be read, so {app} stays: it may be installed there. The \
             log says why.",
            sites.join(", ")
        );
        return Err(Refusal::new(Code::AlreadyInstalled, message).with("unread", sites));
    }
    let listed = !catalogued(management, app, None).await?;
    for sha256 in management.registry.manifests(app).await? {
        management.registry.remove_manifest(app, &sha256).await?;
    }
    for _ in 0..TRIES {
        let Some(stored) = management.services.apps.store.find(app).await? else {
            // An earlier try may have got this far.
            return if listed { Ok(()) } else { Err(no_such_app(management, app).await?) };
        };
        if management.registry.remove_app(app, stored.rev).await? == Changed::Yes {
            management.services.apps.registered.forget(app);
            return Ok(());
        }
    }
    Err(faster("this app"))
}

/// Makes the next upstream secret. Calls go on being signed with the one that the app has, for 24 hours: whoever asks
/// again meanwhile is shown the same next one. With `at_once` the new one takes over now, also in the middle of a
/// rotation.
pub(super) async fn rotate(
    management: &Management,
    app: &AppId,
    at_once: bool,
    now: Millis,
) -> Result<OperatorAnswer, Refusal> {
    for _ in 0..TRIES {
        let Some(stored) = management.services.apps.store.find(app).await? else {
            if management.services.apps.linked.contains_key(app) {
                let message = format!("{app} is linked into this bundle and has no upstream secret.");
                return Err(Refusal::bad_request("/operator/app", message));
            }
            return Err(no_such_app(management, app).await?);
        };
        if !management.services.apps.vouches_for(&stored, now).await? {
            return Err(ServedAppError::Unbound(app.clone()).into());
        }
        let manifest = offered(management, &stored).await?;
        let rotating = stored.upstream_previous.as_ref().is_some_and(|previous| now < previous.until);
        let rotated = match (rotating, at_once) {
            (true, false) => {
                let secret = secret(management, &stored, now).await?;
                return Ok(answer(&stored, &manifest, Some(secret), now));
            }
            (true, true) => RegisteredApp { upstream_previous: None, ..stored.clone() },
            (false, _) => RegisteredApp {
                upstream_key: current_key(management, app, now).await?.0,
                upstream_generation: Generation(stored.upstream_generation.0.saturating_add(1)),
                upstream_previous: (!at_once).then(|| PreviousUpstream {
                    key: stored.upstream_key.clone(),
                    generation: stored.upstream_generation,
                    until: now.saturating_add(GRACE),
                }),
                ..stored.clone()
            },
        };
        let rotated = bound(management, rotated, now).await?;
        // Before it is written: a secret that cannot be shown helps nobody.
        let secret = secret(management, &rotated, now).await?;
        if management.registry.put_app(&rotated, stored.rev).await? == Changed::Yes {
            management.services.apps.registered.forget(app);
            return Ok(answer(&rotated, &manifest, Some(secret), now));
        }
    }
    Err(faster("this app"))
}

/// The manifest that new installs get.
async fn offered(management: &Management, app: &RegisteredApp) -> Result<Arc<Manifest>, Refusal> {
    let kept = match app.versions.get(&app.version) {
        Some(sha256) => management.services.apps.registered.manifest(&app.id, sha256).await?,
        None => None,
    };
    kept.ok_or_else(|| ServedAppError::Unbound(app.id.clone()).into())
}

async fn current_key(management: &Management, app: &AppId, now: Millis) -> Result<(KeyId, Secret), Refusal> {
    let key = management.services.keys.current(app, now).await?.ok_or_else(|| without_key(app))?;
    Ok((key.id, key.root))
}

fn without_key(app: &AppId) -> Refusal {
    let message = format!(
        "No key of {app} is in use. Make one with `cloud-apps operator keys rotate {app}`; then try again."
    );
    Refusal::new(Code::Unavailable, message)
}

/// The secret that was handed over last, derived.
async fn secret(management: &Management, app: &RegisteredApp, now: Millis) -> Result<Secret, Refusal> {
    let id = &app.id;
    let root = management.services.keys.root(id, &app.upstream_key, now).await?;
    Ok(root.ok_or_else(|| without_key(id))?.upstream(id, app.upstream_generation))
}

fn answer(app: &RegisteredApp, manifest: &Manifest, secret: Option<Secret>, now: Millis) -> OperatorAnswer {
    let kid = UpstreamKid {
        app: app.id.clone(),
        key: app.upstream_key.clone(),
        generation: app.upstream_generation,
    };
    let previous = app.upstream_previous.as_ref().map(|previous| previous.until);
    OperatorAnswer::App {
        app: Box::new(view(manifest)),
        versions: app.versions.keys().cloned().collect(),
        address: match &manifest.upstream {
            Upstream::Linked => None,
            Upstream::Http { url } => Some(url.clone()),
            Upstream::AwsLambda { function } => Some(function.clone()),
        },
        kid: Some(kid.to_string()),
        upstream_secret: secret.map(|secret| secret.to_base64url().to_string()),
        previous_until: previous.filter(|until| now < *until),
    }
}

/// The manifest, if this bundle can serve it: its author's text, so that each problem has its line, or its JSON.
fn read(services: &Services, given: &Value) -> Result<Manifest, Refusal> {
    let text = given.as_str().map_or_else(|| given.to_string(), str::to_owned);
    let manifest = Manifest::parse(&text).map_err(|problems| bad_manifest(&problems))?;
    let problem = unreachable(services, &manifest.upstream)
        .map(|(pointer, message, hint)| Problem::in_text(&text, pointer, message, hint));
    match problem {
        Some(problem) => Err(bad_manifest(&[problem])),
        None => Ok(manifest),
    }
}

/// Why this bundle could not call such an upstream: pointer, what is wrong, what to do.
fn unreachable(services: &Services, upstream: &Upstream) -> Option<(&'static str, String, String)> {
    match upstream {
        Upstream::Linked => Some((
            "/upstream",
            "This says that the app's functions are linked into the bundle, and only its build can do that.".into(),
            r#"Say where they run: {"type": "http", "url": "https://…"} or {"type": "aws_lambda", "function": "…"}."#
                .into(),
        )),
        Upstream::Http { url } => {
            let error = services.http.permits(url).err()?;
            let hint = match error {
                CallError::Scheme { .. } => "Give the app an https address.",
                _ => "Give the app a public address, or list its network in AllowedNetworks.",
            };
            Some(("/upstream/url", format!("{error}."), hint.into()))
        }
        Upstream::AwsLambda { function } => {
            let why = match &services.app_client.lambdas {
                Some(lambdas) => lambdas.refuses(function)?,
                None => "This bundle does not run on AWS, and Lambda functions are called from there only.".into(),
            };
            Some(("/upstream/function", why, String::new()))
        }
    }
}

fn bad_manifest(problems: &[Problem]) -> Refusal {
    let sentences = problems.iter().map(|problem| {
        let at = if problem.pointer.is_empty() { "The manifest" } else { &problem.pointer };
        let sentence =
            format!("{at} (line {}, column {}): {}", problem.line, problem.column, problem.message);
        if problem.hint.is_empty() { sentence } else { format!("{sentence} {}", problem.hint) }
    });
    let sentences = sentences.collect::<Vec<_>>().join(" ");
    let message = match problems.len() {
        1 => format!("Something is wrong with this manifest, and nothing was changed. {sentences}"),
        n => format!("{n} things are wrong with this manifest, and nothing was changed. {sentences}"),
    };
    let problems = serde_json::to_value(problems).unwrap_or_default();
    Refusal::new(Code::BadManifest, message).with("problems", problems)
}

/// Says which apps there are.
pub(super) async fn no_such_app(management: &Management, app: &AppId) -> Result<Refusal, Refusal> {
    let catalogue = management.services.apps.store.all().await?;
    let known = catalogue.apps.values().filter(|entry| !entry.linked).map(|entry| &entry.id);
    let ids: BTreeSet<&AppId> = known.chain(management.services.apps.linked.keys()).collect();
    let ids: Vec<&str> = ids.into_iter().map(AppId::as_str).collect();
    let has = if ids.is_empty() { "no app at all".to_owned() } else { ids.join(", ") };
    let message = format!(
        "There is no app {app} in this bundle; it has {has}. Check the name, deploy a bundle that links it, or register \
         it with `cloud-apps operator apps add`."
    );
    Ok(Refusal::bad_request("/operator/app", message))
}
