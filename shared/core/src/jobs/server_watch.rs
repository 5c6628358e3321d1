//! Notices that a server may not be what its install knows any more: every answer of a server's REST API says in
//! `X-Version-Id` which version and configuration it has. It is compared in memory, so it costs nothing while nothing
//! changed. A difference sends a job that reads the server's settings.
//!
//! Nothing here is the last word. If a job is lost, the next hour's answers differ as well and send another.

use crate::store::{
    job::{Job, JobKind},
    model::Install,
    ports::Queue,
    recent::Recent,
};
use cloud_apps_protocol::{InstallId, Millis};
use std::sync::{Arc, Mutex, PoisonError};

/// An hour, in ms. All processes of a bundle together read the settings of one server once an hour: the hour is a part of
/// the job's key in the ledger, which is claimed once.
const HOUR: Millis = 3_600_000;
/// How many installs are remembered.
const KEPT: usize = 4_000;

/// Compares what servers call themselves with what their installs know. Without a queue it does nothing.
pub struct ServerWatch {
    queue: Option<Arc<dyn Queue>>,
    /// The last hour in which this process sent the job of an install.
    sent: Mutex<Recent<InstallId, Millis>>,
}

impl Default for ServerWatch {
    fn default() -> Self {
        Self { queue: None, sent: Mutex::new(Recent::new(KEPT)) }
    }
}

impl ServerWatch {
    /// A watch that sends its jobs to this queue.
    pub fn new(queue: Arc<dyn Queue>) -> Self {
        Self { queue: Some(queue), ..Self::default() }
    }

    /// Compares what a server calls itself with what its install knows, and sends a job if they differ: at most one an hour
    /// for an install. If it cannot be sent, that is logged, and the answer of the server counts all the same.
    pub async fn compare(&self, install: &Install, version_id: &str, now: Millis) {
        let Some(queue) = &self.queue else { return };
        if install.server.version_id.as_deref() == Some(version_id) {
            return;
        }
        let hour = now / HOUR;
        if !self.is_first(&install.id, hour) {
            return;
        }
        let kind = JobKind::ReadServer { install: install.id.clone(), hour };
        if let Err(error) = queue.send(&Job::new(kind, 0, None, now), now).await {
            let install = install.id.as_str();
            tracing::warn!(install, %error, "the server seems changed, and the job that looks was not sent");
        }
    }

    /// Whether nothing was sent for an install in this hour; from now on something was.
    fn is_first(&self, install: &InstallId, hour: Millis) -> bool {
        // Every change is one call; a panic elsewhere cannot leave half of one.
        let mut sent = self.sent.lock().unwrap_or_else(PoisonError::into_inner);
        let first = sent.get(install) != Some(&hour);
        if first {
            sent.put(install.clone(), hour);
        }
        first
    }
}
