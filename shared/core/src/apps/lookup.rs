//! Finds apps: linked ones, and registered ones through a cache.
//!
//! An install uses the manifest that its admin agreed to. The install names its hash. Nothing of a registered app is used
//! before its MAC ([`Binding`](crate::store::model::Binding)) was checked. The MAC covers the hashes of all its manifests,
//! and so its addresses.

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
    /// The store of registered apps and of the catalogue.
    pub store: Arc<dyn ports::Apps>,
    /// The catalogue, cached.
    pub catalogue: CatalogueCache,
    /// Registered apps, cached.
    pub registered: AppCache,
    /// The key rings with which MACs are checked.
    keys: Arc<KeyCache>,
    /// The hashes of the linked manifests. Each is made when it is first needed, because to write a manifest takes as long as
    /// the rest of a small command.
    built: BTreeMap<AppId, OnceLock<Sha256>>,
}

impl Apps {
    /// These linked apps, and the registered ones of `store`, which are cached for `keep` ms. 0: never.
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

    /// The entity tag of an install, [`etag`](crate::http::etag::etag), made without a read. `None`: its app is not cached.
    pub fn etag(&self, install: &Install) -> Option<String> {
        if self.linked.contains_key(&install.app) {
            return self.built(&install.app).map(|sha256| tag(sha256, install));
        }
        let app = self.registered.remembered(&install.app)?;
        app.versions.get(&app.version).map(|sha256| tag(sha256, install))
    }

    /// Adds the header `Cloud-Apps-Manifest`, which names the manifest and the install of an answer. A server learns from it that
    /// it must fetch the install again (section 18). Reads nothing, and adds nothing if the app is not cached.
    pub fn name_manifest(&self, install: &Install, response: &mut Response<Bytes>) {
        if let Some(etag) = self.etag(install).and_then(|etag| HeaderValue::try_from(etag).ok()) {
            response.headers_mut().insert(MANIFEST, etag);
        }
    }

    /// The hash of a linked app's manifest.
    pub(crate) fn built(&self, app: &AppId) -> Option<&Sha256> {
        let linked = self.linked.get(app)?;
        Some(self.built.get(app)?.get_or_init(|| Sha256::of_manifest(linked.manifest())))
    }

    /// Whether the bundle has an app. Unknown apps are refused from memory.
    pub async fn knows(&self, app: &AppId, now: Millis) -> Stored<bool> {
        Ok(self.linked.contains_key(app) || self.catalogue.has(app, now).await?)
    }

    /// An app as new installs get it. A linked app needs no read. A registered one is read at most once in a minute, or once in
    /// a second with [`Freshness::Reread`].
    pub async fn app(
        &self,
        app: &AppId,
        fresh: Freshness,
        now: Millis,
    ) -> Result<Option<ServedApp<'_>>, ServedAppError> {
        if let Some(app) = self.linked.get(app) {
            return Ok(Some(ServedApp::Linked { app, agreed: None }));
        }
        let Some(found) = self.checked(app, fresh, now).await? else { return Ok(None) };
        let sha256 =
            found.versions.get(&found.version).ok_or_else(|| ServedAppError::Unbound(app.clone()))?;
        Ok(Some(self.with_manifest(&found, sha256).await?))
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
            refused = match self.checked(&install.app, fresh, now).await {
                Ok(Some(found)) => match found.agreed(install) {
                    Some(sha256) => return self.with_manifest(&found, sha256).await.map(Some),
                    None => Some(not_kept()),
                },
                Ok(None) => None,
                Err(error @ ServedAppError::Store(_)) => return Err(error),
                Err(error) => Some(error),
            };
        }
        refused.map_or(Ok(None), Err)
    }

    /// A linked app for an install. The linked code runs, whatever version was agreed to. If that was another version, the install
    /// gets the part of the manifest that both versions have.
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

    /// A registered app whose MAC was checked.
    async fn checked(
        &self,
        app: &AppId,
        fresh: Freshness,
        now: Millis,
    ) -> Result<Option<Arc<RegisteredApp>>, ServedAppError> {
        let Some(found) = self.registered.find(app, fresh, now).await? else { return Ok(None) };
        if found.id == *app && self.is_bound(&found, now).await? {
            return Ok(Some(found));
        }
        Err(ServedAppError::Unbound(app.clone()))
    }

    /// Whether a stored app has a MAC that was made with a live key of its ring, and was not changed since.
    pub(crate) async fn is_bound(&self, app: &RegisteredApp, now: Millis) -> Stored<bool> {
        let Some(binding) = &app.binding else { return Ok(false) };
        let root = self.keys.root(&app.id, &binding.key, now).await?;
        Ok(root.is_some_and(|root| binding.holds(&root, app)))
    }
}
