//! Secrets that are derived and not stored.

use crate::{AppId, Generation, InstallId};
use zeroize::Zeroizing;

/// 32 secret bytes. They are never printed, and wiped when dropped.
#[derive(Clone)]
pub struct Secret(Zeroizing<[u8; 32]>);

impl Secret {
    /// A secret of these bytes.
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// Reads 43 characters of base64url without padding.
    pub fn from_base64url(text: &str) -> Option<Self> {
        let bytes = Zeroizing::new(data_encoding::BASE64URL_NOPAD.decode(text.as_bytes()).ok()?);
        Some(Self::new(bytes.as_slice().try_into().ok()?))
    }

    /// 43 characters of base64url without padding: the form in which a shared secret is shown.
    pub fn to_base64url(&self) -> Zeroizing<String> {
        Zeroizing::new(data_encoding::BASE64URL_NOPAD.encode(&self.0[..]))
    }

    /// The bytes themselves.
    pub fn expose(&self) -> &[u8; 32] {
        &self.0
    }

    /// Derives a secret with HKDF-SHA256 (RFC 5869, without salt). `info` is `parts`, each after its length as a big-endian u32, so
    /// that two different lists of parts never give the same bytes.
    #[must_use]
    pub fn derive(&self, parts: &[&[u8]]) -> Secret {
        let mut info = Vec::new();
        for part in parts {
            info.extend_from_slice(&u32::try_from(part.len()).unwrap_or(u32::MAX).to_be_bytes());
            info.extend_from_slice(part);
        }
        let mut out = Zeroizing::new([0; 32]);
        expand(&self.0[..], &info, &mut out[..]);
        Secret(out)
    }

    /// The shared secret of the bundle and one Mattermost server (`self` is the root of the app's key).
    #[must_use]
    pub fn shared(&self, app: &AppId, install: &InstallId, generation: Generation) -> Secret {
        self.derive(&[
            b"shared_secret",
            app.as_str().as_bytes(),
            install.as_str().as_bytes(),
            generation.0.to_string().as_bytes(),
        ])
    }

    /// The shared secret of the bundle and an app that runs elsewhere (`self` is the root of the app's key).
    #[must_use]
    pub fn upstream(&self, app: &AppId, generation: Generation) -> Secret {
        self.derive(&[b"upstream_secret", app.as_str().as_bytes(), generation.0.to_string().as_bytes()])
    }
}

/// HKDF-SHA256 without salt.
fn expand(secret: &[u8], info: &[u8], out: &mut [u8]) {
    struct Length(usize);
    impl aws_lc_rs::hkdf::KeyType for Length {
        fn len(&self) -> usize {
            self.0
        }
    }
    let key = aws_lc_rs::hkdf::Salt::new(aws_lc_rs::hkdf::HKDF_SHA256, &[]).extract(secret);
    let info = [info];
    // Both fail only for outputs of more than 255 blocks, and this is one block.
    if let Ok(okm) = key.expand(&info, Length(out.len())) {
        let filled = okm.fill(out);
        debug_assert!(filled.is_ok());
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use data_encoding::HEXLOWER;

    #[test]
    fn expands_as_rfc_5869_does() {
        // RFC 5869, A.3: no salt, no info.
        let mut out = [0; 42];
        expand(&[0x0b; 22], &[], &mut out);
        assert_eq!(
            HEXLOWER.encode(&out),
            "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8"
        );
    }

    #[test]
    fn no_two_lists_of_parts_give_the_same_secret() {
        let root = Secret::new([7; 32]);
        let lists: [&[&[u8]]; 6] = [&[], &[b""], &[b"ab", b"c"], &[b"a", b"bc"], &[b"abc"], &[b"abc", b""]];
        for (i, a) in lists.iter().enumerate() {
            for b in lists.iter().skip(i + 1) {
                assert_ne!(root.derive(a).expose(), root.derive(b).expose(), "{a:?} {b:?}");
            }
        }
    }

    #[test]
    fn every_app_install_and_generation_has_a_secret_of_its_own() {
        let root = Secret::new([7; 32]);
        let (a, b) = ("jira".parse().unwrap(), "hello".parse().unwrap());
        let (x, y) = ("a".repeat(26).parse().unwrap(), "b".repeat(26).parse().unwrap());
        let secret = |app, install, generation| *root.shared(app, install, Generation(generation)).expose();
        assert_eq!(secret(&a, &x, 1), secret(&a, &x, 1));
        for other in [secret(&b, &x, 1), secret(&a, &y, 1), secret(&a, &x, 2), secret(&a, &x, 11)] {
            assert_ne!(other, secret(&a, &x, 1));
        }
    }

    #[test]
    fn a_secret_is_written_in_base64url_and_never_printed() {
        let secret = Secret::new([0xff; 32]);
        let text = secret.to_base64url();
        assert_eq!(text.len(), 43);
        assert_eq!(Secret::from_base64url(&text).unwrap().expose(), secret.expose());
        assert!(!format!("{secret:?}").contains(text.as_str()));
        for bad in ["", "AA", &format!("{}=", *text), &text[1..], &text.replace('_', "/")] {
            assert!(Secret::from_base64url(bad).is_none(), "{bad}");
        }
    }
}
