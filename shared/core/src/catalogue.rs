//! The registered apps in memory, so that a request which names an unknown app costs no read and no secret fetch.

use crate::ports::{Apps, Stored};
use cloud_apps_protocol::{AppId, Millis};
use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, PoisonError},
};

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

    /// Whether the app is registered. An unknown one makes it read the catalogue, at most every 30 s.
    pub async fn has(&self, app: &AppId, now: Millis) -> Stored<bool> {
        {
            let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
            let young = known.read_at.is_some_and(|at| now.saturating_sub(at) < REFRESH);
            if known.ids.contains(app) || young {
                return Ok(known.ids.contains(app));
            }
            // Marked before the read, so that a flood of unknown apps reads once, not once each.
            known.read_at = Some(now);
        }
        let catalogue = self.apps.all().await?;
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.ids = catalogue.apps.into_keys().collect();
        Ok(known.ids.contains(app))
    }
}
