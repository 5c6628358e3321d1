//! The app cleans up before its install is removed. The install stores how far the app is, so that the app is not called
//! again each time the rest of the removal is repeated.

use super::{
    RequestInfo, apps,
    lifecycle::{self, LifecycleFunction},
    wait,
};
use crate::{
    http::{LogLine, Refusal},
    services::Management,
    store::{
        model::{Cleanup, Install},
        ports::Changed,
        rules::{next, over},
    },
};
use cloud_apps_protocol::{Millis, text::shortened};
use std::sync::Arc;

/// How long nobody else calls the app's function after a call began, in ms. The caller's process does not live longer.
const CALL: Millis = 30_000;

/// How often the app's function is called if the caller's process dies each time.
const CALLS: u32 = 3;

/// How many characters of the app's warning are stored.
const WARNING: usize = 1_000;

/// Lets the app clean up. The install stores that the call begins before it is made, and that it ended afterwards. So the
/// call is made at least once, by one process at a time, and not again after it ended.
pub(super) async fn run(
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
        return Err(wait::for_cleanup(until, request_info.now));
    }
    if tries >= CALLS {
        let warning = format!(
            "{} was asked {CALLS} times to clean up after itself and never finished; it was removed all the same.",
            going.app
        );
        let ended = Cleanup { done: true, warning: Some(warning), ..going.cleanup.clone() };
        return note(management, &going, ended).await;
    }
    let tries = tries.saturating_add(1);
    let called = Cleanup { tries, until: request_info.now.saturating_add(CALL), ..Cleanup::default() };
    let going = note(management, &going, called).await?;
    let warning = call(management, request_info, &going, line)
        .await?
        .map(|warning| shortened(&warning, WARNING).into_owned());
    note(management, &going, Cleanup { tries, done: true, warning, ..Cleanup::default() }).await
}

/// Stores how far the app is.
async fn note(management: &Management, going: &Install, cleanup: Cleanup) -> Result<Arc<Install>, Refusal> {
    let noted = Install { cleanup, ..going.clone() };
    let changed = management.registry.change(&noted, going.rev).await?;
    management.services.installs.forget(&going.id);
    match changed {
        Changed::Yes => Ok(Arc::new(Install { rev: next(going.rev), ..noted })),
        Changed::Conflict => Err(Refusal::conflict(&format!("install {}", going.id))),
    }
}

/// Calls the app's function. The function cannot stop the removal, so what it says is a warning. If a store cannot be read
/// now, this try ends, because the app would not be called, or not with its passwords.
async fn call(
    management: &Management,
    request_info: RequestInfo<'_>,
    going: &Install,
    line: &mut LogLine,
) -> Result<Option<String>, Refusal> {
    let failed = match apps::agreed(management, going, request_info.now).await? {
        Err(refusal) => refusal,
        Ok(app) => {
            let settings = match management.services.keys.open_settings(going, request_info.now).await {
                Ok(settings) => settings,
                Err(error) if error.passes() => return Err(error.into()),
                // Its passwords cannot be opened any more. The other settings may be enough to clean up.
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
