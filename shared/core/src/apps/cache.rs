//! Registered apps and manifests behind a cache like an install's (60 s, stale while the store fails, read again where a
//! refusal would rest on it). A manifest never changes under its hash, so it is read once.

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
    /// Of linked apps: what an install that agreed to the manifest of this hash gets of the build's.
    of_both: Mutex<Recent<(AppId, Sha256), Arc<Manifest>>>,
}

impl AppCache {
    /// A cache in front of `apps` that keeps what it finds for `keep` ms; 0 reads every time.
    pub fn new(store: Arc<dyn Apps>, keep: Millis) -> Self {
        let (manifests, of_both) = (Mutex::new(Recent::new(MANIFESTS)), Mutex::new(Recent::new(MANIFESTS)));
        Self { store, keep, apps: AgedCache::new(keep), manifests, of_both }
    }

    /// What is registered of the app, as it stands in the table: nobody has vouched for it yet.
    pub async fn find(
        &self,
        app: &AppId,
        fresh: Freshness,
        now: Millis,
    ) -> Stored<Option<Arc<RegisteredApp>>> {
        let read = async { Ok(self.store.find(app).await?.map(Arc::new)) };
        self.apps.get(app, fresh, now, read).await
    }

    /// A manifest by its hash. A text that has another hash is none.
    pub async fn manifest(
        &self,
        app: &AppId,
        sha256: &Sha256,
    ) -> Result<Option<Arc<Manifest>>, ServedAppError> {
        const WHAT: &str = "Apps.manifest";
        let place = (app.clone(), sha256.clone());
        if let Some(known) = lock(&self.manifests).get(&place) {
            return Ok(Some(Arc::clone(known)));
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

    /// What a linked app and the manifest that an install agreed to have both. It is made once: a manifest is large, and
    /// neither of the two changes while a process lives.
    pub(super) async fn of_both(
        &self,
        built: &Manifest,
        sha256: &Sha256,
    ) -> Result<Option<Arc<Manifest>>, ServedAppError> {
        let place = (built.id.clone(), sha256.clone());
        if let Some(known) = lock(&self.of_both).get(&place) {
            return Ok(Some(Arc::clone(known)));
        }
        let Some(kept) = self.manifest(&built.id, sha256).await? else { return Ok(None) };
        let both = Arc::new(agreed::of_both(built, &kept));
        if self.keep != 0 {
            lock(&self.of_both).put(place, Arc::clone(&both));
        }
        Ok(Some(both))
    }

    /// The app where it is in memory, whatever its age: for what is made without a read.
    pub(crate) fn remembered(&self, app: &AppId) -> Option<Arc<RegisteredApp>> {
        self.apps.last(app)
    }

    /// Reads the app again next time: after this process changed it.
    pub fn forget(&self, app: &AppId) {
        self.apps.forget(|id| id == app);
    }
}

/// A panic elsewhere cannot leave half of a change behind: each is one call.
fn lock<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}
