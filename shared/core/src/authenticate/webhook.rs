//! An outgoing webhook of an unmodified server (section 14.1): its token is registered for this install, with this
//! team and this channel.

use super::{LOOKS, serves};
use crate::{
    http::{LogLine, Refusal},
    services::Services,
    store::model::{Install, Sha256},
};
use cloud_apps_protocol::{InstallId, Millis, TeamId};
use std::sync::Arc;

/// What a delivery says of itself.
pub struct Claim<'a> {
    /// The install of the path.
    pub install: &'a str,
    /// The body's team.
    pub team: &'a str,
    /// The body's channel.
    pub channel: &'a str,
    /// The body's token.
    pub token: &'a str,
}

/// The install, if the claim is true and it serves.
pub async fn install(
    services: &Services,
    claim: &Claim<'_>,
    now: Millis,
    line: &mut LogLine,
) -> Result<Arc<Install>, Refusal> {
    let (Ok(id), Ok(team)) = (InstallId::new(claim.install), TeamId::new(claim.team)) else {
        return Err(Refusal::unauthorized());
    };
    if claim.token.is_empty() {
        return Err(Refusal::unauthorized());
    }
    let sha256 = Sha256::of(claim.token);
    let mut refusal = Refusal::unauthorized();
    for look in LOOKS {
        let found = services.installs.find_with_team(&id, &team, look, now).await?;
        let mut right = None;
        for webhook in found.1.iter().flat_map(|team| team.webhooks.values()) {
            if webhook.token_sha256.is(&sha256) && webhook.channel.as_str() == claim.channel {
                right = Some(webhook);
            }
        }
        let standing = found.0.filter(|install| right.is_some_and(|webhook| webhook.stands(install)));
        if let Some(install) = standing {
            line.app = Some(install.app.to_string());
            line.install = Some(install.id.to_string());
            match serves(&install) {
                Ok(()) => return Ok(install),
                Err(refused) => refusal = refused,
            }
        }
    }
    Err(refusal)
}
