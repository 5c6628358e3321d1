//! The end of an install. It stops serving first; then the app's `uninstall` function runs, and everything that the bundle
//! holds of it goes, its place on the site last. What stands on the server is its admin's to remove.
//!
//! Each part may be cut off and repeated, and none of them needs room in what the install holds: a job that was queued
//! before the first part looks after the rest, and whoever asks again gets the same answer, for a day also when nothing is
//! left. The install itself remembers that its app was asked to clean up, so a removal that fails later on does not ask it
//! at every try.

use super::{
    absent,
    lifecycle::{self, LifecycleFunction, RequestInfo},
    stored, view,
};
use crate::{
    http::{LogLine, Refusal},
    services::Management,
    store::{
        document::MAX_VALUE,
        job::{Job, JobKind},
        model::{Cleanup, Install, ManageCode, State, Team},
        page::MAX_TEAMS,
        ports::{Changed, StoreError, Stored},
        rules::{given_up, next, over},
    },
};
use cloud_apps_protocol::{
    Code, Generation, InstallId, KeyId, Millis, TeamId,
    install::{InstallRemoved, Standing},
    text::shortened,
    token::Kid,
};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// How long it is remembered what was answered, in ms.
const REMEMBERED: Millis = 24 * 3_600_000;
/// When the job looks after a removal, in ms: after the request that began it has ended.
const LOOK_AFTER: Millis = 60_000;
/// How often a change is tried again that somebody else was faster with.
const TRIES: usize = 5;
/// How long a call of the app's function keeps others out, in ms: longer than whoever makes it lives.
const CALL: Millis = 30_000;
/// How often the app's function is called while each call ends with the process that made it.
const CALLS: u32 = 3;
/// How many characters of what the app said are kept.
const WARNING: usize = 1_000;

/// Removes an install, or goes on with it. `call`: whether the app's function runs, where the install was ever complete.
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
    // Somebody may have come as far as this before.
    let answer = if let Some(gone) = remembered(management, &going.id, request_info.now).await? {
        gone.answer
    } else {
        if call && going.state == State::Removing {
            going = clean_up(management, request_info, going, line).await?;
        }
        let answer = answer(&going, teams(management, &going, line).await?);
        remember(management, &going, &answer, request_info.now).await?;
        answer
    };
    management.dead_letters.clear(&going.id).await?;
    let undone = management.registry.undo(&going, going.rev).await?;
    management.services.installs.forget(&going.id);
    if undone == Changed::Conflict {
        return Err(faster(&going));
    }
    line.outcome("removed");
    Ok(answer)
}

/// From here on the install serves nobody, and nothing else comes of it: one that was never complete is given up.
async fn stop(
    management: &Management,
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
        let watch = JobKind::Watch { install: going.id.clone(), rev: next(install.rev) };
        management.queue.send(&Job::new(watch, LOOK_AFTER, Some(line.trace().to_owned()), now), now).await?;
        let changed = management.registry.change(&going, install.rev).await?;
        management.services.installs.forget(&install.id);
        if changed == Changed::Yes {
            return Ok(Arc::new(Install { rev: next(install.rev), ..going }));
        }
        let Some(again) = stored(management, &install.id, now).await? else { return Err(faster(&install)) };
        install = again;
    }
    Err(faster(&install))
}

/// Lets the app clean up. The call is noted in the install before it is made, and its end after: it is made at least
/// once, by one at a time, and not again once it ended.
async fn clean_up(
    management: &Management,
    request_info: RequestInfo<'_>,
    going: Arc<Install>,
    line: &mut LogLine,
) -> Result<Arc<Install>, Refusal> {
    let Cleanup { tries, until, done, .. } = going.cleanup;
    if done {
        return Ok(going);
    }
    if !over(until, request_info.now) {
        return Err(cleaning(until, request_info.now));
    }
    if tries >= CALLS {
        let warning = format!(
            "{} was asked {CALLS} times to clean up after itself and never came to an end; it was removed all the same.",
            going.app
        );
        let ended = Cleanup { done: true, warning: Some(warning), ..going.cleanup.clone() };
        return note(management, &going, ended).await;
    }
    let tries = tries.saturating_add(1);
    let called = Cleanup { tries, until: request_info.now.saturating_add(CALL), ..Cleanup::default() };
    let going = note(management, &going, called).await?;
    let warning = uninstall(management, request_info, &going, line)
        .await?
        .map(|warning| shortened(&warning, WARNING).into_owned());
    note(management, &going, Cleanup { tries, done: true, warning, ..Cleanup::default() }).await
}

/// Writes how far the app came with its own part.
async fn note(management: &Management, going: &Install, cleanup: Cleanup) -> Result<Arc<Install>, Refusal> {
    let noted = Install { cleanup, ..going.clone() };
    let changed = management.registry.change(&noted, going.rev).await?;
    management.services.installs.forget(&going.id);
    match changed {
        Changed::Yes => Ok(Arc::new(Install { rev: next(going.rev), ..noted })),
        Changed::Conflict => Err(faster(going)),
    }
}

/// Runs the app's function. It cannot keep the install: what it says is a warning. A store that cannot be read now ends this
/// try, because without it the app would not be asked, or not with its passwords.
async fn uninstall(
    management: &Management,
    request_info: RequestInfo<'_>,
    going: &Install,
    line: &mut LogLine,
) -> Result<Option<String>, Refusal> {
    let app = match management.services.apps.app_of(going, request_info.now).await {
        Err(error) if error.passes() => return Err(error.into()),
        app => app.map_err(Refusal::from).and_then(|app| app.ok_or_else(|| absent(&going.app))),
    };
    let failed = match app {
        Err(refusal) => refusal,
        Ok(app) => {
            let settings = match management.services.keys.open_settings(going, request_info.now).await {
                Ok(settings) => settings,
                Err(error @ (StoreError::Busy { .. } | StoreError::Unavailable { .. })) => {
                    return Err(error.into());
                }
                // Its passwords cannot be opened any more; what else there is may be enough to clean up.
                Err(error) => {
                    line.failed(&error);
                    going.settings.clone()
                }
            };
            let ran = lifecycle::run(
                management,
                request_info,
                &app,
                going,
                LifecycleFunction::Uninstall,
                settings,
                line,
            )
            .await;
            let Err(refusal) = ran else { return Ok(None) };
            refusal
        }
    };
    if let Some(source) = &failed.source {
        line.failed(source.as_ref());
    }
    Ok(Some(failed.message))
}

/// What is registered, as far as it can be read: what cannot does not keep the install. `None`: nothing can.
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

/// What a removal is answered: what stands on the server, as much of it as fits an answer. Only what was registered before
/// there was a limit may be more, and it goes with the install all the same.
fn answer(going: &Install, teams: Option<Vec<(TeamId, Team)>>) -> InstallRemoved {
    let unread = teams.is_none();
    let teams = teams.unwrap_or_default();
    let bot = Standing::Bot { id: going.bot.id.clone(), username: going.bot.username.clone() };
    let standing = teams.iter().flat_map(|(id, team)| view::standing(id, team, going));
    let mut leftovers: Vec<Standing> =
        standing.map(|(standing, _)| standing).take(view::MAX_STANDING + 1).collect();
    let more = unread || teams.len() >= MAX_TEAMS || leftovers.len() > view::MAX_STANDING;
    leftovers.truncate(view::MAX_STANDING);
    leftovers.push(bot);
    InstallRemoved {
        install_id: going.id.clone(),
        state: "removed".into(),
        leftovers,
        more,
        warning: going.cleanup.warning.clone(),
    }
}

/// What is remembered of an install that is gone.
#[derive(Serialize, Deserialize)]
pub(crate) struct Gone {
    /// What was answered.
    #[serde(flatten)]
    pub answer: InstallRemoved,
    /// Who is told so: whoever has the shared secret that was current at the end.
    #[serde(default)]
    secret: Option<(KeyId, Generation)>,
    /// Manage codes that were made until then were revoked.
    #[serde(default)]
    codes_void_until: Option<Millis>,
}

impl Gone {
    /// Whether the install's last shared secret has this name. One that was replaced learns nothing of what came after.
    pub fn signed_by(&self, kid: &Kid) -> bool {
        self.secret.as_ref().is_some_and(|(key, generation)| *key == kid.key && *generation == kid.generation)
    }

    /// Whether the code was revoked while the install was there.
    pub fn revoked(&self, code: &ManageCode) -> bool {
        self.codes_void_until.is_some_and(|until| code.created_at <= until)
    }
}

/// The same as the ledger keeps it: the leftovers of a large install do not fit one value.
#[derive(Serialize, Deserialize)]
struct Kept {
    #[serde(flatten)]
    gone: Gone,
    /// In how many further values its leftovers are.
    #[serde(default)]
    parts: usize,
}

/// How many leftovers one value of the ledger has room for: none is longer than a third of a KiB.
const PART: usize = MAX_VALUE / 340;

fn key(install: &InstallId) -> String {
    format!("GONE#{install}")
}

fn part_key(install: &InstallId, part: usize) -> String {
    format!("GONE#{install}#{part}")
}

/// Keeps the answer; what says how many parts there are is written last, so that whoever finds it finds all of them. Of
/// two at once the first one's answer stands; an install that is going has the same leftovers for both.
async fn remember(
    management: &Management,
    going: &Install,
    answer: &InstallRemoved,
    now: Millis,
) -> Stored<()> {
    let (ledger, until) = (&management.services.ledger, now.saturating_add(REMEMBERED));
    let gone = Gone {
        answer: answer.clone(),
        secret: Some((going.key.clone(), going.generation)),
        codes_void_until: going.codes_void_until,
    };
    let mut kept = Kept { gone, parts: 0 };
    if answer.leftovers.len() > PART {
        kept.gone.answer.leftovers.clear();
        for (part, leftovers) in answer.leftovers.chunks(PART).enumerate() {
            ledger.put(&part_key(&answer.install_id, part), &text(&leftovers), until, now).await?;
            kept.parts = part.saturating_add(1);
        }
    }
    ledger.put(&key(&answer.install_id), &text(&kept), until, now).await.map(|_| ())
}

/// Ids and names only: it always serialises.
fn text(value: &impl Serialize) -> String {
    serde_json::to_string(value).unwrap_or_default()
}

/// What was answered when an install was removed, and to whom, for a day.
pub(crate) async fn remembered(
    management: &Management,
    install: &InstallId,
    now: Millis,
) -> Stored<Option<Gone>> {
    let ledger = &management.services.ledger;
    let Some(kept) = ledger.look(&key(install), now).await? else { return Ok(None) };
    let Ok(Kept { mut gone, parts }) = serde_json::from_str(&kept) else { return Ok(None) };
    let answer = &mut gone.answer;
    for part in 0..parts {
        let kept = ledger.look(&part_key(install, part), now).await?;
        match kept.and_then(|kept| serde_json::from_str::<Vec<Standing>>(&kept).ok()) {
            Some(leftovers) => answer.leftovers.extend(leftovers),
            // It was over a moment before the rest.
            None => answer.more = true,
        }
    }
    Ok(Some(gone))
}

/// Somebody else's call of the app's function runs, until `until` at the latest.
fn cleaning(until: Millis, now: Millis) -> Refusal {
    let seconds = until.saturating_sub(now).div_ceil(1_000).max(1);
    let message = format!(
        "This install is being removed by another request, and its app is cleaning up. Ask again in {seconds} s to see it end."
    );
    Refusal {
        retry_after: Some(u32::try_from(seconds).unwrap_or(u32::MAX)),
        ..Refusal::new(Code::Unavailable, message)
    }
}

fn faster(install: &Install) -> Refusal {
    let message = format!("Somebody else is changing {} at this moment. Ask again.", install.id);
    Refusal { retry_after: Some(1), ..Refusal::new(Code::VersionConflict, message) }
}
