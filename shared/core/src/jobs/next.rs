//! What comes after a step of a job.

use crate::store::job::JobKind;
use cloud_apps_protocol::Millis;

/// What comes after a step of a job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next {
    /// Nothing: the job is done.
    Done,
    /// Another step.
    Step {
        /// In how many ms.
        in_ms: Millis,
        /// What the step does. `None`: the same as this one.
        kind: Option<JobKind>,
    },
}

impl Next {
    /// The same step again.
    pub(crate) fn same(in_ms: Millis) -> Self {
        Self::Step { in_ms, kind: None }
    }
}
