//! What the queue's jobs do for installs: what was left half-done is ended.
//!
//! | the install | a watch |
//! |---|---|
//! | is not there, or serves | is done |
//! | pending, its code good | comes again when the code is over |
//! | completing, within its lease | comes again when the lease is over |
//! | completing, its lease over, its code good | makes it pending again |
//! | pending or completing, its code over | removes it |
//! | removing | removes it; what fails is tried again |

use super::{
    lifecycle::RequestInfo,
    remove,
    state::{OnWatch, on_watch},
    stored,
};
use crate::{
    http::{LogLine, Refusal},
    jobs::Next,
    services::Management,
    store::{
        model::{Install, State},
        ports::Changed,
    },
};
use cloud_apps_protocol::{InstallId, Millis};

/// When a watch comes again that somebody else was faster than, in ms.
const SOON: Millis = 10_000;

/// The longest that a watch waits for its next look, in ms: as long as a queue holds a message back.
pub(crate) const LOOK: Millis = 15 * 60_000;

/// Looks after an install that is being made or removed. It may be repeated, and a part of it may be done already.
pub async fn watch(
    management: &Management,
    id: &InstallId,
    request_info: RequestInfo<'_>,
    line: &mut LogLine,
) -> Result<Next, Refusal> {
    line.install = Some(id.to_string());
    let now = request_info.now;
    let Some(install) = stored(management, id, now).await? else { return Ok(Next::Done) };
    line.app = Some(install.app.to_string());
    match on_watch(&install, now) {
        OnWatch::Nothing => Ok(Next::Done),
        OnWatch::Wait(until) => Ok(Next::same(until.saturating_sub(now).clamp(1, LOOK))),
        OnWatch::Reopen { code, until } => {
            let pending = Install { state: State::Pending { code, until }, ..(*install).clone() };
            management.registry.change(&pending, install.rev).await?;
            management.services.installs.forget(id);
            // Whoever was faster is looked at in time, too.
            Ok(Next::same(until.saturating_sub(now).clamp(1, LOOK)))
        }
        OnWatch::Undo => {
            let undone = management.registry.undo(&install, install.rev).await?;
            management.services.installs.forget(id);
            Ok(if undone == Changed::Yes { Next::Done } else { Next::same(SOON) })
        }
        OnWatch::Remove => {
            remove::remove(management, request_info, install, true, line).await?;
            Ok(Next::Done)
        }
    }
}
