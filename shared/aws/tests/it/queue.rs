//! The queue, on the emulator of the stack.

use crate::emulators::{Emulator, fresh};
use async_trait::async_trait;
use aws_sdk_sqs::types::MessageSystemAttributeName as Attribute;
use cloud_apps_aws::{clients::Clients, sqs::Sqs};
use cloud_apps_core::{
    store::{
        job::{Job, JobKind},
        ports::{Queue, StoreError, Stored},
    },
    testing::{
        conformance::{self, Drained},
        sample,
    },
};
use cloud_apps_protocol::Millis;
use std::sync::Arc;

/// A new queue.
#[derive(Clone)]
struct Made {
    clients: Arc<Clients>,
    url: String,
    queue: Sqs,
}

impl Made {
    async fn new() -> Self {
        let clients = Arc::new(Emulator::of_the_stack().clients());
        let made = clients.sqs().create_queue().queue_name(fresh("commands")).send().await.unwrap();
        let url = made.queue_url.unwrap();
        let queue = Sqs::new(Arc::clone(&clients), &url);
        Self { clients, url, queue }
    }
}

#[async_trait]
impl Queue for Made {
    async fn send(&self, job: &Job, now: Millis) -> Stored<()> {
        self.queue.send(job, now).await
    }
}

/// Receives messages as Lambda's event source mapping does, without waiting.
#[async_trait]
impl Drained for Made {
    async fn drain(&self) -> Vec<String> {
        let mut bodies = Vec::new();
        loop {
            let receive =
                self.clients.sqs().receive_message().queue_url(&self.url).max_number_of_messages(10);
            let messages = receive.send().await.unwrap().messages.unwrap_or_default();
            if messages.is_empty() {
                return bodies;
            }
            for message in messages {
                let delete = self.clients.sqs().delete_message().queue_url(&self.url);
                delete.receipt_handle(message.receipt_handle.unwrap()).send().await.unwrap();
                bodies.push(message.body.unwrap());
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_emulator_of_the_stack_keeps_the_queue() {
    conformance::queue(async || Made::new().await).await;
}

fn job(delay: Millis) -> Job {
    Job::new(JobKind::Watch { install: sample::install_id(1), rev: 1 }, delay, None, 1_000)
}

#[tokio::test]
async fn a_message_names_its_owner_so_that_the_queue_is_fair() {
    let made = Made::new().await;
    made.send(&job(0), 1_000).await.unwrap();
    let receive = made.clients.sqs().receive_message().queue_url(&made.url);
    let receive = receive.message_system_attribute_names(Attribute::All).send().await.unwrap();
    let attributes = receive.messages.unwrap().remove(0).attributes.unwrap();
    assert_eq!(
        attributes.get(&Attribute::MessageGroupId).map(String::as_str),
        Some(sample::install_id(1).as_str())
    );
}

#[tokio::test]
async fn a_job_that_is_due_later_does_not_come_out_at_once() {
    let made = Made::new().await;
    // A day is longer than a message can wait; this is not an error.
    for delay in [60_000, 24 * 3_600_000] {
        made.send(&job(delay), 1_000).await.unwrap();
    }
    assert!(made.drain().await.is_empty());
    made.send(&job(60_000), 61_000).await.unwrap();
    assert_eq!(made.drain().await.len(), 1, "its time has come");
}

#[tokio::test]
async fn a_queue_that_is_not_there_is_named_with_the_operation() {
    let clients = Arc::new(Emulator::of_the_stack().clients());
    let url = format!("{}/000000000000/no-such-queue", Emulator::of_the_stack().endpoint);
    let error = Sqs::new(clients, &url).send(&job(0), 1_000).await.unwrap_err();
    assert!(matches!(error, StoreError::Unavailable { what: "Queue.send", .. }), "{error:?}");
}
