//! Cookies, which hold the integrations of ephemeral posts: the server does not store such a post, so its client gets
//! them encrypted and sends them back with a click. Source: `PostActionCookie` and `AddPostActionCookies` in
//! `model/integration_action.go`.

use crate::Version;
use crate::blocks::ACTIONS;
use crate::model::Post;
use crate::version::Ability;
use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use aws_lc_rs::rand::{SecureRandom, SystemRandom};
use data_encoding::BASE64;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// The props that say in whose name a post was made, and that the answer to a click cannot change:
/// `PostActionRetainPropKeys`.
fn kept(version: Version) -> &'static [&'static str] {
    if version.has(Ability::KeptBotProps) {
        &["from_webhook", "from_bot", "from_plugin", "override_username", "override_icon_url"]
    } else {
        &["from_webhook", "override_username", "override_icon_url"]
    }
}

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
    pub(crate) fn of(version: Version, props: &Map<String, Value>) -> KeptProps {
        let mut kept = KeptProps::default();
        for key in self::kept(version) {
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

/// All that the server needs for a click on an action of an attachment.
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

/// All that the server needs for a click on an action of the registry: `MmBlocksActionCookie`.
#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct BlocksCookie {
    kind: String,
    pub post_id: String,
    pub root_post_id: String,
    pub channel_id: String,
    #[serde(flatten)]
    pub kept: KeptProps,
    pub actions: Map<String, Value>,
}

/// Names the cookies of the registry, so that nobody uses one as the cookie of an attachment.
const BLOCKS_KIND: &str = "mm_blocks_actions";

/// What was in a cookie.
#[derive(Debug, PartialEq)]
pub(crate) enum Opened {
    Attachment(Cookie),
    Blocks(BlocksCookie),
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
    fn seal(&self, cookie: &impl Serialize) -> String {
        let mut text = serde_json::to_vec(cookie).unwrap_or_default();
        let key = self.0.as_ref();
        let nonce = key.and_then(|key| key.seal_in_place_append_tag(Aad::empty(), &mut text).ok());
        let whole = nonce.map(|nonce| [&nonce.as_ref()[..], &text].concat());
        whole.map(|whole| BASE64.encode(&whole)).unwrap_or_default()
    }

    /// Reads a cookie; `None` if it is not from this server.
    pub(crate) fn open(&self, sealed: &str) -> Option<Opened> {
        let mut whole = BASE64.decode(sealed.as_bytes()).ok()?;
        let (nonce, text) = whole.split_at_mut_checked(NONCE_LEN)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let text = self.0.as_ref()?.open_in_place(nonce, Aad::empty(), text).ok()?;
        let content: Value = serde_json::from_slice(text).ok()?;
        if content.get("kind").is_some_and(|kind| kind == BLOCKS_KIND) {
            return serde_json::from_value(content).ok().map(Opened::Blocks);
        }
        serde_json::from_value(content).ok().map(Opened::Attachment)
    }

    /// Replaces the integrations of an ephemeral post by cookies. The post must have its id.
    pub(crate) fn put_into(&self, version: Version, post: &mut Post) {
        let root = post.thread_root().to_owned();
        if version.has(Ability::BlockActions)
            && let Some(Value::Object(actions)) = post.props.get(ACTIONS)
            && !actions.is_empty()
        {
            let mut actions = actions.clone();
            actions.retain(|_, entry| entry.is_object());
            let cookie = BlocksCookie {
                kind: BLOCKS_KIND.to_owned(),
                post_id: post.id.clone(),
                root_post_id: root.clone(),
                channel_id: post.channel_id.clone(),
                kept: KeptProps::of(version, &post.props),
                actions,
            };
            post.props.insert(ACTIONS.to_owned(), self.seal(&cookie).into());
        }
        for action in post.attachments.iter_mut().flat_map(|card| card.actions.iter_mut().flatten()) {
            let cookie = Cookie {
                kind: action.kind.clone(),
                post_id: post.id.clone(),
                root_post_id: root.clone(),
                channel_id: post.channel_id.clone(),
                data_source: action.data_source.clone(),
                integration: action.integration.take(),
                kept: KeptProps::of(version, &post.props),
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

    #[test]
    fn a_cookie_of_the_registry_has_the_form_of_the_example() {
        let example = include_str!("../../tests/vectors/mattermost-12/cookie-plaintext.json");
        let example: Value = serde_json::from_str(example).unwrap();
        let cookie: BlocksCookie = serde_json::from_value(example.clone()).unwrap();
        assert_eq!(serde_json::to_value(&cookie).unwrap(), example);
        let mut post = Post::draft("", &cookie.channel_id, "", "");
        post.id.clone_from(&cookie.post_id);
        post.props = cookie.kept.retain.clone();
        post.props.insert(ACTIONS.to_owned(), cookie.actions.clone().into());
        let key = CookieKey::new();
        key.put_into(Version::V12, &mut post);
        assert_eq!(key.open(post.props[ACTIONS].as_str().unwrap()), Some(Opened::Blocks(cookie)));
    }

    proptest! {
        #[test]
        fn a_cookie_opens_as_it_was_sealed_and_only_under_its_key(text in ".{0,40}", at in 0_usize..200) {
            let cookie = Cookie {
                post_id: text.clone(),
                integration: Some(json!({"url": text})),
                kept: KeptProps::of(Version::V12, &Map::from_iter([("from_webhook".to_owned(), json!("true"))])),
                ..Cookie::default()
            };
            let key = CookieKey::new();
            let sealed = key.seal(&cookie);
            prop_assert_eq!(CookieKey::new().open(&sealed), None);
            let mut bent = BASE64.decode(sealed.as_bytes()).unwrap();
            let at = at % bent.len();
            bent[at] ^= 1;
            prop_assert_eq!(key.open(&BASE64.encode(&bent)), None);
            prop_assert_eq!(key.open(&sealed), Some(Opened::Attachment(cookie)));
        }

        #[test]
        fn nothing_else_is_a_cookie(text in ".{0,80}") {
            prop_assert_eq!(CookieKey::new().open(&text), None);
        }
    }
}
