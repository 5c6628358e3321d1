//! What the queue's jobs do for installs: what was left half-done is ended, what an old key sealed is sealed anew.

use super::rings;
use crate::{job::Work, refusal::Refusal, world::Office};
use cloud_apps_protocol::Millis;

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

/// Does one piece of work. It may be repeated, and a part of it may be done already.
pub async fn work(office: &Office, work: &Work, now: Millis) -> Result<Next, Refusal> {
    match work {
        Work::Watch { .. } => Ok(Next::Done),
        Work::Reseal { app, cursor } => rings::reseal(office, app, cursor.as_deref(), now).await,
    }
}
