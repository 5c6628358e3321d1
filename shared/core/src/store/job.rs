//! What the queues carry. Every job has a version; a reader leaves on the queue what it does not know.

use cloud_apps_protocol::{AppId, InstallId, Millis};
use serde::{Deserialize, Serialize};

/// The version of the jobs that this program writes.
pub const JOB_VERSION: u32 = 1;

/// Which of the two queues.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum QueueName {
    /// Events and vendors' webhooks.
    Events,
    /// Deferred commands, and the upkeep of installs.
    Commands,
}

impl QueueName {
    /// Both.
    pub const ALL: [QueueName; 2] = [QueueName::Events, QueueName::Commands];

    /// The word under which it is stored and logged.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Events => "events",
            Self::Commands => "commands",
        }
    }

    /// How often a message is given out before the queue gives it up: each time the process died over it.
    pub fn receives(self) -> u32 {
        match self {
            Self::Events => 5,
            Self::Commands => 3,
        }
    }
}

/// One job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Job {
    /// [`JOB_VERSION`].
    pub v: u32,
    /// 1, 2, …: a retry is sent as a new message with the next attempt.
    pub attempt: u32,
    /// 0, 1, …: what is left to do when a step is done is sent as a job of its own, the next step.
    #[serde(default)]
    pub step: u32,
    /// When the first attempt of the first step was queued.
    pub first_at: Millis,
    /// When it is to be done, at the earliest. A queue that cannot wait for so long gives it out sooner.
    #[serde(default)]
    pub due: Millis,
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
    /// Seals again, with the app's current key, what its installs keep; a page of them, then itself for the next.
    Reseal {
        /// The app.
        app: AppId,
        /// After which site the page begins.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        cursor: Option<String>,
    },
    /// The same for one install that failed in the walk, so that the walk goes on without it.
    ResealInstall {
        /// The app.
        app: AppId,
        /// The install.
        install: InstallId,
    },
}

impl Job {
    /// The first attempt at a work that begins `delay` ms from `now`.
    pub fn new(work: Work, delay: Millis, trace: Option<String>, now: Millis) -> Self {
        let due = now.saturating_add(delay);
        Self { v: JOB_VERSION, attempt: 1, step: 0, first_at: now, due, trace, work }
    }

    /// The same once more, `delay` ms from `now`.
    #[must_use]
    pub fn again(&self, delay: Millis, now: Millis) -> Self {
        Self { attempt: self.attempt.saturating_add(1), due: now.saturating_add(delay), ..self.clone() }
    }

    /// What is left to do when this is done, `delay` ms from `now`.
    #[must_use]
    pub fn next(&self, work: Work, delay: Millis, now: Millis) -> Self {
        let step = self.step.saturating_add(1);
        Self { attempt: 1, step, due: now.saturating_add(delay), work, ..self.clone() }
    }

    /// Under which name the ledger knows it: all attempts have the same, and no two steps.
    pub fn key(&self) -> String {
        let (group, first_at, step) = (self.work.group(), self.first_at, self.step);
        match &self.work {
            Work::Watch { rev, .. } => format!("DO#{group}#{first_at}-{step}#watch-{rev}"),
            Work::Reseal { .. } => format!("DO#{group}#{first_at}-{step}#reseal"),
            Work::ResealInstall { .. } => format!("DO#{group}#{first_at}-{step}#reseal-install"),
        }
    }
}

impl Work {
    /// Every kind, as it stands in a job.
    pub const KINDS: [&str; 3] = ["watch", "reseal", "reseal_install"];

    /// Its kind.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Watch { .. } => "watch",
            Self::Reseal { .. } => "reseal",
            Self::ResealInstall { .. } => "reseal_install",
        }
    }

    /// Whose work it is: the queues are fair between these.
    pub fn group(&self) -> &str {
        match self {
            Self::Watch { install, .. } | Self::ResealInstall { install, .. } => install.as_str(),
            Self::Reseal { app, .. } => app.as_str(),
        }
    }

    /// The install that it is about, where it is one.
    pub fn install(&self) -> Option<&InstallId> {
        match self {
            Self::Watch { install, .. } | Self::ResealInstall { install, .. } => Some(install),
            Self::Reseal { .. } => None,
        }
    }

    /// The queue that carries it.
    pub fn lane(&self) -> QueueName {
        match self {
            Self::Watch { .. } | Self::Reseal { .. } | Self::ResealInstall { .. } => QueueName::Commands,
        }
    }
}
