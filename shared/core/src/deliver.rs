//! The queues' consumer. This version knows no job yet: what it finds was made by another version of the bundle, so
//! it stays on the queue for whoever knows it.

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
