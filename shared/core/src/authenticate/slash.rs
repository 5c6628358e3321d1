//! A slash command of an unmodified server (section 14.1): its token is registered for this install, with this team
//! and this trigger.
//!
//! Unknown install, unknown team, unknown trigger and wrong token are one refusal after the same work.

use super::{LOOKS, serves};
use crate::{
    http::{Arrival, LogLine, Refusal},
    services::Services,
    store::model::{Install, Sha256, Team},
};
use cloud_apps_protocol::{InstallId, TeamId};
use http::header;
use std::sync::Arc;

/// What a form says of itself.
pub struct Claim<'a> {
    /// The install of the path.
    pub install: &'a str,
    /// The form's team.
    pub team: &'a str,
    /// The form's `command` without `/`.
    pub trigger: &'a str,
    /// The form's token.
    pub token: &'a str,
}

/// The install and the team that the command was sent for, if the claim is true and the install serves.
pub async fn install(
    services: &Services,
    arrival: &Arrival,
    claim: &Claim<'_>,
    line: &mut LogLine,
) -> Result<(Arc<Install>, TeamId), Refusal> {
    let (Ok(id), Ok(team)) = (InstallId::new(claim.install), TeamId::new(claim.team)) else {
        return Err(Refusal::unauthorized());
    };
    let sha256 = Sha256::of(claim.token);
    if claim.token.is_empty() || !header_agrees(arrival, &sha256) {
        return Err(Refusal::unauthorized());
    }
    let mut refusal = Refusal::unauthorized();
    for look in LOOKS {
        let found = services.installs.find_with_team(&id, &team, look, arrival.now).await?;
        // Compared also where there is nothing to compare with, so that the work is the same.
        let nobody = Sha256::of("");
        let registered = found.1.as_deref().and_then(|team: &Team| team.commands.get(claim.trigger));
        let right = registered.map_or(&nobody, |command| &command.token_sha256).is(&sha256);
        let standing = found.0.filter(|install| registered.is_some_and(|command| command.stands(install)));
        if let (Some(install), true) = (standing, right) {
            line.app = Some(install.app.to_string());
            line.install = Some(install.id.to_string());
            match serves(&install) {
                Ok(()) => return Ok((install, team)),
                Err(refused) => refusal = refused,
            }
        }
    }
    Err(refusal)
}

/// `Authorization: Token x` must carry the body's token; other schemes are not ours (outgoing OAuth sends `Bearer`).
fn header_agrees(arrival: &Arrival, sha256: &Sha256) -> bool {
    arrival.request.headers().get_all(header::AUTHORIZATION).iter().all(|value| {
        let Ok(text) = value.to_str() else { return false };
        match text.trim().split_once(' ') {
            Some((scheme, token)) if scheme.eq_ignore_ascii_case("token") => {
                Sha256::of(token.trim()).is(sha256)
            }
            _ => true,
        }
    })
}
