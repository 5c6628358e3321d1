//! The consumer of the local bundle's queue: what the event source mappings and the `Deliver` function are on AWS.
//!
//! A few workers take one message each, so the fairness of the queue decides at every message. When the bundle stops, each
//! worker finishes its message. A message that a killed process had taken comes again when its time is over.
//!
//! What the template's schedule does on AWS, [`upkeep_every_day`] does here.

use crate::store::Sqlite;
use cloud_apps_core::{
    bundle::Bundle,
    http::system_now,
    install::DAY,
    jobs::JobRunner,
    store::{
        job::QueueName,
        ports::{StoreError, Stored},
    },
    upkeep,
};
use cloud_apps_protocol::Millis;
use std::time::Duration;

/// How many jobs run at the same time.
const WORKERS: usize = 4;
/// How long a worker waits before it looks again if it found nothing.
const IDLE: Duration = Duration::from_millis(500);
/// How long one message may take, and how long it is hidden from the other workers, in ms.
const TIMES: (Millis, Millis) = (35_000, 60_000);
/// How long it takes until the upkeep of a day is begun again if that failed.
const AGAIN: Duration = Duration::from_mins(10);

/// Works on the queue until `stop` ends, for each worker.
pub async fn consume<S>(delivery: JobRunner, queue: Sqlite, stop: impl Fn() -> S)
where
    S: Future<Output = ()> + Send + 'static,
{
    let mut workers = tokio::task::JoinSet::new();
    for _ in 0..WORKERS {
        workers.spawn(work(delivery.clone(), queue.clone(), stop()));
    }
    while workers.join_next().await.is_some() {}
}

async fn work(delivery: JobRunner, queue: Sqlite, stop: impl Future<Output = ()>) {
    tokio::pin!(stop);
    loop {
        let worked = round(&delivery, &queue).await.unwrap_or_else(|error: StoreError| {
            tracing::error!(%error, "the queue cannot be worked on; trying again");
            0
        });
        let pause = if worked > 0 { Duration::ZERO } else { IDLE };
        tokio::select! {
            biased;
            () = &mut stop => return,
            () = tokio::time::sleep(pause) => {}
        }
    }
}

/// Begins the upkeep of each day, now and after each midnight (UTC), until `stop` ends. Of a day on which the bundle starts more
/// than once, the ledger knows what was done.
pub async fn upkeep_every_day(bundle: Bundle, stop: impl Future<Output = ()>) {
    tokio::pin!(stop);
    loop {
        let now = system_now();
        let pause = match upkeep::begin(bundle.management(), now).await {
            Ok(_) => until_tomorrow(now),
            Err(error) => {
                tracing::error!(%error, "the upkeep of the day was not begun; trying again");
                AGAIN
            }
        };
        tokio::select! {
            biased;
            () = &mut stop => return,
            () = tokio::time::sleep(pause) => {}
        }
    }
}

/// How long it is until the next day begins.
fn until_tomorrow(now: Millis) -> Duration {
    Duration::from_millis(DAY - now % DAY)
}

/// One message of each queue, and what nobody could finish; how many there were.
async fn round(delivery: &JobRunner, queue: &Sqlite) -> Stored<usize> {
    let mut worked = 0;
    for name in QueueName::ALL {
        worked += delivery.round(queue, name, 1, TIMES, system_now()).await?;
        worked += delivery.bury(queue, name, system_now()).await?;
    }
    Ok(worked)
}

#[cfg(test)]
mod tests {
    use super::*;
    use async_trait::async_trait;
    use cloud_apps_core::{
        jobs::{Outcome, Worker},
        random::SystemRandom,
        store::{
            job::{Job, JobKind},
            ports::{Consumer, Queue},
        },
        testing::sample,
    };
    use std::sync::Arc;
    use tokio::sync::{mpsc, watch};

    /// Tells of each job that it is given, and takes its time.
    struct Tells(mpsc::UnboundedSender<Job>, watch::Receiver<bool>);

    #[async_trait]
    impl Worker for Tells {
        async fn work(&self, job: &Job, _: Millis, _: Millis) -> Outcome {
            self.0.send(job.clone()).unwrap();
            self.1.clone().wait_for(|go| *go).await.unwrap();
            Outcome::Done
        }
    }

    fn delivery(store: &Sqlite, worker: Tells) -> JobRunner {
        let store = Arc::new(store.clone());
        JobRunner {
            ledger: store.clone(),
            queue: store.clone(),
            dead_letters: store,
            random: Arc::new(SystemRandom),
            worker: Arc::new(worker),
        }
    }

    #[test]
    fn the_next_day_begins_at_midnight() {
        assert_eq!(until_tomorrow(5 * DAY), Duration::from_millis(DAY));
        assert_eq!(until_tomorrow(5 * DAY - 1), Duration::from_millis(1));
    }

    #[tokio::test]
    async fn what_a_killed_process_had_in_hand_is_done_after_its_time_and_a_stop_waits_for_it() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("bundle.db");
        let job = Job::new(JobKind::Watch { install: sample::install_id(1), rev: 1 }, 0, None, 0);
        {
            let killed = Sqlite::open(&path).unwrap();
            killed.send(&job, 0).await.unwrap();
            // Long ago: its time is over.
            assert_eq!(killed.take(QueueName::Commands, 1, TIMES.1, 0).await.unwrap().len(), 1);
        }
        let store = Sqlite::open(&path).unwrap();
        let (told, mut tells) = mpsc::unbounded_channel();
        let (go, going) = watch::channel(false);
        let (stop, stopped) = watch::channel(false);
        let stops = move || {
            let mut stopped = stopped.clone();
            async move {
                let _ = stopped.wait_for(|stop| *stop).await;
            }
        };
        let running = tokio::spawn(consume(delivery(&store, Tells(told, going)), store.clone(), stops));
        assert_eq!(tells.recv().await.unwrap(), job);
        stop.send(true).unwrap();
        assert!(!running.is_finished(), "the job is still in hand");
        go.send(true).unwrap();
        running.await.unwrap();
        assert!(
            store.take(QueueName::Commands, 1, 1, u64::MAX / 4).await.unwrap().is_empty(),
            "it is done with"
        );
    }
}
