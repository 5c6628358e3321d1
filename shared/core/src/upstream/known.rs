//! An app as the bundle knows it: linked, and there from the start; or registered at run time, and read behind a cache
//! like an install's (60 s, stale while the store fails, read again where a refusal would rest on it).
//!
//! What an install may ask of an app is what its admin agreed to: the manifest that is kept under the hash that the
//! install names. A manifest never changes under its hash, so it is read once. Nothing of a registered app is used before
//! its [`Binding`](crate::model::Binding) was checked: it covers the hashes of all its manifests, and so its addresses.

use super::agreed;
use crate::{
    cache::{Ages, Freshness, Shelf},
    model::{Install, RegisteredApp, Sha256},
    ports::{Apps, StoreError, Stored},
    recent::Recent,
    world::World,
};
use cloud_app::App;
use cloud_apps_protocol::{AppId, Manifest, Millis};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// How many manifests are kept in memory.
const MANIFESTS: usize = 200;

/// An app of the bundle, with a manifest of it.
#[derive(Clone)]
pub enum Known<'w> {
    /// Linked into it.
    Linked {
        /// The app as it was built.
        app: &'w App,
        /// What of its manifest an install agreed to, where that is not all.
        agreed: Option<Arc<Manifest>>,
    },
    /// Reached over HTTPS or as a Lambda function.
    Registered(Registered),
}

/// A registered app, vouched for, with one of its manifests.
#[derive(Debug, Clone)]
pub struct Registered {
    /// As it is kept.
    pub app: Arc<RegisteredApp>,
    /// One version's manifest; its upstream is where that version runs.
    pub manifest: Arc<Manifest>,
    /// Its hash.
    pub sha256: Sha256,
}

impl Known<'_> {
    /// What it is, and may be asked.
    pub fn manifest(&self) -> &Manifest {
        match self {
            Self::Linked { app, agreed } => agreed.as_deref().unwrap_or_else(|| app.manifest()),
            Self::Registered(known) => &known.manifest,
        }
    }

    /// Its id.
    pub fn id(&self) -> &AppId {
        &self.manifest().id
    }

    /// The hash of its manifest: what an install names that agrees to it.
    pub fn sha256(&self) -> Sha256 {
        match self {
            Self::Linked { .. } => Sha256::of_manifest(self.manifest()),
            Self::Registered(known) => known.sha256.clone(),
        }
    }
}

/// Why nothing is asked of an app that the bundle has.
#[derive(Debug, thiserror::Error)]
pub enum KnownError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Nothing vouches for what stands in the table.
    #[error(
        "Nothing vouches for what the bundle has stored of {0}, so nothing was sent to the app. An earlier version of the \
         bundle wrote it, or the key that vouched for it was revoked, or somebody else wrote it. An operator registers the \
         app again with `cloud-apps app add`; unless one of the former is so, find out first who else can write the bundle's \
         tables."
    )]
    Unbound(AppId),
    /// The manifest that the install agreed to is not kept.
    #[error(
        "The bundle does not have {app} {version} any more, which is what was agreed to on this server, so nothing was done. \
         An admin moves the install to the version that the bundle has: `cloud-apps upgrade`."
    )]
    NotKept {
        /// Of which app.
        app: AppId,
        /// The version that the install is at.
        version: String,
    },
}

impl KnownError {
    /// Whether it may pass: the store did not answer. What else is wrong stays so until somebody does something about it, and
    /// keeps nobody from what needs no app, such as switching an install off.
    pub fn passes(&self) -> bool {
        match self {
            Self::Store(error) => !matches!(error, StoreError::Corrupt { .. }),
            Self::Unbound(_) | Self::NotKept { .. } => false,
        }
    }
}

impl World {
    /// An app of the bundle as new installs get it. A linked one costs no read; a registered one is read at most once in a
    /// minute, or, with [`Freshness::Reread`], in a second.
    pub async fn app(
        &self,
        app: &AppId,
        fresh: Freshness,
        now: Millis,
    ) -> Result<Option<Known<'_>>, KnownError> {
        if let Some(app) = self.linked.get(app) {
            return Ok(Some(Known::Linked { app, agreed: None }));
        }
        let Some(known) = self.vouched(app, fresh, now).await? else { return Ok(None) };
        let sha256 = known.versions.get(&known.version).ok_or_else(|| KnownError::Unbound(app.clone()))?;
        Ok(Some(self.with_manifest(&known, sha256).await?))
    }

    /// The app of an install as its admin agreed to it.
    pub async fn app_of(&self, install: &Install, now: Millis) -> Result<Option<Known<'_>>, KnownError> {
        if let Some(app) = self.linked.get(&install.app) {
            return self.linked_as_agreed(app, install).await.map(Some);
        }
        let not_kept = || KnownError::NotKept { app: install.app.clone(), version: install.version.clone() };
        let mut refused = None;
        for fresh in [Freshness::Cached, Freshness::Reread] {
            // A refusal that would rest on what is remembered reads again first.
            refused = match self.vouched(&install.app, fresh, now).await {
                Ok(Some(known)) => match known.agreed(install) {
                    Some(sha256) => return self.with_manifest(&known, sha256).await.map(Some),
                    None => Some(not_kept()),
                },
                Ok(None) => None,
                Err(error @ KnownError::Store(_)) => return Err(error),
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
    ) -> Result<Known<'w>, KnownError> {
        let built = app.manifest();
        let not_kept = || KnownError::NotKept { app: built.id.clone(), version: install.version.clone() };
        let same = match &install.manifest {
            Some(sha256) => self.built(&built.id) == Some(sha256),
            None => install.version == built.version,
        };
        if same {
            return Ok(Known::Linked { app, agreed: None });
        }
        let sha256 = install.manifest.as_ref().ok_or_else(not_kept)?;
        let both = self.registered.of_both(built, sha256).await?.ok_or_else(not_kept)?;
        Ok(Known::Linked { app, agreed: Some(both) })
    }

    async fn with_manifest(
        &self,
        app: &Arc<RegisteredApp>,
        sha256: &Sha256,
    ) -> Result<Known<'_>, KnownError> {
        let manifest = self.registered.manifest(&app.id, sha256).await?;
        let manifest = manifest.ok_or_else(|| KnownError::Unbound(app.id.clone()))?;
        Ok(Known::Registered(Registered { app: Arc::clone(app), manifest, sha256: sha256.clone() }))
    }

    /// What is registered of an app, its binding checked.
    async fn vouched(
        &self,
        app: &AppId,
        fresh: Freshness,
        now: Millis,
    ) -> Result<Option<Arc<RegisteredApp>>, KnownError> {
        let Some(known) = self.registered.find(app, fresh, now).await? else { return Ok(None) };
        if known.id == *app && self.vouches_for(&known, now).await? {
            return Ok(Some(known));
        }
        Err(KnownError::Unbound(app.clone()))
    }

    /// Whether what stands in the table was bound with a live key of the app's ring, and not changed since.
    pub(crate) async fn vouches_for(&self, app: &RegisteredApp, now: Millis) -> Stored<bool> {
        let Some(binding) = &app.binding else { return Ok(false) };
        let root = self.keys.root(&app.id, &binding.key, now).await?;
        Ok(root.is_some_and(|root| binding.holds(&root, app)))
    }
}

/// Registered apps and the manifests of all apps, cached.
pub struct AppCache {
    apps: Arc<dyn Apps>,
    keep: Millis,
    shelf: Mutex<Shelf<AppId, Arc<RegisteredApp>>>,
    manifests: Mutex<Recent<(AppId, Sha256), Arc<Manifest>>>,
    /// Of linked apps: what an install that agreed to the manifest of this hash gets of the build's.
    of_both: Mutex<Recent<(AppId, Sha256), Arc<Manifest>>>,
}

impl AppCache {
    /// A cache in front of `apps` that keeps what it finds for `keep` ms; 0 reads every time.
    pub fn new(apps: Arc<dyn Apps>, keep: Millis) -> Self {
        let (manifests, of_both) = (Mutex::new(Recent::new(MANIFESTS)), Mutex::new(Recent::new(MANIFESTS)));
        Self { apps, keep, shelf: Mutex::new(Shelf::new()), manifests, of_both }
    }

    /// What is registered of the app, as it stands in the table: nobody has vouched for it yet.
    pub async fn find(
        &self,
        app: &AppId,
        fresh: Freshness,
        now: Millis,
    ) -> Stored<Option<Arc<RegisteredApp>>> {
        if let Some(known) = lock(&self.shelf).known(app, Ages::of(self.keep, fresh), now) {
            return Ok(known);
        }
        let read = self.apps.find(app).await.map(|found| found.map(Arc::new));
        lock(&self.shelf).settle(app, read, self.keep, now)
    }

    /// A manifest by its hash. A text that has another hash is none.
    pub async fn manifest(&self, app: &AppId, sha256: &Sha256) -> Result<Option<Arc<Manifest>>, KnownError> {
        const WHAT: &str = "Apps.manifest";
        let place = (app.clone(), sha256.clone());
        if let Some(known) = lock(&self.manifests).get(&place) {
            return Ok(Some(Arc::clone(known)));
        }
        let Some(text) = self.apps.manifest(app, sha256).await? else { return Ok(None) };
        if !Sha256::of(&text).is(sha256) {
            return Err(KnownError::Unbound(app.clone()));
        }
        let manifest: Manifest = serde_json::from_str(&text).map_err(|error| StoreError::Corrupt {
            what: WHAT,
            detail: crate::rules::without_content(&error),
        })?;
        let manifest = Arc::new(manifest);
        if self.keep != 0 {
            lock(&self.manifests).put(place, Arc::clone(&manifest));
        }
        Ok(Some(manifest))
    }

    /// What a linked app and the manifest that an install agreed to have both. It is made once: a manifest is large, and
    /// neither of the two changes while a process lives.
    async fn of_both(&self, built: &Manifest, sha256: &Sha256) -> Result<Option<Arc<Manifest>>, KnownError> {
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
        lock(&self.shelf).last(app)
    }

    /// Reads the app again next time: after this process changed it.
    pub fn forget(&self, app: &AppId) {
        lock(&self.shelf).forget(|known| known == app);
    }
}

/// A panic elsewhere cannot leave half of a change behind: each is one call.
fn lock<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}
