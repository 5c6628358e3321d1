//! [`Queue`], [`Consumer`] and [`DeadLetters`] in SQLite.
//!
//! The number of a message is never used twice, so a late acknowledgement cannot remove another message. `visible_at` is the time
//! when a job is due, or until when a worker has it.

use super::sqlite::{Sqlite, TransactionError, document, int, number};
use async_trait::async_trait;
use cloud_apps_core::store::{
    document,
    job::{Job, QueueName},
    model::{Dead, Page},
    page,
    ports::{Consumer, DeadLetters, Queue, StoreError, Stored, Taken},
};
use cloud_apps_protocol::{InstallId, Millis};
use rusqlite::{OptionalExtension, Row, Transaction, params};

/// A row as SQLite gives it: number, body, when it was sent, how often it was taken.
type Message = (i64, String, i64, u32);

fn message(row: &Row<'_>) -> rusqlite::Result<Message> {
    Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))
}

fn taken(what: &'static str, (id, body, sent_at, receives): Message) -> Stored<Taken> {
    Ok(Taken { id: id.to_string(), body, sent_at: number(what, sent_at)?, receives })
}

/// Takes the next message.
fn take_one(
    what: &'static str,
    tx: &Transaction<'_>,
    lane: QueueName,
    until: Millis,
    now: Millis,
) -> Result<Option<Taken>, TransactionError> {
    let found = tx
        .prepare_cached(
            "SELECT number, body, sent_at, receives + 1 FROM queue AS one
             WHERE lane = ?1 AND visible_at <= ?2 AND receives < ?3
             ORDER BY (SELECT count(*) FROM queue AS other WHERE other.lane = ?1 AND other.owner = one.owner
                 AND other.visible_at > ?2 AND other.receives > 0), number
             LIMIT 1",
        )?
        .query_row(params![lane.as_str(), int(now), lane.receives()], message)
        .optional()?;
    let Some(found) = found else { return Ok(None) };
    tx.prepare_cached("UPDATE queue SET visible_at = ?2, receives = receives + 1 WHERE number = ?1")?
        .execute(params![found.0, int(until)])?;
    Ok(Some(taken(what, found)?))
}

#[async_trait]
impl Queue for Sqlite {
    async fn send(&self, job: &Job, now: Millis) -> Stored<()> {
        const WHAT: &str = "Queue.send";
        let body = document::write(WHAT, job)?;
        let (lane, owner, due) = (job.kind.queue(), job.kind.group().to_owned(), job.due);
        self.run(WHAT, move |tx| {
            tx.prepare_cached(
                "INSERT INTO queue (lane, owner, body, sent_at, visible_at, receives) VALUES (?1, ?2, ?3, ?4, ?5, 0)",
            )?
            .execute(params![lane.as_str(), owner, body, int(now), int(due)])?;
            Ok(())
        })
        .await
    }
}

#[async_trait]
impl Consumer for Sqlite {
    async fn take(&self, lane: QueueName, most: usize, hidden: Millis, now: Millis) -> Stored<Vec<Taken>> {
        const WHAT: &str = "Consumer.take";
        self.run(WHAT, move |tx| {
            let until = now.saturating_add(hidden);
            let mut all = Vec::new();
            while all.len() < most {
                let Some(one) = take_one(WHAT, tx, lane, until, now)? else { break };
                all.push(one);
            }
            Ok(all)
        })
        .await
    }

    async fn ack(&self, lane: QueueName, id: &str) -> Stored<()> {
        const WHAT: &str = "Consumer.ack";
        let number: i64 = id.parse().map_err(|_| StoreError::Corrupt {
            what: WHAT,
            detail: "this is not the id of a message of this queue".to_owned(),
        })?;
        self.run(WHAT, move |tx| {
            tx.prepare_cached("DELETE FROM queue WHERE number = ?1 AND lane = ?2")?
                .execute(params![number, lane.as_str()])?;
            Ok(())
        })
        .await
    }

    async fn dead(&self, lane: QueueName, most: usize, now: Millis) -> Stored<Vec<Taken>> {
        const WHAT: &str = "Consumer.dead";
        self.run(WHAT, move |tx| {
            let mut dead = tx.prepare_cached(
                "SELECT number, body, sent_at, receives FROM queue
                 WHERE lane = ?1 AND visible_at <= ?2 AND receives >= ?3 ORDER BY number LIMIT ?4",
            )?;
            let rows =
                dead.query_map(params![lane.as_str(), int(now), lane.receives(), int(most as u64)], message)?;
            rows.map(|row| Ok(taken(WHAT, row?)?)).collect()
        })
        .await
    }
}

/// The key of an install's dead letters.
fn owner(install: Option<&InstallId>) -> String {
    install.map_or_else(String::new, ToString::to_string)
}

fn letter(
    what: &'static str,
    tx: &Transaction<'_>,
    of: &str,
    id: &str,
) -> Result<Option<Dead>, TransactionError> {
    let row = tx
        .prepare_cached("SELECT v, document FROM dead_letters WHERE install = ?1 AND id = ?2")?
        .query_row([of, id], |row| Ok((row.get(0)?, row.get(1)?)));
    document(what, row)
}

#[async_trait]
impl DeadLetters for Sqlite {
    async fn park(&self, dead: &Dead) -> Stored<()> {
        const WHAT: &str = "DeadLetters.park";
        let json = document::write(WHAT, dead)?;
        let (of, id) = (owner(dead.install.as_ref()), dead.id.clone());
        self.run(WHAT, move |tx| {
            tx.prepare_cached(
                "INSERT OR IGNORE INTO dead_letters (install, id, v, document) VALUES (?1, ?2, ?3, ?4)",
            )?
            .execute(params![of, id, int(document::ITEM_VERSION), json])?;
            Ok(())
        })
        .await
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
        let of = owner(install);
        self.run(WHAT, move |tx| {
            let mut letters = tx.prepare_cached(
                "SELECT v, document FROM dead_letters WHERE install = ?1 AND id > ?2 ORDER BY id LIMIT ?3",
            )?;
            let rows = letters.query_map(params![of, after, int(limit as u64 + 1)], |row| {
                Ok((row.get::<_, i64>(0)?, row.get::<_, String>(1)?))
            })?;
            let letters: Result<Vec<_>, TransactionError> =
                rows.filter_map(|row| document(WHAT, row).transpose()).collect();
            Ok(page::of_letters(letters?, limit))
        })
        .await
    }

    async fn find(&self, install: Option<&InstallId>, id: &str) -> Stored<Option<Dead>> {
        const WHAT: &str = "DeadLetters.find";
        let (of, id) = (owner(install), id.to_owned());
        self.run(WHAT, move |tx| letter(WHAT, tx, &of, &id)).await
    }

    async fn take(&self, install: Option<&InstallId>, id: &str) -> Stored<Option<Dead>> {
        const WHAT: &str = "DeadLetters.take";
        let (of, id) = (owner(install), id.to_owned());
        self.run(WHAT, move |tx| {
            let found = letter(WHAT, tx, &of, &id)?;
            tx.prepare_cached("DELETE FROM dead_letters WHERE install = ?1 AND id = ?2")?
                .execute([&of, &id])?;
            Ok(found)
        })
        .await
    }

    async fn clear(&self, install: &InstallId) -> Stored<()> {
        let of = owner(Some(install));
        self.run("DeadLetters.clear", move |tx| {
            tx.prepare_cached("DELETE FROM dead_letters WHERE install = ?1")?.execute([&of])?;
            Ok(())
        })
        .await
    }
}
