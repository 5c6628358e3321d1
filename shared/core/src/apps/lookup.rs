//! Finds an app: linked, and there from the start; or registered at run time, and read behind a cache.
//!
//! What an install may ask of an app is what its admin agreed to: the manifest that is kept under the hash that the
//! install names. Nothing of a registered app is used before its [`Binding`](crate::store::model::Binding) was checked: it
//! covers the hashes of all its manifests, and so its addresses.

use super::{
    cache::AppCache,
    catalogue::CatalogueCache,
    served::{Registered, ServedApp, ServedAppError},
};
use crate::{
    http::etag::tag,
    keys::KeyCache,
    store::{
        cache::Freshness,
        model::{Install, RegisteredApp, Sha256},
        ports::{self, Stored},
    },
};
use bytes::Bytes;
use cloud_app::App;
use cloud_apps_protocol::{AppId, Millis};
use http::{HeaderValue, Response};
use std::{
    collections::BTreeMap,
    sync::{Arc, OnceLock},
};

/// The header by which a server learns that it must fetch the install again (section 18).
const MANIFEST: &str = "cloud-apps-manifest";

/// All apps of the bundle.
pub struct Apps {
    /// Linked apps, by id.
    pub linked: BTreeMap<AppId, App>,
    /// What is stored of registered apps, and the catalogue.
    pub store: Arc<dyn ports::Apps>,
    /// Which apps are registered, cached.
    pub catalogue: CatalogueCache,
    /// Registered apps, cached.
    pub registered: AppCache,
    /// What their bindings are checked with.
    keys: Arc<KeyCache>,
    /// The hashes of the linked apps' manifests, each made when it is first asked for, because writing a manifest out takes
    /// as long as all the rest of a small command.
    built: BTreeMap<AppId, OnceLock<Sha256>>,
}

impl Apps {
    /// Linked apps, and those of a store, of which what is found is kept for `keep` ms; 0: never.
    pub fn new(
        linked: impl IntoIterator<Item = App>,
        store: Arc<dyn ports::Apps>,
        keys: Arc<KeyCache>,
        keep: Millis,
    ) -> Self {
        let linked: BTreeMap<AppId, App> =
            linked.into_iter().map(|app| (app.manifest().id.clone(), app)).collect();
        Self {
            built: linked.keys().map(|app| (app.clone(), OnceLock::new())).collect(),
            linked,
            catalogue: CatalogueCache::new(Arc::clone(&store)),
            registered: AppCache::new(Arc::clone(&store), keep),
            keys,
            store,
        }
    }

    /// The entity tag of an install, [`etag`](crate::http::etag::etag), made without a read; `None` where its app is not
    /// in memory.
    pub fn etag(&self, install: &Install) -> Option<String> {
        if self.linked.contains_key(&install.app) {
            return self.built(&install.app).map(|sha256| tag(sha256, install));
        }
        let known = self.registered.remembered(&install.app)?;
        known.versions.get(&known.version).map(|sha256| tag(sha256, install))
    }

    /// Says in the header `Cloud-Apps-Manifest` which manifest and install an answer comes from: by it a server learns that
    /// it must fetch the install again (section 18). Without a read; nothing where the app is not in memory.
    pub fn name_manifest(&self, install: &Install, response: &mut Response<Bytes>) {
        if let Some(etag) = self.etag(install).and_then(|etag| HeaderValue::try_from(etag).ok()) {
            response.headers_mut().insert(MANIFEST, etag);
        }
    }

    /// The hash of a linked app's manifest, as it was built.
    pub(crate) fn built(&self, app: &AppId) -> Option<&Sha256> {
        let linked = self.linked.get(app)?;
        Some(self.built.get(app)?.get_or_init(|| Sha256::of_manifest(linked.manifest())))
    }

    /// Whether there is such an app, linked or registered. Strangers' apps are refused from memory.
    pub async fn knows(&self, app: &AppId, now: Millis) -> Stored<bool> {
        Ok(self.linked.contains_key(app) || self.catalogue.has(app, now).await?)
    }

    /// An app of the bundle as new installs get it. A linked one costs no read; a registered one is read at most once in a
    /// minute, or, with [`Freshness::Reread`], in a second.
    pub async fn app(
        &self,
        app: &AppId,
        fresh: Freshness,
        now: Millis,
    ) -> Result<Option<ServedApp<'_>>, ServedAppError> {
        if let Some(app) = self.linked.get(app) {
            return Ok(Some(ServedApp::Linked { app, agreed: None }));
        }
        let Some(known) = self.vouched(app, fresh, now).await? else { return Ok(None) };
        let sha256 =
            known.versions.get(&known.version).ok_or_else(|| ServedAppError::Unbound(app.clone()))?;
        Ok(Some(self.with_manifest(&known, sha256).await?))
    }

    /// The app of an install as its admin agreed to it.
    pub async fn agreed(&self, install: &Install, now: Millis) -> Result<ServedApp<'_>, ServedAppError> {
        let found = self.app_of(install, now).await?;
        found.ok_or_else(|| ServedAppError::Absent(install.app.clone()))
    }

    /// The same; `None` where the bundle does not have the app.
    pub async fn app_of(
        &self,
        install: &Install,
        now: Millis,
    ) -> Result<Option<ServedApp<'_>>, ServedAppError> {
        if let Some(app) = self.linked.get(&install.app) {
            return self.linked_as_agreed(app, install).await.map(Some);
        }
        let not_kept =
            || ServedAppError::NotKept { app: install.app.clone(), version: install.version.clone() };
        let mut refused = None;
        for fresh in Freshness::IN_TURN {
            refused = match self.vouched(&install.app, fresh, now).await {
                Ok(Some(known)) => match known.agreed(install) {
                    Some(sha256) => return self.with_manifest(&known, sha256).await.map(Some),
                    None => Some(not_kept()),
                },
                Ok(None) => None,
                Err(error @ ServedAppError::Store(_)) => return Err(error),
                Err(error) => Some(error),
            };
        }
        refused.map_or(Ok(None), Err)
    }

    /// A linked app runs as it was built, whatever was agreed to; of its manifest an install gets what both have.
    async fn linked_as_agreed<'w>(
        &'w self,
        app: &'w App,
        install: &Install,
    ) -> Result<ServedApp<'w>, ServedAppError> {
        let built = app.manifest();
        let not_kept = || ServedAppError::NotKept { app: built.id.clone(), version: install.version.clone() };
        let same = match &install.manifest {
            Some(sha256) => self.built(&built.id) == Some(sha256),
            None => install.version == built.version,
        };
        if same {
            return Ok(ServedApp::Linked { app, agreed: None });
        }
        let sha256 = install.manifest.as_ref().ok_or_else(not_kept)?;
        let both = self.registered.of_both(built, sha256).await?.ok_or_else(not_kept)?;
        Ok(ServedApp::Linked { app, agreed: Some(both) })
    }

    async fn with_manifest(
        &self,
        app: &Arc<RegisteredApp>,
        sha256: &Sha256,
    ) -> Result<ServedApp<'_>, ServedAppError> {
        let manifest = self.registered.manifest(&app.id, sha256).await?;
        let manifest = manifest.ok_or_else(|| ServedAppError::Unbound(app.id.clone()))?;
        Ok(ServedApp::Registered(Registered { app: Arc::clone(app), manifest, sha256: sha256.clone() }))
    }

    /// What is registered of an app, its binding checked.
    async fn vouched(
        &self,
        app: &AppId,
        fresh: Freshness,
        now: Millis,
    ) -> Result<Option<Arc<RegisteredApp>>, ServedAppError> {
        let Some(known) = self.registered.find(app, fresh, now).await? else { return Ok(None) };
        if known.id == *app && self.vouches_for(&known, now).await? {
            return Ok(Some(known));
        }
        Err(ServedAppError::Unbound(app.clone()))
    }

    /// Whether what stands in the table was bound with a live key of the app's ring, and not changed since.
    pub(crate) async fn vouches_for(&self, app: &RegisteredApp, now: Millis) -> Stored<bool> {
        let Some(binding) = &app.binding else { return Ok(false) };
        let root = self.keys.root(&app.id, &binding.key, now).await?;
        Ok(root.is_some_and(|root| binding.holds(&root, app)))
    }
}
