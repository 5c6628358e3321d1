//! The queues' consumer: what becomes of messages, and of those over which a process dies.

use crate::desk::{Desk, NOW};
use crate::log_line::Log;
use async_trait::async_trait;
use cloud_apps_core::{
    jobs::{JobRunner, Outcome, Record, Worker},
    operator,
    random::Random,
    store::{
        job::{Job, JobKind, QueueName},
        memory::Memory,
        model::Dead,
        ports::{DeadLetters, Ledger, Queue},
    },
    testing::{
        faults::{Fault, Faults, Faulty},
        sample,
    },
};
use cloud_apps_protocol::Millis;
use serde_json::json;
use std::sync::{Arc, Mutex};

/// How long a process of these tests may work on a message, and how long it is hidden then, in ms.
const TIMES: (Millis, Millis) = (35_000, 60_000);

/// Always in the middle.
struct Even;

impl Random for Even {
    fn fill(&self, bytes: &mut [u8]) {
        bytes.fill(0);
    }
}

/// Ends the first step's runs as the script says, one after the other, and every later step's with success.
#[derive(Clone)]
struct Script {
    ends: Vec<Outcome>,
    runs: Arc<Mutex<Vec<(u32, u32)>>>,
    panics: bool,
}

impl Script {
    fn new(ends: Vec<Outcome>) -> Self {
        Self { ends, runs: Arc::default(), panics: false }
    }

    /// Step and attempt of each run.
    fn runs(&self) -> Vec<(u32, u32)> {
        self.runs.lock().unwrap().clone()
    }
}

#[async_trait]
impl Worker for Script {
    async fn work(&self, job: &Job, _: Millis, _: Millis) -> Outcome {
        self.runs.lock().unwrap().push((job.step, job.attempt));
        assert!(!self.panics, "as the script says of CANARY{}", job.attempt);
        let nth = usize::try_from(job.attempt).unwrap() - 1;
        let end = self.ends.get(nth).or(self.ends.last()).cloned();
        if job.step > 0 { Outcome::Done } else { end.unwrap_or(Outcome::Done) }
    }
}

fn again() -> Outcome {
    Outcome::Again { why: "no connection".to_owned(), after: None }
}

fn failed() -> Outcome {
    Outcome::Failed { why: "it is impossible".to_owned() }
}

fn watch() -> JobKind {
    JobKind::Watch { install: sample::install_id(1), rev: 1 }
}

/// A process over a store.
fn process(memory: &Memory, faults: &Faults, script: &Script) -> (JobRunner, Faulty<Memory>) {
    let ports = Arc::new(Faulty::new(memory.clone(), faults.clone()));
    let delivery = JobRunner {
        ledger: ports.clone(),
        queue: ports.clone(),
        dead_letters: ports.clone(),
        random: Arc::new(Even),
        worker: Arc::new(script.clone()),
    };
    (delivery, Faulty::new(memory.clone(), faults.clone()))
}

/// Works on the queue until it is empty.
async fn until_empty(memory: &Memory, script: &Script, start: Millis) {
    let mut now = start;
    let (delivery, consumer) = process(memory, &Faults::none(), script);
    while !memory.queued().is_empty() {
        assert!(now < start + 10_000_000, "the queue is never empty: {:?}", memory.queued());
        delivery.round(&consumer, QueueName::Commands, 10, TIMES, now).await.unwrap();
        delivery.bury(&consumer, QueueName::Commands, now).await.unwrap();
        now += 1_000;
    }
}

async fn letters(memory: &Memory) -> Vec<Dead> {
    let mut all = memory.list(None, 100, None).await.unwrap().items;
    all.extend(memory.list(Some(&sample::install_id(1)), 100, None).await.unwrap().items);
    all
}

/// A queue with one job.
async fn queued(work: JobKind, delay: Millis) -> Memory {
    let memory = Memory::new();
    memory.send(&Job::new(work, delay, Some("a trace".to_owned()), 1_000), 1_000).await.unwrap();
    memory
}

fn record(id: &str, body: &str) -> Record {
    Record { id: id.to_owned(), body: body.to_owned(), sent_at: 5 }
}

fn body(job: &Job) -> String {
    serde_json::to_string(job).unwrap()
}

#[tokio::test]
async fn a_job_is_done_once_however_often_its_message_comes() {
    let (memory, script) = (queued(watch(), 0).await, Script::new(vec![]));
    let copy = memory.queued().remove(0);
    memory.send(&copy, 1_000).await.unwrap();
    until_empty(&memory, &script, 1_000).await;
    let (delivery, _) = process(&memory, &Faults::none(), &script);
    let late = [record("a", &body(&copy)), record("b", &body(&copy))];
    assert!(delivery.handle(&late, 9_000, 40_000).await.is_empty());
    assert_eq!(script.runs(), [(0, 1)]);
    assert!(letters(&memory).await.is_empty());
}

#[tokio::test]
async fn of_copies_that_come_together_one_is_done_and_the_other_waits_for_it() {
    let (memory, script) = (Memory::new(), Script::new(vec![]));
    let copy = body(&Job::new(watch(), 0, None, 0));
    let (delivery, _) = process(&memory, &Faults::none(), &script);
    assert_eq!(
        delivery.ledger.claim("DO#other", 1, 50, 100, 0).await.unwrap(),
        cloud_apps_core::store::ports::ClaimAnswer::Mine
    );
    let running: Job = serde_json::from_str(&copy).unwrap();
    memory.claim(&running.key(), 1, 500, 10_000, 0).await.unwrap();
    assert_eq!(delivery.handle(&[record("a", &copy)], 10, 40_000).await, ["a"], "somebody is at it");
    assert!(script.runs().is_empty());
}

#[tokio::test]
async fn a_failure_that_may_pass_is_tried_again_after_the_schedules_delays() {
    let (memory, script) = (queued(watch(), 0).await, Script::new(vec![again(), again(), Outcome::Done]));
    let (delivery, consumer) = process(&memory, &Faults::none(), &script);
    let mut dues = Vec::new();
    for now in [1_000, 3_000, 20_000] {
        delivery.round(&consumer, QueueName::Commands, 10, TIMES, now).await.unwrap();
        dues.push(memory.queued().first().map(|job| (job.attempt, (job.due - now) / 100)));
    }
    // Two and ten seconds, less a fifth.
    assert_eq!(dues, [Some((2, 16)), Some((3, 80)), None]);
    assert_eq!(script.runs(), [(0, 1), (0, 2), (0, 3)]);
}

#[tokio::test]
async fn what_a_server_asks_to_wait_is_waited_for() {
    let patient = Outcome::Again { why: "429".to_owned(), after: Some(600_000) };
    let (memory, script) = (queued(watch(), 0).await, Script::new(vec![patient]));
    let (delivery, consumer) = process(&memory, &Faults::none(), &script);
    delivery.round(&consumer, QueueName::Commands, 10, TIMES, 1_000).await.unwrap();
    assert!(memory.queued()[0].due >= 601_000);
}

#[tokio::test]
async fn what_fails_too_often_or_for_good_is_parked_with_its_reason() {
    for (ends, attempts, reason) in
        [(vec![again()], 5, "no connection"), (vec![failed()], 1, "it is impossible")]
    {
        let (memory, script) = (queued(watch(), 0).await, Script::new(ends));
        until_empty(&memory, &script, 1_000).await;
        let letters = letters(&memory).await;
        assert_eq!(letters.len(), 1);
        let letter = &letters[0];
        assert_eq!((letter.attempts, letter.reason.as_str(), letter.first_at), (attempts, reason, 1_000));
        assert_eq!(letter.install, Some(sample::install_id(1)));
        assert_eq!(letter.trace.as_deref(), Some("a trace"));
        let parked: Job = serde_json::from_str(&letter.body).unwrap();
        assert_eq!((parked.attempt, &parked.kind), (attempts, &watch()));
        assert_eq!(script.runs().len(), usize::try_from(attempts).unwrap());
        assert!(
            memory.forget(&parked.key(), 2_000).await.unwrap(),
            "it counts as done until somebody sends it back"
        );
    }
}

#[tokio::test]
async fn what_is_left_of_a_job_is_its_next_step() {
    let next =
        Outcome::Next { kind: JobKind::Watch { install: sample::install_id(1), rev: 2 }, after: 10_000 };
    let (memory, script) = (queued(watch(), 0).await, Script::new(vec![again(), next]));
    let (delivery, consumer) = process(&memory, &Faults::none(), &script);
    for now in [1_000, 5_000] {
        delivery.round(&consumer, QueueName::Commands, 10, TIMES, now).await.unwrap();
    }
    let next = memory.queued().remove(0);
    assert_eq!((next.step, next.attempt, next.first_at), (1, 1, 1_000));
    assert!((15_000..15_500).contains(&next.due), "{}", next.due);
    until_empty(&memory, &script, 20_000).await;
    assert_eq!(script.runs(), [(0, 1), (0, 2), (1, 1)]);
}

#[tokio::test]
async fn what_a_queue_gives_out_too_soon_is_queued_again_for_the_rest() {
    let (memory, script) = (Memory::new(), Script::new(vec![]));
    let (delivery, _) = process(&memory, &Faults::none(), &script);
    let early = Job::new(watch(), 3_600_000, None, 0);
    assert!(delivery.handle(&[record("a", &body(&early))], 900_000, 940_000).await.is_empty());
    assert_eq!(memory.queued(), [early]);
    assert!(script.runs().is_empty());
}

#[tokio::test]
async fn what_cannot_be_read_is_parked_once_and_what_a_later_version_wrote_is_left() {
    let (memory, script) = (Memory::new(), Script::new(vec![]));
    let (delivery, _) = process(&memory, &Faults::none(), &script);
    let later = json!({ "v": 2, "kind": "watch" }).to_string();
    let kind = json!({ "v": 1, "kind": "another" }).to_string();
    let broken = json!({ "v": 1, "kind": "watch", "attempt": "one" }).to_string();
    let batch = [
        record("a", "not json"),
        record("b", &later),
        record("c", &kind),
        record("d", &broken),
        record("e", ""),
    ];
    for _ in 0..2 {
        assert_eq!(delivery.handle(&batch, 10, 40_000).await, ["b", "c"]);
    }
    let mut parked: Vec<_> = letters(&memory).await.into_iter().map(|l| (l.body, l.first_at, l.at)).collect();
    parked.sort();
    let expected = ["", "not json", &broken].map(|body| (body.to_owned(), 5, 10));
    assert_eq!(parked, expected);
    assert!(delivery.handle(&[], 10, 40_000).await.is_empty());
}

#[tokio::test]
async fn a_message_that_is_larger_than_an_item_is_parked_as_far_as_it_fits() {
    let (memory, script) = (Memory::new(), Script::new(vec![Outcome::Failed { why: "no".to_owned() }]));
    let (delivery, _) = process(&memory, &Faults::none(), &script);
    // As large as SQS allows; one that grows when it is escaped; characters that no cut may halve; a job.
    let large = [1, 6, 3].map(|size| ["x", "\u{1}", "€"][size / 3].repeat((1 << 20) / size));
    let job = Job::new(watch(), 0, Some("t".repeat(1 << 19)), 5);
    let job = serde_json::to_string(&job).unwrap();
    let bodies: Vec<_> = large.iter().chain([&job]).collect();
    let batch: Vec<_> = bodies.iter().enumerate().map(|(n, body)| record(&n.to_string(), body)).collect();
    assert!(delivery.handle(&batch, 10, 40_000).await.is_empty());
    let parked = letters(&memory).await;
    assert_eq!(parked.len(), bodies.len());
    for letter in parked {
        let whole = bodies.iter().find(|body| body.starts_with(&letter.body)).unwrap();
        assert!(letter.body.len() >= 40_000, "{}", letter.body.len());
        let told = format!("Of its {} bytes the first {} are kept.", whole.len(), letter.body.len());
        assert!(letter.reason.contains(&told), "{}", letter.reason);
    }
}

#[tokio::test]
async fn a_panic_leaves_its_own_message_on_the_queue_and_no_other() {
    let (memory, quiet) = (Memory::new(), Script::new(vec![]));
    let loud = Script { panics: true, ..quiet.clone() };
    let (delivery, _) = process(&memory, &Faults::none(), &loud);
    let batch = [record("a", &body(&Job::new(watch(), 0, None, 0))), record("b", "not json")];
    let log = Log::begin();
    assert_eq!(delivery.handle(&batch, 10, 40_000).await, ["a"]);
    assert_eq!(letters(&memory).await.len(), 1);
    let log = log.text();
    assert!(log.contains("it panicked") && !log.contains("CANARY"), "{log}");
}

#[tokio::test]
async fn without_time_nothing_is_begun() {
    let (memory, script) = (Memory::new(), Script::new(vec![]));
    let (delivery, _) = process(&memory, &Faults::none(), &script);
    let job = record("a", &body(&Job::new(watch(), 0, None, 0)));
    assert_eq!(delivery.handle(std::slice::from_ref(&job), 10_000, 12_000).await, ["a"]);
    assert!(script.runs().is_empty() && memory.counts().writes() == 0);
}

#[tokio::test]
async fn a_job_that_takes_too_long_is_dropped_and_tried_again() {
    struct Endless;
    #[async_trait]
    impl Worker for Endless {
        async fn work(&self, _: &Job, now: Millis, deadline: Millis) -> Outcome {
            assert!((1..=5).contains(&(deadline - now)), "the platform's time, less what comes after a job");
            std::future::pending().await
        }
    }
    let memory = Memory::new();
    let (delivery, _) = process(&memory, &Faults::none(), &Script::new(vec![]));
    let delivery = JobRunner { worker: Arc::new(Endless), ..delivery };
    let job = record("a", &body(&Job::new(watch(), 0, None, 0)));
    assert!(delivery.handle(&[job], 10_000, 12_005).await.is_empty());
    let next = memory.queued().remove(0);
    assert!(next.attempt == 2 && next.due >= 11_600, "{next:?}");
}

#[tokio::test]
async fn a_message_over_which_the_process_always_dies_is_parked() {
    let (memory, script) = (queued(watch(), 0).await, Script { panics: true, ..Script::new(vec![]) });
    until_empty(&memory, &script, 1_000).await;
    let letters = letters(&memory).await;
    assert_eq!(letters.len(), 1);
    assert!(letters[0].reason.contains("taken 3 times"), "{}", letters[0].reason);
    assert_eq!(script.runs().len(), 3);
    let parked: Job = serde_json::from_str(&letters[0].body).unwrap();
    assert!(memory.forget(&parked.key(), 300_000).await.unwrap(), "so that it can be sent back");
}

/// What a job may do: how its attempts end, and what must come of it.
fn lives() -> Vec<(&'static str, Vec<Outcome>, bool)> {
    let next = || Outcome::Next { kind: watch(), after: 10_000 };
    vec![
        ("is done", vec![Outcome::Done], false),
        ("is done at its second attempt", vec![again(), Outcome::Done], false),
        ("goes on", vec![next()], false),
        ("goes on after a failure", vec![again(), next()], false),
        ("fails for good", vec![failed()], true),
        ("fails too often", vec![again()], true),
    ]
}

#[tokio::test]
async fn whatever_fails_or_dies_an_accepted_job_is_done_or_parked_and_never_done_again() {
    let mut tried = 0;
    for (life, ends, parked) in lives() {
        let whole = Script::new(ends.clone());
        let memory = queued(watch(), 0).await;
        until_empty(&memory, &whole, 1_000).await;
        let usual = whole.runs().len();
        for fault in Fault::ALL {
            for n in 1.. {
                let (memory, script, faults) =
                    (queued(watch(), 0).await, Script::new(ends.clone()), Faults::at(n, fault));
                // One process, until a call of its fails and it is ended, or it dies.
                let (delivery, consumer) = process(&memory, &faults, &script);
                let mut now = 1_000;
                while !faults.struck() && !memory.queued().is_empty() {
                    let round = delivery.round(&consumer, QueueName::Commands, 10, TIMES, now);
                    let _ = faults.until_killed(round).await;
                    now += 1_000;
                }
                if !faults.struck() {
                    break;
                }
                tried += 1;
                until_empty(&memory, &script, now).await;
                let log = faults.log();
                let at = format!("a job that {life}, {fault:?} at {:?}", log.get(n - 1));
                let (runs, letters) = (script.runs(), letters(&memory).await);
                assert_eq!(letters.len(), usize::from(parked), "{at}");
                assert!(runs.len() <= usual + 1, "{at}: one fault repeats one run at most: {runs:?}");
                let (mut once, mut usually) = (runs.clone(), whole.runs());
                once.sort_unstable();
                once.dedup();
                usually.sort_unstable();
                assert_eq!(once, usually, "{at}: one chain of attempts and steps");
                let ended = matches!(log.get(n - 1), Some(&"Consumer.ack"))
                    || (matches!(fault, Fault::After | Fault::KillAfter)
                        && matches!(log.get(n - 1), Some(&"Ledger.done")));
                assert!(!ended || runs.len() == usual, "{at}: done is done: {runs:?}");
            }
        }
    }
    assert!(tried > 100, "{tried}");
}

#[tokio::test]
async fn an_operator_lists_what_was_given_up_sends_it_back_or_discards_it() {
    let desk = Desk::new().await;
    let (memory, script) = (desk.memory.clone(), Script::new(vec![failed()]));
    memory.send(&Job::new(watch(), 0, Some("a trace".to_owned()), NOW), NOW).await.unwrap();
    until_empty(&memory, &script, NOW).await;
    let install = sample::install_id(1);
    let list = json!({ "do": "dead_letters", "install_id": install });
    let listed = desk.operator(list.clone()).await;
    let letter = &listed["dead_letters"][0];
    assert_eq!(
        (&letter["kind"], &letter["reason"]),
        (&json!("watch"), &json!("it is impossible")),
        "{listed}"
    );
    assert!(letter.get("body").is_none() && listed["dead_letters"].as_array().unwrap().len() == 1);
    let id = letter["id"].clone();

    let back = desk.operator(json!({ "do": "send_back", "install_id": install, "id": id })).await;
    assert_eq!(back["dead_letter"]["id"], id, "{back}");
    let job = memory.queued().remove(0);
    assert_eq!((job.attempt, job.kind.clone(), job.trace.as_deref()), (1, watch(), Some("a trace")));
    assert_eq!(desk.operator(list.clone()).await["dead_letters"], json!([]));
    // It fails once more: parked again, and the letter of then is another's business.
    until_empty(&memory, &script, NOW).await;
    assert_eq!(script.runs(), [(0, 1), (0, 1)], "the ledger let it through");
    assert_eq!(desk.operator(list.clone()).await["dead_letters"][0]["id"], id);

    let gone = desk.operator(json!({ "do": "discard", "install_id": install, "id": id })).await;
    assert_eq!(gone["dead_letter"]["id"], id);
    assert!(memory.queued().is_empty());
    for request in ["send_back", "discard"] {
        let refused = desk.operator(json!({ "do": request, "install_id": install, "id": id })).await;
        let message = refused["error"]["message"].as_str().unwrap_or_default();
        assert!(message.contains("There is no dead letter"), "{refused}");
    }
}

#[tokio::test]
async fn what_nobody_can_read_is_listed_under_no_install_and_not_sent_back() {
    let desk = Desk::new().await;
    let (delivery, _) = process(&desk.memory, &Faults::none(), &Script::new(vec![]));
    delivery
        .handle(&[record("a", "{\"v\":1,\"kind\":\"watch\",\"install\":\"the secret\"}")], NOW, NOW + 40_000)
        .await;
    let listed = desk.operator(json!({ "do": "dead_letters" })).await;
    let id = listed["dead_letters"][0]["id"].clone();
    assert!(!listed.to_string().contains("secret") && id.is_string(), "{listed}");
    let refused = desk.operator(json!({ "do": "send_back", "id": id })).await;
    let message = refused["error"]["message"].as_str().unwrap_or_default();
    assert!(message.contains("Discard") && desk.memory.queued().is_empty(), "{refused}");
    assert_eq!(desk.operator(json!({ "do": "dead_letters" })).await["dead_letters"][0]["id"], id, "it stays");
}

#[tokio::test]
async fn a_later_versions_job_that_was_given_up_is_not_sent_back_without_what_only_that_version_knows() {
    let desk = Desk::new().await;
    let job = serde_json::to_value(Job::new(watch(), 0, None, NOW)).unwrap();
    let mut later = job.clone();
    (later["v"], later["only_later"]) = (json!(2), json!("the secret"));
    let memory = &desk.memory;
    let letter = Dead {
        id: "later".to_owned(),
        install: None,
        body: later.to_string(),
        reason: "it was taken 3 times and never finished".to_owned(),
        attempts: 0,
        function: None,
        first_at: NOW,
        at: NOW,
        trace: None,
    };
    memory.park(&letter).await.unwrap();
    let refused = desk.operator(json!({ "do": "send_back", "id": "later" })).await;
    let message = refused["error"]["message"].as_str().unwrap_or_default();
    assert!(message.contains("the job has version 2, and this program knows 1"), "{refused}");
    assert!(!message.contains("secret") && memory.queued().is_empty(), "{refused}");
    assert_eq!(
        desk.operator(json!({ "do": "dead_letters" })).await["dead_letters"][0]["id"],
        "later",
        "it stays"
    );
}

#[tokio::test]
async fn sending_back_that_is_cut_off_anywhere_loses_nothing() {
    for fault in Fault::ALL {
        for n in 1.. {
            let desk = Desk::new().await;
            let (memory, script) = (desk.memory.clone(), Script::new(vec![failed()]));
            memory.send(&Job::new(watch(), 0, None, NOW), NOW).await.unwrap();
            until_empty(&memory, &script, NOW).await;
            let id = letters(&memory).await.remove(0).id;
            let request =
                json!({ "operator": { "do": "send_back", "install_id": sample::install_id(1), "id": id } });
            let faults = Faults::at(n, fault);
            let management = desk.process(&faults);
            faults.until_killed(operator::handle(&management, request.clone(), NOW, "request-1")).await;
            if !faults.struck() {
                break;
            }
            let (kept, queued) = (letters(&memory).await.len(), memory.queued().len());
            let at = format!("{fault:?} at {:?}", faults.log().get(n - 1));
            assert!(kept + queued > 0, "{at}: the job is lost");
            // An operator who still finds the letter sends it back again: the job is done once for that.
            operator::handle(&desk.management(), request, NOW + 1, "request-2").await;
            let done = Script::new(vec![Outcome::Done]);
            until_empty(&memory, &done, NOW).await;
            assert_eq!(done.runs(), [(0, 1)], "{at}");
            assert!(letters(&memory).await.is_empty(), "{at}");
        }
    }
}
