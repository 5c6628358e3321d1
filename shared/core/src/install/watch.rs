//! The job that watches an install while it is made or removed, and ends what was left half-done.
//!
//! | the install | the job |
//! |---|---|
//! | is gone, or serves | is done |
//! | is pending, and its code is valid | comes again when the code expires |
//! | is completing, within its lease | comes again when the lease ends |
//! | is completing, its lease ended, its code is valid | makes it pending again |
//! | is pending or completing, and its code expired | removes it |
//! | is being removed | removes it, and tries again if that fails |

use super::{
    RequestInfo, remove,
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

/// When the job comes again after another request changed the install at the same time, in ms.
const SOON: Millis = 10_000;

/// The longest time until the job comes again, in ms. A queue cannot hold a message back for longer.
pub(crate) const LOOK: Millis = 15 * 60_000;

/// Watches an install that is being made or removed. It may be called again, and a part may be done already.
pub async fn watch(
    management: &Management,
    id: &InstallId,
    request_info: RequestInfo<'_>,
    line: &mut LogLine,
) -> Result<Next, Refusal> {
    line.install = Some(id.to_string());
    let now = request_info.now;
    let Some(install) = stored::find(management, id, now).await? else { return Ok(Next::Done) };
    line.app = Some(install.app.to_string());
    match on_watch(&install, now) {
        OnWatch::Nothing => Ok(Next::Done),
        OnWatch::Wait(until) => Ok(Next::same(until.saturating_sub(now).clamp(1, LOOK))),
        OnWatch::Reopen { code, until } => {
            let pending = Install { state: State::Pending { code, until }, ..(*install).clone() };
            management.registry.change(&pending, install.rev).await?;
            management.services.installs.forget(id);
            // If another request was faster, the job looks at its result when it comes again.
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
