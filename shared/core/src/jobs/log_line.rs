//! One wide line per job, of the same closed list as a request's: ids, codes, times; nothing of a job's content.

use super::consumer::{Fate, Record};
use crate::store::job::{Job, Work};
use std::time::Instant;

/// What is known of a job so far.
pub(super) struct Line {
    started: Instant,
    message_id: String,
    job: Option<Job>,
    /// Why it failed.
    pub error: Option<String>,
}

impl Line {
    pub fn new(record: &Record) -> Self {
        Self { started: Instant::now(), message_id: record.id.clone(), job: None, error: None }
    }

    /// It could be read.
    pub fn job(&mut self, job: &Job) {
        self.job = Some(job.clone());
    }

    /// Writes it: as a warning what somebody may have to look at.
    pub fn write(self, fate: &Fate) {
        let job = self.job.as_ref();
        let (outcome, error) = match fate {
            Fate::Gone(outcome) => (*outcome, self.error),
            Fate::Stays(why) => ("left", Some(why.clone())),
        };
        let app = job.and_then(|job| match &job.work {
            Work::Reseal { app, .. } | Work::ResealInstall { app, .. } => Some(app.as_str()),
            Work::Watch { .. } => None,
        });
        let ms = u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX);
        macro_rules! line {
            ($level:ident) => {
                tracing::$level!(
                    route = "deliver",
                    kind = job.map(|job| job.work.name()),
                    app,
                    install = job.and_then(|job| job.work.install()).map(tracing::field::display),
                    outcome,
                    ms,
                    message_id = self.message_id,
                    attempt = job.map(|job| job.attempt),
                    step = job.map(|job| job.step),
                    trace = job.and_then(|job| job.trace.as_deref()),
                    error,
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
