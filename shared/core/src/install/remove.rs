//! The end of an install. It stops serving first; then the app's `uninstall` function runs, and everything that the bundle
//! holds of it goes, its place on the site last. What stands on the server is its admin's to remove.
//!
//! Each part may be cut off and repeated: a job that was queued before the first part looks after the rest, and whoever
//! asks again gets the same answer, for a day also when nothing is left.

use super::{
    agreed, letters,
    lifecycle::{self, Moment, Turn},
    stored, view,
};
use crate::{
    job::{Job, Work},
    log::LogLine,
    model::{Install, State, Team},
    ports::{Changed, Stored},
    refusal::Refusal,
    rules::{given_up, next},
    world::Office,
};
use cloud_apps_protocol::{
    Code, InstallId, Millis, TeamId,
    install::{InstallRemoved, Standing},
};
use std::sync::Arc;

/// How long it is remembered what was answered, in ms.
const REMEMBERED: Millis = 24 * 3_600_000;
/// When the job looks after a removal, in ms: after the request that began it has ended.
const LOOK_AFTER: Millis = 60_000;
/// How often a change is tried again that somebody else was faster with.
const TRIES: usize = 5;

/// Removes an install, or goes on with it. `call`: whether the app's function runs, where the install was ever complete.
pub(super) async fn remove(
    office: &Office,
    moment: Moment<'_>,
    install: Arc<Install>,
    call: bool,
    line: &mut LogLine,
) -> Result<InstallRemoved, Refusal> {
    line.app = Some(install.app.to_string());
    line.install = Some(install.id.to_string());
    let going = stop(office, moment.now, install, line).await?;
    let served = going.state == State::Removing;
    // Somebody may have come as far as this before.
    let answer = if let Some(answer) = remembered(office, &going.id, moment.now).await? {
        answer
    } else {
        let teams = office.registry.teams(&going.id).await?;
        let warning = if call && served { uninstall(office, moment, &going, line).await } else { None };
        let answer = InstallRemoved {
            install_id: going.id.clone(),
            state: "removed".into(),
            leftovers: leftovers(&going, &teams),
            warning,
        };
        remember(office, &answer, moment.now).await?;
        answer
    };
    letters::clear(office, &going.id).await?;
    let undone = office.registry.undo(&going, going.rev).await?;
    office.world.installs.forget(&going.id);
    if undone == Changed::Conflict {
        return Err(faster(&going));
    }
    line.outcome("removed");
    Ok(answer)
}

/// From here on the install serves nobody, and nothing else comes of it: one that was never complete is given up.
async fn stop(
    office: &Office,
    now: Millis,
    mut install: Arc<Install>,
    line: &LogLine,
) -> Result<Arc<Install>, Refusal> {
    for _ in 0..TRIES {
        match install.state {
            State::Completing { lease, .. } if lease > now => return Err(super::busy(lease, now)),
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
        // The intent first: whatever becomes of this request, somebody comes and ends what it began.
        let watch = Work::Watch { install: going.id.clone(), rev: next(install.rev) };
        office.queue.send(&Job::new(watch, LOOK_AFTER, Some(line.trace().to_owned()), now), now).await?;
        let changed = office.registry.change(&going, install.rev).await?;
        office.world.installs.forget(&install.id);
        if changed == Changed::Yes {
            return Ok(Arc::new(Install { rev: next(install.rev), ..going }));
        }
        let Some(again) = stored(office, &install.id, now).await? else { return Err(faster(&install)) };
        install = again;
    }
    Err(faster(&install))
}

/// Runs the app's function. It cannot keep the install: what it says is a warning.
async fn uninstall(
    office: &Office,
    moment: Moment<'_>,
    going: &Install,
    line: &mut LogLine,
) -> Option<String> {
    let failed = match agreed(office, going, moment.now).await {
        Err(refusal) => refusal,
        Ok(app) => {
            let settings = match office.world.keys.open_settings(going, moment.now).await {
                Ok(settings) => settings,
                // Its passwords cannot be opened any more; what else there is may be enough to clean up.
                Err(error) => {
                    line.failed(&error);
                    going.settings.clone()
                }
            };
            let ran = lifecycle::run(office, moment, &app, going, Turn::Uninstall, settings, line).await;
            let Err(refusal) = ran else { return None };
            refusal
        }
    };
    if let Some(source) = &failed.source {
        line.failed(source.as_ref());
    }
    Some(failed.message)
}

/// What stands on the server of an install that is going.
pub(super) fn leftovers(install: &Install, teams: &[(TeamId, Team)]) -> Vec<Standing> {
    let bot = Standing::Bot { id: install.bot.id.clone(), username: install.bot.username.clone() };
    teams.iter().flat_map(|(id, team)| view::standing(id, team)).chain([bot]).collect()
}

fn key(install: &InstallId) -> String {
    format!("GONE#{install}")
}

async fn remember(office: &Office, answer: &InstallRemoved, now: Millis) -> Stored<()> {
    // Ids and names only: it always serialises.
    let text = serde_json::to_string(answer).unwrap_or_default();
    let until = now.saturating_add(REMEMBERED);
    // Of two at once the first one's answer stands; they differ in the warning at most.
    office.world.ledger.put(&key(&answer.install_id), &text, until, now).await.map(|_| ())
}

/// What was answered when an install was removed, for a day.
pub(super) async fn remembered(
    office: &Office,
    install: &InstallId,
    now: Millis,
) -> Stored<Option<InstallRemoved>> {
    let kept = office.world.ledger.look(&key(install), now).await?;
    Ok(kept.and_then(|text| serde_json::from_str(&text).ok()))
}

fn faster(install: &Install) -> Refusal {
    let message = format!("Somebody else is changing {} at this moment. Ask again.", install.id);
    Refusal { retry_after: Some(1), ..Refusal::new(Code::VersionConflict, message) }
}
