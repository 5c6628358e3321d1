//! The registered apps in memory, so that a request which names an unknown app costs no read and no secret fetch.

use crate::ports::{Apps, Stored};
use cloud_apps_protocol::{AppId, Millis};
use std::{collections::BTreeSet, sync::Arc};
use tokio::sync::Mutex;

/// How long an unknown app is unknown before the catalogue is read again, in ms (architecture, section 3).
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
}
