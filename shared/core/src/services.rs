//! What every handler is given: the ports behind their caches, the apps, the outbound client.

use crate::{
    apps::{AppClient, Apps, Lambdas},
    finish::Confirmations,
    keys::{InstallBot, KeyCache},
    random::Random,
    store::{install_cache::InstallCache, model::Install, ports},
};
use cloud_app::{App, http::Outbound};
use cloud_apps_protocol::Millis;
use std::sync::Arc;

/// What commands, queries and events need. Nothing here can change an install.
pub struct Services {
    /// The apps of the bundle.
    pub apps: Apps,
    /// Calls their functions.
    pub app_client: AppClient,
    /// Installs, cached.
    pub installs: Arc<InstallCache>,
    /// Whether anybody may see which apps there are (`GET /apps`).
    pub public_catalogue: bool,
    /// What is spent and claimed.
    pub ledger: Arc<dyn ports::Ledger>,
    /// Key rings, cached.
    pub keys: Arc<KeyCache>,
    /// Channels that servers confirmed to belong to requests.
    pub confirmations: Arc<Confirmations>,
    /// Calls that leave the bundle.
    pub http: Outbound,
    /// Random bytes; tests hand in a counter.
    pub random: Arc<dyn Random>,
}

/// What [`Services`] are built on.
pub struct Stores {
    /// Installs.
    pub installs: Arc<dyn ports::Installs>,
    /// Registered apps.
    pub apps: Arc<dyn ports::Apps>,
    /// What is spent and claimed.
    pub ledger: Arc<dyn ports::Ledger>,
    /// Key rings.
    pub keys: Arc<dyn ports::Keys>,
    /// How long an install, or a registered app, is answered from the cache, in ms; 0: never. [`INSTALL_CACHE`] unless a
    /// test needs another time.
    pub keep_installs: Millis,
}

/// How long an install is answered from the cache, in ms.
pub const INSTALL_CACHE: Millis = 60_000;

impl Services {
    /// Services with empty caches; nothing is read before it is needed.
    pub fn new(
        linked: impl IntoIterator<Item = App>,
        stores: Stores,
        http: Outbound,
        random: Arc<dyn Random>,
    ) -> Self {
        let keys = Arc::new(KeyCache::new(stores.keys));
        Self {
            apps: Apps::new(linked, stores.apps, Arc::clone(&keys), stores.keep_installs),
            app_client: AppClient {
                http: http.clone(),
                lambdas: None,
                keys: Arc::clone(&keys),
                random: Arc::clone(&random),
            },
            installs: Arc::new(InstallCache::new(stores.installs, stores.keep_installs)),
            public_catalogue: false,
            ledger: stores.ledger,
            keys,
            confirmations: Arc::default(),
            http,
            random,
        }
    }

    /// These services, with apps that run in Lambda functions.
    #[must_use]
    pub fn with_lambdas(mut self, lambdas: Lambdas) -> Self {
        self.app_client.lambdas = Some(lambdas);
        self
    }

    /// These services, with a catalogue that anybody may see, or not.
    #[must_use]
    pub fn with_public_catalogue(self, public: bool) -> Self {
        Self { public_catalogue: public, ..self }
    }

    /// The bot of an install, for one request that came in at `now`.
    pub fn bot(&self, install: Arc<Install>, now: Millis) -> Arc<InstallBot> {
        Arc::new(InstallBot {
            installs: Arc::clone(&self.installs),
            keys: Arc::clone(&self.keys),
            install,
            now,
        })
    }
}

/// What only those hold who change installs: the install function, and the consumer of the queues for what it ends.
pub struct Management {
    /// Everything else.
    pub services: Arc<Services>,
    /// Writes apps, codes and installs.
    pub registry: Arc<dyn ports::Registry>,
    /// Makes key rings.
    pub key_maker: Arc<dyn ports::KeyMaker>,
    /// Sends jobs.
    pub queue: Arc<dyn ports::Queue>,
    /// Jobs that were given up.
    pub dead_letters: Arc<dyn ports::DeadLetters>,
}
