//! Whose certificates are trusted: those of the system's authorities, and of the ones that `--ca` names.

mod authorities;
mod fault;
mod verifier;

pub use authorities::{Authorities, Authority};
pub use fault::CertificateFault;
pub use verifier::client_config;

use cloud_apps_protocol::text::shortened;
use x509_parser::x509::X509Name;

/// The name in a certificate, in one line: its common name, or else all of it. The one who made the certificate chose it.
fn name(name: &X509Name<'_>) -> String {
    let common = name.iter_common_name().next().and_then(|part| part.as_str().ok());
    let text = common.map_or_else(|| name.to_string(), str::to_owned);
    if text.is_empty() {
        return "an authority without a name".to_owned();
    }
    format!("{:?}", shortened(&text, 200))
}
