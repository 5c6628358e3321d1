//! Key rings as operators look after them: list, rotate, revoke.
//!
//! A ring is read, changed and written back under the app's lock in the ledger, because Secrets Manager has no
//! compare-and-set. If a rotation is interrupted, it is repeated: while a new key is not in use yet, a rotation answers with
//! that key, and sends the job again that seals with it.

use super::{dependents, messages::KeyView};
use crate::{
    http::Refusal,
    keys::generate_ring,
    services::Management,
    store::{
        job::{Job, JobKind},
        model::{Key, Ring},
        ports::Stored,
    },
};
use cloud_apps_protocol::{AppId, Code, KeyId, Millis, secret::Secret};
use zeroize::Zeroizing;

/// How long after it is made a key is used, in ms. Every environment reads a ring at least every 6 minutes. So by then each
/// can open what the first one seals.
const USE_AFTER: Millis = 15 * 60_000;
/// How long one change of a ring keeps others out, in ms. The function that makes it does not live longer.
const LOCK: Millis = 30_000;
/// The keys of an app, the oldest first, each with the number of installs that depend on it.
pub(super) async fn list(management: &Management, app: &AppId, now: Millis) -> Result<Vec<KeyView>, Refusal> {
    let ring = read(management, app, now).await?;
    views(management, &ring, now).await
}

/// Adds a key, unless there is one that is not in use yet.
pub(super) async fn rotate(
    management: &Management,
    app: &AppId,
    now: Millis,
) -> Result<Vec<KeyView>, Refusal> {
    locked(management, app, now, async {
        let mut ring = read(management, app, now).await?;
        // The job comes before the key. A job that finds nothing to do is harmless; a key without the job is not.
        let reseal = JobKind::Reseal { app: app.clone(), cursor: None };
        let job = Job::new(reseal, USE_AFTER, None, now);
        management.queue.send(&job, now).await?;
        if !ring.keys.iter().any(|key| !key.revoked && key.use_from > now) {
            ring.keys.push(fresh(management, &ring, now)?);
            keep(management, &ring, now).await?;
        }
        Ok(changed(management, &ring, now).await)
    })
    .await
}

/// Revokes a key at once.
pub(super) async fn revoke(
    management: &Management,
    app: &AppId,
    key: &KeyId,
    force: bool,
    now: Millis,
) -> Result<Vec<KeyView>, Refusal> {
    locked(management, app, now, async {
        let mut ring = read(management, app, now).await?;
        let Some(found) = ring.keys.iter().find(|found| found.id == *key) else {
            return Err(Refusal::bad_request(
                "/operator/key",
                format!("The ring of {app} has no key {key}. `cloud-apps operator keys list {app}` shows its keys."),
            ));
        };
        if found.revoked {
            return Ok(changed(management, &ring, now).await);
        }
        if !ring.keys.iter().any(|other| other.id != *key && !other.revoked) {
            let message = format!(
                "{key} is the only live key of {app}, and without one nothing is sealed or verified. Add one with \
                 `cloud-apps operator keys rotate {app}` first."
            );
            return Err(Refusal::new(Code::VersionConflict, message));
        }
        // With force, nothing is read first: the revocation of a key that leaked must not wait for a store that fails.
        if !force {
            let installs = dependents::list(management, app, now).await?;
            if let Some(refusal) = dependents::refusal(app, key, &installs) {
                return Err(refusal);
            }
        }
        if !force && management.services.apps.store.find(app).await?.is_some_and(|app| app.depends_on(key, now)) {
            let message = format!(
                "The upstream secret of {app} is derived from key {key}: without it no call of the app could be signed. \
                 `cloud-apps operator apps rotate {app}` derives another from the current key; revoke this one when the rotation is \
                 over, or with --force."
            );
            return Err(Refusal::new(Code::VersionConflict, message));
        }
        for other in &mut ring.keys {
            other.revoked |= other.id == *key;
        }
        // A key that is not in use yet is needed now. An environment that does not know it reads the ring again.
        if ring.current(now).is_none()
            && let Some(next) = ring.keys.iter_mut().rev().find(|other| !other.revoked)
        {
            next.use_from = now;
        }
        keep(management, &ring, now).await?;
        Ok(changed(management, &ring, now).await)
    })
    .await
}

fn fresh(management: &Management, ring: &Ring, now: Millis) -> Result<Key, Refusal> {
    let highest = ring.keys.iter().filter_map(|key| key.id.as_str().parse::<u32>().ok()).max();
    let id = KeyId::new(highest.unwrap_or_default().saturating_add(1).to_string()).map_err(|_| {
        let message = format!("The ring of {} has had as many keys as there are numbers for.", ring.app);
        Refusal::new(Code::Internal, message)
    })?;
    let mut root = Zeroizing::new([0; 32]);
    management.services.random.fill(&mut root[..]);
    let use_from = now.saturating_add(USE_AFTER);
    Ok(Key { id, root: Secret::new(*root), created_at: now, use_from, revoked: false })
}

/// The ring as it is stored now, not as it is cached.
pub(super) async fn read(management: &Management, app: &AppId, now: Millis) -> Result<Ring, Refusal> {
    management.services.keys.reread(app, now).await?.ok_or_else(|| {
        let message = format!(
            "{app} has no key ring. `cloud-apps operator register` makes the rings of linked apps, `cloud-apps operator apps add` \
             that of another."
        );
        Refusal::bad_request("/operator/app", message)
    })
}

async fn keep(management: &Management, ring: &Ring, now: Millis) -> Stored<()> {
    management.key_maker.replace(ring).await?;
    management.services.keys.remember(ring.clone(), now);
    Ok(())
}

/// Changes a ring while nobody else does.
async fn locked<T>(
    management: &Management,
    app: &AppId,
    now: Millis,
    change: impl Future<Output = Result<T, Refusal>>,
) -> Result<T, Refusal> {
    let lock = format!("RING#{app}");
    if !management.services.ledger.put(&lock, "changing", now.saturating_add(LOCK), now).await? {
        let message = format!("Somebody else is changing the key ring of {app}. Try again in 30 seconds.");
        return Err(Refusal { retry_after: Some(30), ..Refusal::new(Code::Unavailable, message) });
    }
    let outcome = change.await;
    // If this fails, the lock ends by itself.
    let _ = management.services.ledger.take(&lock, now).await;
    outcome
}

async fn views(management: &Management, ring: &Ring, now: Millis) -> Result<Vec<KeyView>, Refusal> {
    let installs = dependents::list(management, &ring.app, now).await?;
    let depend = |key: &Key| installs.iter().filter(|one| one.depends(&key.id) == Some(true)).count();
    Ok(ring.keys.iter().map(|key| view(key, Some(depend(key)))).collect())
}

/// The keys after a change. If the installs cannot be read, they are not counted, because an error now would read as if
/// nothing had been changed.
async fn changed(management: &Management, ring: &Ring, now: Millis) -> Vec<KeyView> {
    views(management, ring, now).await.unwrap_or_else(|unread| {
        let (app, cause) = (ring.app.as_str(), unread.chain());
        tracing::error!(app, error = %unread, cause, "a key ring was changed; the installs of the app cannot be read");
        ring.keys.iter().map(|key| view(key, None)).collect()
    })
}

/// A key as an operator sees it.
fn view(key: &Key, installs: Option<usize>) -> KeyView {
    KeyView {
        id: key.id.clone(),
        created_at: key.created_at,
        use_from: key.use_from,
        state: if key.revoked { "revoked" } else { "live" }.into(),
        installs,
    }
}

/// Makes an app's key ring if it has none. Returns whether it had none.
pub(super) async fn make_if_absent(
    management: &Management,
    app: &AppId,
    now: Millis,
) -> Result<bool, Refusal> {
    if management.services.keys.current(app, now).await?.is_some() {
        return Ok(false);
    }
    let ring = generate_ring(app.clone(), now, &*management.services.random);
    let stored = management.key_maker.make(&ring).await?;
    // Another request may have been faster.
    let root = |ring: &Ring| ring.keys.first().map(|key| *key.root.expose());
    let made = root(&stored) == root(&ring);
    management.services.keys.remember(stored, now);
    Ok(made)
}
