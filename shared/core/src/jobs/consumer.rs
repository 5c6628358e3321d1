//! The queues' consumer: what becomes of one message, whatever its job does and wherever it fails.
//!
//! Read it; claim it in the ledger; do it; write that it is done. A job that failed in a way that may pass with time is tried
//! again **by sending it again** with the next attempt and a delay, then acknowledging this message: the queue's count of
//! receives then counts crashes only, and no message is held in flight while it waits. The next attempt is sent before
//! the ledger is told, so that a process that dies in between loses nothing; the copy that then comes back finds in
//! the ledger which attempt is the latest, and starts no second chain. What fails for good, or too often, is parked
//! where an operator finds it.
//!
//! | the message | is |
//! |---|---|
//! | cannot be read | parked |
//! | is of a later version, or another kind | left on the queue |
//! | is not due yet | queued again for what is left of the time |
//! | was done, or has a later attempt | dropped |
//! | is being worked on | left on the queue |
//! | is mine | done, queued again, or parked |
//!
//! What is left on the queue comes again when its visibility timeout is over, as does the message of a job that
//! panicked or of a store that failed. [`Delivery::handle`] names these, and never fails itself.

use super::{
    log_line::Line,
    read::{Read, read},
    schedule::delay,
};
use crate::{
    random::Random,
    store::{
        job::{Job, QueueName, Work},
        model::{Dead, Sha256},
        ports::{Claim, Consumer, DeadLetters, Ledger, Queue, Stored, Taken},
        rules,
    },
};
use async_trait::async_trait;
use cloud_apps_protocol::Millis;
use futures_util::{FutureExt, future::join_all};
use std::{panic::AssertUnwindSafe, sync::Arc, time::Duration};
use tokio::time::Instant;

/// How long a job may take at most, in ms.
const TIME: Millis = 30_000;
/// What is kept of the platform's time for what comes after a job, in ms.
const MARGIN: Millis = 2_000;
/// How long the ledger remembers a job, in ms: as long as the queue may keep a copy of its message.
const KEEP: Millis = 14 * 24 * 3_600_000;

/// How much is kept of a message that does not fit into a letter, in bytes. Escaped as JSON it may be six times as long.
const LETTER: usize = rules::MAX_DOCUMENT / 8;

/// How long a trace is that names one, in bytes.
const TRACE: usize = 64;

/// One message of a queue.
#[derive(Clone, PartialEq, Eq)]
pub struct Record {
    /// The queue's name of it; what a failure is reported with.
    pub id: String,
    /// The job as JSON.
    pub body: String,
    /// When it was queued.
    pub sent_at: Millis,
}

/// A job may hold what no log should.
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
    /// This step is done, and this is what is left, `after` ms from now.
    Next {
        /// What is left.
        work: Work,
        /// In ms.
        after: Millis,
    },
    /// It failed in a way that may pass with time (no connection, timeout, 408, 425, 429, 5xx, a busy store): it is tried again
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
    async fn work(&self, job: &Job, now: Millis, deadline: Millis) -> Outcome;
}

/// What the consumer is given.
#[derive(Clone)]
pub struct Delivery {
    /// What is claimed and done.
    pub ledger: Arc<dyn Ledger>,
    /// Where the next attempt goes.
    pub queue: Arc<dyn Queue>,
    /// Where what is given up goes.
    pub dead_letters: Arc<dyn DeadLetters>,
    /// What spreads the retries.
    pub random: Arc<dyn Random>,
    /// What does the jobs.
    pub worker: Arc<dyn Worker>,
}

/// What becomes of a message.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// It is done with.
    Gone(&'static str),
    /// It stays on the queue, for this reason.
    Stays(String),
}

/// The time that runs while a batch is worked on.
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

impl Delivery {
    /// Works on a batch, all of it at once, until `deadline` at the latest; the ids of what is to stay on the queue.
    pub async fn handle(&self, records: &[Record], now: Millis, deadline: Millis) -> Vec<String> {
        let clock = Clock { started: Instant::now(), at: now, deadline };
        let fates = join_all(records.iter().map(|record| self.one(record, clock))).await;
        let stays = records.iter().zip(fates).filter(|(_, fate)| matches!(fate, Fate::Stays(_)));
        stays.map(|(record, _)| record.id.clone()).collect()
    }

    /// Takes at most `most` messages from a queue that is worked on by this process, and works on them; how many there
    /// were. Each is hidden from others for `hidden` ms, which must be longer than `time`, the most that they may take.
    pub async fn round(
        &self,
        consumer: &dyn Consumer,
        lane: QueueName,
        most: usize,
        (time, hidden): (Millis, Millis),
        now: Millis,
    ) -> Stored<usize> {
        let taken = consumer.take(lane, most, hidden, now).await?;
        let record =
            |taken: &Taken| Record { id: taken.id.clone(), body: taken.body.clone(), sent_at: taken.sent_at };
        let records: Vec<_> = taken.iter().map(record).collect();
        let stays = self.handle(&records, now, now.saturating_add(time)).await;
        for record in records.iter().filter(|record| !stays.contains(&record.id)) {
            consumer.ack(lane, &record.id).await?;
        }
        Ok(records.len())
    }

    /// Parks what a queue gave up because nobody ever acknowledged it; how much there was.
    pub async fn bury(&self, consumer: &dyn Consumer, lane: QueueName, now: Millis) -> Stored<usize> {
        let dead = consumer.dead(lane, 10, now).await?;
        for taken in &dead {
            let why = format!(
                "it was taken {} times and never finished: the process ended over it, or does not know its kind",
                taken.receives
            );
            match read(&taken.body) {
                Read::Job(job) => {
                    self.dead_letters.park(&letter(&job, &taken.body, &why, now)).await?;
                    self.ledger.done(&job.key(), job.attempt, now.saturating_add(KEEP), now).await?;
                }
                Read::Later { .. } | Read::Unreadable { .. } => {
                    self.dead_letters
                        .park(&unreadable(&taken.id, &taken.body, taken.sent_at, &why, now))
                        .await?;
                }
            }
            consumer.ack(lane, &taken.id).await?;
            tracing::error!(route = "deliver", message_id = taken.id, outcome = "parked", error = why, "job");
        }
        Ok(dead.len())
    }

    async fn one(&self, record: &Record, clock: Clock) -> Fate {
        let mut line = Line::new(record);
        let run = AssertUnwindSafe(self.deliver(record, clock, &mut line)).catch_unwind().await;
        let fate = match run {
            Ok(Ok(fate)) => fate,
            Ok(Err(error)) => Fate::Stays(crate::log::chain(&error)),
            Err(panic) => Fate::Stays(format!("it panicked: {}", crate::log::of_panic(panic.as_ref()))),
        };
        line.write(&fate);
        fate
    }

    async fn deliver(&self, record: &Record, clock: Clock, line: &mut Line) -> Stored<Fate> {
        let job = match read(&record.body) {
            Read::Job(job) => job,
            Read::Later { what } => return Ok(Fate::Stays(what)),
            Read::Unreadable { why } => {
                let letter = unreadable(&record.id, &record.body, record.sent_at, &why, clock.now());
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
        let time = clock.left().saturating_sub(MARGIN).min(TIME);
        if time == 0 {
            return Ok(Fate::Stays("no time was left for it".to_owned()));
        }
        // As long as this process may act on it.
        let lease = clock.left();
        match self.ledger.claim(&job.key(), job.attempt, lease, now.saturating_add(KEEP), now).await? {
            Claim::Mine => {}
            Claim::Running(until) => {
                return Ok(Fate::Stays(format!(
                    "somebody is at it, for {} ms more",
                    until.saturating_sub(now)
                )));
            }
            Claim::Superseded => return Ok(Fate::Gone("superseded")),
            Claim::Done => return Ok(Fate::Gone("done before")),
        }
        let work = self.worker.work(&job, now, now.saturating_add(time));
        let outcome = match tokio::time::timeout(Duration::from_millis(time), work).await {
            Ok(outcome) => outcome,
            Err(_) => Outcome::Again { why: format!("it took longer than {time} ms"), after: None },
        };
        self.settle(&job, record, outcome, clock, line).await
    }

    async fn settle(
        &self,
        job: &Job,
        record: &Record,
        outcome: Outcome,
        clock: Clock,
        line: &mut Line,
    ) -> Stored<Fate> {
        let now = clock.now();
        let keep = now.saturating_add(KEEP);
        let (why, retry) = match outcome {
            Outcome::Done => {
                self.done(job, now).await;
                return Ok(Fate::Gone("done"));
            }
            Outcome::Next { work, after } => {
                self.queue.send(&job.next(work, after, now), now).await?;
                self.done(job, now).await;
                return Ok(Fate::Gone("goes on"));
            }
            Outcome::Again { why, after } => {
                let random = self.random.as_ref();
                (why, delay(job.work.lane(), job.attempt, after, random))
            }
            Outcome::Failed { why } => (why, None),
        };
        let Some(delay) = retry else {
            self.dead_letters.park(&letter(job, &record.body, &why, now)).await?;
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

/// What comes of the job is safe by now, and repeating it would fix nothing: the message goes. Only a copy of it,
/// should there be one, may be worked on again when the lease is over. (`false`, a later attempt's claim, is no failure:
/// that attempt will end it.)
fn told(told: Stored<bool>) {
    if let Err(error) = told {
        let error = crate::log::chain(&error);
        tracing::warn!(error, "the ledger was not told how a job ended");
    }
}

/// A dead letter's id: the same however often its job is parked, and in the order of `first_at`.
fn letter_id(first_at: Millis, name: &str) -> String {
    let mut hash = Sha256::of(name).as_str().to_owned();
    hash.truncate(16);
    format!("{first_at:014}-{hash}")
}

/// Keeps as much of a body as a letter has room for: a message may be larger than an item, and what cannot be parked
/// would come again until the queue gives it up.
fn fitting(letter: Dead) -> Dead {
    if rules::to_document("DeadLetters.park", &letter).is_ok() {
        return letter;
    }
    let mut end = LETTER.min(letter.body.len());
    while !letter.body.is_char_boundary(end) {
        end -= 1;
    }
    let (kept, whole) = (letter.body.get(..end).unwrap_or_default().to_owned(), letter.body.len());
    let reason = format!("{} (Of its {whole} bytes the first {end} are kept.)", letter.reason);
    let trace = letter.trace.filter(|trace| trace.len() <= TRACE);
    Dead { body: kept, reason, trace, ..letter }
}

fn letter(job: &Job, body: &str, why: &str, now: Millis) -> Dead {
    fitting(Dead {
        id: letter_id(job.first_at, &job.key()),
        install: job.work.install().cloned(),
        body: body.to_owned(),
        reason: why.to_owned(),
        attempts: job.attempt,
        function: None,
        first_at: job.first_at,
        at: now,
        trace: job.trace.clone(),
    })
}

fn unreadable(message: &str, body: &str, sent_at: Millis, why: &str, now: Millis) -> Dead {
    fitting(Dead {
        id: letter_id(sent_at, message),
        install: None,
        body: body.to_owned(),
        reason: why.to_owned(),
        attempts: 0,
        function: None,
        first_at: sent_at,
        at: now,
        trace: None,
    })
}
