//! What every handler is given: the ports behind their caches, the linked apps, the outbound client.

use crate::{
    cache::InstallCache,
    catalogue::CatalogueCache,
    confirm::Confirmations,
    install::tag,
    keys::KeyCache,
    model::{Install, Sha256},
    ports,
    upstream::{AppCache, Lambdas},
};
use cloud_app::{App, http::Outbound};
use cloud_apps_protocol::{AppId, InstallId, Millis, install::RotationId};
use std::{
    collections::BTreeMap,
    sync::{Arc, OnceLock},
};

/// What commands, queries and events need. Nothing here can change an install.
pub struct World {
    /// Linked apps, by id.
    pub linked: BTreeMap<AppId, App>,
    /// Installs, cached.
    pub installs: InstallCache,
    /// The catalogue.
    pub apps: Arc<dyn ports::Apps>,
    /// Which apps are registered, cached.
    pub catalogue: CatalogueCache,
    /// Registered apps, cached.
    pub registered: AppCache,
    /// Lambda functions that apps run in; none outside AWS.
    pub lambdas: Option<Lambdas>,
    /// Whether anybody may see which apps there are (`GET /apps`).
    pub public_catalogue: bool,
    /// What is spent and claimed.
    pub ledger: Arc<dyn ports::Ledger>,
    /// Key rings, cached.
    pub keys: KeyCache,
    /// Channels that servers confirmed to belong to requests.
    pub confirmations: Confirmations,
    /// Calls that leave the bundle.
    pub http: Outbound,
    /// Random bytes; tests hand in a counter.
    pub random: Arc<dyn Random>,
    /// The hashes of the linked apps' manifests, each made when it is first asked for, because writing a manifest out takes
    /// as long as all the rest of a small command.
    built: BTreeMap<AppId, OnceLock<Sha256>>,
}

/// What a [`World`] is built on.
pub struct Stores {
    /// Installs.
    pub installs: Arc<dyn ports::Installs>,
    /// Registered apps.
    pub apps: Arc<dyn ports::Apps>,
    /// What is spent and claimed.
    pub ledger: Arc<dyn ports::Ledger>,
    /// Key rings.
    pub keys: Arc<dyn ports::Keys>,
    /// How long an install, or a registered app, is answered from the cache, in ms; 0: never. [`INSTALL_CACHE`] unless a test says else.
    pub keep_installs: Millis,
}

/// How long an install is answered from the cache, in ms (architecture, section 4).
pub const INSTALL_CACHE: Millis = 60_000;

impl World {
    /// A world with empty caches; nothing is read before it is needed.
    pub fn new(
        linked: impl IntoIterator<Item = App>,
        stores: Stores,
        http: Outbound,
        random: Arc<dyn Random>,
    ) -> Self {
        let linked: BTreeMap<AppId, App> =
            linked.into_iter().map(|app| (app.manifest().id.clone(), app)).collect();
        Self {
            built: linked.keys().map(|app| (app.clone(), OnceLock::new())).collect(),
            linked,
            installs: InstallCache::new(stores.installs, stores.keep_installs),
            catalogue: CatalogueCache::new(Arc::clone(&stores.apps)),
            registered: AppCache::new(Arc::clone(&stores.apps), stores.keep_installs),
            lambdas: None,
            public_catalogue: false,
            apps: stores.apps,
            ledger: stores.ledger,
            keys: KeyCache::new(stores.keys),
            confirmations: Confirmations::default(),
            http,
            random,
        }
    }

    /// This world, with apps that run in Lambda functions.
    #[must_use]
    pub fn with_lambdas(self, lambdas: Lambdas) -> Self {
        Self { lambdas: Some(lambdas), ..self }
    }

    /// This world, with a catalogue that anybody may see, or not.
    #[must_use]
    pub fn with_public_catalogue(self, public: bool) -> Self {
        Self { public_catalogue: public, ..self }
    }

    /// The entity tag of an install, [`install::etag`](crate::install::etag), made without a read; `None` where its
    /// app is not in memory.
    pub fn etag(&self, install: &Install) -> Option<String> {
        if self.linked.contains_key(&install.app) {
            return self.built(&install.app).map(|sha256| tag(sha256, install));
        }
        let known = self.registered.remembered(&install.app)?;
        known.versions.get(&known.version).map(|sha256| tag(sha256, install))
    }

    /// The hash of a linked app's manifest, as it was built.
    pub(crate) fn built(&self, app: &AppId) -> Option<&Sha256> {
        let linked = self.linked.get(app)?;
        Some(self.built.get(app)?.get_or_init(|| Sha256::of_manifest(linked.manifest())))
    }

    /// Whether there is such an app, linked or registered. Strangers' apps are refused from memory.
    pub async fn knows(&self, app: &AppId, now: Millis) -> ports::Stored<bool> {
        Ok(self.linked.contains_key(app) || self.catalogue.has(app, now).await?)
    }
}

/// What only those hold who change installs: the install function, and the consumer of the queues for what it ends.
pub struct Office {
    /// Everything else.
    pub world: Arc<World>,
    /// Writes apps, codes and installs.
    pub registry: Arc<dyn ports::Registry>,
    /// Makes key rings.
    pub key_maker: Arc<dyn ports::KeyMaker>,
    /// Sends jobs.
    pub queue: Arc<dyn ports::Queue>,
    /// Jobs that were given up.
    pub dead_letters: Arc<dyn ports::DeadLetters>,
}

/// A source of random bytes. Ids, codes, nonces and roots come from it.
pub trait Random: Send + Sync {
    /// Fills the buffer; the system's generator never fails on the platforms that Lambda runs on.
    fn fill(&self, bytes: &mut [u8]);
}

/// The generator of the cryptographic library.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemRandom;

impl Random for SystemRandom {
    /// # Panics
    ///
    /// When the library has no entropy. Going on with known bytes for keys and nonces would be worse.
    #[allow(clippy::expect_used)]
    fn fill(&self, bytes: &mut [u8]) {
        aws_lc_rs::rand::fill(bytes).expect("the system gives random bytes");
    }
}

impl dyn Random + '_ {
    /// 26 random characters of `[a-z2-7]`: 130 bits. Install ids, static tokens, request ids.
    pub fn base32(&self) -> String {
        let mut bytes = [0; 17];
        self.fill(&mut bytes);
        let mut text = data_encoding::BASE32_NOPAD.encode(&bytes).to_ascii_lowercase();
        text.truncate(26);
        text
    }

    /// A new install's id.
    ///
    /// # Panics
    ///
    /// Never: see the test below.
    #[allow(clippy::expect_used)] // 26 characters of the right alphabet, whatever the bytes are.
    pub fn install_id(&self) -> InstallId {
        InstallId::new(self.base32()).expect("26 characters of base32 are an install id")
    }

    /// A request's id, where the platform gives none.
    pub fn request_id(&self) -> String {
        self.base32()
    }

    /// A name for a rotation.
    pub fn rotation_id(&self) -> RotationId {
        let mut bytes = [0; 16];
        self.fill(&mut bytes);
        RotationId::new(bytes)
    }

    /// 12 bytes that are used once.
    pub fn nonce(&self) -> [u8; 12] {
        let mut nonce = [0; 12];
        self.fill(&mut nonce);
        nonce
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Fixed(u8);
    impl Random for Fixed {
        fn fill(&self, bytes: &mut [u8]) {
            bytes.fill(self.0);
        }
    }

    #[test]
    fn whatever_the_random_bytes_are_they_make_an_install_id() {
        for byte in 0..=255 {
            let random: &dyn Random = &Fixed(byte);
            assert_eq!(random.install_id().as_str().len(), 26);
        }
    }

    #[test]
    fn the_systems_bytes_differ() {
        let random: &dyn Random = &SystemRandom;
        assert_ne!(random.request_id(), random.request_id());
    }
}
