//! The ids of all apps in memory, so that a request for an unknown app is refused without reading an app or a key ring.

use crate::store::ports::{Apps, Stored};
use cloud_apps_protocol::{AppId, Millis};
use std::{collections::BTreeSet, sync::Arc};
use tokio::sync::Mutex;

/// How long the catalogue is not read again for an unknown app, in ms (docs/architecture.md#caches).
const REFRESH: Millis = 30_000;

/// Knows which apps the bundle has.
pub struct CatalogueCache {
    apps: Arc<dyn Apps>,
    cached: Mutex<Cached>,
}

#[derive(Default)]
struct Cached {
    ids: BTreeSet<AppId>,
    read_at: Option<Millis>,
}

impl CatalogueCache {
    /// A cache in front of `apps`. Nothing is read before it is asked.
    pub fn new(apps: Arc<dyn Apps>) -> Self {
        Self { apps, cached: Mutex::default() }
    }

    /// Whether the bundle has the app. For an unknown app it reads the catalogue, at most every 30 s. Other callers wait for that
    /// read meanwhile, so a flood of unknown apps reads once, and no app of the bundle is refused.
    pub async fn has(&self, app: &AppId, now: Millis) -> Stored<bool> {
        let mut cached = self.cached.lock().await;
        let young = cached.read_at.is_some_and(|at| now.saturating_sub(at) < REFRESH);
        if !cached.ids.contains(app) && !young {
            cached.ids = self.apps.all().await?.apps.into_keys().collect();
            cached.read_at = Some(now);
        }
        Ok(cached.ids.contains(app))
    }

    /// Reads the catalogue again next time, because this process changed it.
    pub async fn forget(&self) {
        *self.cached.lock().await = Cached::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{
        memory::Memory,
        model::{Catalogue, CatalogueEntry},
        ports::Registry,
    };

    fn app(id: &str) -> AppId {
        AppId::new(id).unwrap()
    }

    async fn register(memory: &Memory, id: &str) {
        let entry = CatalogueEntry {
            id: app(id),
            version: "1.0.0".into(),
            display_name: id.into(),
            icon: None,
            linked: false,
        };
        let catalogue = Catalogue { rev: 1, apps: [(app(id), entry)].into() };
        memory.put_catalogue(&catalogue, 0).await.unwrap();
        memory.reset_counts();
    }

    #[tokio::test]
    async fn a_flood_of_unknown_apps_reads_once_in_30_seconds() {
        let memory = Memory::new();
        let catalogue = CatalogueCache::new(Arc::new(memory.clone()));
        for now in [0, 1, 29_999] {
            assert!(!catalogue.has(&app("nobody"), now).await.unwrap());
            assert!(!catalogue.has(&app("nobody-else"), now).await.unwrap());
        }
        assert_eq!(memory.counts().reads(), 1);
    }

    #[tokio::test]
    async fn an_app_that_was_registered_since_is_known_after_30_seconds_and_then_costs_nothing() {
        let memory = Memory::new();
        let catalogue = CatalogueCache::new(Arc::new(memory.clone()));
        assert!(!catalogue.has(&app("jira"), 0).await.unwrap());
        register(&memory, "jira").await;
        assert!(!catalogue.has(&app("jira"), 29_999).await.unwrap());
        for now in [30_000, 90_000] {
            assert!(catalogue.has(&app("jira"), now).await.unwrap());
        }
        assert_eq!(memory.counts().reads(), 1);
    }

    #[tokio::test]
    async fn those_who_ask_at_once_wait_for_one_read_and_none_is_refused_wrongly() {
        let memory = Memory::new();
        register(&memory, "jira").await;
        let catalogue = CatalogueCache::new(Arc::new(memory.clone()));
        let id = app("jira");
        let asked = futures_util::future::join_all((0..16).map(|_| catalogue.has(&id, 0))).await;
        assert!(asked.into_iter().all(|known| known.unwrap()));
        assert_eq!(memory.counts().reads(), 1);
    }
}
