//! [`Queue`] with SQS: standard queues with a `MessageGroupId` for each install, so that many jobs of one install do not
//! delay those of others.
//!
//! A message can wait for at most 15 minutes. A job that is due later comes too early, and the consumer queues it again.

use crate::{
    clients::Clients,
    failure::{AwsError, failed, named},
};
use async_trait::async_trait;
use cloud_apps_core::store::{
    document,
    job::{Job, QueueName},
    ports::{Queue, Stored},
};
use cloud_apps_protocol::Millis;
use std::sync::Arc;

/// The longest delay of a message, in seconds.
const MAX_DELAY: u64 = 900;
const WHAT: &str = "Queue.send";

/// The queues of a stack to which a function sends. Clones share the client.
#[derive(Clone, Debug)]
pub struct Sqs {
    clients: Arc<Clients>,
    commands: Arc<str>,
}

impl Sqs {
    /// Sends to the queue with this URL. The client is built when it is first needed.
    pub fn new(clients: Arc<Clients>, commands: &str) -> Self {
        Self { clients, commands: commands.into() }
    }

    fn url(&self, queue: QueueName) -> Stored<&str> {
        match queue {
            QueueName::Commands => Ok(&self.commands),
            QueueName::Events => Err(named(WHAT, false, AwsError::GivenUp("this function sends no events"))),
        }
    }
}

/// After how many seconds a message comes: not before the job is due, but at most after the longest delay.
fn delay(due: Millis, now: Millis) -> i32 {
    let seconds = due.saturating_sub(now).div_ceil(1_000).min(MAX_DELAY);
    i32::try_from(seconds).unwrap_or(i32::MAX)
}

#[async_trait]
impl Queue for Sqs {
    async fn send(&self, job: &Job, now: Millis) -> Stored<()> {
        let send = self
            .clients
            .sqs()
            .send_message()
            .queue_url(self.url(job.kind.queue())?)
            .message_body(document::write(WHAT, job)?)
            .message_group_id(job.kind.group())
            .delay_seconds(delay(job.due, now));
        send.send().await.map(|_| ()).map_err(|error| failed(WHAT, &error))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_waits_until_its_job_is_due_or_as_long_as_it_can() {
        for (due, seconds) in [(0, 0), (1_000, 0), (1_001, 1), (3_000, 2), (901_000, 900), (u64::MAX, 900)] {
            assert_eq!(delay(due, 1_000), seconds, "{due}");
        }
    }
}
