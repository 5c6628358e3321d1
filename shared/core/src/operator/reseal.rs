//! After a key ring was rotated, what the app's installs store is sealed again with the new key: a page of installs per job.
//!
//! If one install fails, the others do not wait for it: it gets a job of its own, and so perhaps a dead letter of its own.

use super::{apps, key_rings};
use crate::{
    http::Refusal,
    install::stored,
    jobs::Next,
    keys::sealed,
    services::Management,
    store::{
        job::{Job, JobKind},
        model::{Install, Key, Ring},
        ports::{Changed, TRIES},
    },
};
use cloud_apps_protocol::{AppId, InstallId, Millis};

/// How many installs one job looks at.
const PAGE: usize = 25;
/// After how many ms an install that failed is tried alone. The reason may have passed by then.
const ALONE_AFTER: Millis = 10_000;

/// Seals one page of installs again with the current key. Each install is changed by revision, so no other change is lost.
pub(crate) async fn reseal(
    management: &Management,
    app: &AppId,
    cursor: Option<&str>,
    now: Millis,
) -> Result<Next, Refusal> {
    let ring = key_rings::read(management, app, now).await?;
    let key = match in_use(&ring, now) {
        Ok(key) => key,
        Err(next) => return Ok(next),
    };
    if cursor.is_none() {
        apps::bind_again(management, app, now).await?;
    }
    let page = stored::list(management, app, PAGE, cursor).await?;
    for entry in page.items {
        if let Err(refusal) = seal(management, &entry.install, key, now).await {
            let cause = refusal.chain();
            let (app, site, install) = (app.as_str(), entry.site.as_str(), entry.install.as_str());
            tracing::warn!(app, site, install, error = %refusal, cause, "an install was not sealed again; a job of its own tries that");
            let alone = JobKind::ResealInstall { app: ring.app.clone(), install: entry.install };
            management.queue.send(&Job::new(alone, ALONE_AFTER, None, now), now).await?;
        }
    }
    Ok(match page.cursor {
        None => Next::Done,
        cursor => Next::Step { in_ms: 0, kind: Some(JobKind::Reseal { app: app.clone(), cursor }) },
    })
}

/// The same for one install that failed.
pub(crate) async fn reseal_install(
    management: &Management,
    app: &AppId,
    install: &InstallId,
    now: Millis,
) -> Result<Next, Refusal> {
    let ring = key_rings::read(management, app, now).await?;
    match in_use(&ring, now) {
        Ok(key) => seal(management, install, key, now).await.map(|()| Next::Done),
        Err(next) => Ok(next),
    }
}

/// The key to seal with. While a newer key is not in use yet, what to do instead.
fn in_use(ring: &Ring, now: Millis) -> Result<&Key, Next> {
    let waits = ring.keys.iter().filter(|key| !key.revoked).map(|key| key.use_from).max();
    match waits {
        Some(waits) if waits > now => Err(Next::Step { in_ms: waits - now, kind: None }),
        _ => ring.current(now).ok_or(Next::Done),
    }
}

/// Seals one install again with this key.
async fn seal(management: &Management, id: &InstallId, key: &Key, now: Millis) -> Result<(), Refusal> {
    for _ in 0..TRIES {
        let Some(install) = stored::find(management, id, now).await? else { return Ok(()) };
        let Some(sealed) = resealed(management, &install, key, now).await? else { return Ok(()) };
        let changed = management.registry.change(&sealed, install.rev).await?;
        management.services.installs.forget(id);
        if changed == Changed::Yes {
            return Ok(());
        }
    }
    Err(Refusal::conflict("this install"))
}

/// The install with everything sealed with `key`. `None`: it is so already, or what it stores cannot be opened any more.
async fn resealed(
    management: &Management,
    install: &Install,
    key: &Key,
    now: Millis,
) -> Result<Option<Install>, Refusal> {
    // If the server has no shared secret, only seals depend on the key.
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
        Err(error) if error.passes() => Err(error.into()),
        Err(error) => {
            tracing::error!(
                install = install.id.as_str(),
                error = %error,
                "what this install stores cannot be opened, so it is not sealed again: `cloud-apps doctor` says what to replace"
            );
            Ok(None)
        }
    }
}
