//! Install codes: permission to install one app on one server, once. A code is 32 random bytes as base64url. It is shown
//! once and stored as SHA-256.

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

/// How long a code is valid by default, in seconds.
pub const VALID: u64 = 15 * 60;
/// How long a code may be valid, in seconds.
pub const MAX_VALID: u64 = 24 * 60 * 60;

/// How many random bytes a code has.
const BYTES: usize = 32;

/// A new code.
pub fn generate(random: &dyn Random) -> Zeroizing<String> {
    let mut bytes = Zeroizing::new([0; BYTES]);
    random.fill(&mut bytes[..]);
    Zeroizing::new(data_encoding::BASE64URL_NOPAD.encode(&bytes[..]))
}

/// The stored code of a request's `Authorization: Bearer`, also if it is used or expired. A credential that cannot be a code
/// is refused without a read; unknown, used and expired codes are refused after one.
pub(super) async fn presented(management: &Management, arrival: &Arrival) -> Result<InstallCode, Refusal> {
    let Ok(Credential::Opaque(code)) = authenticate::credential(arrival) else { return Err(refused()) };
    let code = Zeroizing::new(code);
    if !shaped(&code) {
        return Err(refused());
    }
    management.registry.code(&Sha256::of(&code)).await?.ok_or_else(refused)
}

/// Whether this text can be a code.
pub(super) fn shaped(code: &str) -> bool {
    let bytes = data_encoding::BASE64URL_NOPAD.decode(code.as_bytes()).map(Zeroizing::new);
    bytes.is_ok_and(|bytes| bytes.len() == BYTES)
}

/// Refuses a code that is used or expired.
pub(super) fn unused(code: &InstallCode, now: u64) -> Result<(), Refusal> {
    if code.spent || over(code.exp, now) { Err(refused()) } else { Ok(()) }
}

/// The refusal of every code that is not valid here, whatever the reason.
pub(super) fn refused() -> Refusal {
    let message = "This needs an install code that is good here: for this app, not expired, not used up. Ask the \
                   operator of the bundle for a new one (`cloud-apps operator code`), and send it as Authorization: \
                   Bearer.";
    Refusal { message: message.into(), ..Refusal::unauthorized() }
}
