//! One wide log line per job. Like a request's line it has a fixed list of fields: ids, codes and times, and nothing of a
//! job's content.

use crate::store::job::{Job, JobKind};
use std::time::Instant;

/// What is known of a job so far.
pub(super) struct JobLogLine {
    started: Instant,
    message_id: String,
    job: Option<Job>,
    /// Why the job failed.
    pub error: Option<String>,
}

impl JobLogLine {
    pub fn new(message_id: &str) -> Self {
        Self { started: Instant::now(), message_id: message_id.to_owned(), job: None, error: None }
    }

    /// The message was read, and has this job.
    pub fn job(&mut self, job: &Job) {
        self.job = Some(job.clone());
    }

    /// Writes the line: as an error or a warning if somebody may have to do something about it.
    pub fn write(self, outcome: &'static str) {
        let job = self.job.as_ref();
        let app = job.and_then(|job| match &job.kind {
            JobKind::Reseal { app, .. }
            | JobKind::ResealInstall { app, .. }
            | JobKind::Upkeep { app, .. }
            | JobKind::UpkeepInstall { app, .. } => Some(app.as_str()),
            JobKind::Watch { .. } | JobKind::ReadServer { .. } => None,
        });
        let ms = u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX);
        macro_rules! line {
            ($level:ident) => {
                tracing::$level!(
                    route = "deliver",
                    kind = job.map(|job| job.kind.name()),
                    app,
                    install = job.and_then(|job| job.kind.install()).map(tracing::field::display),
                    outcome,
                    ms,
                    message_id = self.message_id,
                    attempt = job.map(|job| job.attempt),
                    step = job.map(|job| job.step),
                    trace = job.and_then(|job| job.trace.as_deref()),
                    error = self.error,
                    "job"
                )
            };
        }
        match outcome {
            "parked" => line!(error),
            "left" | "again" => line!(warn),
            _ => line!(info),
        }
    }
}
