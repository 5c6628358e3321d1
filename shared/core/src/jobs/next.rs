//! What comes after a piece of work.

use crate::store::job::Work;
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

impl Next {
    /// The same work once more.
    pub(crate) fn same(in_ms: Millis) -> Self {
        Self::Again { in_ms, work: None }
    }
}
