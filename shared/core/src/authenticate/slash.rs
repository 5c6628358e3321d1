//! A slash command of an unmodified server (section 14.1): its token is registered for this install, with this team
//! and this trigger.
//!
//! Unknown install, unknown team, unknown trigger and wrong token are one refusal after the same work.

use super::serving;
use crate::{
    http::{Arrival, LogLine, Refusal},
    services::Services,
    store::{
        cache::Freshness,
        model::{Install, Sha256},
        ports::Stored,
    },
};
use cloud_apps_protocol::{InstallId, Millis, TeamId};
use futures_util::FutureExt;
use http::header;
use std::{borrow::Cow, sync::Arc};

/// What a form says of itself.
pub struct SlashCredential<'a> {
    /// The install of the path.
    pub install: &'a str,
    /// The form's team.
    pub team: Cow<'a, str>,
    /// The form's `command`: the trigger, with `/`.
    pub trigger: Cow<'a, str>,
    /// The form's token.
    pub token: Cow<'a, str>,
}

/// The install and the team that the command was sent for, if the token is registered for them and the install serves.
pub async fn install(
    services: &Services,
    arrival: &Arrival,
    credential: &SlashCredential<'_>,
    line: &mut LogLine,
) -> Result<(Arc<Install>, TeamId), Refusal> {
    let (Ok(id), Ok(team)) = (InstallId::new(credential.install), TeamId::new(&*credential.team)) else {
        return Err(Refusal::unauthorized());
    };
    let trigger = credential.trigger.trim_start_matches('/');
    let sha256 = Sha256::of(&credential.token);
    if credential.token.is_empty() || !header_agrees(arrival, &sha256) {
        return Err(Refusal::unauthorized());
    }
    let find = |fresh| find(services, (&id, &team), (trigger, &sha256), fresh, arrival.now).boxed();
    let install = serving(find, line).await?;
    Ok((install, team))
}

/// The install, if the trigger is registered in the team with a token of this hash.
async fn find(
    services: &Services,
    (id, team): (&InstallId, &TeamId),
    (trigger, sha256): (&str, &Sha256),
    fresh: Freshness,
    now: Millis,
) -> Stored<Option<Arc<Install>>> {
    let (install, team) = services.installs.find_with_team(id, team, fresh, now).await?;
    // Compared also where there is nothing to compare with, so that the work is the same.
    let nobody = Sha256::of("");
    let registered = team.as_deref().and_then(|team| team.commands.get(trigger));
    let right = registered.map_or(&nobody, |command| &command.token_sha256).is(sha256);
    let stands = |install: &Arc<Install>| registered.is_some_and(|command| command.stands(install));
    Ok(install.filter(|install| right && stands(install)))
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
