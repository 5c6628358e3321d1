//! Registered apps and manifests behind a cache. Registered apps are cached like installs. A manifest never changes under its
//! hash, so it is read once.

use super::{agreed, served::ServedAppError};
use crate::store::{
    cache::{AgedCache, Freshness},
    document,
    model::{RegisteredApp, Sha256},
    ports::{Apps, StoreError, Stored},
    recent::Recent,
};
use cloud_apps_protocol::{AppId, Manifest, Millis};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// How many manifests are kept in memory.
const MANIFESTS: usize = 200;

/// Registered apps and the manifests of all apps, cached.
pub struct AppCache {
    store: Arc<dyn Apps>,
    keep: Millis,
    apps: AgedCache<AppId, Arc<RegisteredApp>>,
    manifests: Mutex<Recent<(AppId, Sha256), Arc<Manifest>>>,
    /// For linked apps: the part of the linked manifest for installs that agreed to the manifest with this hash.
    of_both: Mutex<Recent<(AppId, Sha256), Arc<Manifest>>>,
}

impl AppCache {
    /// A cache in front of `store` that uses what it reads for `keep` ms. With 0 it reads every time.
    pub fn new(store: Arc<dyn Apps>, keep: Millis) -> Self {
        let (manifests, of_both) = (Mutex::new(Recent::new(MANIFESTS)), Mutex::new(Recent::new(MANIFESTS)));
        Self { store, keep, apps: AgedCache::new(keep), manifests, of_both }
    }

    /// The registered app as the store has it. Its MAC is not checked yet.
    pub async fn find(
        &self,
        app: &AppId,
        fresh: Freshness,
        now: Millis,
    ) -> Stored<Option<Arc<RegisteredApp>>> {
        let read = async { Ok(self.store.find(app).await?.map(Arc::new)) };
        self.apps.get(app, fresh, now, read).await
    }

    /// The manifest with this hash. A text that has another hash is refused.
    pub async fn manifest(
        &self,
        app: &AppId,
        sha256: &Sha256,
    ) -> Result<Option<Arc<Manifest>>, ServedAppError> {
        const WHAT: &str = "Apps.manifest";
        let place = (app.clone(), sha256.clone());
        if let Some(cached) = lock(&self.manifests).get(&place) {
            return Ok(Some(Arc::clone(cached)));
        }
        let Some(text) = self.store.manifest(app, sha256).await? else { return Ok(None) };
        if !Sha256::of(&text).is(sha256) {
            return Err(ServedAppError::Unbound(app.clone()));
        }
        let manifest: Manifest = serde_json::from_str(&text)
            .map_err(|error| StoreError::Corrupt { what: WHAT, detail: document::without_content(&error) })?;
        let manifest = Arc::new(manifest);
        if self.keep != 0 {
            lock(&self.manifests).put(place, Arc::clone(&manifest));
        }
        Ok(Some(manifest))
    }

    /// The part of a linked manifest that the manifest with this hash has too. It is made once, because manifests are large
    /// and do not change while a process lives.
    pub(super) async fn of_both(
        &self,
        built: &Manifest,
        sha256: &Sha256,
    ) -> Result<Option<Arc<Manifest>>, ServedAppError> {
        let place = (built.id.clone(), sha256.clone());
        if let Some(cached) = lock(&self.of_both).get(&place) {
            return Ok(Some(Arc::clone(cached)));
        }
        let Some(kept) = self.manifest(&built.id, sha256).await? else { return Ok(None) };
        let both = Arc::new(agreed::of_both(built, &kept));
        if self.keep != 0 {
            lock(&self.of_both).put(place, Arc::clone(&both));
        }
        Ok(Some(both))
    }

    /// The app if it is cached, however old it is, for things that are made without a read.
    pub(crate) fn remembered(&self, app: &AppId) -> Option<Arc<RegisteredApp>> {
        self.apps.last(app)
    }

    /// Reads the app again next time, because this process changed it.
    pub fn forget(&self, app: &AppId) {
        self.apps.forget(|id| id == app);
    }
}

/// Locks a map. Every change of it is one call, so a panic elsewhere cannot leave half of one.
fn lock<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}
