//! Random bytes, and what is made from them.

use cloud_apps_protocol::{InstallId, install::RotationId};

/// A source of random bytes for ids, codes, nonces and roots.
pub trait Random: Send + Sync {
    /// Fills the buffer. The system's generator never fails on the platforms of Lambda.
    fn fill(&self, bytes: &mut [u8]);
}

/// The generator of the cryptographic library.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemRandom;

impl Random for SystemRandom {
    /// # Panics
    ///
    /// Panics if the library has no entropy. To continue with known bytes for keys and nonces would be worse.
    #[allow(clippy::expect_used)]
    fn fill(&self, bytes: &mut [u8]) {
        aws_lc_rs::rand::fill(bytes).expect("the system gives random bytes");
    }
}

impl dyn Random + '_ {
    /// 26 random characters of `[a-z2-7]`: 130 bits. Install ids, token ids and request ids have this form.
    pub fn base32(&self) -> String {
        let mut bytes = [0; 17];
        self.fill(&mut bytes);
        let mut text = data_encoding::BASE32_NOPAD.encode(&bytes).to_ascii_lowercase();
        text.truncate(26);
        text
    }

    /// A new install's id.
    ///
    /// # Panics
    ///
    /// It never panics: see the test below.
    #[allow(clippy::expect_used)] // These are 26 characters of the right alphabet, whatever the bytes are.
    pub fn install_id(&self) -> InstallId {
        InstallId::new(self.base32()).expect("26 characters of base32 are an install id")
    }

    /// An id for a request, if the platform gives none.
    pub fn request_id(&self) -> String {
        self.base32()
    }

    /// A name for a rotation.
    pub fn rotation_id(&self) -> RotationId {
        let mut bytes = [0; 16];
        self.fill(&mut bytes);
        RotationId::new(bytes)
    }

    /// 12 bytes that are used once.
    pub fn nonce(&self) -> [u8; 12] {
        let mut nonce = [0; 12];
        self.fill(&mut nonce);
        nonce
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Fixed(u8);
    impl Random for Fixed {
        fn fill(&self, bytes: &mut [u8]) {
            bytes.fill(self.0);
        }
    }

    #[test]
    fn whatever_the_random_bytes_are_they_make_an_install_id() {
        for byte in 0..=255 {
            let random: &dyn Random = &Fixed(byte);
            assert_eq!(random.install_id().as_str().len(), 26);
        }
    }

    #[test]
    fn the_systems_bytes_differ() {
        let random: &dyn Random = &SystemRandom;
        assert_ne!(random.request_id(), random.request_id());
    }
}
