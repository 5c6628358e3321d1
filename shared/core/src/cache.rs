//! Installs behind a cache (architecture, section 4): 60 s (0 switches it off), stale up to 10 minutes while the store
//! fails, absent installs 30 s and 1,000 entries, LRU of 4,000 installs.

use crate::{
    model::{Install, Sha256, Team},
    ports::{Installs, Stored},
};
use cloud_apps_protocol::{InstallId, Millis, TeamId};
use std::sync::Arc;

/// Whether a look-up may be answered from the cache.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Freshness {
    /// From the cache where it is young enough.
    Cached,
    /// Reads again, at most once per install and second: for a refusal that would rest on a cached item.
    Reread,
}

/// The cache.
pub struct InstallCache {
    #[allow(dead_code)]
    installs: Arc<dyn Installs>,
    #[allow(dead_code)]
    keep: Millis,
}

impl InstallCache {
    /// A cache in front of `installs` that keeps what it finds for `keep` ms.
    pub fn new(installs: Arc<dyn Installs>, keep: Millis) -> Self {
        Self { installs, keep }
    }

    /// The install.
    pub async fn find(&self, install: &InstallId, fresh: Freshness, now: Millis) -> Stored<Option<Arc<Install>>> {
        let _ = (install, fresh, now);
        unimplemented!("owned by the stores work")
    }

    /// The install and one of its teams; cold, both come with one read.
    pub async fn find_with_team(
        &self, install: &InstallId, team: &TeamId, fresh: Freshness, now: Millis,
    ) -> Stored<(Option<Arc<Install>>, Option<Arc<Team>>)> {
        let _ = (install, team, fresh, now);
        unimplemented!("owned by the stores work")
    }

    /// The install whose static token this is.
    pub async fn find_static_token(&self, sha256: &Sha256, fresh: Freshness, now: Millis) -> Stored<Option<InstallId>> {
        let _ = (sha256, fresh, now);
        unimplemented!("owned by the stores work")
    }
}
