//! A static token (section 2): 26 characters that an admin asked for at install. It carries the trust of a slash
//! command and no more: no REST token, no replay check, no proved user.

use super::{LOOKS, serves};
use crate::{
    http::{LogLine, Refusal},
    services::Services,
    store::model::{Install, Sha256},
};
use cloud_apps_protocol::{InstallId, Millis};
use std::sync::Arc;

/// The install whose token this is.
pub async fn install(
    services: &Services,
    token: &str,
    now: Millis,
    line: &mut LogLine,
) -> Result<Arc<Install>, Refusal> {
    // A static token has the alphabet and the length of an install id.
    if InstallId::new(token).is_err() {
        return Err(Refusal::unauthorized());
    }
    let sha256 = Sha256::of(token);
    let mut refusal = Refusal::unauthorized();
    for look in LOOKS {
        let Some(id) = services.installs.find_static_token(&sha256, look, now).await? else { continue };
        let Some(install) = services.installs.find(&id, look, now).await? else { continue };
        // The token's item and the install are two items: the install has the last word.
        if !install.static_token.as_ref().is_some_and(|kept| kept.is(&sha256)) {
            continue;
        }
        line.app = Some(install.app.to_string());
        line.install = Some(install.id.to_string());
        match serves(&install) {
            Ok(()) => return Ok(install),
            Err(refused) => refusal = refused,
        }
    }
    Err(refusal)
}
