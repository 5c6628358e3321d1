//! Transactions: writes that happen together, and the reasons why they did not.

use super::{
    Dynamo,
    condition::{Condition, on_condition},
    item::Item,
};
use crate::failure::{AwsError, failed, is_throttled, named};
use aws_sdk_dynamodb::{
    operation::transact_write_items::TransactWriteItemsError,
    types::{
        CancellationReason, ConditionCheck, Delete, Put, ReturnValuesOnConditionCheckFailure as Return,
        TransactWriteItem, Update,
    },
};
use cloud_apps_core::store::ports::{StoreError, Stored};

/// Writes that happen together or not at all.
pub(super) struct Transaction {
    what: &'static str,
    writes: Vec<TransactWriteItem>,
}

/// The outcome of a transaction.
pub(super) enum Outcome {
    /// All writes happened.
    Written,
    /// No write happened, because the conditions of some failed: what each write met, in their order.
    Refused(Vec<Refusal>),
    /// No write happened, because others write the same items. Try again.
    Conflict,
}

/// What the condition of one write met.
#[derive(Clone)]
pub(super) enum Refusal {
    /// The condition of this write did not fail.
    No,
    /// The condition failed because of this item; it is empty if there is no item.
    Failed(Item),
}

impl Transaction {
    pub fn new(what: &'static str) -> Self {
        Self { what, writes: Vec::new() }
    }

    fn built<T, E>(&self, built: Result<T, E>) -> Stored<T> {
        built.map_err(|_| named(self.what, false, AwsError::Construction))
    }

    pub fn put(mut self, table: &str, item: Item, condition: &Condition) -> Stored<Self> {
        let put = Put::builder().table_name(table).set_item(Some(item));
        let put = on_condition!(put, condition).return_values_on_condition_check_failure(Return::AllOld);
        let put = self.built(put.build())?;
        self.writes.push(TransactWriteItem::builder().put(put).build());
        Ok(self)
    }

    pub fn update(mut self, table: &str, key: Item, update: &str, condition: &Condition) -> Stored<Self> {
        let update = Update::builder().table_name(table).set_key(Some(key)).update_expression(update);
        let update =
            on_condition!(update, condition).return_values_on_condition_check_failure(Return::AllOld);
        let update = self.built(update.build())?;
        self.writes.push(TransactWriteItem::builder().update(update).build());
        Ok(self)
    }

    pub fn delete(mut self, table: &str, key: Item, condition: &Condition) -> Stored<Self> {
        let delete = Delete::builder().table_name(table).set_key(Some(key));
        let delete =
            on_condition!(delete, condition).return_values_on_condition_check_failure(Return::AllOld);
        let delete = self.built(delete.build())?;
        self.writes.push(TransactWriteItem::builder().delete(delete).build());
        Ok(self)
    }

    pub fn check(mut self, table: &str, key: Item, condition: &Condition) -> Stored<Self> {
        let check = ConditionCheck::builder().table_name(table).set_key(Some(key));
        let check = on_condition!(check, condition);
        let check = self.built(check.build())?;
        self.writes.push(TransactWriteItem::builder().condition_check(check).build());
        Ok(self)
    }

    /// Makes the writes. The SDK uses one `ClientRequestToken` for all its attempts at this request.
    pub async fn write(self, dynamo: &Dynamo) -> Stored<Outcome> {
        let request = dynamo.client().transact_write_items().set_transact_items(Some(self.writes));
        let Err(error) = request.send().await else { return Ok(Outcome::Written) };
        match error.as_service_error() {
            Some(TransactWriteItemsError::TransactionCanceledException(canceled)) => {
                outcome(self.what, canceled.cancellation_reasons())
            }
            Some(TransactWriteItemsError::TransactionInProgressException(_)) => Ok(Outcome::Conflict),
            _ => Err(failed(self.what, &error)),
        }
    }
}

/// Reads the reasons, which have the order of the writes.
fn outcome(what: &'static str, reasons: &[CancellationReason]) -> Stored<Outcome> {
    let code = |reason: &CancellationReason| reason.code().unwrap_or_default().to_owned();
    let codes: Vec<_> = reasons.iter().map(code).collect();
    if codes.iter().any(|code| code == "ConditionalCheckFailed") {
        let refusals = reasons.iter().map(|reason| match reason.code() {
            Some("ConditionalCheckFailed") => Refusal::Failed(reason.item().cloned().unwrap_or_default()),
            _ => Refusal::No,
        });
        return Ok(Outcome::Refused(refusals.collect()));
    }
    if codes.iter().any(|code| code == "TransactionConflict") {
        return Ok(Outcome::Conflict);
    }
    let reason = reasons.iter().find(|reason| !matches!(reason.code(), None | Some("None")));
    let message = reason.and_then(CancellationReason::message).unwrap_or_default().to_owned();
    let code = reason.map(code).unwrap_or_default();
    let throttled = is_throttled(&code);
    Err(named(what, throttled, AwsError::Service { code, message }))
}

/// The item because of which the condition of a write failed; empty if there was no item. `None` if the condition did
/// not fail.
pub(super) fn met(refusals: &[Refusal], at: usize) -> Option<&Item> {
    match refusals.get(at) {
        Some(Refusal::Failed(item)) => Some(item),
        Some(Refusal::No) | None => None,
    }
}

/// The error for a stored item that cannot be right.
pub(super) fn corrupt(what: &'static str, detail: &str) -> StoreError {
    StoreError::Corrupt { what, detail: detail.to_owned() }
}
