//! The static token of an install.

use crate::store::model::Install;
use cloud_apps_protocol::secret::Secret;
use zeroize::Zeroizing;

/// The static token of an install: 26 characters of `[a-z2-7]`. It is derived from the root, so it need not be stored.
pub(crate) fn derive(root: &Secret, install: &Install) -> Zeroizing<String> {
    let generation = install.static_generation.to_string();
    let mut parts: Vec<&[u8]> =
        vec![b"static_token", install.app.as_str().as_bytes(), install.id.as_str().as_bytes()];
    if install.static_generation != 0 {
        parts.push(generation.as_bytes());
    }
    let secret = root.derive(&parts);
    let mut text = data_encoding::BASE32_NOPAD.encode(secret.expose()).to_ascii_lowercase();
    text.truncate(26);
    Zeroizing::new(text)
}
