//! Seals (section 14.3): data that goes through Mattermost and comes back, encrypted and bound to its purpose.
//!
//! `s1.<app>.<key>.<install_id>.<base64url(nonce ‖ ciphertext ‖ tag)>`, AES-256-GCM, key = HKDF-SHA256(root of the
//! app's key, `wire` ‖ kind ‖ `install_id`, length-prefixed), AAD = everything before the ciphertext, and the kind.

use crate::{AppId, ChannelId, Form, FunctionName, InstallId, KeyId, Millis, UserId, Values, secret::Secret};
use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use data_encoding::BASE64URL_NOPAD;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

/// The longest seal, in bytes.
pub const MAX_SEAL: usize = 4096;

/// The longest seal that stands in the ledger ([`Content::kept`]), in bytes.
pub const MAX_KEPT: usize = 64 * 1024;

/// The most content, in bytes of JSON, that a seal with an end carries itself. Of a larger one the ledger keeps the content.
pub const MAX_CARRIED: usize = 1024;

/// The purpose of a seal. A seal of one kind cannot be opened as another kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[allow(missing_docs)] // docs/protocol.md describes these words.
pub enum SealKind {
    Action,
    Dialog,
    Link,
    /// `delivery.reply`.
    Reply,
}

impl SealKind {
    fn word(self) -> &'static str {
        match self {
            Self::Action => "action",
            Self::Dialog => "dialog",
            Self::Link => "link",
            Self::Reply => "reply",
        }
    }
}

/// The content of a seal.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[allow(clippy::struct_excessive_bools)] // Each is a key of the sealed content.
pub struct Content {
    /// The seal's id, for things that may happen only once.
    pub id: String,
    /// The app.
    pub app: AppId,
    /// The function that it runs.
    pub function: FunctionName,
    /// The function's values.
    #[serde(default, skip_serializing_if = "Values::is_empty")]
    pub values: Values,
    /// The app's state.
    #[serde(default, skip_serializing_if = "serde_json::Value::is_null")]
    pub state: serde_json::Value,
    /// A form that is not in the manifest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub form: Option<Form>,
    /// Who may use it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<UserId>,
    /// The channel in which it may be used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channel: Option<ChannelId>,
    /// The thread.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub root: Option<String>,
    /// The id of a `response_url`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reply: Option<String>,
    /// When it expires, in Unix milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exp: Option<Millis>,
    /// The field that gets what a reader chooses in a menu.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<FunctionName>,
    /// The function's form opens, even if nothing is missing.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub opens_form: bool,
    /// Only the first use counts of all seals that have this id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub once: Option<String>,
    /// It stands in a message that the server does not store: one that its user alone sees.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub ephemeral: bool,
    /// The user was asked whether the function may run, and said yes by sending this.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub confirms: bool,
    /// The ledger keeps the whole content, sealed, under the id. Function, values, state and form are not here.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub kept: bool,
}

impl Content {
    /// What runs a function, and nothing else.
    pub fn new(id: String, app: AppId, function: FunctionName) -> Self {
        Self {
            id,
            app,
            function,
            values: Values::new(),
            state: serde_json::Value::Null,
            form: None,
            user: None,
            channel: None,
            root: None,
            reply: None,
            exp: None,
            field: None,
            opens_form: false,
            once: None,
            ephemeral: false,
            confirms: false,
            kept: false,
        }
    }

    /// The key under which the ledger keeps the content.
    pub fn kept_under(&self) -> String {
        format!("SEAL#{}", self.id)
    }

    /// The key under which the ledger keeps who used it first, if only the first use counts.
    pub fn once_under(&self) -> Option<String> {
        self.once.as_ref().map(|id| format!("SEAL#{id}#once"))
    }
}

/// The parts of a seal that everybody can read. Nothing is verified yet.
#[derive(Clone, PartialEq, Eq)]
pub struct Sealed {
    /// The app whose key ring was used.
    pub app: AppId,
    /// The key of that ring.
    pub key: KeyId,
    /// The install.
    pub install: InstallId,
    text: String,
}

impl std::fmt::Debug for Sealed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Sealed({}.{}.{})", self.app, self.key, self.install)
    }
}

/// Why a seal cannot be opened. It says nothing that helps a forger.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// It is not a seal, or was changed, or belongs to another kind, install or app.
    #[error("this is not a seal of this app")]
    Invalid,
    /// It has expired.
    #[error("this has expired: run the command again")]
    Expired,
    /// It would be too large.
    #[error("its values and its state are too large: keep less in them")]
    TooLarge,
}

impl Sealed {
    /// Reads the parts that everybody can read.
    pub fn parse(text: &str) -> Result<Self, SealError> {
        Self::parse_up_to(text, MAX_SEAL)
    }

    /// The same of a seal that the ledger kept.
    pub fn parse_kept(text: &str) -> Result<Self, SealError> {
        Self::parse_up_to(text, MAX_KEPT)
    }

    fn parse_up_to(text: &str, most: usize) -> Result<Self, SealError> {
        if text.len() > most {
            return Err(SealError::Invalid);
        }
        let mut parts = text.split('.');
        let mut next = || parts.next().ok_or(SealError::Invalid);
        let (version, app, key, install, _) = (next()?, next()?, next()?, next()?, next()?);
        if version != "s1" || parts.next().is_some() {
            return Err(SealError::Invalid);
        }
        Ok(Self {
            app: app.parse().map_err(|_| SealError::Invalid)?,
            key: key.parse().map_err(|_| SealError::Invalid)?,
            install: install.parse().map_err(|_| SealError::Invalid)?,
            text: text.to_owned(),
        })
    }

    /// Opens the seal with the root of the key that it names.
    pub fn open(&self, root: &Secret, kind: SealKind, now: Millis) -> Result<Content, SealError> {
        let (outer, box_) = self.text.rsplit_once('.').ok_or(SealError::Invalid)?;
        let box_ = BASE64URL_NOPAD.decode(box_.as_bytes()).map_err(|_| SealError::Invalid)?;
        let plain = open(&wire_key(root, kind, &self.install), &wire_aad(outer, kind), box_)?;
        let content: Content = serde_json::from_slice(&plain).map_err(|_| SealError::Invalid)?;
        if content.exp.is_some_and(|exp| exp <= now) {
            return Err(SealError::Expired);
        }
        Ok(content)
    }
}

/// Makes a seal. `nonce` is 12 random bytes that are never used again.
pub fn seal(
    root: &Secret,
    key: &KeyId,
    install: &InstallId,
    kind: SealKind,
    nonce: [u8; 12],
    content: &Content,
) -> Result<String, SealError> {
    seal_up_to(root, (key, install, kind), nonce, content, MAX_SEAL)
}

/// The same for the ledger, which keeps longer ones.
pub fn seal_kept(
    root: &Secret,
    key: &KeyId,
    install: &InstallId,
    kind: SealKind,
    nonce: [u8; 12],
    content: &Content,
) -> Result<String, SealError> {
    seal_up_to(root, (key, install, kind), nonce, content, MAX_KEPT)
}

fn seal_up_to(
    root: &Secret,
    (key, install, kind): (&KeyId, &InstallId, SealKind),
    nonce: [u8; 12],
    content: &Content,
    most: usize,
) -> Result<String, SealError> {
    let outer = format!("s1.{}.{key}.{install}", content.app);
    let plain = Zeroizing::new(serde_json::to_vec(content).map_err(|_| SealError::Invalid)?);
    let box_ = close(&wire_key(root, kind, install), &wire_aad(&outer, kind), nonce, &plain)?;
    let text = format!("{outer}.{}", BASE64URL_NOPAD.encode(&box_));
    if text.len() > most { Err(SealError::TooLarge) } else { Ok(text) }
}

fn wire_key(root: &Secret, kind: SealKind, install: &InstallId) -> Secret {
    root.derive(&[b"wire", kind.word().as_bytes(), install.as_str().as_bytes()])
}

/// Everything before the ciphertext except the nonce, which GCM itself authenticates, and the kind.
fn wire_aad(outer: &str, kind: SealKind) -> Vec<u8> {
    length_prefixed(&[outer, kind.word()])
}

fn length_prefixed(parts: &[&str]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for part in parts {
        bytes.extend_from_slice(&u32::try_from(part.len()).unwrap_or(u32::MAX).to_be_bytes());
        bytes.extend_from_slice(part.as_bytes());
    }
    bytes
}

/// `nonce ‖ ciphertext ‖ tag`.
fn close(key: &Secret, aad: &[u8], nonce: [u8; NONCE_LEN], plain: &[u8]) -> Result<Vec<u8>, SealError> {
    let key = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, key.expose()).map_err(|_| SealError::Invalid)?);
    let mut text = plain.to_vec();
    // This fails only for plaintexts of more than 64 GiB.
    key.seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::from(aad), &mut text)
        .map_err(|_| SealError::TooLarge)?;
    let mut out = nonce.to_vec();
    out.append(&mut text);
    Ok(out)
}

fn open(key: &Secret, aad: &[u8], mut box_: Vec<u8>) -> Result<Zeroizing<Vec<u8>>, SealError> {
    let key = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, key.expose()).map_err(|_| SealError::Invalid)?);
    let (nonce, text) = box_.split_first_chunk_mut::<NONCE_LEN>().ok_or(SealError::Invalid)?;
    let plain = key
        .open_in_place(Nonce::assume_unique_for_key(*nonce), Aad::from(aad), text)
        .map_err(|_| SealError::Invalid)?;
    Ok(Zeroizing::new(plain.to_vec()))
}

/// Encrypts `plain` for a store and for one `place` (what it is, and where it may be used):
/// `k1.<key>.` and `nonce ‖ AES-256-GCM(HKDF(root, "store" ‖ place), AAD = place)` as base64url.
/// The parts of `place` are scheme, app, install, field and destination, so that somebody who can write to the table cannot have
/// a token sent elsewhere.
///
/// What cannot be encrypted (64 GiB and more) becomes an empty text, which cannot be opened.
pub fn store_seal(root: &Secret, key: &KeyId, place: &[&str], nonce: [u8; 12], plain: &[u8]) -> String {
    let aad = store_aad(key.as_str(), place);
    close(&store_secret(root, place), &aad, nonce, plain)
        .map(|box_| format!("k1.{key}.{}", BASE64URL_NOPAD.encode(&box_)))
        .unwrap_or_default()
}

fn store_secret(root: &Secret, place: &[&str]) -> Secret {
    let mut parts: Vec<&[u8]> = vec![b"store"];
    parts.extend(place.iter().map(|part| part.as_bytes()));
    root.derive(&parts)
}

fn store_aad(key: &str, place: &[&str]) -> Vec<u8> {
    let mut parts = vec!["k1", key];
    parts.extend(place);
    length_prefixed(&parts)
}

/// The key that a value sealed by [`store_seal`] names.
pub fn store_key(sealed: &str) -> Option<KeyId> {
    let (key, _) = sealed.strip_prefix("k1.")?.split_once('.')?;
    key.parse().ok()
}

/// Opens a value that [`store_seal`] sealed for the same place.
pub fn store_open(root: &Secret, place: &[&str], sealed: &str) -> Result<Zeroizing<Vec<u8>>, SealError> {
    let (key, box_) =
        sealed.strip_prefix("k1.").and_then(|rest| rest.split_once('.')).ok_or(SealError::Invalid)?;
    let box_ = BASE64URL_NOPAD.decode(box_.as_bytes()).map_err(|_| SealError::Invalid)?;
    open(&store_secret(root, place), &store_aad(key, place), box_)
}

#[cfg(test)]
mod tests {
    use super::*;
    use data_encoding::HEXLOWER;

    #[test]
    fn encrypts_as_the_published_vector_does() {
        // McGrew and Viega, "The Galois/Counter Mode of Operation (GCM)", test case 16.
        let hex = |text: &str| HEXLOWER.decode(text.as_bytes()).unwrap();
        let key = Secret::new(
            hex("feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308").try_into().unwrap(),
        );
        let nonce = hex("cafebabefacedbaddecaf888").try_into().unwrap();
        let aad = hex("feedfacedeadbeeffeedfacedeadbeefabaddad2");
        let plain = hex(concat!(
            "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72",
            "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39"
        ));
        let expected = concat!(
            "cafebabefacedbaddecaf888",
            "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa",
            "8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662",
            "76fc6ece0f4e1768cddf8853bb2d551b"
        );
        let closed = close(&key, &aad, nonce, &plain).unwrap();
        assert_eq!(HEXLOWER.encode(&closed), expected);
        assert_eq!(open(&key, &aad, closed).unwrap().as_slice(), plain);
    }
}
