//! Seals (section 14.3): what goes out through Mattermost and comes back, encrypted and bound to what it is for.
//!
//! `s1.<app>.<key>.<install_id>.<base64url(nonce ‖ ciphertext ‖ tag)>`, AES-256-GCM, key = HKDF-SHA256(root of the
//! app's key, `wire` ‖ kind ‖ install_id, length-prefixed), AAD = all that precedes the ciphertext and the kind.

use crate::{AppId, ChannelId, Form, FunctionName, InstallId, KeyId, Millis, UserId, Values, secret::Secret};
use serde::{Deserialize, Serialize};

/// What a seal is for. One kind never opens as another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[allow(missing_docs)] // The words of the protocol.
pub enum SealKind {
    Action,
    Dialog,
    Link,
    /// `delivery.reply`.
    Reply,
}

/// What a seal holds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Content {
    /// Names this seal, for what may happen once.
    pub id: String,
    /// Whose.
    pub app: AppId,
    /// What it runs.
    pub function: FunctionName,
    /// With what.
    #[serde(default, skip_serializing_if = "Values::is_empty")]
    pub values: Values,
    /// The app's own.
    #[serde(default, skip_serializing_if = "serde_json::Value::is_null")]
    pub state: serde_json::Value,
    /// A form that is not in the manifest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub form: Option<Form>,
    /// Who may use it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<UserId>,
    /// Where it belongs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channel: Option<ChannelId>,
    /// In which thread.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub root: Option<String>,
    /// The id of a `response_url`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reply: Option<String>,
    /// Unix milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exp: Option<Millis>,
}

/// A seal's outer parts, readable by anyone; nothing is verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sealed {
    /// Whose key ring.
    pub app: AppId,
    /// Which key of it.
    pub key: KeyId,
    /// Which install.
    pub install: InstallId,
    #[allow(dead_code)]
    text: String,
}

/// A seal that does not open. It never says why in words that help a forger.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// Not a seal, or changed, or another kind's, install's or app's.
    #[error("this is not a seal of this app")]
    Invalid,
    /// It was good once.
    #[error("this has expired: run the command again")]
    Expired,
    /// Larger than 4 KiB.
    #[error("this would be larger than the 4 KiB that a seal may have: keep less in values and state")]
    TooLarge,
}

impl Sealed {
    /// Reads the outer parts.
    pub fn parse(text: &str) -> Result<Self, SealError> {
        let _ = text;
        unimplemented!("owned by the protocol work")
    }

    /// Opens it with the root of the key that it names.
    pub fn open(&self, root: &Secret, kind: SealKind, now: Millis) -> Result<Content, SealError> {
        let _ = (root, kind, now);
        unimplemented!("owned by the protocol work")
    }
}

/// Seals. `nonce` is 12 random bytes that are never used twice.
pub fn seal(
    root: &Secret, key: &KeyId, install: &InstallId, kind: SealKind, nonce: [u8; 12], content: &Content,
) -> Result<String, SealError> {
    let _ = (root, key, install, kind, nonce, content);
    unimplemented!("owned by the protocol work")
}

/// Encrypts `plain` for one `place` (what it is, and where it may be used) at rest:
/// `key id ‖ nonce ‖ AES-256-GCM(HKDF(root, "store" ‖ place), AAD = place)`, as base64url behind `k1.<key>.`.
/// `place` parts are scheme, app, install, field and destination, so that a writable table cannot redirect a token.
pub fn store_seal(root: &Secret, key: &KeyId, place: &[&str], nonce: [u8; 12], plain: &[u8]) -> String {
    let _ = (root, key, place, nonce, plain);
    unimplemented!("owned by the protocol work")
}

/// The key that a value sealed by [`store_seal`] names.
pub fn store_key(sealed: &str) -> Option<KeyId> {
    let _ = sealed;
    unimplemented!("owned by the protocol work")
}

/// Opens what [`store_seal`] made for the same place.
pub fn store_open(root: &Secret, place: &[&str], sealed: &str) -> Result<zeroize::Zeroizing<Vec<u8>>, SealError> {
    let _ = (root, place, sealed);
    unimplemented!("owned by the protocol work")
}
