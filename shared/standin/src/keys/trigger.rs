//! Trigger ids, which an integration must send to open a dialog. Source: `GenerateTriggerId` in
//! `model/integration_action.go`. The format is base64 of `client id:user id:milliseconds:base64 of an ECDSA signature`.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1, ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair, UnparsedPublicKey,
};
use data_encoding::BASE64;
use std::time::Duration;

/// Whose client shows the dialog.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Trigger {
    /// The part that the client was told.
    pub client: String,
    pub user_id: String,
}

/// Why a trigger id does not open a dialog, in the order in which the server checks it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TriggerError {
    NotBase64,
    MissingData,
    Expired,
    SignatureNotBase64,
    NoSignature,
    Forged,
}

/// The server's signing key (`AsymmetricSigningKey`). Every stand-in has a new one.
pub(crate) struct TriggerKey(Option<EcdsaKeyPair>);

impl TriggerKey {
    pub(crate) fn new() -> TriggerKey {
        TriggerKey(EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).ok())
    }

    /// A new trigger id. `client` is its first part, which the client learns from the answer.
    pub(crate) fn sign(&self, client: &str, user_id: &str, now: u64) -> String {
        let data = format!("{client}:{user_id}:{now}:");
        let signature = self.0.as_ref().and_then(|key| key.sign(&SystemRandom::new(), data.as_bytes()).ok());
        let signature = signature.map(|signature| BASE64.encode(signature.as_ref())).unwrap_or_default();
        BASE64.encode(format!("{data}{signature}").as_bytes())
    }

    /// Reads and checks a trigger id: `DecodeAndVerifyTriggerId`.
    ///
    /// # Errors
    /// It is not from this server, or it is older than `lifetime`.
    pub(crate) fn verify(&self, id: &str, now: u64, lifetime: Duration) -> Result<Trigger, TriggerError> {
        let id = BASE64.decode(id.as_bytes()).map_err(|_| TriggerError::NotBase64)?;
        let id = String::from_utf8_lossy(&id);
        let parts: Vec<&str> = id.split(':').collect();
        let [client, user_id, at, signature] = parts.as_slice() else {
            return Err(TriggerError::MissingData);
        };
        // The server reads a text that is not a number as 1970.
        let age = now.saturating_sub(at.parse().unwrap_or(0));
        if u128::from(age) > lifetime.as_millis() {
            return Err(TriggerError::Expired);
        }
        let signature = BASE64.decode(signature.as_bytes()).map_err(|_| TriggerError::SignatureNotBase64)?;
        if !is_sequence(&signature) {
            return Err(TriggerError::NoSignature);
        }
        let data = format!("{client}:{user_id}:{at}:");
        let public = UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, self.public());
        public.verify(data.as_bytes(), &signature).map_err(|_| TriggerError::Forged)?;
        Ok(Trigger { client: (*client).to_owned(), user_id: (*user_id).to_owned() })
    }

    /// The public key, an uncompressed point of P-256.
    pub(crate) fn public(&self) -> Vec<u8> {
        self.0.as_ref().map(|key| key.public_key().as_ref().to_vec()).unwrap_or_default()
    }
}

/// Whether bytes are a DER sequence, as every signature is.
fn is_sequence(bytes: &[u8]) -> bool {
    matches!(bytes, [0x30, length, rest @ ..] if usize::from(*length) == rest.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const LIFE: Duration = Duration::from_secs(3);

    /// A trigger id with another part in place of one of the four.
    fn bent(id: &str, at: usize, part: &str) -> String {
        let plain = String::from_utf8(BASE64.decode(id.as_bytes()).unwrap()).unwrap();
        let mut parts: Vec<&str> = plain.split(':').collect();
        parts[at] = part;
        BASE64.encode(parts.join(":").as_bytes())
    }

    #[test]
    fn a_trigger_id_tells_its_user_until_it_expires() {
        let key = TriggerKey::new();
        let id = key.sign("client", "user", 7);
        let known = Trigger { client: "client".to_owned(), user_id: "user".to_owned() };
        assert_eq!(key.verify(&id, 3_007, LIFE), Ok(known));
        assert_eq!(key.verify(&id, 3_008, LIFE), Err(TriggerError::Expired));
    }

    #[test]
    fn what_is_no_trigger_id_of_this_server_is_told_as_the_server_tells_it() {
        let key = TriggerKey::new();
        let id = key.sign("client", "user", 7);
        let empty = BASE64.encode(b"0\x00");
        for (id, why) in [
            ("bad".to_owned(), TriggerError::NotBase64),
            (BASE64.encode(b"a:b:7"), TriggerError::MissingData),
            (bent(&id, 2, "soon"), TriggerError::Expired),
            (bent(&id, 3, "AAA"), TriggerError::SignatureNotBase64),
            (bent(&id, 3, "AAAA"), TriggerError::NoSignature),
            (bent(&id, 3, &empty), TriggerError::Forged),
            (bent(&id, 1, "other"), TriggerError::Forged),
            (TriggerKey::new().sign("client", "user", 7), TriggerError::Forged),
        ] {
            assert_eq!(key.verify(&id, 3_001 + 6, LIFE), Err(why), "{id}");
        }
    }

    proptest! {
        #[test]
        fn nothing_that_was_not_signed_opens_a_dialog(text in ".{0,80}", data in prop::collection::vec(any::<u8>(), 0..80)) {
            let key = TriggerKey::new();
            prop_assert!(key.verify(&text, 0, LIFE).is_err());
            prop_assert!(key.verify(&BASE64.encode(&data), 0, LIFE).is_err());
        }
    }

    #[test]
    fn a_trigger_id_has_four_parts_and_a_signature_that_holds() {
        let key = TriggerKey::new();
        let id = String::from_utf8(BASE64.decode(key.sign("client", "user", 7).as_bytes()).unwrap()).unwrap();
        let (data, signature) = id.rsplit_once(':').unwrap();
        assert_eq!(data, "client:user:7");
        let public = UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, key.public());
        let signature = BASE64.decode(signature.as_bytes()).unwrap();
        public.verify(b"client:user:7:", &signature).unwrap();
        public.verify(b"client:user:8:", &signature).unwrap_err();
    }
}
