//! The deliver function: the jobs of the queues. Each kind of job is done by the module that it belongs to.

use crate::{
    http::{LogLine, Refusal},
    install::{RequestInfo, server, watch},
    jobs::{JobRunner, Next, Outcome, Worker},
    operator::reseal,
    services::Management,
    store::job::{Job, JobKind},
    upkeep,
};
use async_trait::async_trait;
use cloud_apps_protocol::{Code, Millis};
use std::sync::Arc;

/// Takes jobs from the queues and gives them to `worker`.
pub fn job_runner(management: &Management, worker: Arc<dyn Worker>) -> JobRunner {
    JobRunner {
        ledger: Arc::clone(&management.services.ledger),
        queue: Arc::clone(&management.queue),
        dead_letters: Arc::clone(&management.dead_letters),
        random: Arc::clone(&management.services.random),
        worker,
    }
}

#[async_trait]
impl Worker for Management {
    async fn work(&self, job: &Job, now: Millis, deadline: Millis) -> Outcome {
        // The job's key in the ledger is its request id in the logs of what it calls.
        let id = job.key();
        let mut line = LogLine::apart("job", &id, job.trace.as_deref());
        let request_info = RequestInfo { now, deadline, request_id: &id };
        match step(self, &job.kind, request_info, &mut line).await {
            Ok(Next::Done) => Outcome::Done,
            Ok(Next::Step { in_ms, kind }) => {
                Outcome::Next { kind: kind.unwrap_or_else(|| job.kind.clone()), after: in_ms }
            }
            Err(refusal) => outcome(&refusal),
        }
    }
}

/// Does one step of a job, until `request_info.deadline` at the latest. It may be called again, and a part of the step may
/// be done already.
pub async fn step(
    management: &Management,
    kind: &JobKind,
    request_info: RequestInfo<'_>,
    line: &mut LogLine,
) -> Result<Next, Refusal> {
    match kind {
        JobKind::Watch { install, .. } => watch::watch(management, install, request_info, line).await,
        JobKind::Reseal { app, cursor } => {
            line.app = Some(app.to_string());
            reseal::reseal(management, app, cursor.as_deref(), request_info.now).await
        }
        JobKind::ResealInstall { app, install } => {
            line.app = Some(app.to_string());
            line.install = Some(install.to_string());
            reseal::reseal_install(management, app, install, request_info.now).await
        }
        JobKind::Upkeep { app, day, cursor } => {
            line.app = Some(app.to_string());
            upkeep::walk(management, app, *day, cursor.as_deref(), request_info.now).await
        }
        JobKind::UpkeepInstall { install, .. } => {
            upkeep::look_after(management, install, request_info, line).await
        }
        JobKind::ReadServer { install, .. } => {
            server::look(management, install, request_info.now, line).await.map(|()| Next::Done)
        }
    }
}

/// How a job ended that was refused. It is tried again if something is busy, cannot be reached, took too long, or was changed
/// by another request.
fn outcome(refusal: &Refusal) -> Outcome {
    let why = match refusal.chain() {
        Some(cause) => format!("{refusal} ({cause})"),
        None => refusal.to_string(),
    };
    match refusal.code {
        Code::Busy | Code::Unavailable | Code::Deadline | Code::UpstreamFailed | Code::VersionConflict => {
            Outcome::Again { why, after: refusal.retry_after.map(|seconds| u64::from(seconds) * 1_000) }
        }
        _ => Outcome::Failed { why },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::ports::StoreError;

    #[test]
    fn what_may_work_later_is_tried_again_and_the_rest_is_parked_with_its_cause() {
        let busy = StoreError::Busy { what: "Registry.change", source: "slow".into() };
        let Outcome::Again { why, after } = outcome(&busy.into()) else { panic!("tried again") };
        assert!(after == Some(1_000) && why.contains("Registry.change"), "{why}");
        let corrupt = StoreError::Corrupt { what: "Installs.find", detail: "no id".to_owned() };
        let Outcome::Failed { why } = outcome(&corrupt.into()) else { panic!("parked") };
        assert!(why.contains("Installs.find") && why.contains("no id"), "{why}");
        let conflict = Refusal::new(Code::VersionConflict, "Somebody else was faster.");
        assert!(matches!(outcome(&conflict), Outcome::Again { after: None, .. }));
    }
}
