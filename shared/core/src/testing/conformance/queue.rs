//! Cases of [`Queue`] and [`Consumer`].

use super::{RACERS, race, run_cases};
use crate::store::{
    document,
    job::{Job, JobKind, QueueName},
    ports::{Consumer, Queue, StoreError, Taken},
};
use crate::testing::sample;
use async_trait::async_trait;
use cloud_apps_protocol::Millis;

/// How long a message that is taken is hidden in these cases, in ms.
const HIDDEN: Millis = 100;

/// A queue from which a test can take all messages.
#[async_trait]
pub trait Drained: Queue + Clone + 'static {
    /// Takes and acknowledges all messages. Returns their bodies.
    async fn drain(&self) -> Vec<String>;
}

/// [`Drained::drain`] for a queue that has a [`Consumer`].
pub async fn drain(store: &impl Consumer) -> Vec<String> {
    let mut bodies = Vec::new();
    for queue in QueueName::ALL {
        for message in store.take(queue, usize::MAX, HIDDEN, Millis::MAX / 4).await.unwrap() {
            store.ack(queue, &message.id).await.unwrap();
            bodies.push(message.body);
        }
    }
    bodies
}

/// Runs the cases of [`Queue`] that hold with any clock, also the platform's. `make` makes an empty queue.
pub async fn queue<S: Drained>(make: impl AsyncFn() -> S) {
    run_cases!(
        "queue",
        make,
        [
            what_is_sent_arrives_as_it_was,
            of_many_that_are_sent_at_once_all_arrive,
            what_is_too_large_is_refused,
        ]
    );
}

/// Runs all cases of [`Consumer`]; `make` makes an empty queue.
pub async fn consumer<S: Queue + Consumer + Clone + 'static>(make: impl AsyncFn() -> S) {
    run_cases!(
        "consumer",
        make,
        [
            a_job_is_given_out_when_it_is_due,
            what_is_taken_is_hidden_and_then_comes_again,
            what_is_acknowledged_never_comes_again,
            an_acknowledgement_touches_its_own_message_only,
            whoever_has_the_fewest_in_hand_goes_first,
            of_one_owner_the_oldest_goes_first,
            an_owner_whose_worker_died_is_not_held_back_for_long,
            what_is_taken_too_often_is_dead_until_it_is_acknowledged,
            lanes_are_apart,
            of_many_takers_each_message_goes_to_one,
        ]
    );
}

fn watch(n: usize) -> JobKind {
    JobKind::Watch { install: sample::install_id(n), rev: 1 }
}

fn reseal(cursor: Option<String>) -> JobKind {
    JobKind::Reseal { app: sample::app(), cursor }
}

async fn what_is_sent_arrives_as_it_was(store: impl Drained) {
    let jobs = [
        Job::new(watch(1), 0, None, 0),
        Job::new(reseal(Some("grüß \"…\"".to_owned())), 0, Some("a trace".to_owned()), 5).again(0, 9),
    ];
    for job in &jobs {
        store.send(job, job.due).await.unwrap();
    }
    let bodies = store.drain().await;
    let mut arrived: Vec<Job> = bodies.iter().map(|body| serde_json::from_str(body).unwrap()).collect();
    arrived.sort_by_key(|job| job.first_at);
    assert_eq!(arrived, jobs);
    assert!(store.drain().await.is_empty());
}

async fn of_many_that_are_sent_at_once_all_arrive(store: impl Drained) {
    race(|n| {
        let store = store.clone();
        async move { store.send(&Job::new(watch(n), 0, None, 0), 0).await.unwrap() }
    })
    .await;
    let mut bodies = store.drain().await;
    bodies.sort();
    bodies.dedup();
    assert_eq!(bodies.len(), RACERS);
}

async fn what_is_too_large_is_refused(store: impl Drained) {
    let large = Job::new(reseal(Some("x".repeat(document::MAX_DOCUMENT))), 0, None, 0);
    let error = store.send(&large, 0).await.unwrap_err();
    assert!(matches!(error, StoreError::TooLarge { .. }), "{error}");
    assert!(store.drain().await.is_empty());
}

async fn send(store: &impl Queue, n: usize, delay: Millis, now: Millis) {
    store.send(&Job::new(watch(n), delay, None, now), now).await.unwrap();
}

async fn take(store: &impl Consumer, most: usize, now: Millis) -> Vec<Taken> {
    store.take(QueueName::Commands, most, HIDDEN, now).await.unwrap()
}

/// The installs of these messages.
fn owners(taken: &[Taken]) -> Vec<usize> {
    let owner = |taken: &Taken| {
        let job: Job = serde_json::from_str(&taken.body).unwrap();
        (0..100).find(|n| job.kind.install() == Some(&sample::install_id(*n))).unwrap()
    };
    taken.iter().map(owner).collect()
}

async fn a_job_is_given_out_when_it_is_due(store: impl Queue + Consumer) {
    send(&store, 1, 50, 1_000).await;
    assert!(take(&store, 10, 1_049).await.is_empty());
    let taken = take(&store, 10, 1_050).await;
    assert_eq!((owners(&taken), taken[0].sent_at, taken[0].receives), (vec![1], 1_000, 1));
}

async fn what_is_taken_is_hidden_and_then_comes_again(store: impl Queue + Consumer) {
    send(&store, 1, 0, 0).await;
    let first = take(&store, 10, 10).await;
    assert!(take(&store, 10, 10 + HIDDEN - 1).await.is_empty());
    let again = take(&store, 10, 10 + HIDDEN).await;
    assert_eq!((again[0].id.as_str(), again[0].receives), (first[0].id.as_str(), 2));
}

async fn what_is_acknowledged_never_comes_again(store: impl Queue + Consumer) {
    for n in 1..3 {
        send(&store, n, 0, 0).await;
    }
    let taken = take(&store, 10, 0).await;
    for _ in 0..2 {
        store.ack(QueueName::Commands, &taken[0].id).await.unwrap();
    }
    let left = take(&store, 10, HIDDEN).await;
    assert_eq!(left.iter().map(|left| &left.id).collect::<Vec<_>>(), [&taken[1].id]);
    // Although its time was over: somebody did it.
    store.ack(QueueName::Commands, &taken[1].id).await.unwrap();
    assert!(take(&store, 10, 10 * HIDDEN).await.is_empty());
}

async fn an_acknowledgement_touches_its_own_message_only(store: impl Queue + Consumer) {
    send(&store, 1, 0, 0).await;
    let first = take(&store, 10, 0).await;
    store.ack(QueueName::Commands, &first[0].id).await.unwrap();
    send(&store, 2, 0, 0).await;
    store.ack(QueueName::Commands, &first[0].id).await.unwrap();
    store.ack(QueueName::Events, &first[0].id).await.unwrap();
    let second = take(&store, 10, 0).await;
    assert_eq!(owners(&second), [2]);
    store.ack(QueueName::Events, &second[0].id).await.unwrap();
    assert_eq!(owners(&take(&store, 10, HIDDEN).await), [2], "the other queue's id is another message's");
}

async fn whoever_has_the_fewest_in_hand_goes_first(store: impl Queue + Consumer) {
    for n in [1, 1, 1, 2, 3, 3] {
        send(&store, n, 0, 0).await;
    }
    assert_eq!(owners(&take(&store, 3, 0).await), [1, 2, 3]);
    assert_eq!(owners(&take(&store, 10, 0).await), [1, 3, 1]);
    // What waits for another time is in nobody's hand.
    for n in [4, 4, 5] {
        send(&store, n, 0, 0).await;
    }
    send(&store, 5, 1_000, 0).await;
    send(&store, 5, 1_000, 0).await;
    assert_eq!(owners(&take(&store, 2, 0).await), [4, 5]);
}

async fn of_one_owner_the_oldest_goes_first(store: impl Queue + Consumer) {
    for now in [0, 1, 2] {
        send(&store, 1, 0, now).await;
    }
    let taken = take(&store, 10, 5).await;
    assert_eq!(taken.iter().map(|taken| taken.sent_at).collect::<Vec<_>>(), [0, 1, 2]);
}

async fn an_owner_whose_worker_died_is_not_held_back_for_long(store: impl Queue + Consumer) {
    for n in [1, 1, 1, 2, 2] {
        send(&store, n, 0, 0).await;
    }
    assert_eq!(owners(&take(&store, 1, 0).await), [1]);
    assert_eq!(owners(&take(&store, 1, 1).await), [2]);
    // Both are free again: the oldest message, which is the first that died.
    assert_eq!(owners(&take(&store, 2, 1 + HIDDEN).await), [1, 2]);
}

async fn what_is_taken_too_often_is_dead_until_it_is_acknowledged(store: impl Queue + Consumer) {
    send(&store, 1, 0, 0).await;
    let receives = QueueName::Commands.receives();
    for n in 0..receives {
        let now = u64::from(n) * HIDDEN;
        assert!(store.dead(QueueName::Commands, 10, now).await.unwrap().is_empty());
        assert_eq!(take(&store, 10, now).await.len(), 1);
    }
    let last = u64::from(receives) * HIDDEN;
    assert!(
        store.dead(QueueName::Commands, 10, last - 1).await.unwrap().is_empty(),
        "somebody may still do it"
    );
    assert!(take(&store, 10, last).await.is_empty());
    assert!(store.dead(QueueName::Events, 10, last).await.unwrap().is_empty());
    for _ in 0..2 {
        let dead = store.dead(QueueName::Commands, 10, last).await.unwrap();
        assert_eq!((owners(&dead), dead[0].receives), (vec![1], receives));
    }
    let dead = store.dead(QueueName::Commands, 10, last).await.unwrap();
    store.ack(QueueName::Commands, &dead[0].id).await.unwrap();
    assert!(store.dead(QueueName::Commands, 10, last).await.unwrap().is_empty());
}

async fn lanes_are_apart(store: impl Queue + Consumer) {
    send(&store, 1, 0, 0).await;
    assert!(store.take(QueueName::Events, 10, HIDDEN, 0).await.unwrap().is_empty());
    assert_eq!(take(&store, 10, 0).await.len(), 1);
}

async fn of_many_takers_each_message_goes_to_one<S: Queue + Consumer + Clone + 'static>(store: S) {
    for n in 0..RACERS {
        send(&store, n % 3, 0, n as u64).await;
    }
    let taken = race(|n| {
        let store = store.clone();
        async move { store.take(QueueName::Commands, 1 + n % 2, HIDDEN, 50).await.unwrap() }
    })
    .await;
    let mut ids: Vec<_> = taken.iter().flatten().map(|taken| taken.id.clone()).collect();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), RACERS);
    assert_eq!(taken.iter().map(Vec::len).sum::<usize>(), RACERS);
}
