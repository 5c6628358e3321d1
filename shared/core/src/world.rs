//! What every handler is given: the ports behind their caches, the linked apps, the outbound client.

use crate::{keys::KeyCache, ports};
use cloud_app::{App, http::Outbound};
use cloud_apps_protocol::AppId;
use std::{collections::BTreeMap, sync::Arc};

/// What commands, queries and events need. Nothing here can change an install.
pub struct World {
    /// Linked apps, by id.
    pub linked: BTreeMap<AppId, App>,
    /// Installs, cached.
    pub installs: crate::cache::InstallCache,
    /// The catalogue.
    pub apps: Arc<dyn ports::Apps>,
    /// What is spent and claimed.
    pub ledger: Arc<dyn ports::Ledger>,
    /// Key rings, cached.
    pub keys: KeyCache,
    /// Calls that leave the bundle.
    pub http: Outbound,
    /// Random bytes; tests hand in a counter.
    pub random: Arc<dyn Random>,
}

/// What only the install function holds.
pub struct Office {
    /// Everything else.
    pub world: Arc<World>,
    /// Writes apps, codes and installs.
    pub registry: Arc<dyn ports::Registry>,
    /// Makes key rings.
    pub key_maker: Arc<dyn ports::KeyMaker>,
}

/// A source of random bytes. Ids, codes, nonces and roots come from it.
pub trait Random: Send + Sync {
    /// Fills the buffer; the system's generator never fails on the platforms that Lambda runs on.
    fn fill(&self, bytes: &mut [u8]);
}
