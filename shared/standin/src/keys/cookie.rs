//! Cookies, which hold the integrations of ephemeral posts: the server does not store such a post, so its client gets
//! them encrypted and sends them back with a click. Source: `PostActionCookie` and `AddPostActionCookies` in
//! `model/integration_action.go`.

use crate::model::Post;
use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use aws_lc_rs::rand::{SecureRandom, SystemRandom};
use data_encoding::BASE64;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// The props that say in whose name a post was made. The answer to a click cannot change them.
const KEPT: &[&str] = &["from_webhook", "override_username", "override_icon_url"];

/// The kept props of a post. An update of the post cannot have a kept prop that the post does not have.
#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct KeptProps {
    #[serde(rename = "retain_props", skip_serializing_if = "Map::is_empty")]
    pub retain: Map<String, Value>,
    #[serde(rename = "remove_props", skip_serializing_if = "Vec::is_empty")]
    pub remove: Vec<String>,
}

impl KeptProps {
    pub(crate) fn of(props: &Map<String, Value>) -> KeptProps {
        let mut kept = KeptProps::default();
        for key in KEPT {
            match props.get(*key) {
                Some(value) => {
                    kept.retain.insert((*key).to_owned(), value.clone());
                }
                None => kept.remove.push((*key).to_owned()),
            }
        }
        kept
    }

    /// Sets them in the props of an update.
    pub(crate) fn apply(&self, props: &mut Map<String, Value>) {
        props.extend(self.retain.clone());
        props.retain(|key, _| !self.remove.contains(key));
    }
}

/// All that the server needs for a click.
#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Cookie {
    #[serde(rename = "type", skip_serializing_if = "String::is_empty")]
    pub kind: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub post_id: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub root_post_id: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub channel_id: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub data_source: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub integration: Option<Value>,
    #[serde(flatten)]
    pub kept: KeptProps,
}

/// The server's `PostActionCookieSecret`. Every stand-in has a new one.
pub(crate) struct CookieKey(Option<RandomizedNonceKey>);

impl CookieKey {
    pub(crate) fn new() -> CookieKey {
        let mut secret = [0; 32];
        let drawn = SystemRandom::new().fill(&mut secret).ok();
        CookieKey(drawn.and_then(|()| RandomizedNonceKey::new(&AES_256_GCM, &secret).ok()))
    }

    /// Base64 of nonce, text and tag. It is empty if there is no key, so that no click works.
    fn seal(&self, cookie: &Cookie) -> String {
        let mut text = serde_json::to_vec(cookie).unwrap_or_default();
        let key = self.0.as_ref();
        let nonce = key.and_then(|key| key.seal_in_place_append_tag(Aad::empty(), &mut text).ok());
        let whole = nonce.map(|nonce| [&nonce.as_ref()[..], &text].concat());
        whole.map(|whole| BASE64.encode(&whole)).unwrap_or_default()
    }

    /// Reads a cookie; `None` if it is not from this server.
    pub(crate) fn open(&self, sealed: &str) -> Option<Cookie> {
        let mut whole = BASE64.decode(sealed.as_bytes()).ok()?;
        let (nonce, text) = whole.split_at_mut_checked(NONCE_LEN)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let text = self.0.as_ref()?.open_in_place(nonce, Aad::empty(), text).ok()?;
        serde_json::from_slice(text).ok()
    }

    /// Replaces the integrations of an ephemeral post by cookies. The post must have its id.
    pub(crate) fn put_into(&self, post: &mut Post) {
        let root = post.thread_root().to_owned();
        for action in post.attachments.iter_mut().flat_map(|card| card.actions.iter_mut().flatten()) {
            let cookie = Cookie {
                kind: action.kind.clone(),
                post_id: post.id.clone(),
                root_post_id: root.clone(),
                channel_id: post.channel_id.clone(),
                data_source: action.data_source.clone(),
                integration: action.integration.take(),
                kept: KeptProps::of(&post.props),
            };
            action.cookie = self.seal(&cookie);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    proptest! {
        #[test]
        fn a_cookie_opens_as_it_was_sealed_and_only_under_its_key(text in ".{0,40}", at in 0_usize..200) {
            let cookie = Cookie {
                post_id: text.clone(),
                integration: Some(json!({"url": text})),
                kept: KeptProps::of(&Map::from_iter([("from_webhook".to_owned(), json!("true"))])),
                ..Cookie::default()
            };
            let key = CookieKey::new();
            let sealed = key.seal(&cookie);
            prop_assert_eq!(CookieKey::new().open(&sealed), None);
            let mut bent = BASE64.decode(sealed.as_bytes()).unwrap();
            let at = at % bent.len();
            bent[at] ^= 1;
            prop_assert_eq!(key.open(&BASE64.encode(&bent)), None);
            prop_assert_eq!(key.open(&sealed), Some(cookie));
        }

        #[test]
        fn nothing_else_is_a_cookie(text in ".{0,80}") {
            prop_assert_eq!(CookieKey::new().open(&text), None);
        }
    }
}
