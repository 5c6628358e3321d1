//! Key rings behind a cache (architecture, section 4): 5 minutes ± 20 %, stale up to 24 h while the store fails; an
//! unknown key id refetches at most once per app and 30 s, a bad MAC never. And what is sealed with the rings: an
//! install's bot token.

use crate::{
    model::{Install, Key},
    ports::{Keys, Stored},
};
use cloud_app::cx::Credential;
use cloud_apps_protocol::{AppId, KeyId, Millis, secret::Secret};
use std::sync::Arc;

/// The cache.
pub struct KeyCache {
    #[allow(dead_code)]
    keys: Arc<dyn Keys>,
}

impl KeyCache {
    /// A cache in front of `keys`.
    pub fn new(keys: Arc<dyn Keys>) -> Self {
        Self { keys }
    }

    /// The root of a live key by its id; `None` when the app has no ring, or no such key, or it is revoked.
    pub async fn root(&self, app: &AppId, key: &KeyId, now: Millis) -> Stored<Option<Secret>> {
        let _ = (app, key, now);
        unimplemented!("owned by the stores work")
    }

    /// The key that new things are made with; `None` when the app has no ring.
    pub async fn current(&self, app: &AppId, now: Millis) -> Stored<Option<Key>> {
        let _ = (app, now);
        unimplemented!("owned by the stores work")
    }

    /// Opens an install's bot token for its own site.
    pub async fn open_bot_token(&self, install: &Install, now: Millis) -> Stored<Credential> {
        let _ = (install, now);
        unimplemented!("owned by the stores work")
    }
}

/// Seals a bot token for its place: scheme, app, install, field and site.
pub fn seal_bot_token(key: &Key, install: &Install, nonce: [u8; 12], token: &str) -> String {
    let _ = (key, install, nonce, token);
    unimplemented!("owned by the stores work")
}
