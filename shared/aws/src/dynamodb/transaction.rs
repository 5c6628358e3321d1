//! Transactions: what is written together, and why it was not.

use super::{
    Dynamo,
    item::{Item, s},
};
use crate::failure::{AwsError, failed, is_throttled, named};
use aws_sdk_dynamodb::{
    operation::transact_write_items::TransactWriteItemsError,
    types::{
        AttributeValue, CancellationReason, ConditionCheck, Delete, Put,
        ReturnValuesOnConditionCheckFailure as Return, TransactWriteItem, Update,
    },
};
use cloud_apps_core::store::ports::{StoreError, Stored};
use std::collections::HashMap;

/// A condition with its names and values.
#[derive(Default, Clone)]
pub(super) struct When {
    pub expression: String,
    pub names: HashMap<String, String>,
    pub values: HashMap<String, AttributeValue>,
}

impl When {
    /// An expression and its values (`:name`).
    pub fn new<const N: usize>(expression: &str, values: [(&str, AttributeValue); N]) -> Self {
        let values = values.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        Self { expression: expression.to_owned(), names: HashMap::new(), values }
    }

    /// Nothing is there.
    pub fn absent() -> Self {
        Self::new("attribute_not_exists(pk)", [])
    }

    /// An attribute holds this text, or is absent.
    #[must_use]
    pub fn and_text(mut self, attribute: &str, text: Option<&str>) -> Self {
        match text {
            Some(text) => {
                self.expression = format!("{} AND {attribute} = :{attribute}", self.expression);
                self.values.insert(format!(":{attribute}"), s(text));
            }
            None => self.expression = format!("{} AND attribute_not_exists({attribute})", self.expression),
        }
        self
    }

    pub fn values(&self) -> Option<HashMap<String, AttributeValue>> {
        (!self.values.is_empty()).then(|| self.values.clone())
    }

    pub fn names(&self) -> Option<HashMap<String, String>> {
        (!self.names.is_empty()).then(|| self.names.clone())
    }
}

/// Writes that happen together or not at all.
pub(super) struct Together {
    what: &'static str,
    writes: Vec<TransactWriteItem>,
}

/// How it went.
pub(super) enum Outcome {
    /// All of it is written.
    Written,
    /// Nothing is: for each write in order, whether its condition failed, with the item that stood in the way.
    Refused(Vec<Refusal>),
    /// Nothing is, for others write the same items; ask again.
    Conflict,
}

/// What a write's condition met.
#[derive(Clone)]
pub(super) enum Refusal {
    /// This write was not the reason.
    No,
    /// Its condition failed over this item; an absent one is empty.
    Failed(Item),
}

impl Together {
    pub fn new(what: &'static str) -> Self {
        Self { what, writes: Vec::new() }
    }

    fn built<T, E>(&self, built: Result<T, E>) -> Stored<T> {
        built.map_err(|_| named(self.what, false, AwsError::Construction))
    }

    pub fn put(mut self, table: &str, item: Item, when: &When) -> Stored<Self> {
        let put = Put::builder()
            .table_name(table)
            .set_item(Some(item))
            .condition_expression(&when.expression)
            .set_expression_attribute_names(when.names())
            .set_expression_attribute_values(when.values())
            .return_values_on_condition_check_failure(Return::AllOld);
        let put = self.built(put.build())?;
        self.writes.push(TransactWriteItem::builder().put(put).build());
        Ok(self)
    }

    pub fn update(mut self, table: &str, key: Item, update: &str, when: &When) -> Stored<Self> {
        let update = Update::builder()
            .table_name(table)
            .set_key(Some(key))
            .update_expression(update)
            .condition_expression(&when.expression)
            .set_expression_attribute_names(when.names())
            .set_expression_attribute_values(when.values())
            .return_values_on_condition_check_failure(Return::AllOld);
        let update = self.built(update.build())?;
        self.writes.push(TransactWriteItem::builder().update(update).build());
        Ok(self)
    }

    pub fn delete(mut self, table: &str, key: Item, when: &When) -> Stored<Self> {
        let delete = Delete::builder()
            .table_name(table)
            .set_key(Some(key))
            .condition_expression(&when.expression)
            .set_expression_attribute_names(when.names())
            .set_expression_attribute_values(when.values())
            .return_values_on_condition_check_failure(Return::AllOld);
        let delete = self.built(delete.build())?;
        self.writes.push(TransactWriteItem::builder().delete(delete).build());
        Ok(self)
    }

    pub fn check(mut self, table: &str, key: Item, when: &When) -> Stored<Self> {
        let check = ConditionCheck::builder()
            .table_name(table)
            .set_key(Some(key))
            .condition_expression(&when.expression)
            .set_expression_attribute_names(when.names())
            .set_expression_attribute_values(when.values());
        let check = self.built(check.build())?;
        self.writes.push(TransactWriteItem::builder().condition_check(check).build());
        Ok(self)
    }

    /// Writes it. The SDK makes one `ClientRequestToken` for all its attempts at this request.
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

/// Reads the reasons, which stand in the order of the writes.
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

/// The item over which the condition of a write failed: empty where there was none, `None` where it did not fail.
pub(super) fn met(refusals: &[Refusal], at: usize) -> Option<&Item> {
    match refusals.get(at) {
        Some(Refusal::Failed(item)) => Some(item),
        Some(Refusal::No) | None => None,
    }
}

/// A stored item that should not be what it is.
pub(super) fn corrupt(what: &'static str, detail: &str) -> StoreError {
    StoreError::Corrupt { what, detail: detail.to_owned() }
}
