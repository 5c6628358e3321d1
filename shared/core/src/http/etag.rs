//! Entity tags of installs (RFC 9110, section 8.8.3).

use crate::store::model::{Install, Sha256};
use cloud_apps_protocol::Manifest;

/// The entity tag of an install (`Cloud-Apps-Manifest`, `ETag`). It changes with every change of the install, including
/// upgrades, and with the manifest that an upgrade would give. It is made without a read.
pub fn etag(offered: &Manifest, install: &Install) -> String {
    tag(&Sha256::of_manifest(offered), install)
}

/// The same, from the manifest's hash.
pub fn tag(offered: &Sha256, install: &Install) -> String {
    let mut digest = aws_lc_rs::digest::Context::new(&aws_lc_rs::digest::SHA256);
    digest.update(&install.rev.to_be_bytes());
    digest.update(install.id.as_str().as_bytes());
    digest.update(offered.as_str().as_bytes());
    let sum = digest.finish();
    format!("\"{}\"", data_encoding::BASE64URL_NOPAD.encode(sum.as_ref().get(..16).unwrap_or_default()))
}

/// Whether an `If-None-Match` names this tag (RFC 9110, section 13.1.2: weak comparison).
pub fn matches(if_none_match: &str, etag: &str) -> bool {
    let mut tags = if_none_match.split(',').map(str::trim);
    tags.any(|tag| tag == "*" || tag.strip_prefix("W/").unwrap_or(tag) == etag)
}
