//! The jobs that the queues carry. Every job has a version. A reader leaves jobs that it does not know on the queue.

use cloud_apps_protocol::{AppId, InstallId, Millis};
use serde::{Deserialize, Serialize};

/// The version of the jobs that this program writes.
pub const JOB_VERSION: u32 = 1;

/// Which of the two queues.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum QueueName {
    /// Events and vendors' webhooks.
    Events,
    /// Deferred commands, and jobs that look after installs.
    Commands,
}

impl QueueName {
    /// Both queues.
    pub const ALL: [QueueName; 2] = [QueueName::Events, QueueName::Commands];

    /// Its name in stores and in the log.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Events => "events",
            Self::Commands => "commands",
        }
    }

    /// How often the queue gives a message out before it gives the message up. Each time, the process died.
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
    /// 0, 1, …: after a step, the rest of the work is sent as a new job, the next step.
    #[serde(default)]
    pub step: u32,
    /// When the first attempt of the first step was queued.
    pub first_at: Millis,
    /// The earliest time at which it may be done. A queue that cannot wait so long gives it out earlier.
    #[serde(default)]
    pub due: Millis,
    /// The trace it belongs to (`traceparent`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace: Option<String>,
    /// What to do.
    #[serde(flatten)]
    pub kind: JobKind,
}

/// What a job does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum JobKind {
    /// Looks after an install that is being made or removed, and ends what was left half-done.
    Watch {
        /// The install.
        install: InstallId,
        /// The revision of the install for which it was sent.
        rev: u64,
    },
    /// Seals the secrets of an app's installs with the app's current key: one page of installs, then a job for the next.
    Reseal {
        /// The app.
        app: AppId,
        /// Where the page begins.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        cursor: Option<String>,
    },
    /// The same for one install that failed there, so that the others do not wait for it.
    ResealInstall {
        /// The app.
        app: AppId,
        /// The install.
        install: InstallId,
    },
    /// The upkeep of a day: looks at a page of an app's installs, then sends a job for the next page.
    Upkeep {
        /// The app.
        app: AppId,
        /// The day, counted from 1970.
        day: u64,
        /// Where the page begins.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        cursor: Option<String>,
    },
    /// The upkeep of a day for one install.
    UpkeepInstall {
        /// The app.
        app: AppId,
        /// The install.
        install: InstallId,
        /// The day, counted from 1970.
        day: u64,
    },
    /// Reads what an install's server says of itself, because it seems changed.
    ReadServer {
        /// The install.
        install: InstallId,
        /// The hour for which it was sent, counted from 1970. A server is read once an hour at most.
        hour: u64,
    },
}

impl Job {
    /// The first attempt at a job, due `delay` ms after `now`.
    pub fn new(kind: JobKind, delay: Millis, trace: Option<String>, now: Millis) -> Self {
        let due = now.saturating_add(delay);
        Self { v: JOB_VERSION, attempt: 1, step: 0, first_at: now, due, trace, kind }
    }

    /// The next attempt, due `delay` ms after `now`.
    #[must_use]
    pub fn again(&self, delay: Millis, now: Millis) -> Self {
        Self { attempt: self.attempt.saturating_add(1), due: now.saturating_add(delay), ..self.clone() }
    }

    /// The next step, due `delay` ms after `now`.
    #[must_use]
    pub fn next(&self, kind: JobKind, delay: Millis, now: Millis) -> Self {
        let step = self.step.saturating_add(1);
        Self { attempt: 1, step, due: now.saturating_add(delay), kind, ..self.clone() }
    }

    /// Its key in the ledger. All attempts have the same key; each step has its own. The upkeep of one day has one key, however
    /// often it is queued.
    pub fn key(&self) -> String {
        let (group, first_at, step) = (self.kind.group(), self.first_at, self.step);
        match &self.kind {
            JobKind::Watch { rev, .. } => format!("DO#{group}#{first_at}-{step}#watch-{rev}"),
            JobKind::Reseal { .. } => format!("DO#{group}#{first_at}-{step}#reseal"),
            JobKind::ResealInstall { .. } => format!("DO#{group}#{first_at}-{step}#reseal-install"),
            JobKind::Upkeep { day, .. } => format!("DO#{group}#{step}#upkeep-{day}"),
            JobKind::UpkeepInstall { day, .. } => format!("DO#{group}#{step}#upkeep-install-{day}"),
            // Every process that notices a change sends this job. All of them have this key, and one is claimed.
            JobKind::ReadServer { hour, .. } => format!("DO#{group}#{hour}-{step}#read-server"),
        }
    }
}

impl JobKind {
    /// The names of all kinds, as a job's JSON has them.
    pub const KINDS: [&str; 6] =
        ["watch", "reseal", "reseal_install", "upkeep", "upkeep_install", "read_server"];

    /// Its name.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Watch { .. } => "watch",
            Self::Reseal { .. } => "reseal",
            Self::ResealInstall { .. } => "reseal_install",
            Self::Upkeep { .. } => "upkeep",
            Self::UpkeepInstall { .. } => "upkeep_install",
            Self::ReadServer { .. } => "read_server",
        }
    }

    /// Its group. The queues are fair between groups.
    pub fn group(&self) -> &str {
        match self {
            Self::Watch { install, .. }
            | Self::ResealInstall { install, .. }
            | Self::UpkeepInstall { install, .. }
            | Self::ReadServer { install, .. } => install.as_str(),
            Self::Reseal { app, .. } | Self::Upkeep { app, .. } => app.as_str(),
        }
    }

    /// The install that it is about, if it is about one.
    pub fn install(&self) -> Option<&InstallId> {
        match self {
            Self::Watch { install, .. }
            | Self::ResealInstall { install, .. }
            | Self::UpkeepInstall { install, .. }
            | Self::ReadServer { install, .. } => Some(install),
            Self::Reseal { .. } | Self::Upkeep { .. } => None,
        }
    }

    /// The queue that carries it.
    pub fn queue(&self) -> QueueName {
        match self {
            Self::Watch { .. }
            | Self::Reseal { .. }
            | Self::ResealInstall { .. }
            | Self::Upkeep { .. }
            | Self::UpkeepInstall { .. }
            | Self::ReadServer { .. } => QueueName::Commands,
        }
    }
}
