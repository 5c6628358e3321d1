//! Runs the jobs of a queue: what becomes of each message, whatever its job does and wherever it fails.
//!
//! A message is read, its job is claimed in the ledger and done, and the ledger is told so. A job that failed, but may work
//! later, is tried again **by sending it again**, with the next attempt and a delay; then this message is acknowledged. So
//! the queue's count of receives counts crashes only, and no message stays in flight while it waits. The next attempt is
//! sent before the ledger is told, so nothing is lost if the process dies between the two. The old message then comes
//! again, finds in the ledger which attempt is the latest, and starts no second chain of attempts. A job that cannot work,
//! or failed too often, is parked where an operator finds it.
//!
//! | the message | what becomes of it |
//! |---|---|
//! | cannot be read | parked |
//! | has a later version, or an unknown kind | left on the queue |
//! | is not due yet | sent again for the rest of the time |
//! | was done, or has a later attempt | dropped |
//! | is being worked on by another process | left on the queue |
//! | can be claimed | done, sent again, or parked |
//!
//! A message that is left on the queue comes again after its visibility timeout. The same holds if its job panicked or a
//! store failed. [`JobRunner::handle`] returns the ids of these messages, and never fails itself.

use super::{
    dead_letter,
    log_line::JobLogLine,
    read::{Read, read},
    schedule::delay,
};
use crate::{
    random::Random,
    store::{
        job::{Job, JobKind, QueueName},
        ports::{ClaimAnswer, Consumer, DeadLetters, Ledger, Queue, Stored, Taken},
    },
};
use async_trait::async_trait;
use cloud_apps_protocol::Millis;
use futures_util::{FutureExt, future::join_all};
use std::{panic::AssertUnwindSafe, sync::Arc, time::Duration};
use tokio::time::Instant;

/// How long a job may take at most, in ms.
const TIME: Millis = 30_000;
/// How much of the platform's time is reserved for what comes after a job, in ms.
const MARGIN_AFTER_JOB: Millis = 2_000;
/// How long the ledger remembers a job, in ms: as long as a queue may keep a copy of its message.
const KEEP: Millis = 14 * 24 * 3_600_000;

/// One message of a queue.
#[derive(Clone, PartialEq, Eq)]
pub struct Record {
    /// Its id on the queue. A failure is reported with it.
    pub id: String,
    /// The job as JSON.
    pub body: String,
    /// When it was queued.
    pub sent_at: Millis,
}

/// A job may hold secrets, so it is not printed.
impl std::fmt::Debug for Record {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Record").field("id", &self.id).finish_non_exhaustive()
    }
}

/// How a job ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It is done.
    Done,
    /// This step is done, and another is due `after` ms from now.
    Next {
        /// What the other step does.
        kind: JobKind,
        /// In ms.
        after: Millis,
    },
    /// It failed, but may work later (no connection, timeout, 408, 425, 429, 5xx, a busy store). It is tried again, as the
    /// queue's schedule says.
    Again {
        /// Why, for the log and the dead letter.
        why: String,
        /// What `Retry-After` said, in ms.
        after: Option<Millis>,
    },
    /// It failed and cannot work later. An operator must see it.
    Failed {
        /// Why, for the log and the dead letter.
        why: String,
    },
}

/// Does jobs. All that [`JobRunner`] knows of a job's work is how it ended.
#[async_trait]
pub trait Worker: Send + Sync {
    /// Does one step of a job. The future is dropped at `deadline`. It may be called again for the same job, so it looks at
    /// what is done before it acts.
    async fn work(&self, job: &Job, now: Millis, deadline: Millis) -> Outcome;
}

/// Takes messages and does their jobs.
#[derive(Clone)]
pub struct JobRunner {
    /// Knows which jobs are claimed and done.
    pub ledger: Arc<dyn Ledger>,
    /// Takes the next attempt.
    pub queue: Arc<dyn Queue>,
    /// Keeps the jobs that are given up.
    pub dead_letters: Arc<dyn DeadLetters>,
    /// Spreads the retries over time.
    pub random: Arc<dyn Random>,
    /// Does the jobs.
    pub worker: Arc<dyn Worker>,
}

/// What becomes of a message.
#[derive(Debug, PartialEq, Eq)]
enum Fate {
    /// It leaves the queue.
    Gone(&'static str),
    /// It stays on the queue, for this reason.
    Stays(String),
}

/// The time while a batch is worked on.
#[derive(Clone, Copy)]
struct Clock {
    started: Instant,
    at: Millis,
    deadline: Millis,
}

impl Clock {
    fn now(&self) -> Millis {
        self.at.saturating_add(u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX))
    }

    fn left(&self) -> Millis {
        self.deadline.saturating_sub(self.now())
    }
}

impl JobRunner {
    /// Works on all messages of a batch at the same time, until `deadline` at the latest. Returns the ids of the messages
    /// that stay on the queue.
    pub async fn handle(&self, records: &[Record], now: Millis, deadline: Millis) -> Vec<String> {
        let clock = Clock { started: Instant::now(), at: now, deadline };
        let fates = join_all(records.iter().map(|record| self.one(record, clock))).await;
        let stays = records.iter().zip(fates).filter(|(_, fate)| matches!(fate, Fate::Stays(_)));
        stays.map(|(record, _)| record.id.clone()).collect()
    }

    /// Takes at most `most` messages from a queue and works on them. Returns how many there were. Each is hidden from other
    /// processes for `hidden` ms, which must be longer than `time`, the time that they may take.
    pub async fn round(
        &self,
        consumer: &dyn Consumer,
        queue: QueueName,
        most: usize,
        (time, hidden): (Millis, Millis),
        now: Millis,
    ) -> Stored<usize> {
        let taken = consumer.take(queue, most, hidden, now).await?;
        let record =
            |taken: &Taken| Record { id: taken.id.clone(), body: taken.body.clone(), sent_at: taken.sent_at };
        let records: Vec<_> = taken.iter().map(record).collect();
        let stays = self.handle(&records, now, now.saturating_add(time)).await;
        for record in records.iter().filter(|record| !stays.contains(&record.id)) {
            consumer.ack(queue, &record.id).await?;
        }
        Ok(records.len())
    }

    /// Parks the messages that a queue gave up because nobody acknowledged them. Returns how many there were.
    pub async fn bury(&self, consumer: &dyn Consumer, queue: QueueName, now: Millis) -> Stored<usize> {
        let dead = consumer.dead(queue, 10, now).await?;
        for taken in &dead {
            let why = format!(
                "it was taken {} times and never finished: each time the process died, or it does not know this kind of job",
                taken.receives
            );
            match read(&taken.body) {
                Read::Job(job) => {
                    self.dead_letters.park(&dead_letter::of_job(&job, &taken.body, &why, now)).await?;
                    self.ledger.done(&job.key(), job.attempt, now.saturating_add(KEEP), now).await?;
                }
                Read::Later { .. } | Read::Unreadable { .. } => {
                    self.dead_letters
                        .park(&dead_letter::of_unreadable(&taken.id, &taken.body, taken.sent_at, &why, now))
                        .await?;
                }
            }
            consumer.ack(queue, &taken.id).await?;
            tracing::error!(route = "deliver", message_id = taken.id, outcome = "parked", error = why, "job");
        }
        Ok(dead.len())
    }

    async fn one(&self, record: &Record, clock: Clock) -> Fate {
        let mut line = JobLogLine::new(&record.id);
        let run = AssertUnwindSafe(self.deliver(record, clock, &mut line)).catch_unwind().await;
        let fate = match run {
            Ok(Ok(fate)) => fate,
            Ok(Err(error)) => Fate::Stays(crate::log::chain(&error)),
            Err(panic) => Fate::Stays(format!("it panicked: {}", crate::log::of_panic(panic.as_ref()))),
        };
        let outcome = match &fate {
            Fate::Gone(outcome) => outcome,
            Fate::Stays(why) => {
                line.error = Some(why.clone());
                "left"
            }
        };
        line.write(outcome);
        fate
    }

    async fn deliver(&self, record: &Record, clock: Clock, line: &mut JobLogLine) -> Stored<Fate> {
        let job = match read(&record.body) {
            Read::Job(job) => job,
            Read::Later { what } => return Ok(Fate::Stays(what)),
            Read::Unreadable { why } => {
                let letter =
                    dead_letter::of_unreadable(&record.id, &record.body, record.sent_at, &why, clock.now());
                self.dead_letters.park(&letter).await?;
                line.error = Some(why);
                return Ok(Fate::Gone("parked"));
            }
        };
        line.job(&job);
        let now = clock.now();
        if job.due > now {
            self.queue.send(&job, now).await?;
            return Ok(Fate::Gone("waits"));
        }
        let time = clock.left().saturating_sub(MARGIN_AFTER_JOB).min(TIME);
        if time == 0 {
            return Ok(Fate::Stays("no time was left for it".to_owned()));
        }
        // For as long as this process may work on it.
        let lease = clock.left();
        match self.ledger.claim(&job.key(), job.attempt, lease, now.saturating_add(KEEP), now).await? {
            ClaimAnswer::Mine => {}
            ClaimAnswer::Running(until) => {
                return Ok(Fate::Stays(format!(
                    "another process works on it, for {} ms at most",
                    until.saturating_sub(now)
                )));
            }
            ClaimAnswer::Superseded => return Ok(Fate::Gone("superseded")),
            ClaimAnswer::Done => return Ok(Fate::Gone("done before")),
        }
        let running = self.worker.work(&job, now, now.saturating_add(time));
        let outcome = match tokio::time::timeout(Duration::from_millis(time), running).await {
            Ok(outcome) => outcome,
            Err(_) => Outcome::Again { why: format!("it took longer than {time} ms"), after: None },
        };
        self.conclude(&job, record, outcome, clock, line).await
    }

    async fn conclude(
        &self,
        job: &Job,
        record: &Record,
        outcome: Outcome,
        clock: Clock,
        line: &mut JobLogLine,
    ) -> Stored<Fate> {
        let now = clock.now();
        let keep = now.saturating_add(KEEP);
        let (why, retry) = match outcome {
            Outcome::Done => {
                self.done(job, now).await;
                return Ok(Fate::Gone("done"));
            }
            Outcome::Next { kind, after } => {
                self.queue.send(&job.next(kind, after, now), now).await?;
                self.done(job, now).await;
                return Ok(Fate::Gone("goes on"));
            }
            Outcome::Again { why, after } => {
                let random = self.random.as_ref();
                (why, delay(job.kind.queue(), job.attempt, after, random))
            }
            Outcome::Failed { why } => (why, None),
        };
        let Some(delay) = retry else {
            self.dead_letters.park(&dead_letter::of_job(job, &record.body, &why, now)).await?;
            line.error = Some(why);
            self.done(job, now).await;
            return Ok(Fate::Gone("parked"));
        };
        line.error = Some(why);
        self.queue.send(&job.again(delay, now), now).await?;
        told(self.ledger.again(&job.key(), job.attempt, keep, now).await);
        Ok(Fate::Gone("again"))
    }

    async fn done(&self, job: &Job, now: Millis) {
        let keep = now.saturating_add(KEEP);
        told(self.ledger.done(&job.key(), job.attempt, keep, now).await);
    }
}

/// Logs that the ledger was not told. By now the outcome of the job is safe, and to repeat the job would fix nothing, so
/// the message still leaves the queue. If there is a copy of it, that one may be worked on again after the lease.
/// (`false` is no failure: a later attempt has claimed the job and will end it.)
fn told(told: Stored<bool>) {
    if let Err(error) = told {
        let error = crate::log::chain(&error);
        tracing::warn!(error, "the ledger was not told how a job ended");
    }
}
