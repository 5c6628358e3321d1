//! `POST /install/{install}/complete`: what was registered is kept, the app's `install` function runs, and the install
//! serves; or the app refuses, and nothing is left.
//!
//! One goes on at a time: a lease, taken by revision. Whoever dies leaves it to run out, and the next `complete` with
//! the same code does everything again; the app's function is then called again with the same delivery id.

use super::{
    codes,
    lifecycle::{self, LifecycleFunction, RequestInfo},
    plan, registered,
    state::{OnComplete, on_complete},
    stored, view,
};
use crate::{
    http::{Arrival, LogLine, Refusal},
    services::Management,
    store::{
        model::{Install, InstallCode, State, Team},
        ports::Changed,
        rules::next,
    },
};
use cloud_apps_protocol::{InstallId, Manifest, Millis, TeamId, Values, install::InstallCompleted};
use std::collections::BTreeMap;

/// How long one attempt has: longer than the function that serves it lives, in ms (docs/architecture.md#functions-and-the-template).
const LEASE: Millis = 30_000;

/// Completes an install, or answers again.
pub async fn complete(
    management: &Management,
    arrival: &Arrival,
    install: &str,
    line: &mut LogLine,
) -> Result<InstallCompleted, Refusal> {
    let code = codes::presented(management, arrival).await?;
    let id = InstallId::new(install).map_err(|_| codes::refused())?;
    if code.install.as_ref() != Some(&id) {
        return Err(codes::refused());
    }
    // A spent one may ask how it ended, also later: it learns nothing else.
    if !code.spent {
        codes::unused(&code, arrival.now)?;
    }
    line.app = Some(code.app.to_string());
    line.install = Some(id.to_string());
    let known = stored(management, &id, arrival.now).await?;
    let step = on_complete(known.as_deref(), &code.sha256, arrival.now);
    let Some(known) = known else { return Err(codes::refused()) };
    let app = super::agreed(management, &known, arrival.now).await?;
    match step {
        OnComplete::Refuse => Err(codes::refused()),
        OnComplete::Busy(lease) => Err(super::busy(lease, arrival.now)),
        OnComplete::Again => Ok(answer(app.manifest(), &known, line)),
        OnComplete::Start => {
            let teams = registered::read(&arrival.json()?, "/registered", app.manifest(), &known)?;
            // Before anything is done: keys that cannot be read cost a repeated request, and not the install.
            let settings = management.services.keys.open_settings(&known, arrival.now).await?;
            let install = take(management, &known, &code, arrival.now).await?;
            let outcome = finish(management, arrival, &install, &code, (teams, settings), line).await;
            // Whatever came of it, this process reads it again.
            management.services.installs.forget(&id);
            outcome
        }
    }
}

/// Pending → completing: from here on nobody else touches it before the lease is over.
async fn take(
    management: &Management,
    known: &Install,
    code: &InstallCode,
    now: Millis,
) -> Result<Install, Refusal> {
    let lease = now.saturating_add(LEASE);
    let state = State::Completing { code: code.sha256.clone(), until: code.exp, lease };
    let install = Install { state, ..known.clone() };
    match management.registry.change(&install, known.rev).await? {
        Changed::Yes => Ok(Install { rev: next(known.rev), ..install }),
        Changed::Conflict => {
            management.services.installs.forget(&known.id);
            Err(super::busy(now, now))
        }
    }
}

/// Completing → active, or undone.
async fn finish(
    management: &Management,
    arrival: &Arrival,
    install: &Install,
    code: &InstallCode,
    (mut teams, settings): (BTreeMap<TeamId, Team>, Values),
    line: &mut LogLine,
) -> Result<InstallCompleted, Refusal> {
    let app = super::agreed(management, install, arrival.now).await?;
    // What an earlier attempt registered, and this one does not, verifies nobody any more.
    for (team, _) in management.registry.teams(&install.id).await? {
        teams.entry(team).or_default();
    }
    for (team, registered) in &teams {
        management.registry.put_team(&install.id, team, registered).await?;
    }
    if let Err(refusal) = lifecycle::run(
        management,
        RequestInfo::of(arrival),
        &app,
        install,
        LifecycleFunction::Install,
        settings,
        line,
    )
    .await
    {
        return match management.registry.undo(install, install.rev).await? {
            Changed::Yes => Err(refusal),
            Changed::Conflict => Err(super::busy(arrival.now, arrival.now)),
        };
    }
    let active = Install { state: State::Active, ..install.clone() };
    match management.registry.activate(&active, install.rev, &code.sha256, arrival.now).await? {
        Changed::Yes => Ok(answer(app.manifest(), &Install { rev: next(install.rev), ..active }, line)),
        Changed::Conflict => Err(super::busy(arrival.now, arrival.now)),
    }
}

fn answer(manifest: &Manifest, install: &Install, line: &mut LogLine) -> InstallCompleted {
    line.outcome(view::word(&install.state));
    InstallCompleted {
        install_id: install.id.clone(),
        app_id: install.app.clone(),
        site_url: install.site.clone(),
        state: view::word(&install.state).into(),
        r#try: plan::try_it(manifest, &install.granted),
        unavailable: plan::unavailable(manifest, install),
    }
}
