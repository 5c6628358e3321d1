//! What the handlers work with: caches in front of the ports, the apps, the client for outgoing calls.

use crate::{
    apps::{AppClient, Apps, Lambdas},
    finish::Confirmations,
    jobs::ServerWatch,
    keys::{InstallBot, KeyCache},
    random::Random,
    store::{install_cache::InstallCache, model::Install, ports},
};
use cloud_app::{App, http::Outbound};
use cloud_apps_protocol::Millis;
use std::sync::Arc;

/// What commands, queries and events need. It cannot change an install.
pub struct Services {
    /// The apps of the bundle.
    pub apps: Apps,
    /// Calls the apps' functions.
    pub app_client: AppClient,
    /// Installs, cached.
    pub installs: Arc<InstallCache>,
    /// Whether everybody may see all apps (`GET /apps`).
    pub public_catalogue: bool,
    /// The ledger.
    pub ledger: Arc<dyn ports::Ledger>,
    /// Key rings, cached.
    pub keys: Arc<KeyCache>,
    /// The channels that servers confirmed to belong to requests.
    pub confirmations: Arc<Confirmations>,
    /// Notices that a server changed. Only functions that may send jobs do something about it.
    pub server_watch: Arc<ServerWatch>,
    /// The client for calls that leave the bundle.
    pub http: Outbound,
    /// Random bytes. Tests use a counter instead.
    pub random: Arc<dyn Random>,
}

/// The stores under [`Services`].
pub struct Stores {
    /// Installs.
    pub installs: Arc<dyn ports::Installs>,
    /// Registered apps.
    pub apps: Arc<dyn ports::Apps>,
    /// The ledger.
    pub ledger: Arc<dyn ports::Ledger>,
    /// Key rings.
    pub keys: Arc<dyn ports::Keys>,
    /// How long a cached install or registered app is used, in ms. 0: never. It is [`INSTALL_CACHE`] unless a test needs
    /// another time.
    pub keep_installs: Millis,
}

impl Stores {
    /// One store for all but the key rings.
    pub fn new(
        store: Arc<impl ports::Installs + ports::Apps + ports::Ledger + 'static>,
        keys: Arc<dyn ports::Keys>,
    ) -> Self {
        Self {
            installs: store.clone(),
            apps: store.clone(),
            ledger: store,
            keys,
            keep_installs: INSTALL_CACHE,
        }
    }
}

/// How long a cached install is used, in ms.
pub const INSTALL_CACHE: Millis = 60_000;

impl Services {
    /// Services with empty caches. Nothing is read before it is needed.
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
            server_watch: Arc::default(),
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

    /// These services, with a catalogue that everybody may see, or not.
    #[must_use]
    pub fn with_public_catalogue(self, public: bool) -> Self {
        Self { public_catalogue: public, ..self }
    }

    /// These services, in a function that may send jobs to this queue.
    #[must_use]
    pub fn with_queue(self, queue: Arc<dyn ports::Queue>) -> Self {
        Self { server_watch: Arc::new(ServerWatch::new(queue)), ..self }
    }

    /// The bot of an install, for a request that came in at `now`.
    pub fn bot(&self, install: Arc<Install>, now: Millis) -> Arc<InstallBot> {
        Arc::new(InstallBot {
            installs: Arc::clone(&self.installs),
            keys: Arc::clone(&self.keys),
            watch: Arc::clone(&self.server_watch),
            install,
            now,
        })
    }
}

/// What is needed to change installs. Only the install function and the deliver function have it.
pub struct Management {
    /// The services that all functions have.
    pub services: Arc<Services>,
    /// Writes apps, codes and installs.
    pub registry: Arc<dyn ports::Registry>,
    /// Makes key rings.
    pub key_maker: Arc<dyn ports::KeyMaker>,
    /// Sends jobs.
    pub queue: Arc<dyn ports::Queue>,
    /// The jobs that were given up.
    pub dead_letters: Arc<dyn ports::DeadLetters>,
}

impl Management {
    /// One store for all but the key rings.
    pub fn new(
        services: Services,
        store: Arc<impl ports::Registry + ports::Queue + ports::DeadLetters + 'static>,
        key_maker: Arc<dyn ports::KeyMaker>,
    ) -> Self {
        Self {
            services: Arc::new(services.with_queue(store.clone())),
            registry: store.clone(),
            key_maker,
            queue: store.clone(),
            dead_letters: store,
        }
    }
}
