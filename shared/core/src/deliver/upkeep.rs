//! What an office does of jobs: the upkeep of installs.

use super::{Outcome, Worker};
use crate::{
    install::{
        Moment,
        upkeep::{self, Next},
    },
    job::Job,
    log::LogLine,
    refusal::Refusal,
    world::Office,
};
use async_trait::async_trait;
use cloud_apps_protocol::{Code, Millis};

#[async_trait]
impl Worker for Office {
    async fn work(&self, job: &Job, now: Millis, deadline: Millis) -> Outcome {
        // The ledger's name of the job names it in the log of whatever it calls, too.
        let id = job.key();
        let mut line = LogLine::apart("job", &id, job.trace.as_deref());
        let moment = Moment { now, deadline, request_id: &id };
        match upkeep::work(self, &job.work, moment, &mut line).await {
            Ok(Next::Done) => Outcome::Done,
            Ok(Next::Again { in_ms, work }) => {
                Outcome::Next { work: work.unwrap_or_else(|| job.work.clone()), after: in_ms }
            }
            Err(refusal) => outcome(&refusal),
        }
    }
}

/// What may pass with time is tried again: what is busy, cannot be reached, took too long, or was changed by somebody else.
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
    use crate::ports::StoreError;

    #[test]
    fn what_may_pass_is_tried_again_and_the_rest_is_parked_with_its_cause() {
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
