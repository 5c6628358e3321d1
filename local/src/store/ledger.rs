//! [`Ledger`] in SQLite.

use super::sqlite::{Sqlite, TransactionError, int, number};
use async_trait::async_trait;
use cloud_apps_core::store::{
    document,
    ports::{ClaimAnswer, Ledger, StoreError, Stored},
    rules::{self, ClaimState, StoredClaim},
};
use cloud_apps_protocol::Millis;
use rusqlite::{OptionalExtension, Transaction, params};

/// How long after its expiry a row is deleted, in milliseconds: a day, as on AWS.
const SWEEP_AFTER: Millis = 24 * 3_600_000;

/// A row that is not expired.
enum Entry {
    Claimed(StoredClaim),
    Value(String),
    Once,
}

fn live(
    what: &'static str,
    tx: &Transaction<'_>,
    key: &str,
    now: Millis,
) -> Result<Option<Entry>, TransactionError> {
    let row = tx
        .prepare_cached("SELECT v, exp, attempt, work, lease, value FROM ledger WHERE key = ?1 AND exp > ?2")?
        .query_row(params![key, int(now)], |row| {
            let claim: (Option<i64>, Option<String>, Option<i64>) = (row.get(2)?, row.get(3)?, row.get(4)?);
            Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?, claim, row.get::<_, Option<String>>(5)?))
        })
        .optional()?;
    let Some((v, exp, claim, value)) = row else { return Ok(None) };
    document::check_version(what, number(what, v)?)?;
    Ok(Some(match (claim, value) {
        ((Some(attempt), Some(work), Some(lease)), None) => {
            let corrupt = || StoreError::Corrupt { what, detail: "the claim is not one".to_owned() };
            Entry::Claimed(StoredClaim {
                attempt: u32::try_from(attempt).map_err(|_| corrupt())?,
                state: ClaimState::parse(&work).ok_or_else(corrupt)?,
                lease: number(what, lease)?,
                exp: number(what, exp)?,
            })
        }
        (_, Some(value)) => Entry::Value(value),
        _ => Entry::Once,
    }))
}

fn write(
    tx: &Transaction<'_>,
    key: &str,
    exp: Millis,
    claimed: Option<StoredClaim>,
    value: Option<&str>,
) -> Result<(), TransactionError> {
    tx.prepare_cached(
        "INSERT OR REPLACE INTO ledger (key, v, exp, attempt, work, lease, value) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    )?
    .execute(params![
        key,
        int(document::ITEM_VERSION),
        int(exp),
        claimed.map(|claimed| claimed.attempt),
        claimed.map(|claimed| claimed.state.as_str()),
        claimed.map(|claimed| int(claimed.lease)),
        value,
    ])?;
    Ok(())
}

fn sweep(tx: &Transaction<'_>, now: Millis) -> Result<(), TransactionError> {
    let before = int(now.saturating_sub(SWEEP_AFTER));
    tx.prepare_cached("DELETE FROM ledger WHERE exp < ?1")?.execute([before])?;
    Ok(())
}

impl Sqlite {
    async fn end(
        &self,
        what: &'static str,
        end: ClaimState,
        key: &str,
        attempt: u32,
        keep: Millis,
        now: Millis,
    ) -> Stored<bool> {
        let key = key.to_owned();
        self.run(what, move |tx| {
            let Some(Entry::Claimed(claimed)) = live(what, tx, &key, now)? else { return Ok(false) };
            let may = rules::may_end(Some(&claimed), attempt, end, now);
            if may {
                write(tx, &key, keep, Some(StoredClaim { state: end, exp: keep, ..claimed }), None)?;
            }
            Ok(may)
        })
        .await
    }
}

#[async_trait]
impl Ledger for Sqlite {
    async fn once(&self, key: &str, until: Millis, now: Millis) -> Stored<bool> {
        const WHAT: &str = "Ledger.once";
        let key = key.to_owned();
        self.run(WHAT, move |tx| {
            sweep(tx, now)?;
            let free = live(WHAT, tx, &key, now)?.is_none();
            if free {
                write(tx, &key, until, None, None)?;
            }
            Ok(free)
        })
        .await
    }

    async fn claim(
        &self,
        key: &str,
        attempt: u32,
        lease: u64,
        keep: Millis,
        now: Millis,
    ) -> Stored<ClaimAnswer> {
        const WHAT: &str = "Ledger.claim";
        let key = key.to_owned();
        self.run(WHAT, move |tx| {
            let stored = match live(WHAT, tx, &key, now)? {
                None => None,
                Some(Entry::Claimed(claimed)) => Some(claimed),
                Some(Entry::Value(_) | Entry::Once) => {
                    let detail = "the key holds no claim".to_owned();
                    return Err(StoreError::Corrupt { what: WHAT, detail }.into());
                }
            };
            let answer = rules::claim(stored.as_ref(), attempt, now);
            if answer == ClaimAnswer::Mine {
                let lease = rules::lease_until(lease, now);
                write(
                    tx,
                    &key,
                    keep,
                    Some(StoredClaim { attempt, state: ClaimState::Running, lease, exp: keep }),
                    None,
                )?;
            }
            Ok(answer)
        })
        .await
    }

    async fn done(&self, key: &str, attempt: u32, keep: Millis, now: Millis) -> Stored<bool> {
        self.end("Ledger.done", ClaimState::Done, key, attempt, keep, now).await
    }

    async fn again(&self, key: &str, attempt: u32, keep: Millis, now: Millis) -> Stored<bool> {
        self.end("Ledger.again", ClaimState::Again, key, attempt, keep, now).await
    }

    async fn forget(&self, key: &str, now: Millis) -> Stored<bool> {
        const WHAT: &str = "Ledger.forget";
        let key = key.to_owned();
        self.run(WHAT, move |tx| {
            let Some(Entry::Claimed(claimed)) = live(WHAT, tx, &key, now)? else { return Ok(false) };
            let may = rules::may_forget(Some(&claimed), now);
            if may {
                tx.prepare_cached("DELETE FROM ledger WHERE key = ?1")?.execute([&key])?;
            }
            Ok(may)
        })
        .await
    }

    async fn put(&self, key: &str, value: &str, until: Millis, now: Millis) -> Stored<bool> {
        const WHAT: &str = "Ledger.put";
        document::check_value(WHAT, value)?;
        let (key, value) = (key.to_owned(), value.to_owned());
        self.run(WHAT, move |tx| {
            sweep(tx, now)?;
            let free = live(WHAT, tx, &key, now)?.is_none();
            if free {
                write(tx, &key, until, None, Some(&value))?;
            }
            Ok(free)
        })
        .await
    }

    async fn look(&self, key: &str, now: Millis) -> Stored<Option<String>> {
        const WHAT: &str = "Ledger.look";
        let key = key.to_owned();
        self.run(WHAT, move |tx| {
            let Some(Entry::Value(value)) = live(WHAT, tx, &key, now)? else { return Ok(None) };
            Ok(Some(value))
        })
        .await
    }

    async fn take(&self, key: &str, now: Millis) -> Stored<Option<String>> {
        const WHAT: &str = "Ledger.take";
        let key = key.to_owned();
        self.run(WHAT, move |tx| {
            let Some(Entry::Value(value)) = live(WHAT, tx, &key, now)? else { return Ok(None) };
            tx.prepare_cached("DELETE FROM ledger WHERE key = ?1")?.execute([&key])?;
            Ok(Some(value))
        })
        .await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_expired_a_day_ago_is_swept_away() {
        let root = tempfile::tempdir().unwrap();
        let store = Sqlite::open(&root.path().join("bundle.db")).unwrap();
        for n in 0..5 {
            store.once(&format!("JTI#{n}"), 1_000 + n, 0).await.unwrap();
        }
        let rows = |store: Sqlite| async move {
            store
                .run("a test", |tx| {
                    Ok(tx.query_row("SELECT count(*) FROM ledger", [], |row| row.get::<_, i64>(0))?)
                })
                .await
        };
        store.put("TALK#a", "value", u64::MAX, SWEEP_AFTER + 1_002).await.unwrap();
        assert_eq!(rows(store).await.unwrap(), 4);
    }
}
