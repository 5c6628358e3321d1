//! Install codes: permission to install one app on one server, once. 32 random bytes as base64url, shown once and
//! kept as SHA-256.

use crate::{
    authenticate,
    http::{Arrival, Refusal},
    random::Random,
    services::Management,
    store::{
        model::{InstallCode, Sha256},
        rules::over,
    },
};
use cloud_apps_protocol::token::Credential;
use zeroize::Zeroizing;

/// How long a code is good unless its maker says else, in seconds.
pub const VALID: u64 = 15 * 60;
/// How long a code may be good, in seconds.
pub const MAX_VALID: u64 = 24 * 60 * 60;

/// How many bytes of chance are in a code.
const BYTES: usize = 32;

/// A new code.
pub fn generate(random: &dyn Random) -> Zeroizing<String> {
    let mut bytes = Zeroizing::new([0; BYTES]);
    random.fill(&mut bytes[..]);
    Zeroizing::new(data_encoding::BASE64URL_NOPAD.encode(&bytes[..]))
}

/// The stored code of a request's `Authorization: Bearer`, whatever has become of it. A credential that cannot be a
/// code is refused without a read; unknown codes, like used and expired ones, after one.
pub(super) async fn presented(management: &Management, arrival: &Arrival) -> Result<InstallCode, Refusal> {
    let Ok(Credential::Opaque(code)) = authenticate::credential(arrival) else { return Err(refused()) };
    let code = Zeroizing::new(code);
    if !shaped(&code) {
        return Err(refused());
    }
    management.registry.code(&Sha256::of(&code)).await?.ok_or_else(refused)
}

/// Whether this can be a code at all.
pub(super) fn shaped(code: &str) -> bool {
    let bytes = data_encoding::BASE64URL_NOPAD.decode(code.as_bytes()).map(Zeroizing::new);
    bytes.is_ok_and(|bytes| bytes.len() == BYTES)
}

/// The stored code of a request, if it may still begin or end an install.
pub(super) fn unused(code: &InstallCode, now: u64) -> Result<(), Refusal> {
    if code.spent || over(code.exp, now) { Err(refused()) } else { Ok(()) }
}

/// What every code is answered that is not good here, whatever is wrong with it.
pub(super) fn refused() -> Refusal {
    let message = "This needs an install code that is good here: for this app, not expired, not used up. Ask the \
                   operator of the bundle for a new one (`cloud-apps operator code`), and send it as Authorization: \
                   Bearer.";
    Refusal { message: message.into(), ..Refusal::unauthorized() }
}
