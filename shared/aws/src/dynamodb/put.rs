//! One item, written on a condition.
//!
//! `writer` is a random number of the request: when the SDK repeats a write whose answer was lost, the condition meets
//! our own item, and we know it. Without it a change that was made would be told as somebody else's.

use super::{
    Dynamo,
    item::{Item, n},
    random,
    transaction::When,
};
use crate::failure::failed;
use aws_sdk_dynamodb::{
    operation::put_item::PutItemError, types::ReturnValuesOnConditionCheckFailure as Return,
};
use cloud_apps_core::store::ports::Stored;

/// How a conditional put went.
pub(super) enum Put {
    /// It stands; perhaps since an earlier attempt of this very request.
    Done,
    /// Something else stands; nothing, if this is empty.
    Refused(Item),
    /// A transaction writes the same item: ask again.
    Conflict,
}

impl Dynamo {
    pub(super) async fn put_if(
        &self,
        what: &'static str,
        table: &str,
        mut item: Item,
        when: &When,
    ) -> Stored<Put> {
        let writer = n(random());
        item.insert("writer".to_owned(), writer.clone());
        let write = self
            .client()
            .put_item()
            .table_name(table)
            .set_item(Some(item))
            .condition_expression(&when.expression)
            .set_expression_attribute_names(when.names())
            .set_expression_attribute_values(when.values())
            .return_values_on_condition_check_failure(Return::AllOld);
        let Err(error) = write.send().await else { return Ok(Put::Done) };
        match error.as_service_error() {
            Some(PutItemError::ConditionalCheckFailedException(refusal)) => {
                let old = refusal.item().cloned().unwrap_or_default();
                Ok(if old.get("writer") == Some(&writer) { Put::Done } else { Put::Refused(old) })
            }
            Some(PutItemError::TransactionConflictException(_)) => Ok(Put::Conflict),
            _ => Err(failed(what, &error)),
        }
    }
}
