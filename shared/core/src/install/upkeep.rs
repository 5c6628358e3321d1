//! What the queue's jobs do for installs: what was left half-done is ended, what an old key sealed is sealed again.
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
    lifecycle::Moment,
    remove, rings,
    state::{OnWatch, on_watch},
    stored,
};
use crate::{
    job::Work,
    log::LogLine,
    model::{Install, State},
    ports::Changed,
    refusal::Refusal,
    world::Office,
};
use cloud_apps_protocol::{InstallId, Millis};

/// When a watch comes again that somebody else was faster than, in ms.
const SOON: Millis = 10_000;

/// The longest that a watch waits for its next look, in ms: as long as a queue holds a message back.
pub(super) const LOOK: Millis = 15 * 60_000;

/// What comes after a piece of work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next {
    /// Nothing: it is done.
    Done,
    /// It goes on later.
    Again {
        /// In how many ms.
        in_ms: Millis,
        /// With this; `None`: with the same.
        work: Option<Work>,
    },
}

impl Next {
    fn same(in_ms: Millis) -> Self {
        Self::Again { in_ms, work: None }
    }
}

/// Does one piece of work, until `moment.deadline` at the latest. It may be repeated, and a part of it may be done
/// already.
pub async fn work(
    office: &Office,
    work: &Work,
    moment: Moment<'_>,
    line: &mut LogLine,
) -> Result<Next, Refusal> {
    match work {
        Work::Watch { install, .. } => watch(office, install, moment, line).await,
        Work::Reseal { app, cursor } => {
            line.app = Some(app.to_string());
            rings::reseal(office, app, cursor.as_deref(), moment.now).await
        }
        Work::ResealInstall { app, install } => {
            line.app = Some(app.to_string());
            line.install = Some(install.to_string());
            rings::reseal_install(office, app, install, moment.now).await
        }
    }
}

async fn watch(
    office: &Office,
    id: &InstallId,
    moment: Moment<'_>,
    line: &mut LogLine,
) -> Result<Next, Refusal> {
    line.install = Some(id.to_string());
    let now = moment.now;
    let Some(install) = stored(office, id, now).await? else { return Ok(Next::Done) };
    line.app = Some(install.app.to_string());
    match on_watch(&install, now) {
        OnWatch::Nothing => Ok(Next::Done),
        OnWatch::Wait(until) => Ok(Next::same(until.saturating_sub(now).clamp(1, LOOK))),
        OnWatch::Reopen { code, until } => {
            let pending = Install { state: State::Pending { code, until }, ..(*install).clone() };
            office.registry.change(&pending, install.rev).await?;
            office.world.installs.forget(id);
            // Whoever was faster is looked at in time, too.
            Ok(Next::same(until.saturating_sub(now).clamp(1, LOOK)))
        }
        OnWatch::Undo => {
            let undone = office.registry.undo(&install, install.rev).await?;
            office.world.installs.forget(id);
            Ok(if undone == Changed::Yes { Next::Done } else { Next::same(SOON) })
        }
        OnWatch::Remove => {
            remove::remove(office, moment, install, true, line).await?;
            Ok(Next::Done)
        }
    }
}
