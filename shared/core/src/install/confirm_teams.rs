//! Asks an install's server whether it has the teams that somebody registers something in.

use super::problems::Reader;
use crate::{http::Refusal, log::chain, services::Management, store::model::Install};
use cloud_app::Mattermost;
use cloud_apps_protocol::{Millis, TeamId};
use futures_util::{StreamExt, stream};
use http::StatusCode;
use serde::Deserialize;
use serde_json::Value;
use std::{
    collections::BTreeSet,
    sync::Arc,
    time::{Duration, Instant},
};

/// How long the server has to answer all questions.
const PATIENCE: Duration = Duration::from_secs(8);
/// About how many teams it is asked at the same time.
const AT_ONCE: usize = 8;

/// Refuses registrations in teams that the server does not have, because then somebody invented them. The server is not asked
/// about teams in which the install has registrations already, and not about commands, because a bot may not see them.
///
/// The server is asked with the bot's token. One answer has all teams of the bot, and the installer puts the bot into the
/// teams that it registers. If the bot is not in a team, the server still says whether there is such a team, though not more
/// (`403`). If the server cannot be asked now, only the limit on the number of teams remains.
pub(crate) async fn confirm(
    management: &Management,
    install: &Install,
    (body, list): (&Value, &str),
    new: Vec<TeamId>,
    now: Millis,
) -> Result<(), Refusal> {
    #[derive(Deserialize)]
    struct Own {
        id: TeamId,
    }
    if new.is_empty() {
        return Ok(());
    }
    let bot = management.services.bot(Arc::new(install.clone()), now);
    let server = Mattermost::bot(management.services.http.clone(), bot).until(Instant::now() + PATIENCE);
    let own: Vec<Own> = match server.get("/users/me/teams").await {
        Ok(own) => own,
        Err(error) => {
            let (install, error) = (install.id.as_str(), chain(&error));
            tracing::warn!(
                install,
                error,
                "the server was not asked whether it has the teams that were registered"
            );
            return Ok(());
        }
    };
    let own: BTreeSet<TeamId> = own.into_iter().map(|team| team.id).collect();
    let others = new.into_iter().filter(|team| !own.contains(team));
    let asked = others.map(|team| {
        let server = &server;
        async move {
            let absent =
                server.team(&team).await.is_err_and(|error| error.status() == Some(StatusCode::NOT_FOUND));
            absent.then_some(team)
        }
    });
    let invented: BTreeSet<TeamId> =
        stream::iter(asked).buffer_unordered(AT_ONCE).filter_map(async |team| team).collect().await;
    let mut reader = Reader::new(body);
    for (n, entry) in reader.list(list).iter().enumerate() {
        let team = entry.get("team_id").and_then(Value::as_str);
        if team.is_some_and(|team| invented.iter().any(|invented| invented.as_str() == team)) {
            let message = format!("is no team of {}: register what stands there", install.site);
            reader.problem(format!("{list}/{n}/team_id"), message);
        }
    }
    reader.finish(Some(()))
}
