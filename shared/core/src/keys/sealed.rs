//! What an install stores sealed: its bot's token, and the settings that are passwords.
//!
//! Each is sealed for its place: scheme, app, install, field and site. A password is sealed for the text settings beside it
//! too, because one of them says where the app sends it. So somebody who can write to the table can neither have a secret
//! sent elsewhere nor put one in the place of another, and somebody who can read the table can read no secret.

use crate::{
    keys::KeyCache,
    random::Random,
    store::{
        model::{Install, Key, Sha256},
        ports::{StoreError, Stored},
    },
};
use cloud_app::mattermost::Credential;
use cloud_apps_protocol::{KeyId, Manifest, Millis, Values, form::Subtype, seal};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use zeroize::Zeroizing;

const BOT_TOKEN: &str = "bot_token";

impl KeyCache {
    /// Opens an install's bot token for its own site.
    pub async fn open_bot_token(&self, install: &Install, now: Millis) -> Stored<Credential> {
        let plain = self.open(install, &Place::bot_token(install), &install.bot_token, now).await?;
        let token = std::str::from_utf8(&plain).map_err(|_| corrupt(BOT_TOKEN, "is not text"))?;
        Ok(Credential { origin: install.site.clone(), token: token.into() })
    }

    /// The settings, including passwords. If there are no passwords, no key is read.
    pub async fn open_settings(&self, install: &Install, now: Millis) -> Stored<Values> {
        let mut settings = install.settings.clone();
        for (name, sealed) in &install.passwords {
            let place = Place::password(install, name);
            let plain = self.open(install, &place, sealed, now).await?;
            let value =
                serde_json::from_slice(&plain).map_err(|_| corrupt(&place.field, "is not a value"))?;
            settings.insert(name.clone(), value);
        }
        Ok(settings)
    }

    async fn open(
        &self,
        install: &Install,
        place: &Place<'_>,
        sealed: &str,
        now: Millis,
    ) -> Stored<Zeroizing<Vec<u8>>> {
        let field = &place.field;
        let key = seal::store_key(sealed).ok_or_else(|| corrupt(field, "is not sealed"))?;
        let root = self.root(&install.app, &key, now).await?;
        let root = root.ok_or_else(|| corrupt(field, "was sealed with a key that is gone or revoked"))?;
        seal::store_open(&root, &place.parts(), sealed)
            .or_else(|_| seal::store_open(&root, &place.before(), sealed))
            .map_err(|_| {
                corrupt(field, "was not sealed for this app, install, site and the settings beside it")
            })
    }
}

/// The keys with which something of an install is sealed.
pub fn keys(install: &Install) -> impl Iterator<Item = KeyId> {
    let sealed = std::iter::once(&install.bot_token).chain(install.passwords.values());
    sealed.filter_map(|sealed| seal::store_key(sealed))
}

/// The install with everything sealed with `key`.
pub async fn seal_again(
    cache: &KeyCache,
    key: &Key,
    install: &Install,
    random: &dyn Random,
    now: Millis,
) -> Stored<Install> {
    let again = async |place: Place<'_>, sealed: &str| -> Stored<String> {
        let plain = cache.open(install, &place, sealed, now).await?;
        Ok(seal::store_seal(&key.root, &key.id, &place.parts(), random.nonce(), &plain))
    };
    let mut sealed = install.clone();
    sealed.bot_token = again(Place::bot_token(install), &install.bot_token).await?;
    for (name, password) in &mut sealed.passwords {
        *password = again(Place::password(install, name), password).await?;
    }
    Ok(sealed)
}

/// Seals a bot token for its install and site.
pub fn seal_bot_token(key: &Key, install: &Install, nonce: [u8; 12], token: &str) -> String {
    seal::store_seal(&key.root, &key.id, &Place::bot_token(install).parts(), nonce, token.as_bytes())
}

/// Stores settings in the install. Settings that are passwords in the manifest are sealed. A setting that was sealed before
/// stays sealed, because it was given as something that nobody can read.
pub fn keep_settings(
    key: &Key,
    install: &mut Install,
    manifest: &Manifest,
    mut settings: Values,
    random: &dyn Random,
) {
    let held = std::mem::take(&mut install.passwords);
    let names: BTreeSet<&str> = passwords(manifest).chain(held.keys().map(String::as_str)).collect();
    let take = |name| Some((name, Zeroizing::new(settings.remove(name)?.to_string())));
    let open: Vec<_> = names.into_iter().filter_map(take).collect();
    install.settings = settings;
    for (name, plain) in open {
        let place = Place::password(install, name);
        let sealed = seal::store_seal(&key.root, &key.id, &place.parts(), random.nonce(), plain.as_bytes());
        install.passwords.insert(name.to_owned(), sealed);
    }
}

/// The settings that are passwords.
pub fn passwords(manifest: &Manifest) -> impl Iterator<Item = &str> {
    let fields = manifest.settings.iter().filter(|field| field.subtype == Some(Subtype::Password));
    fields.map(|field| field.name.as_str())
}

/// The place for which something is sealed.
struct Place<'a> {
    install: &'a Install,
    field: String,
    /// SHA-256 of the text settings beside a password.
    beside: Option<Sha256>,
}

impl<'a> Place<'a> {
    fn bot_token(install: &'a Install) -> Self {
        Self { install, field: BOT_TOKEN.to_owned(), beside: None }
    }

    fn password(install: &'a Install, name: &str) -> Self {
        // Only text settings count, because a number can be written in two ways.
        let texts: BTreeMap<&String, &Value> =
            install.settings.iter().filter(|(_, value)| value.is_string()).collect();
        // It has text keys and values only, so it always serialises.
        let texts = serde_json::to_string(&texts).unwrap_or_default();
        Self { install, field: format!("settings.{name}"), beside: Some(Sha256::of(&texts)) }
    }

    fn parts(&self) -> Vec<&str> {
        let mut parts = self.before().to_vec();
        parts.extend(self.beside.as_ref().map(Sha256::as_str));
        parts
    }

    /// The place for which early versions of the bundle sealed a password. It can be opened until it is sealed again.
    fn before(&self) -> [&str; 5] {
        let Install { app, id, site, .. } = self.install;
        ["k1", app.as_str(), id.as_str(), &self.field, site.as_str()]
    }
}

/// The error names the field, and never its value.
fn corrupt(field: &str, why: &str) -> StoreError {
    StoreError::Corrupt {
        what: "KeyCache.open",
        detail: format!("{field} {why}: set it again, or install again"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{random::SystemRandom, store::memory::Memory, testing::sample};
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
        // One of the settings says where the app sends a password.
        let mut redirected = install.clone();
        redirected.settings["site"] = json!("https://evil.example.com");
        let mut added = install.clone();
        added.settings.insert("proxy".into(), json!("https://evil.example.com"));
        for install in [moved, taken, exchanged, mixed, redirected, added] {
            let error = cache.open_settings(&install, 0).await.unwrap_err();
            assert!(matches!(error, StoreError::Corrupt { .. }), "{error}");
        }
    }

    #[tokio::test]
    async fn a_password_that_an_earlier_version_sealed_opens_and_is_bound_when_it_is_sealed_again() {
        let (cache, key) = sealer().await;
        let mut install = sample::install(1);
        install.settings.insert("site".into(), json!("https://jira.example.com"));
        install.settings.insert("ratio".into(), json!(0.1));
        let place = ["k1", install.app.as_str(), install.id.as_str(), "settings.key", install.site.as_str()];
        let sealed = seal::store_seal(&key.root, &key.id, &place, [3; 12], b"\"swordfish\"");
        install.passwords.insert("key".into(), sealed);
        install.bot_token = seal_bot_token(&key, &install, [4; 12], "the bot's token");
        assert_eq!(cache.open_settings(&install, 0).await.unwrap()["key"], "swordfish");

        let mut again = seal_again(&cache, &key, &install, &SystemRandom, 0).await.unwrap();
        again.settings["ratio"] = json!(0.2);
        assert_eq!(cache.open_settings(&again, 0).await.unwrap()["key"], "swordfish");
        again.settings["site"] = json!("https://evil.example.com");
        assert!(cache.open_settings(&again, 0).await.is_err());
    }
}
