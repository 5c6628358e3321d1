//! `POST /install/{install}/complete`: stores what was registered and calls the app's `install` function. Then the install
//! serves; or the app refuses, and the install is undone.
//!
//! One request completes an install at a time. It takes a lease in a change of the install. If its process dies, the lease
//! ends, and the next `complete` with the same code does everything again. Then the app's function is called again with
//! the same delivery id.

use super::{
    RequestInfo, codes,
    lifecycle::{self, LifecycleFunction},
    plan, registered,
    state::{OnComplete, on_complete},
    stored, wait,
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

/// How long one attempt has, in ms. The function that serves it does not live longer.
const LEASE: Millis = 30_000;

/// Completes an install, or gives the answer again.
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
    // With a spent code, a caller may ask how it ended, also later. It learns nothing else.
    if !code.spent {
        codes::unused(&code, arrival.now)?;
    }
    line.app = Some(code.app.to_string());
    line.install = Some(id.to_string());
    let install = stored::find(management, &id, arrival.now).await?;
    let step = on_complete(install.as_deref(), &code.sha256, arrival.now);
    let Some(install) = install else { return Err(codes::refused()) };
    let app = management.services.apps.agreed(&install, arrival.now).await?;
    match step {
        OnComplete::Refuse => Err(codes::refused()),
        OnComplete::Busy(lease) => Err(wait::for_completion(lease, arrival.now)),
        OnComplete::Again => Ok(answer(app.manifest(), &install, line)),
        OnComplete::Start => {
            let teams = registered::read(&arrival.json()?, "/registered", app.manifest(), &install)?;
            // The settings are opened before anything is done. If keys cannot be read, the request is repeated, and the
            // install is not lost.
            let settings = management.services.keys.open_settings(&install, arrival.now).await?;
            let install = take(management, &install, &code, arrival.now).await?;
            let outcome = finish(management, arrival, &install, &code, (teams, settings), line).await;
            // In any case, this process reads the install again.
            management.services.installs.forget(&id);
            outcome
        }
    }
}

/// Makes a pending install completing. Until the lease ends, no other request changes it.
async fn take(
    management: &Management,
    pending: &Install,
    code: &InstallCode,
    now: Millis,
) -> Result<Install, Refusal> {
    let lease = now.saturating_add(LEASE);
    let state = State::Completing { code: code.sha256.clone(), until: code.exp, lease };
    let install = Install { state, ..pending.clone() };
    match management.registry.change(&install, pending.rev).await? {
        Changed::Yes => Ok(Install { rev: next(pending.rev), ..install }),
        Changed::Conflict => {
            management.services.installs.forget(&pending.id);
            Err(wait::for_completion(now, now))
        }
    }
}

/// Makes a completing install active, or undoes it.
async fn finish(
    management: &Management,
    arrival: &Arrival,
    install: &Install,
    code: &InstallCode,
    (mut teams, settings): (BTreeMap<TeamId, Team>, Values),
    line: &mut LogLine,
) -> Result<InstallCompleted, Refusal> {
    let app = management.services.apps.agreed(install, arrival.now).await?;
    // What only an earlier attempt registered is not accepted any more.
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
            Changed::Conflict => Err(wait::for_completion(arrival.now, arrival.now)),
        };
    }
    let active = Install { state: State::Active, ..install.clone() };
    match management.registry.activate(&active, install.rev, &code.sha256, arrival.now).await? {
        Changed::Yes => Ok(answer(app.manifest(), &Install { rev: next(install.rev), ..active }, line)),
        Changed::Conflict => Err(wait::for_completion(arrival.now, arrival.now)),
    }
}

fn answer(manifest: &Manifest, install: &Install, line: &mut LogLine) -> InstallCompleted {
    line.outcome(install.state.name());
    InstallCompleted {
        install_id: install.id.clone(),
        app_id: install.app.clone(),
        site_url: install.site.clone(),
        state: install.state.name().into(),
        r#try: plan::try_it(manifest, &install.granted),
        unavailable: plan::unavailable(manifest, install),
    }
}
