//! Key rings as operators look after them: list, rotate, revoke, and the walk that seals anew what installs keep.
//!
//! A ring is read, changed and written back under the app's lock in the ledger, for Secrets Manager has no
//! compare-and-set. Whatever is cut off is repeated: rotating while a new key waits for its time answers with that key,
//! and sends the walk again.
//!
//! One install that fails keeps none of the others waiting: the walk goes on without it and leaves it to a job of its own,
//! whose dead letter is that install's; and what cannot be read is named where a key is to be revoked.

use super::{apps, conflict::faster, words::KeyView};
use crate::{
    http::Refusal,
    install::{self, stored},
    jobs::Next,
    keys::{generate_ring, sealed},
    services::Management,
    store::{
        job::{Job, JobKind},
        model::{Install, Key, Ring, SiteEntry},
        page::MAX_PAGE,
        ports::{Changed, StoreError, Stored},
        rules::over,
    },
};
use cloud_apps_protocol::{AppId, Code, InstallId, KeyId, Millis, secret::Secret};
use futures_util::{StreamExt, TryStreamExt, stream};
use std::collections::BTreeSet;
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
/// When an install that failed in the walk is tried alone, in ms: what held it up may have passed by then.
const ALONE_AFTER: Millis = 10_000;
/// How many installs a refusal names.
const NAMED: usize = 10;

/// The keys of an app, the oldest first, each with how many installs depend on it.
pub(super) async fn list(management: &Management, app: &AppId, now: Millis) -> Result<Vec<KeyView>, Refusal> {
    let ring = read(management, app, now).await?;
    views(management, &ring, now).await
}

/// Adds a key. While one waits for its time, none is added.
pub(super) async fn rotate(
    management: &Management,
    app: &AppId,
    now: Millis,
) -> Result<Vec<KeyView>, Refusal> {
    locked(management, app, now, async {
        let mut ring = read(management, app, now).await?;
        // Before the key: a walk that finds nothing to do is harmless, and a key without a walk is not.
        let walk = JobKind::Reseal { app: app.clone(), cursor: None };
        let job = Job::new(walk, USE_AFTER, None, now);
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
        let Some(found) = ring.keys.iter().find(|known| known.id == *key) else {
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
        // By force it is revoked whatever can be read: a key that leaked does not wait for a store that fails.
        if !force {
            let installs = installs(management, app, now, |install| needs(install, now)).await?;
            if let Some(refusal) = needed(app, key, &installs) {
                return Err(refusal);
            }
        }
        if !force && management.services.apps.store.find(app).await?.is_some_and(|known| known.depends_on(key, now)) {
            let message = format!(
                "The upstream secret of {app} is derived from key {key}: without it no call of the app could be signed. \
                 `cloud-apps operator apps rotate {app}` derives another from the current key; revoke this one when the rotation is \
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
        keep(management, &ring, now).await?;
        Ok(changed(management, &ring, now).await)
    })
    .await
}

/// One page of the walk: seals with the current key what an older one sealed. Each install is changed by revision, so
/// nothing that happens meanwhile is lost.
pub(crate) async fn reseal(
    management: &Management,
    app: &AppId,
    cursor: Option<&str>,
    now: Millis,
) -> Result<Next, Refusal> {
    let ring = read(management, app, now).await?;
    let key = match in_use(&ring, now) {
        Ok(key) => key,
        Err(next) => return Ok(next),
    };
    if cursor.is_none() {
        apps::bind_again(management, app, now).await?;
    }
    let page = install::listed(management, app, PAGE, cursor).await?;
    for entry in page.items {
        if let Err(refusal) = seal_anew(management, &entry.install, key, now).await {
            let cause = refusal.chain();
            let (app, site, install) = (app.as_str(), entry.site.as_str(), entry.install.as_str());
            tracing::warn!(app, site, install, error = %refusal, cause, "an install was not sealed anew; a job of its own tries again");
            let alone = JobKind::ResealInstall { app: ring.app.clone(), install: entry.install };
            management.queue.send(&Job::new(alone, ALONE_AFTER, None, now), now).await?;
        }
    }
    Ok(match page.cursor {
        None => Next::Done,
        cursor => Next::Step { in_ms: 0, kind: Some(JobKind::Reseal { app: app.clone(), cursor }) },
    })
}

/// The same for one install that failed in the walk.
pub(crate) async fn reseal_install(
    management: &Management,
    app: &AppId,
    install: &InstallId,
    now: Millis,
) -> Result<Next, Refusal> {
    let ring = read(management, app, now).await?;
    match in_use(&ring, now) {
        Ok(key) => seal_anew(management, install, key, now).await.map(|()| Next::Done),
        Err(next) => Ok(next),
    }
}

/// The key that everything is to be sealed with; what to do instead while a newer one waits for its time.
fn in_use(ring: &Ring, now: Millis) -> Result<&Key, Next> {
    let waits = ring.keys.iter().filter(|key| !key.revoked).map(|key| key.use_from).max();
    match waits {
        Some(waits) if waits > now => Err(Next::Step { in_ms: waits - now, kind: None }),
        _ => ring.current(now).ok_or(Next::Done),
    }
}

/// Seals one install with this key.
async fn seal_anew(management: &Management, id: &InstallId, key: &Key, now: Millis) -> Result<(), Refusal> {
    for _ in 0..TRIES {
        let Some(install) = stored(management, id, now).await? else { return Ok(()) };
        let Some(sealed) = resealed(management, &install, key, now).await? else { return Ok(()) };
        let changed = management.registry.change(&sealed, install.rev).await?;
        management.services.installs.forget(id);
        if changed == Changed::Yes {
            return Ok(());
        }
    }
    Err(faster("this install"))
}

/// The install with everything sealed by `key`; `None` where it is already, or cannot be opened any more.
async fn resealed(
    management: &Management,
    install: &Install,
    key: &Key,
    now: Millis,
) -> Result<Option<Install>, Refusal> {
    // Where nobody was given a shared secret, nothing but seals depends on the key.
    let moves = install.generation.0 == 0 && install.key != key.id;
    if !moves && sealed::keys(install).all(|used| used == key.id) {
        return Ok(None);
    }
    match sealed::seal_again(&management.services.keys, key, install, &*management.services.random, now).await
    {
        Ok(mut sealed) => {
            if moves {
                sealed.key = key.id.clone();
            }
            Ok(Some(sealed))
        }
        // What holds it up may pass.
        Err(error @ (StoreError::Busy { .. } | StoreError::Unavailable { .. })) => Err(error.into()),
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

/// The ring as it is kept, whatever this process remembers.
async fn read(management: &Management, app: &AppId, now: Millis) -> Result<Ring, Refusal> {
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
    // Left behind it would end by itself.
    let _ = management.services.ledger.take(&lock, now).await;
    outcome
}

async fn views(management: &Management, ring: &Ring, now: Millis) -> Result<Vec<KeyView>, Refusal> {
    let installs = installs(management, &ring.app, now, |install| needs(install, now)).await?;
    let depend = |key: &Key| installs.iter().filter(|one| one.depends(&key.id) == Some(true)).count();
    Ok(ring.keys.iter().map(|key| view(key, Some(depend(key)))).collect())
}

/// The keys as they stand after a change. Where the installs cannot be read they are not counted: an error now would read
/// as if nothing had been changed.
async fn changed(management: &Management, ring: &Ring, now: Millis) -> Vec<KeyView> {
    views(management, ring, now).await.unwrap_or_else(|unread| {
        let (app, cause) = (ring.app.as_str(), unread.chain());
        tracing::error!(app, error = %unread, cause, "a key ring was changed; the installs of the app cannot be read");
        ring.keys.iter().map(|key| view(key, None)).collect()
    })
}

fn view(key: &Key, installs: Option<usize>) -> KeyView {
    KeyView {
        id: key.id.clone(),
        created_at: key.created_at,
        use_from: key.use_from,
        state: if key.revoked { "revoked" } else { "live" }.into(),
        installs,
    }
}

/// An install of an app, and what was looked for in it.
pub(super) struct Seen<T> {
    site: String,
    /// `None`: the line that names it cannot be read.
    install: Option<InstallId>,
    /// `None`: what is stored of it cannot be read.
    pub has: Option<T>,
}

/// An install, and the keys that it depends on.
type Dependent = Seen<BTreeSet<KeyId>>;

impl Dependent {
    /// Whether it depends on a key, where that can be told.
    fn depends(&self, key: &KeyId) -> Option<bool> {
        self.has.as_ref().map(|keys| keys.contains(key))
    }
}

/// The keys with which something of the install dies: what they sealed, the shared secret and the one before it, the
/// secret of a vendor's webhook.
fn needs(install: &Install, now: Millis) -> BTreeSet<KeyId> {
    let shared = (install.generation.0 != 0).then(|| install.key.clone());
    let before = install.previous_until.filter(|until| !over(*until, now));
    let before = before.and(install.previous_key.clone());
    let webhooks = install.webhooks.values().map(|secret| secret.key.clone());
    sealed::keys(install).chain(shared).chain(before).chain(webhooks).collect()
}

/// Why a key is not revoked without force: installs depend on it, or may.
fn needed(app: &AppId, key: &KeyId, installs: &[Dependent]) -> Option<Refusal> {
    let which = |depends| installs.iter().filter(move |install| install.depends(key) == depends);
    let (depend, unread) = (which(Some(true)).count(), which(None).count());
    let mut sentences = Vec::new();
    if depend > 0 {
        let depends = match depend {
            1 => format!("1 install of {app} still depends"),
            many => format!("{many} installs of {app} still depend"),
        };
        sentences.push(format!(
            "{depends} on key {key}: {}. Their bots' tokens and passwords could not be \
             opened any more, and the shared secrets of servers that speak V2 and the secrets of vendors' webhooks would be \
             refused. `cloud-apps operator keys rotate {app}` seals the former anew within 15 minutes and some; `cloud-apps rotate` \
             replaces the latter, and what a shared secret replaced is good for 24 hours.",
            named(which(Some(true)))
        ));
    }
    if unread > 0 {
        sentences.push(format!(
            "What is stored of {unread} installs cannot be read, so nobody knows what they depend on: {}. The log says why.",
            named(which(None))
        ));
    }
    if sentences.is_empty() {
        return None;
    }
    let message = format!("{} Revoke it all the same with --force.", sentences.join(" "));
    let ids: Vec<&str> = which(Some(true))
        .chain(which(None))
        .take(MAX_PAGE)
        .filter_map(|one| one.install.as_ref().map(InstallId::as_str))
        .collect();
    Some(
        Refusal::new(Code::VersionConflict, message)
            .with("installs", depend + unread)
            .with("install_ids", ids),
    )
}

/// Some of them by name.
fn named<'a>(installs: impl Iterator<Item = &'a Dependent>) -> String {
    let mut names: Vec<String> = installs
        .map(|one| match &one.install {
            Some(install) => format!("{} ({install})", one.site),
            None => one.site.clone(),
        })
        .collect();
    let more = names.len().saturating_sub(NAMED);
    names.truncate(NAMED);
    let names = names.join(", ");
    if more > 0 { format!("{names} and {more} others") } else { names }
}

/// Looks at every install of an app. One that cannot be read, or whose line in the list cannot, is told and logged; a store that does not answer ends the walk,
/// for nothing would be known then.
pub(super) async fn installs<T>(
    management: &Management,
    app: &AppId,
    now: Millis,
    has: impl Fn(&Install) -> T,
) -> Stored<Vec<Seen<T>>> {
    let look = async |entry: SiteEntry| -> Stored<Option<Seen<T>>> {
        let seen = |has| Seen { site: entry.site.to_string(), install: Some(entry.install.clone()), has };
        match stored(management, &entry.install, now).await {
            Ok(None) => Ok(None),
            Ok(Some(install)) => Ok(Some(seen(Some(has(&install))))),
            Err(error @ StoreError::Corrupt { .. }) => {
                let (app, site, install) = (app.as_str(), entry.site.as_str(), entry.install.as_str());
                tracing::error!(app, site, install, %error, "what is stored of an install cannot be read");
                Ok(Some(seen(None)))
            }
            Err(error) => Err(error),
        }
    };
    let mut all = Vec::new();
    let mut cursor = None;
    loop {
        let page = install::listed(management, app, MAX_PAGE, cursor.as_deref()).await?;
        all.extend(page.unread.into_iter().map(|line| Seen { site: line.site, install: None, has: None }));
        let found: Vec<Option<Seen<T>>> =
            stream::iter(page.items).map(&look).buffered(AT_ONCE).try_collect().await?;
        all.extend(found.into_iter().flatten());
        cursor = page.cursor;
        if cursor.is_none() {
            return Ok(all);
        }
    }
}

/// Makes an app's key ring if it has none; whether it had none.
pub(super) async fn ring(management: &Management, app: &AppId, now: Millis) -> Result<bool, Refusal> {
    if management.services.keys.current(app, now).await?.is_some() {
        return Ok(false);
    }
    let ring = generate_ring(app.clone(), now, &*management.services.random);
    let stands = management.key_maker.make(&ring).await?;
    // Somebody else may have been faster.
    let root = |ring: &Ring| ring.keys.first().map(|key| *key.root.expose());
    let made = root(&stands) == root(&ring);
    management.services.keys.remember(stands, now);
    Ok(made)
}
