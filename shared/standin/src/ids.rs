//! Ids and tokens in Mattermost's format: 16 bytes in z-base-32, which are 26 characters.
//!
//! They come from a seed and a counter. So a stand-in with a given seed always has the same ids, and one without has
//! tokens that nobody can guess. (The signature of a trigger id is different each time, because ECDSA uses a new
//! random number.) Source: `NewId` in mattermost-server `model/utils.go`.

use aws_lc_rs::digest::{Context, SHA256};
use aws_lc_rs::rand::{SecureRandom, SystemRandom};
use data_encoding::{Encoding, Specification};
use std::sync::OnceLock;

const ALPHABET: &str = "ybndrfg8ejkmcpqxot1uwisza345h769";

/// A source of ids.
pub(crate) struct Ids {
    seed: [u8; 32],
    drawn: u64,
}

impl Ids {
    /// Ids that differ in every process.
    pub(crate) fn random() -> Ids {
        let mut seed = [0; 32];
        // AWS-LC aborts when the system has no random numbers, so this is never reached; the return type needs it.
        if SystemRandom::new().fill(&mut seed).is_err() {
            let mut here = Context::new(&SHA256);
            here.update(&std::process::id().to_be_bytes());
            here.update(format!("{:?}", std::time::Instant::now()).as_bytes());
            seed.copy_from_slice(here.finish().as_ref());
        }
        Ids { seed, drawn: 0 }
    }

    /// The same ids for the same seed.
    pub(crate) fn seeded(seed: u64) -> Ids {
        let mut wide = [0; 32];
        wide[..8].copy_from_slice(&seed.to_be_bytes());
        Ids { seed: wide, drawn: 0 }
    }

    /// A new id or token of 26 characters.
    pub(crate) fn next(&mut self) -> String {
        self.drawn += 1;
        let mut hash = Context::new(&SHA256);
        hash.update(&self.seed);
        hash.update(&self.drawn.to_be_bytes());
        let digest = hash.finish();
        encoding().encode(digest.as_ref().get(..16).unwrap_or_default())
    }
}

/// The same id for the same name: for what every server has, such as roles.
pub(crate) fn named(name: &str) -> String {
    let digest = aws_lc_rs::digest::digest(&SHA256, name.as_bytes());
    encoding().encode(digest.as_ref().get(..16).unwrap_or_default())
}

/// The name of a group channel: the 40 hexadecimal digits of a SHA-1 digest (`GetGroupNameFromUserIds`).
pub(crate) fn digest(text: &str) -> String {
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA1_FOR_LEGACY_USE_ONLY, text.as_bytes());
    data_encoding::HEXLOWER.encode(digest.as_ref())
}

/// Whether `text` has the form of an id: `IsValidId` in `model/utils.go`.
pub(crate) fn is_id(text: &str) -> bool {
    text.len() == 26 && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

fn encoding() -> &'static Encoding {
    static ZBASE32: OnceLock<Encoding> = OnceLock::new();
    ZBASE32.get_or_init(|| {
        let mut spec = Specification::new();
        spec.symbols.push_str(ALPHABET);
        // This cannot fail, because the alphabet is a constant with 32 different characters; a test checks it.
        spec.encoding().unwrap_or(data_encoding::BASE32_NOPAD)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_have_mattermosts_form_and_follow_the_seed() {
        let (mut one, mut same, mut other) = (Ids::seeded(1), Ids::seeded(1), Ids::seeded(2));
        let id = one.next();
        assert!(is_id(&id) && id.chars().all(|c| ALPHABET.contains(c)), "{id}");
        assert_eq!(id, same.next());
        assert_ne!(id, other.next());
        assert_ne!(id, one.next());
        assert_ne!(Ids::random().next(), Ids::random().next());
    }
}
