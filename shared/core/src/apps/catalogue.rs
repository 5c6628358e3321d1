//! The registered apps in memory, so that a request which names an unknown app costs no read and no secret fetch.

use crate::store::ports::{Apps, Stored};
use cloud_apps_protocol::{AppId, Millis};
use std::{collections::BTreeSet, sync::Arc};
use tokio::sync::Mutex;

/// How long an unknown app is unknown before the catalogue is read again, in ms (docs/architecture.md#caches).
const REFRESH: Millis = 30_000;

/// Knows which apps are registered.
pub struct CatalogueCache {
    apps: Arc<dyn Apps>,
    known: Mutex<Known>,
}

#[derive(Default)]
struct Known {
    ids: BTreeSet<AppId>,
    read_at: Option<Millis>,
}

impl CatalogueCache {
    /// A cache in front of `apps`; nothing is read before it is asked.
    pub fn new(apps: Arc<dyn Apps>) -> Self {
        Self { apps, known: Mutex::default() }
    }

    /// Whether the app is registered. An unknown one makes it read the catalogue, at most every 30 s; who asks
    /// meanwhile waits for that read, so that a flood of unknown apps reads once and no known one is refused.
    pub async fn has(&self, app: &AppId, now: Millis) -> Stored<bool> {
        let mut known = self.known.lock().await;
        let young = known.read_at.is_some_and(|at| now.saturating_sub(at) < REFRESH);
        if !known.ids.contains(app) && !young {
            known.ids = self.apps.all().await?.apps.into_keys().collect();
            known.read_at = Some(now);
        }
        Ok(known.ids.contains(app))
    }

    /// Reads the catalogue again next time: after this process changed it.
    pub async fn forget(&self) {
        *self.known.lock().await = Known::default();
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
