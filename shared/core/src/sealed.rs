//! What an install keeps sealed: its bot's token, and the settings that are passwords.
//!
//! Each is sealed for its place: scheme, app, install, field and site. So whoever can write the table can neither send
//! one elsewhere nor put one in the place of another, and whoever can read it reads none.

use crate::{
    keys::KeyCache,
    model::{Install, Key},
    ports::{StoreError, Stored},
    world::Random,
};
use cloud_app::cx::Credential;
use cloud_apps_protocol::{KeyId, Manifest, Millis, Values, form::Subtype, seal};
use zeroize::Zeroizing;

const BOT_TOKEN: &str = "bot_token";

impl KeyCache {
    /// Opens an install's bot token for its own site.
    pub async fn open_bot_token(&self, install: &Install, now: Millis) -> Stored<Credential> {
        let plain = self.open(install, BOT_TOKEN, &install.bot_token, now).await?;
        let token = std::str::from_utf8(&plain).map_err(|_| corrupt(BOT_TOKEN, "is not text"))?;
        Ok(Credential { origin: install.site.clone(), token: token.into() })
    }

    /// What the admin set, passwords included. Where there are none, no key is asked for.
    pub async fn open_settings(&self, install: &Install, now: Millis) -> Stored<Values> {
        let mut settings = install.settings.clone();
        for (name, sealed) in &install.passwords {
            let field = setting(name);
            let plain = self.open(install, &field, sealed, now).await?;
            let value = serde_json::from_slice(&plain).map_err(|_| corrupt(&field, "is not a value"))?;
            settings.insert(name.clone(), value);
        }
        Ok(settings)
    }

    async fn open(
        &self,
        install: &Install,
        field: &str,
        sealed: &str,
        now: Millis,
    ) -> Stored<Zeroizing<Vec<u8>>> {
        let key = seal::store_key(sealed).ok_or_else(|| corrupt(field, "is not sealed"))?;
        let root = self.root(&install.app, &key, now).await?;
        let root = root.ok_or_else(|| corrupt(field, "was sealed with a key that is gone or revoked"))?;
        seal::store_open(&root, &place(install, field), sealed)
            .map_err(|_| corrupt(field, "was not sealed for this app, install and site"))
    }
}

/// The keys that an install's sealed things were made with.
pub fn keys(install: &Install) -> impl Iterator<Item = KeyId> {
    let sealed = std::iter::once(&install.bot_token).chain(install.passwords.values());
    sealed.filter_map(|sealed| seal::store_key(sealed))
}

/// The install with all that it keeps sealed by `key`.
pub async fn seal_again(
    cache: &KeyCache,
    key: &Key,
    install: &Install,
    random: &dyn Random,
    now: Millis,
) -> Stored<Install> {
    let again = async |field: &str, sealed: &str| -> Stored<String> {
        let plain = cache.open(install, field, sealed, now).await?;
        Ok(seal::store_seal(&key.root, &key.id, &place(install, field), random.nonce(), &plain))
    };
    let mut sealed = install.clone();
    sealed.bot_token = again(BOT_TOKEN, &install.bot_token).await?;
    for (name, password) in &mut sealed.passwords {
        *password = again(&setting(name), password).await?;
    }
    Ok(sealed)
}

/// Seals a bot token for its install and site.
pub fn seal_bot_token(key: &Key, install: &Install, nonce: [u8; 12], token: &str) -> String {
    seal::store_seal(&key.root, &key.id, &place(install, BOT_TOKEN), nonce, token.as_bytes())
}

/// Keeps these settings in the install: what the manifest says is a password sealed, the rest as it is.
pub fn keep_settings(
    key: &Key,
    install: &mut Install,
    manifest: &Manifest,
    mut settings: Values,
    random: &dyn Random,
) {
    install.passwords.clear();
    for name in passwords(manifest) {
        let Some(value) = settings.remove(name) else { continue };
        let plain = Zeroizing::new(value.to_string());
        let field = setting(name);
        let place = place(install, &field);
        let sealed = seal::store_seal(&key.root, &key.id, &place, random.nonce(), plain.as_bytes());
        install.passwords.insert(name.to_owned(), sealed);
    }
    install.settings = settings;
}

/// The settings that are write-only.
pub fn passwords(manifest: &Manifest) -> impl Iterator<Item = &str> {
    let fields = manifest.settings.iter().filter(|field| field.subtype == Some(Subtype::Password));
    fields.map(|field| field.name.as_str())
}

fn setting(name: &str) -> String {
    format!("settings.{name}")
}

fn place<'a>(install: &'a Install, field: &'a str) -> [&'a str; 5] {
    ["k1", install.app.as_str(), install.id.as_str(), field, install.site.as_str()]
}

/// The field is named, never what stands there.
fn corrupt(field: &str, why: &str) -> StoreError {
    StoreError::Corrupt { what: "KeyCache.open", detail: format!("{field} {why}: install again") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{conformance::sample, memory::Memory, world::SystemRandom};
    use secrecy::ExposeSecret;
    use serde_json::json;
    use std::sync::Arc;

    async fn sealer() -> (KeyCache, Key) {
        let memory = Memory::new();
        memory.put_ring(sample::ring(&sample::app(), 1));
        let cache = KeyCache::new(Arc::new(memory));
        let key = cache.current(&sample::app(), 0).await.unwrap().unwrap();
        (cache, key)
    }

    fn manifest() -> Manifest {
        let password = |name: &str| json!({"name": name, "type": "text", "subtype": "password"});
        serde_json::from_value(json!({
            "protocol": 2, "id": "hello", "version": "1.0.0", "display_name": "Hello",
            "settings": [{"name": "site", "type": "text"}, password("key"), password("pin")],
        }))
        .unwrap()
    }

    #[tokio::test]
    async fn a_bot_token_opens_for_its_own_install_and_site_only() {
        let (cache, key) = sealer().await;
        let mut install = sample::install(1);
        install.bot_token = seal_bot_token(&key, &install, [3; 12], "the bot's token");
        assert!(!install.bot_token.contains("token"));
        let credential = cache.open_bot_token(&install, 0).await.unwrap();
        assert_eq!(credential.origin, install.site);
        assert_eq!(credential.token.expose_secret(), "the bot's token");

        let moved = Install { site: sample::site(2), ..install.clone() };
        let taken = Install { id: sample::install_id(2), ..install.clone() };
        let plain = Install { bot_token: "the bot's token".into(), ..install.clone() };
        for install in [moved, taken, plain] {
            let error = cache.open_bot_token(&install, 0).await.unwrap_err();
            assert!(matches!(error, StoreError::Corrupt { .. }));
            assert!(!format!("{error:?}").contains("the bot's token"));
        }
    }

    #[tokio::test]
    async fn a_password_opens_for_its_own_install_site_and_name_only() {
        let (cache, key) = sealer().await;
        let mut install = sample::install(1);
        let settings = json!({"site": "https://jira.example.com", "key": "swordfish", "pin": "1234"});
        let settings = settings.as_object().unwrap().clone();
        keep_settings(&key, &mut install, &manifest(), settings.clone(), &SystemRandom);
        assert_eq!(json!(install.settings), json!({"site": "https://jira.example.com"}));
        let stored = format!("{install:?} {}", serde_json::to_string(&install).unwrap());
        assert!(!stored.contains("swordfish") && !stored.contains("1234"), "{stored}");
        assert_eq!(cache.open_settings(&install, 0).await.unwrap(), settings);

        let moved = Install { site: sample::site(2), ..install.clone() };
        let taken = Install { id: sample::install_id(2), ..install.clone() };
        let mut exchanged = install.clone();
        exchanged.passwords.insert("key".into(), install.passwords["pin"].clone());
        let mut mixed = install.clone();
        mixed.bot_token = install.passwords["pin"].clone();
        assert!(cache.open_bot_token(&mixed, 0).await.is_err(), "a password is no token");
        mixed.passwords = [("key".to_owned(), seal_bot_token(&key, &install, [3; 12], "\"t\""))].into();
        for install in [moved, taken, exchanged, mixed] {
            let error = cache.open_settings(&install, 0).await.unwrap_err();
            assert!(matches!(error, StoreError::Corrupt { .. }), "{error}");
        }
    }
}
