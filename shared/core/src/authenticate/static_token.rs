//! A static token (section 2): 26 characters that an admin asked for at install. It carries the trust of a slash
//! command and no more: no REST token, no replay check, no proved user.

use super::serving;
use crate::{
    http::{LogLine, Refusal},
    services::Services,
    store::{
        cache::Freshness,
        model::{Install, Sha256},
        ports::Stored,
    },
};
use cloud_apps_protocol::{InstallId, Millis};
use futures_util::FutureExt;
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
    serving(|fresh| find(services, &sha256, fresh, now).boxed(), line).await
}

/// The install whose static token has this hash.
async fn find(
    services: &Services,
    sha256: &Sha256,
    fresh: Freshness,
    now: Millis,
) -> Stored<Option<Arc<Install>>> {
    let Some(id) = services.installs.find_static_token(sha256, fresh, now).await? else { return Ok(None) };
    let install = services.installs.find(&id, fresh, now).await?;
    // The token's item and the install are two items: the install has the last word.
    let is_its = |install: &Arc<Install>| install.static_token.as_ref().is_some_and(|kept| kept.is(sha256));
    Ok(install.filter(is_its))
}
