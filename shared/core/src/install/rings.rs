//! Key rings as operators look after them: list, rotate, revoke, and the walk that seals anew what installs keep.
//!
//! A ring is read, changed and written back under the app's lock in the ledger, for Secrets Manager has no
//! compare-and-set. Whatever is cut off is repeated: rotating while a new key waits for its time answers with that key,
//! and sends the walk again.

use super::{apps, operator::KeyView, upkeep::Next};
use crate::{
    job::{Job, Work},
    model::{Install, Key, Ring},
    ports::{Changed, Stored},
    refusal::Refusal,
    rules::over,
    sealed,
    world::Office,
};
use cloud_apps_protocol::{AppId, Code, KeyId, Millis, secret::Secret};
use futures_util::{StreamExt, TryStreamExt, stream};
use std::sync::Arc;
use zeroize::Zeroizing;

/// How long after its making a key is used, in ms: every environment reads a ring at least every 6 minutes, so that by
/// then each can open what the first one seals.
const USE_AFTER: Millis = 15 * 60_000;
/// How long one change of a ring keeps others out, in ms: longer than the function that makes it lives.
const LOCK: Millis = 30_000;
/// How many installs are read at a time.
const AT_ONCE: usize = 16;
/// How many installs one job of the walk looks at.
const PAGE: usize = 25;
/// How often a change is tried again that somebody else was faster with.
const TRIES: usize = 3;

/// The keys of an app, the oldest first, each with how many installs depend on it.
pub(super) async fn list(office: &Office, app: &AppId, now: Millis) -> Result<Vec<KeyView>, Refusal> {
    let ring = read(office, app, now).await?;
    views(office, &ring, now).await
}

/// Adds a key. While one waits for its time, none is added.
pub(super) async fn rotate(office: &Office, app: &AppId, now: Millis) -> Result<Vec<KeyView>, Refusal> {
    locked(office, app, now, async {
        let mut ring = read(office, app, now).await?;
        // Before the key: a walk that finds nothing to do is harmless, and a key without a walk is not.
        let walk = Work::Reseal { app: app.clone(), cursor: None };
        let job = Job::new(walk, USE_AFTER, None, now);
        office.queue.send(&job, now).await?;
        if !ring.keys.iter().any(|key| !key.revoked && key.use_from > now) {
            ring.keys.push(fresh(office, &ring, now)?);
            keep(office, &ring, now).await?;
        }
        views(office, &ring, now).await
    })
    .await
}

/// Revokes a key at once.
pub(super) async fn revoke(
    office: &Office,
    app: &AppId,
    key: &KeyId,
    force: bool,
    now: Millis,
) -> Result<Vec<KeyView>, Refusal> {
    locked(office, app, now, async {
        let mut ring = read(office, app, now).await?;
        let Some(found) = ring.keys.iter().find(|known| known.id == *key) else {
            return Err(Refusal::bad_request(
                "/operator/key",
                format!("The ring of {app} has no key {key}. `cloud-apps keys list {app}` shows its keys."),
            ));
        };
        if found.revoked {
            return views(office, &ring, now).await;
        }
        if !ring.keys.iter().any(|other| other.id != *key && !other.revoked) {
            let message = format!(
                "{key} is the only live key of {app}, and without one nothing is sealed or verified. Add one with \
                 `cloud-apps keys rotate {app}` first."
            );
            return Err(Refusal::new(Code::VersionConflict, message));
        }
        let depend = installs(office, app, now).await?.iter().filter(|known| depends(known, key, now)).count();
        if depend > 0 && !force {
            let message = format!(
                "{depend} installs of {app} still depend on key {key}: their bots' tokens and passwords could not be opened \
                 any more, and the shared secrets of servers that speak V2 and the secrets of vendors' webhooks would be \
                 refused. `cloud-apps keys rotate {app}` seals the former anew within 15 minutes and some; `cloud-apps \
                 rotate` replaces the latter, and what a shared secret replaced is good for 24 hours. Revoke it all the \
                 same with --force."
            );
            return Err(Refusal::new(Code::VersionConflict, message).with("installs", depend));
        }
        if !force && office.world.apps.find(app).await?.is_some_and(|known| known.depends_on(key, now)) {
            let message = format!(
                "The upstream secret of {app} is derived from key {key}: without it no call of the app could be signed. \
                 `cloud-apps app rotate {app}` derives another from the current key; revoke this one when the rotation is \
                 over, or with --force."
            );
            return Err(Refusal::new(Code::VersionConflict, message));
        }
        for known in &mut ring.keys {
            known.revoked |= known.id == *key;
        }
        // Whatever waits for its time is needed now; an environment that does not know it yet asks for it.
        if ring.current(now).is_none()
            && let Some(next) = ring.keys.iter_mut().rev().find(|known| !known.revoked)
        {
            next.use_from = now;
        }
        keep(office, &ring, now).await?;
        views(office, &ring, now).await
    })
    .await
}

/// One page of the walk: seals with the current key what an older one sealed. Each install is changed by revision, so
/// nothing that happens meanwhile is lost.
pub(super) async fn reseal(
    office: &Office,
    app: &AppId,
    cursor: Option<&str>,
    now: Millis,
) -> Result<Next, Refusal> {
    let ring = read(office, app, now).await?;
    if let Some(waits) = ring.keys.iter().filter(|key| !key.revoked).map(|key| key.use_from).max()
        && waits > now
    {
        return Ok(Next::Again { in_ms: waits - now, work: None });
    }
    let Some(key) = ring.current(now) else { return Ok(Next::Done) };
    if cursor.is_none() {
        apps::bind_again(office, app, now).await?;
    }
    let page = office.registry.list(app, PAGE, cursor).await?;
    for entry in page.items {
        for _ in 0..TRIES {
            let Some(install) = super::stored(office, &entry.install, now).await? else { break };
            let Some(sealed) = resealed(office, &install, key, now).await? else { break };
            let changed = office.registry.change(&sealed, install.rev).await?;
            office.world.installs.forget(&install.id);
            if changed == Changed::Yes {
                break;
            }
        }
    }
    Ok(match page.cursor {
        None => Next::Done,
        cursor => Next::Again { in_ms: 0, work: Some(Work::Reseal { app: app.clone(), cursor }) },
    })
}

/// The install with everything sealed by `key`; `None` where it is already, or cannot be opened any more.
async fn resealed(
    office: &Office,
    install: &Install,
    key: &Key,
    now: Millis,
) -> Result<Option<Install>, Refusal> {
    // Where nobody was given a shared secret, nothing but seals depends on the key.
    let moves = install.generation.0 == 0 && install.key != key.id;
    if !moves && sealed::keys(install).all(|used| used == key.id) {
        return Ok(None);
    }
    match sealed::seal_again(&office.world.keys, key, install, &*office.world.random, now).await {
        Ok(mut sealed) => {
            if moves {
                sealed.key = key.id.clone();
            }
            Ok(Some(sealed))
        }
        Err(error) => {
            tracing::error!(
                install = install.id.as_str(),
                error = %error,
                "what this install keeps cannot be opened, so it is not sealed anew: `cloud-apps doctor` says what to replace"
            );
            Ok(None)
        }
    }
}

fn fresh(office: &Office, ring: &Ring, now: Millis) -> Result<Key, Refusal> {
    let highest = ring.keys.iter().filter_map(|key| key.id.as_str().parse::<u32>().ok()).max();
    let id = KeyId::new(highest.unwrap_or_default().saturating_add(1).to_string()).map_err(|_| {
        let message = format!("The ring of {} has had as many keys as there are numbers for.", ring.app);
        Refusal::new(Code::Internal, message)
    })?;
    let mut root = Zeroizing::new([0; 32]);
    office.world.random.fill(&mut root[..]);
    let use_from = now.saturating_add(USE_AFTER);
    Ok(Key { id, root: Secret::new(*root), created_at: now, use_from, revoked: false })
}

/// The ring as it is kept, whatever this process remembers.
async fn read(office: &Office, app: &AppId, now: Millis) -> Result<Ring, Refusal> {
    office.world.keys.reread(app, now).await?.ok_or_else(|| {
        let message = format!(
            "{app} has no key ring. `cloud-apps operator register` makes the rings of linked apps, `cloud-apps app add` \
             that of another."
        );
        Refusal::bad_request("/operator/app", message)
    })
}

async fn keep(office: &Office, ring: &Ring, now: Millis) -> Stored<()> {
    office.key_maker.replace(ring).await?;
    office.world.keys.remember(ring.clone(), now);
    Ok(())
}

/// Changes a ring while nobody else does.
async fn locked<T>(
    office: &Office,
    app: &AppId,
    now: Millis,
    change: impl Future<Output = Result<T, Refusal>>,
) -> Result<T, Refusal> {
    let lock = format!("RING#{app}");
    if !office.world.ledger.put(&lock, "changing", now.saturating_add(LOCK), now).await? {
        let message = format!("Somebody else is changing the key ring of {app}. Try again in 30 seconds.");
        return Err(Refusal { retry_after: Some(30), ..Refusal::new(Code::Unavailable, message) });
    }
    let outcome = change.await;
    // Left behind it would end by itself.
    let _ = office.world.ledger.take(&lock, now).await;
    outcome
}

async fn views(office: &Office, ring: &Ring, now: Millis) -> Result<Vec<KeyView>, Refusal> {
    let installs = installs(office, &ring.app, now).await?;
    let view = |key: &Key| KeyView {
        id: key.id.clone(),
        created_at: key.created_at,
        use_from: key.use_from,
        state: if key.revoked { "revoked" } else { "live" }.into(),
        installs: installs.iter().filter(|install| depends(install, &key.id, now)).count(),
    };
    Ok(ring.keys.iter().map(view).collect())
}

/// Whether something of the install dies with the key: what it sealed, the shared secret and the one before it, the secret
/// of a vendor's webhook.
fn depends(install: &Install, key: &KeyId, now: Millis) -> bool {
    let shared = install.generation.0 != 0 && install.key == *key;
    let before = install.previous_until.is_some_and(|until| !over(until, now));
    shared
        || (before && install.previous_key.as_ref() == Some(key))
        || install.webhooks.values().any(|secret| secret.key == *key)
        || sealed::keys(install).any(|used| used == *key)
}

/// Every install of an app, as it is kept.
pub(super) async fn installs(office: &Office, app: &AppId, now: Millis) -> Stored<Vec<Arc<Install>>> {
    let mut all = Vec::new();
    let mut cursor = None;
    loop {
        let page = office.registry.list(app, crate::rules::MAX_PAGE, cursor.as_deref()).await?;
        let found: Vec<Option<Arc<Install>>> = stream::iter(page.items)
            .map(|entry| async move { super::stored(office, &entry.install, now).await })
            .buffered(AT_ONCE)
            .try_collect()
            .await?;
        all.extend(found.into_iter().flatten());
        cursor = page.cursor;
        if cursor.is_none() {
            return Ok(all);
        }
    }
}
