//! An app as the bundle knows it: linked, and there from the start; or registered at run time, and read behind a cache
//! like an install's (60 s, stale while the store fails, read again where a refusal would rest on it).

use crate::{
    cache::{Ages, Freshness, Shelf},
    install::fingerprint,
    model::RegisteredApp,
    ports::{Apps, Stored},
    world::World,
};
use cloud_app::App;
use cloud_apps_protocol::{AppId, Manifest, Millis};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// An app of the bundle.
#[derive(Clone)]
pub enum Known<'w> {
    /// Linked into it.
    Linked(&'w App),
    /// Reached over HTTPS or as a Lambda function.
    Registered(Arc<Registered>),
}

/// A registered app, with what is made of its manifest once.
#[derive(Debug)]
pub struct Registered {
    /// As it is kept.
    pub app: RegisteredApp,
    /// SHA-256 of its manifest.
    pub(crate) fingerprint: Vec<u8>,
}

impl Known<'_> {
    /// What it is.
    pub fn manifest(&self) -> &Manifest {
        match self {
            Self::Linked(app) => app.manifest(),
            Self::Registered(known) => &known.app.manifest,
        }
    }

    /// Its id.
    pub fn id(&self) -> &AppId {
        &self.manifest().id
    }

    /// Whether it is another now than when it was read: for a refusal that would rest on a cached manifest. A linked
    /// app never is.
    pub async fn changed(&mut self, world: &World, now: Millis) -> Stored<bool> {
        let Self::Registered(known) = self else { return Ok(false) };
        let again = world.registered.find(&known.app.manifest.id, Freshness::Reread, now).await?;
        let Some(again) = again.filter(|again| again.app.rev != known.app.rev) else { return Ok(false) };
        *known = again;
        Ok(true)
    }
}

/// Registered apps, cached.
pub struct AppCache {
    apps: Arc<dyn Apps>,
    keep: Millis,
    shelf: Mutex<Shelf<AppId, Arc<Registered>>>,
}

impl AppCache {
    /// A cache in front of `apps` that keeps what it finds for `keep` ms; 0 reads every time.
    pub fn new(apps: Arc<dyn Apps>, keep: Millis) -> Self {
        Self { apps, keep, shelf: Mutex::new(Shelf::new()) }
    }

    /// The app, if it is registered.
    pub async fn find(&self, app: &AppId, fresh: Freshness, now: Millis) -> Stored<Option<Arc<Registered>>> {
        if let Some(known) = self.lock().known(app, Ages::of(self.keep, fresh), now) {
            return Ok(known);
        }
        let read = self.apps.find(app).await.map(|found| {
            found.map(|app| Arc::new(Registered { fingerprint: fingerprint(&app.manifest), app }))
        });
        self.lock().settle(app, read, self.keep, now)
    }

    /// The app where it is in memory, whatever its age: for what is made without a read.
    pub(crate) fn remembered(&self, app: &AppId) -> Option<Arc<Registered>> {
        self.lock().last(app)
    }

    /// Reads the app anew next time: after this process changed it.
    pub fn forget(&self, app: &AppId) {
        self.lock().forget(|known| known == app);
    }

    fn lock(&self) -> MutexGuard<'_, Shelf<AppId, Arc<Registered>>> {
        self.shelf.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
