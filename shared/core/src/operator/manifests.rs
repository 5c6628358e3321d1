//! The manifests of linked apps that installs agreed to.

use super::walk;
use crate::{
    apps::ServedApp,
    http::Refusal,
    install::{apps::keep_manifest, state::unchangeable, stored},
    services::Management,
    store::model::{Install, Sha256},
};
use cloud_apps_protocol::{AppId, Millis};

/// Installs from early versions of the bundle do not name a manifest. Those with the version that is linked now agreed to its
/// manifest, so they get its hash, and keep it when a later build has another manifest.
pub(super) async fn pin(management: &Management, app: &AppId, now: Millis) -> Result<(), Refusal> {
    let Some(linked) = management.services.apps.linked.get(app) else { return Ok(()) };
    let (manifest, built) = (linked.manifest(), management.services.apps.built(app));
    let unpinned = |install: &Install| install.manifest.is_none() && install.version == manifest.version;
    let seen =
        walk::installs(management, app, now, |install| unpinned(install).then(|| install.id.clone())).await?;
    let mut ids = seen.into_iter().filter_map(|install| install.found.flatten()).peekable();
    if ids.peek().is_some() {
        keep_manifest(management, &ServedApp::Linked { app: linked, agreed: None }).await?;
    }
    for id in ids {
        // If another request changes the install at the same time, it gets the hash next time.
        let Some(install) = stored::find(management, &id, now).await?.filter(|install| unpinned(install))
        else {
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

/// Removes the stored manifests of a linked app that no install has, but not the manifest that is linked.
pub(super) async fn tidy(management: &Management, app: &AppId, now: Millis) -> Result<(), Refusal> {
    let Some(built) = management.services.apps.built(app) else { return Ok(()) };
    let kept = management.registry.manifests(app).await?;
    if kept.iter().all(|sha256| sha256 == built) {
        return Ok(());
    }
    let installs = walk::installs(management, app, now, |install| install.manifest.clone()).await?;
    // An install that cannot be read may have any manifest.
    let used = |sha256: &Sha256| {
        installs.iter().any(|install| install.found.as_ref().is_none_or(|held| held.as_ref() == Some(sha256)))
    };
    for sha256 in kept.iter().filter(|sha256| *sha256 != built && !used(sha256)) {
        management.registry.remove_manifest(app, sha256).await?;
    }
    Ok(())
}
