//! The removal of an install. First the install stops serving; then the app's `uninstall` function runs; then everything is
//! removed that the bundle has of the install, its site last. What is on the server, its admin removes.
//!
//! Each part may be interrupted and repeated, and none needs room in what the install stores. A job that was queued before
//! the first part finishes the rest. A request that is repeated gets the same answer, for a day also when nothing is left.

use super::{
    RequestInfo, cleanup, registrations,
    removed::{remember, remembered},
    stored, wait,
};
use crate::{
    http::{LogLine, Refusal},
    services::Management,
    store::{
        job::{Job, JobKind},
        model::{Install, State, Team},
        page::MAX_TEAMS,
        ports::{Changed, StoreError, Stored, TRIES},
        rules::{given_up, next},
    },
};
use cloud_apps_protocol::{
    Millis, TeamId,
    install::{InstallRemoved, Registration},
};
use std::sync::Arc;

/// When the job looks whether a removal was finished, in ms. By then the request that began it has ended.
const LOOK_AFTER: Millis = 60_000;

/// Removes an install, or continues its removal. `call`: whether to call the app's function, if the install was ever
/// complete.
pub(crate) async fn remove(
    management: &Management,
    request_info: RequestInfo<'_>,
    install: Arc<Install>,
    call: bool,
    line: &mut LogLine,
) -> Result<InstallRemoved, Refusal> {
    line.app = Some(install.app.to_string());
    line.install = Some(install.id.to_string());
    let mut going = stop(management, request_info.now, install, line).await?;
    // An earlier request may have come as far as this.
    let answer = if let Some(gone) = remembered(management, &going.id, request_info.now).await? {
        gone.answer
    } else {
        if call && going.state == State::Removing {
            going = cleanup::run(management, request_info, going, line).await?;
        }
        let answer = answer(&going, teams(management, &going, line).await?);
        remember(management, &going, &answer, request_info.now).await?;
        answer
    };
    management.dead_letters.clear(&going.id).await?;
    let undone = management.registry.undo(&going, going.rev).await?;
    management.services.installs.forget(&going.id);
    if undone == Changed::Conflict {
        return Err(Refusal::conflict(&format!("install {}", going.id)));
    }
    line.outcome("removed");
    Ok(answer)
}

/// Stops an install: it serves nobody after this, and can only be removed. An install that was never complete is given up.
async fn stop(
    management: &Management,
    now: Millis,
    mut install: Arc<Install>,
    line: &LogLine,
) -> Result<Arc<Install>, Refusal> {
    for _ in 0..TRIES {
        match install.state {
            State::Completing { lease, .. } if lease > now => return Err(wait::for_completion(lease, now)),
            State::Removing => return Ok(install),
            State::Pending { .. } if given_up(&install) => return Ok(install),
            _ => {}
        }
        let state = match &install.state {
            State::Pending { code, .. } | State::Completing { code, .. } => {
                State::Pending { code: code.clone(), until: 0 }
            }
            State::Active | State::Disabled | State::Removing => State::Removing,
        };
        let going = Install { state, ..(*install).clone() };
        // The job comes first. Whatever happens to this request, the job finishes what it began.
        let watch = JobKind::Watch { install: going.id.clone(), rev: next(install.rev) };
        management.queue.send(&Job::new(watch, LOOK_AFTER, Some(line.trace().to_owned()), now), now).await?;
        let changed = management.registry.change(&going, install.rev).await?;
        management.services.installs.forget(&install.id);
        if changed == Changed::Yes {
            return Ok(Arc::new(Install { rev: next(install.rev), ..going }));
        }
        let Some(again) = stored::find(management, &install.id, now).await? else { break };
        install = again;
    }
    Err(Refusal::conflict(&format!("install {}", install.id)))
}

/// The registrations of an install. `None`: they cannot be read, which does not stop the removal.
async fn teams(
    management: &Management,
    going: &Install,
    line: &mut LogLine,
) -> Stored<Option<Vec<(TeamId, Team)>>> {
    match management.registry.teams(&going.id).await {
        Ok(teams) => Ok(Some(teams)),
        Err(error @ StoreError::Corrupt { .. }) => {
            line.failed(&error);
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

/// The answer to a removal: what is on the server, as far as it fits into an answer. Only an install that was made before
/// there was a limit may have more; it is removed all the same.
fn answer(going: &Install, teams: Option<Vec<(TeamId, Team)>>) -> InstallRemoved {
    let unread = teams.is_none();
    let teams = teams.unwrap_or_default();
    let bot = Registration::Bot { id: going.bot.id.clone(), username: going.bot.username.clone() };
    let all = teams.iter().flat_map(|(id, team)| registrations::of_team(id, team, going));
    let mut leftovers: Vec<Registration> =
        all.map(|(standing, _)| standing).take(registrations::MAX_SHOWN + 1).collect();
    let more = unread || teams.len() >= MAX_TEAMS || leftovers.len() > registrations::MAX_SHOWN;
    leftovers.truncate(registrations::MAX_SHOWN);
    leftovers.push(bot);
    InstallRemoved {
        install_id: going.id.clone(),
        state: "removed".into(),
        leftovers,
        more,
        warning: going.cleanup.warning.clone(),
    }
}
