//! An outgoing webhook of an unmodified server (section 14.1): its token is registered for this install, with this
//! team and this channel.

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
use cloud_apps_protocol::{InstallId, Millis, TeamId};
use futures_util::FutureExt;
use std::sync::Arc;

/// What a delivery says of itself.
pub struct WebhookCredential<'a> {
    /// The install of the path.
    pub install: &'a str,
    /// The body's team.
    pub team: &'a str,
    /// The body's channel.
    pub channel: &'a str,
    /// The body's token.
    pub token: &'a str,
}

/// The install, if the token is registered for the channel and the install serves.
pub async fn install(
    services: &Services,
    credential: &WebhookCredential<'_>,
    now: Millis,
    line: &mut LogLine,
) -> Result<Arc<Install>, Refusal> {
    let (Ok(id), Ok(team)) = (InstallId::new(credential.install), TeamId::new(credential.team)) else {
        return Err(Refusal::unauthorized());
    };
    if credential.token.is_empty() {
        return Err(Refusal::unauthorized());
    }
    let sha256 = Sha256::of(credential.token);
    let find = |fresh| find(services, (&id, &team), (credential.channel, &sha256), fresh, now).boxed();
    serving(find, line).await
}

/// The install, if a webhook of this channel is registered in the team with a token of this hash.
async fn find(
    services: &Services,
    (id, team): (&InstallId, &TeamId),
    (channel, sha256): (&str, &Sha256),
    fresh: Freshness,
    now: Millis,
) -> Stored<Option<Arc<Install>>> {
    let (install, team) = services.installs.find_with_team(id, team, fresh, now).await?;
    let mut right = None;
    // All are compared, so that the work does not tell which one it was.
    for webhook in team.iter().flat_map(|team| team.webhooks.values()) {
        if webhook.token_sha256.is(sha256) && webhook.channel.as_str() == channel {
            right = Some(webhook);
        }
    }
    let stands = |install: &Arc<Install>| right.is_some_and(|webhook| webhook.stands(install));
    Ok(install.filter(stands))
}
