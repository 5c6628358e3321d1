//! Secrets that are derived rather than stored.

use crate::{AppId, Generation, InstallId};
use zeroize::Zeroizing;

/// 32 secret bytes. Never printed, wiped when dropped.
#[derive(Clone)]
pub struct Secret(Zeroizing<[u8; 32]>);

impl Secret {
    /// Takes the bytes.
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// Reads 43 characters of base64url without padding.
    pub fn from_base64url(text: &str) -> Option<Self> {
        let bytes = Zeroizing::new(data_encoding::BASE64URL_NOPAD.decode(text.as_bytes()).ok()?);
        Some(Self::new(bytes.as_slice().try_into().ok()?))
    }

    /// 43 characters of base64url without padding: the form in which a shared secret is handed over.
    pub fn to_base64url(&self) -> Zeroizing<String> {
        Zeroizing::new(data_encoding::BASE64URL_NOPAD.encode(&self.0[..]))
    }

    /// The bytes themselves.
    pub fn expose(&self) -> &[u8; 32] {
        &self.0
    }

    /// HKDF-SHA256 (RFC 5869, no salt) of this secret; `info` is `parts`, each led by its length as a
    /// big-endian u32, so that no two lists of parts give the same bytes.
    #[must_use]
    pub fn derive(&self, parts: &[&[u8]]) -> Secret {
        let mut info = Vec::new();
        for part in parts {
            info.extend_from_slice(&u32::try_from(part.len()).unwrap_or(u32::MAX).to_be_bytes());
            info.extend_from_slice(part);
        }
        let salt = aws_lc_rs::hkdf::Salt::new(aws_lc_rs::hkdf::HKDF_SHA256, &[]);
        let key = salt.extract(&self.0[..]);
        let info = [info.as_slice()];
        let mut out = Zeroizing::new([0; 32]);
        // Both fail only for outputs over 255 blocks; this is one.
        if let Ok(okm) = key.expand(&info, aws_lc_rs::hkdf::HKDF_SHA256) {
            let filled = okm.fill(&mut out[..]);
            debug_assert!(filled.is_ok());
        }
        Secret(out)
    }

    /// The secret shared between the bundle and one Mattermost server (`self` is the root of the app's key).
    #[must_use]
    pub fn shared(&self, app: &AppId, install: &InstallId, generation: Generation) -> Secret {
        self.derive(&[
            b"shared_secret",
            app.as_str().as_bytes(),
            install.as_str().as_bytes(),
            generation.0.to_string().as_bytes(),
        ])
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(…)")
    }
}
