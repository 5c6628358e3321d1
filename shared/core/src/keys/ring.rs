//! A key ring as text, in the app's secret in Secrets Manager or in its local file.
//!
//! `{"v":1,"app":"jira","keys":[{"id":"1","root":"…","created_at":0,"use_from":0,"state":"live"}]}`; A root is 43
//! characters of base64url. An error never repeats the text, and nothing here prints a root.

use crate::store::{
    document,
    model::{Key, Ring},
    ports::{StoreError, Stored},
};
use cloud_apps_protocol::{AppId, KeyId, Millis, secret::Secret};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use std::fmt;
use zeroize::Zeroizing;

#[derive(Serialize, Deserialize)]
struct Document {
    v: u64,
    app: AppId,
    keys: Vec<Entry>,
}

#[derive(Serialize, Deserialize)]
struct Entry {
    id: KeyId,
    root: Root,
    created_at: Millis,
    use_from: Millis,
    state: Word,
}

#[derive(Serialize, Deserialize, PartialEq)]
#[serde(rename_all = "snake_case")]
enum Word {
    Live,
    Revoked,
}

struct Root(Secret);

impl Serialize for Root {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0.to_base64url())
    }
}

impl<'de> Deserialize<'de> for Root {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;
        impl de::Visitor<'_> for Text {
            type Value = Root;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("43 characters of base64url")
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Root, E> {
                // The error `invalid_value` would repeat the text.
                Secret::from_base64url(text)
                    .map(Root)
                    .ok_or_else(|| E::custom("not 43 characters of base64url"))
            }
        }
        deserializer.deserialize_str(Text)
    }
}

impl Ring {
    /// The first ring of an app. Its key is in use from time 0, because the clocks of environments differ.
    pub fn generate(app: AppId, now: Millis, root: [u8; 32]) -> Self {
        // "1" is a valid key id. If that ever changed, the list would be empty, and a test would fail.
        let id = KeyId::new("1").ok();
        let key = |id| Key { id, root: Secret::new(root), created_at: now, use_from: 0, revoked: false };
        Self { app, keys: id.into_iter().map(key).collect() }
    }

    /// The ring as text.
    pub fn to_json(&self, what: &'static str) -> Stored<Zeroizing<String>> {
        let keys = self.keys.iter().map(|key| Entry {
            id: key.id.clone(),
            root: Root(key.root.clone()),
            created_at: key.created_at,
            use_from: key.use_from,
            state: if key.revoked { Word::Revoked } else { Word::Live },
        });
        let document = Document { v: document::ITEM_VERSION, app: self.app.clone(), keys: keys.collect() };
        document::write(what, &document).map(Zeroizing::new)
    }

    /// Reads the ring of `app` from its text.
    pub fn from_json(what: &'static str, app: &AppId, json: &str) -> Stored<Self> {
        #[derive(Deserialize)]
        struct Version {
            v: u64,
        }
        let corrupt = |detail: &str| StoreError::Corrupt { what, detail: detail.to_owned() };
        let unreadable = |error: serde_json::Error| corrupt(&document::without_content(&error));
        let Version { v } = serde_json::from_str(json).map_err(unreadable)?;
        document::check_version(what, v)?;
        let document: Document = serde_json::from_str(json).map_err(unreadable)?;
        if document.app != *app {
            return Err(corrupt("it is the key ring of another app"));
        }
        let mut keys: Vec<Key> = Vec::with_capacity(document.keys.len());
        for entry in document.keys {
            if keys.iter().any(|key| key.id == entry.id) {
                return Err(corrupt("two of its keys have the same id"));
            }
            keys.push(Key {
                id: entry.id,
                root: entry.root.0,
                created_at: entry.created_at,
                use_from: entry.use_from,
                revoked: entry.state == Word::Revoked,
            });
        }
        if keys.is_empty() {
            return Err(corrupt("it has no keys"));
        }
        Ok(Self { app: document.app, keys })
    }
}

/// Shows which keys there are, and never their roots.
impl fmt::Debug for Ring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ring").field("app", &self.app).field("keys", &self.keys).finish()
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Key").field("id", &self.id).field("revoked", &self.revoked).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::sample;
    use proptest::prelude::*;

    const WHAT: &str = "a test";

    #[test]
    fn a_ring_is_kept_in_the_documented_shape() {
        let ring = sample::ring(&sample::app(), 0);
        let root = "A".repeat(43);
        let expected = format!(
            r#"{{"v":1,"app":"hello","keys":[{{"id":"1","root":"{root}","created_at":0,"use_from":0,"state":"live"}}]}}"#
        );
        assert_eq!(ring.to_json(WHAT).unwrap().as_str(), expected);
    }

    #[test]
    fn a_ring_reads_back_with_its_revoked_keys() {
        let mut ring = sample::ring(&sample::app(), 1);
        let second = Key {
            id: KeyId::new("2").unwrap(),
            root: Secret::new([2; 32]),
            created_at: 5,
            use_from: 9,
            revoked: false,
        };
        ring.keys.push(second);
        ring.keys[0].revoked = true;
        let read = Ring::from_json(WHAT, &ring.app, &ring.to_json(WHAT).unwrap()).unwrap();
        assert_eq!(read.to_json(WHAT).unwrap(), ring.to_json(WHAT).unwrap());
        assert!(read.key(&KeyId::new("1").unwrap()).is_none());
        assert_eq!(read.current(9).unwrap().root.expose(), &[2; 32]);
        assert!(read.current(8).is_none());
    }

    #[test]
    fn what_cannot_be_read_is_named_without_its_content() {
        let good = sample::ring(&sample::app(), 7).to_json(WHAT).unwrap();
        let root = Secret::new([7; 32]).to_base64url();
        let flaws = [
            good.replace("\"v\":1", "\"v\":2"),
            good.replace(root.as_str(), &root[1..]),
            good.replace("\"live\"", &format!("{:?}", root.as_str())),
            good.replace("hello", "other"),
            good.replace("\"1\"", &format!("{:?}", root.as_str())),
            good.replace("]}", ""),
            root.to_string(),
            r#"{"v":1,"app":"hello","keys":[]}"#.to_owned(),
        ];
        for flaw in flaws {
            let error = Ring::from_json(WHAT, &sample::app(), &flaw).unwrap_err();
            assert!(matches!(error, StoreError::Corrupt { .. }), "{error}");
            assert!(!format!("{error} {error:?}").contains(&root[1..]), "{error}");
        }
    }

    #[test]
    fn a_ring_prints_no_root() {
        let ring = sample::ring(&sample::app(), 7);
        let text = format!("{ring:?} {:?}", ring.keys);
        assert!(!text.contains(ring.keys[0].root.to_base64url().as_str()) && !text.contains('7'), "{text}");
    }

    proptest! {
        #[test]
        fn no_text_panics(text in ".{0,200}") {
            let _ = Ring::from_json(WHAT, &sample::app(), &text);
        }
    }
}
