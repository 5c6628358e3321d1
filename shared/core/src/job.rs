//! What the queues carry. Every job has a version; a reader leaves on the queue what it does not know.

use cloud_apps_protocol::{AppId, InstallId, Millis};
use serde::{Deserialize, Serialize};

/// The version of the jobs that this program writes.
pub const JOB_VERSION: u32 = 1;

/// Which of the two queues.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Lane {
    /// Events and vendors' webhooks.
    Events,
    /// Deferred commands, and the upkeep of installs.
    Commands,
}

/// One job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Job {
    /// [`JOB_VERSION`].
    pub v: u32,
    /// 1, 2, …: a retry is sent as a new message with the next attempt.
    pub attempt: u32,
    /// When the first attempt was queued.
    pub first_at: Millis,
    /// The trace it belongs to (`traceparent`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace: Option<String>,
    /// What to do.
    #[serde(flatten)]
    pub work: Work,
}

/// What a job does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Work {
    /// Looks after an install that is being made or removed: what was left half-done is ended.
    Watch {
        /// The install.
        install: InstallId,
        /// The revision that it was sent for.
        rev: u64,
    },
    /// Seals anew, with the app's current key, what its installs keep; a page of them, then itself for the next.
    Reseal {
        /// The app.
        app: AppId,
        /// Behind which site the page begins.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        cursor: Option<String>,
    },
}

impl Work {
    /// Whose work it is: the queues are fair between these.
    pub fn group(&self) -> &str {
        match self {
            Self::Watch { install, .. } => install.as_str(),
            Self::Reseal { app, .. } => app.as_str(),
        }
    }

    /// The queue that carries it.
    pub fn lane(&self) -> Lane {
        match self {
            Self::Watch { .. } | Self::Reseal { .. } => Lane::Commands,
        }
    }
}
