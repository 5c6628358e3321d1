//! Trigger ids: what an integration must show to open a dialog. `GenerateTriggerId` in
//! `model/integration_action.go`: base64 of `client id:user id:milliseconds:base64 of an ECDSA signature`.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair};
use data_encoding::BASE64;

/// The server's signing key (`AsymmetricSigningKey`), a new one for every stand-in.
pub(crate) struct TriggerKey(Option<EcdsaKeyPair>);

impl TriggerKey {
    pub(crate) fn new() -> TriggerKey {
        TriggerKey(EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).ok())
    }

    /// A trigger id. `client` is its first part, which the client is told in the answer.
    pub(crate) fn sign(&self, client: &str, user_id: &str, now: u64) -> String {
        let data = format!("{client}:{user_id}:{now}:");
        let signature = self.0.as_ref().and_then(|key| key.sign(&SystemRandom::new(), data.as_bytes()).ok());
        let signature = signature.map(|signature| BASE64.encode(signature.as_ref())).unwrap_or_default();
        BASE64.encode(format!("{data}{signature}").as_bytes())
    }

    /// The public key, an uncompressed point of P-256.
    pub(crate) fn public(&self) -> Vec<u8> {
        self.0.as_ref().map(|key| key.public_key().as_ref().to_vec()).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1, UnparsedPublicKey};

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
