//! The queues' consumer. This version knows no job yet: what it finds was made by another version of the bundle, so
//! it stays on the queue for whoever knows it.

use crate::job::{self, Work};
use async_trait::async_trait;
use cloud_apps_protocol::Millis;

/// One message of a queue.
#[derive(Clone, PartialEq, Eq)]
pub struct Record {
    /// The queue's name of it; what a failure is reported with.
    pub id: String,
    /// The job as JSON.
    pub body: String,
}

/// A job may hold what no log should.
impl std::fmt::Debug for Record {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Record").field("id", &self.id).finish_non_exhaustive()
    }
}

/// The part of a job that every version reads.
#[derive(serde::Deserialize)]
struct Job {
    v: u32,
}

/// Handles a batch; the ids of what is to stay on the queue.
#[allow(clippy::unused_async)] // Jobs are awaited as soon as there are any; its callers stay as they are.
pub async fn handle(records: &[Record]) -> Vec<String> {
    let stays = |record: &Record| {
        // The version alone: a job may hold what no log should.
        let version = serde_json::from_str::<Job>(&record.body).ok().map(|job| job.v);
        tracing::warn!(
            message_id = record.id,
            version,
            outcome = "left",
            "this version of the bundle does not know the job: it stays on the queue"
        );
        record.id.clone()
    };
    records.iter().map(stays).collect()
}

/// How a job ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It is done.
    Done,
    /// This step is done, and this is what is left, `after` ms from now.
    Next {
        /// What is left.
        work: Work,
        /// In ms.
        after: Millis,
    },
    /// It failed in a way that time mends (no connection, timeout, 408, 425, 429, 5xx, a busy store): it is tried again
    /// as the queue's schedule says.
    Again {
        /// Why, for the log and the dead letter.
        why: String,
        /// What `Retry-After` said, in ms.
        after: Option<Millis>,
    },
    /// It failed for good: an operator must see it.
    Failed {
        /// Why, for the log and the dead letter.
        why: String,
    },
}

/// What does the work of jobs. The consumer knows nothing of it but how it ended.
#[async_trait]
pub trait Worker: Send + Sync {
    /// Does a job, or a step of it. It is dropped at `deadline`, and may be called again for the same job: it looks
    /// before it acts.
    async fn work(&self, job: &job::Job, now: Millis, deadline: Millis) -> Outcome;
}
