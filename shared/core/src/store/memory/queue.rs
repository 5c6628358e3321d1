//! The queues and the dead letters.

use super::{Memory, maps::Message};
use crate::store::{
    document,
    job::{Job, QueueName},
    model::{Dead, Page},
    page,
    ports::{Consumer, DeadLetters, Queue, Stored, Taken},
    rules,
};
use async_trait::async_trait;
use cloud_apps_protocol::{InstallId, Millis};
use std::cmp::Reverse;

#[async_trait]
impl Queue for Memory {
    async fn send(&self, job: &Job, now: Millis) -> Stored<()> {
        const WHAT: &str = "Queue.send";
        let body = document::write(WHAT, job)?;
        let mut maps = self.writing(WHAT);
        let number = maps.number();
        maps.messages.push(Message {
            number,
            queue: job.kind.queue(),
            group: job.kind.group().to_owned(),
            body,
            sent_at: now,
            visible_at: job.due,
            receives: 0,
        });
        Ok(())
    }
}

#[async_trait]
impl Consumer for Memory {
    async fn take(&self, queue: QueueName, most: usize, hidden: Millis, now: Millis) -> Stored<Vec<Taken>> {
        let mut maps = self.writing("Consumer.take");
        let messages = &mut maps.messages;
        let mut taken = Vec::new();
        for _ in 0..most {
            let ready = messages.iter().filter(|message| {
                message.queue == queue
                    && rules::over(message.visible_at, now)
                    && message.receives < queue.receives()
            });
            let in_hand = |group: &str| {
                messages.iter().filter(|m| m.queue == queue && m.group == group && m.in_hand(now)).count()
            };
            let first = ready.min_by_key(|message| (in_hand(&message.group), message.number));
            let Some(number) = first.map(|message| message.number) else { break };
            if let Some(message) = messages.iter_mut().find(|message| message.number == number) {
                message.receives += 1;
                message.visible_at = now.saturating_add(hidden);
                taken.push(message.taken());
            }
        }
        Ok(taken)
    }

    async fn ack(&self, queue: QueueName, id: &str) -> Stored<()> {
        let mut maps = self.writing("Consumer.ack");
        maps.messages.retain(|message| message.queue != queue || message.id() != id);
        Ok(())
    }

    async fn dead(&self, queue: QueueName, most: usize, now: Millis) -> Stored<Vec<Taken>> {
        let maps = self.reading("Consumer.dead");
        let dead = maps.messages.iter().filter(|message| {
            message.queue == queue
                && rules::over(message.visible_at, now)
                && message.receives >= queue.receives()
        });
        Ok(dead.take(most).map(Message::taken).collect())
    }
}

#[async_trait]
impl DeadLetters for Memory {
    async fn park(&self, dead: &Dead) -> Stored<()> {
        let mut maps = self.writing("DeadLetters.park");
        document::write("DeadLetters.park", dead)?;
        maps.letters.entry((dead.install.clone(), dead.id.clone())).or_insert_with(|| dead.clone());
        Ok(())
    }

    async fn list(
        &self,
        install: Option<&InstallId>,
        limit: usize,
        cursor: Option<&str>,
    ) -> Stored<Page<Dead>> {
        const WHAT: &str = "DeadLetters.list";
        let after =
            cursor.map(|cursor| page::letter_of_cursor(WHAT, cursor)).transpose()?.unwrap_or_default();
        let limit = limit.clamp(1, page::MAX_PAGE);
        let maps = self.reading(WHAT);
        let letters = maps.letters.iter().filter(|((of, id), _)| of.as_ref() == install && *id > after);
        Ok(page::of_letters(letters.take(limit + 1).map(|(_, letter)| letter.clone()).collect(), limit))
    }

    async fn find(&self, install: Option<&InstallId>, id: &str) -> Stored<Option<Dead>> {
        let maps = self.reading("DeadLetters.find");
        Ok(maps.letters.get(&(install.cloned(), id.to_owned())).cloned())
    }

    async fn take(&self, install: Option<&InstallId>, id: &str) -> Stored<Option<Dead>> {
        Ok(self.writing("DeadLetters.take").letters.remove(&(install.cloned(), id.to_owned())))
    }

    async fn clear(&self, install: &InstallId) -> Stored<()> {
        self.writing("DeadLetters.clear").letters.retain(|(of, _), _| of.as_ref() != Some(install));
        Ok(())
    }
}

impl Memory {
    /// The jobs on the queues, those that are due first at the front.
    pub fn queued(&self) -> Vec<Job> {
        let maps = self.lock();
        let mut messages: Vec<_> = maps.messages.iter().collect();
        messages.sort_by_key(|message| (message.visible_at, Reverse(message.receives), message.number));
        messages.iter().filter_map(|message| serde_json::from_str(&message.body).ok()).collect()
    }

    /// Puts any text on a queue, as another version of the bundle or another program might do.
    pub fn put_message(&self, queue: QueueName, group: &str, body: &str, now: Millis) {
        let mut maps = self.lock();
        let number = maps.number();
        maps.messages.push(Message {
            number,
            queue,
            group: group.to_owned(),
            body: body.to_owned(),
            sent_at: now,
            visible_at: now,
            receives: 0,
        });
    }
}
