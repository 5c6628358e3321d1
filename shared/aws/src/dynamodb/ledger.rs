//! [`Ledger`]: each operation is one conditional write.

use super::{
    Dynamo,
    condition::{Condition, on_condition},
    item::{Item, Read, n, of_ledger, s, ttl},
    put::Put,
    transaction::corrupt,
};
use crate::failure::{AwsError, failed, named};
use async_trait::async_trait;
use aws_sdk_dynamodb::{
    operation::{delete_item::DeleteItemError, update_item::UpdateItemError},
    types::ReturnValue,
};
use cloud_apps_core::store::{
    document,
    ports::{ClaimAnswer, Ledger, Stored},
    rules::{self, ClaimState, StoredClaim},
};
use cloud_apps_protocol::Millis;

fn free(now: Millis) -> Condition {
    Condition::new("attribute_not_exists(pk) OR exp <= :now", [(":now", n(now))])
}

impl Dynamo {
    /// One item of the ledger.
    pub(super) async fn get_ledger(&self, what: &'static str, key: &str) -> Stored<Option<Item>> {
        let read = self.client().get_item().table_name(&*self.ledger).key("pk", s(key)).consistent_read(true);
        Ok(read.send().await.map_err(|error| failed(what, &error))?.item)
    }

    /// Puts an item into the ledger if the condition holds; otherwise returns the item that is there.
    async fn put_ledger(&self, what: &'static str, item: Item, condition: Condition) -> Stored<Option<Item>> {
        match self.put_if(what, &self.ledger, item, &condition).await? {
            Put::Done => Ok(None),
            Put::Refused(old) => Ok(Some(old)),
            Put::Conflict => Err(named(what, true, AwsError::GivenUp("a transaction writes the same item"))),
        }
    }

    async fn end(
        &self,
        what: &'static str,
        end: ClaimState,
        key: &str,
        attempt: u32,
        keep: Millis,
        now: Millis,
    ) -> Stored<bool> {
        let condition = Condition::new(
            "attempt = :attempt AND exp > :now AND #work IN (:running, :end)",
            [
                (":attempt", n(attempt.into())),
                (":now", n(now)),
                (":running", s(ClaimState::Running.as_str())),
                (":end", s(end.as_str())),
                (":exp", n(keep)),
                (":ttl", n(ttl(keep))),
            ],
        )
        .with_names(["work", "ttl"]);
        let write = self
            .client()
            .update_item()
            .table_name(&*self.ledger)
            .key("pk", s(key))
            .update_expression("SET #work = :end, exp = :exp, #ttl = :ttl");
        let write = on_condition!(write, condition);
        let Err(error) = write.send().await else { return Ok(true) };
        match error.as_service_error() {
            Some(UpdateItemError::ConditionalCheckFailedException(_)) => Ok(false),
            _ => Err(failed(what, &error)),
        }
    }
}

fn claimed(what: &'static str, item: &Item) -> Stored<StoredClaim> {
    let read = Read::new(what, item)?;
    let none = || corrupt(what, "the key holds no claim");
    Ok(StoredClaim {
        attempt: read.number("attempt").ok().and_then(|attempt| attempt.try_into().ok()).ok_or_else(none)?,
        state: read.text("work").and_then(ClaimState::parse).ok_or_else(none)?,
        lease: read.number("lease").map_err(|_| none())?,
        exp: read.number("exp")?,
    })
}

#[async_trait]
impl Ledger for Dynamo {
    async fn once(&self, key: &str, until: Millis, now: Millis) -> Stored<bool> {
        let written = self.put_ledger("Ledger.once", of_ledger(key, until), free(now)).await?;
        Ok(written.is_none())
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
        let mut item = of_ledger(key, keep);
        item.insert("attempt".to_owned(), n(attempt.into()));
        item.insert("work".to_owned(), s(ClaimState::Running.as_str()));
        item.insert("lease".to_owned(), n(rules::lease_until(lease, now)));
        // These are the cases in which `rules::claim` says `Mine`.
        let condition = Condition::new(
            "attribute_not_exists(pk) OR exp <= :now \
             OR (#work = :running AND attempt <= :attempt AND lease <= :now) \
             OR (#work = :again AND attempt < :attempt)",
            [
                (":now", n(now)),
                (":attempt", n(attempt.into())),
                (":running", s(ClaimState::Running.as_str())),
                (":again", s(ClaimState::Again.as_str())),
            ],
        )
        .with_names(["work"]);
        match self.put_ledger(WHAT, item, condition).await? {
            None => Ok(ClaimAnswer::Mine),
            Some(old) => match rules::claim(Some(&claimed(WHAT, &old)?), attempt, now) {
                ClaimAnswer::Mine => Err(corrupt(WHAT, "the condition refused what the rule grants")),
                answer => Ok(answer),
            },
        }
    }

    async fn done(&self, key: &str, attempt: u32, keep: Millis, now: Millis) -> Stored<bool> {
        self.end("Ledger.done", ClaimState::Done, key, attempt, keep, now).await
    }

    async fn again(&self, key: &str, attempt: u32, keep: Millis, now: Millis) -> Stored<bool> {
        self.end("Ledger.again", ClaimState::Again, key, attempt, keep, now).await
    }

    async fn forget(&self, key: &str, now: Millis) -> Stored<bool> {
        // This is what `rules::may_forget` allows.
        let write = self
            .client()
            .delete_item()
            .table_name(&*self.ledger)
            .key("pk", s(key))
            .condition_expression("#work = :done AND exp > :now")
            .expression_attribute_names("#work", "work")
            .expression_attribute_values(":done", s(ClaimState::Done.as_str()))
            .expression_attribute_values(":now", n(now));
        let Err(error) = write.send().await else { return Ok(true) };
        match error.as_service_error() {
            Some(DeleteItemError::ConditionalCheckFailedException(_)) => Ok(false),
            _ => Err(failed("Ledger.forget", &error)),
        }
    }

    async fn put(&self, key: &str, value: &str, until: Millis, now: Millis) -> Stored<bool> {
        const WHAT: &str = "Ledger.put";
        document::check_value(WHAT, value)?;
        let mut item = of_ledger(key, until);
        item.insert("content".to_owned(), s(value));
        Ok(self.put_ledger(WHAT, item, free(now)).await?.is_none())
    }

    async fn look(&self, key: &str, now: Millis) -> Stored<Option<String>> {
        const WHAT: &str = "Ledger.look";
        let Some(item) = self.get_ledger(WHAT, key).await? else { return Ok(None) };
        let read = Read::new(WHAT, &item)?;
        Ok(read
            .text("content")
            .filter(|_| read.number("exp").is_ok_and(|exp| !rules::over(exp, now)))
            .map(str::to_owned))
    }

    async fn take(&self, key: &str, now: Millis) -> Stored<Option<String>> {
        const WHAT: &str = "Ledger.take";
        let write = self
            .client()
            .delete_item()
            .table_name(&*self.ledger)
            .key("pk", s(key))
            .condition_expression("attribute_exists(content) AND exp > :now")
            .expression_attribute_values(":now", n(now))
            .return_values(ReturnValue::AllOld);
        match write.send().await {
            Ok(answer) => {
                let item = answer.attributes.unwrap_or_default();
                let read = Read::new(WHAT, &item)?;
                read.text("content")
                    .map(|value| Some(value.to_owned()))
                    .ok_or_else(|| corrupt(WHAT, "no content"))
            }
            Err(error) => match error.as_service_error() {
                Some(DeleteItemError::ConditionalCheckFailedException(_)) => Ok(None),
                _ => Err(failed(WHAT, &error)),
            },
        }
    }
}
