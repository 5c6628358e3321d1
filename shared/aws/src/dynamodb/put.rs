//! Writes of one item.
//!
//! In a conditional write, `writer` is a random number of the request. When the SDK repeats a write whose answer was
//! lost, the condition fails because of our own item, and the number shows that it is ours. Without it our own change
//! would look like a conflict with somebody else's.

use super::{
    Dynamo,
    condition::{Condition, on_condition},
    item::{Item, n},
    random,
};
use crate::failure::failed;
use aws_sdk_dynamodb::{
    operation::put_item::PutItemError, types::ReturnValuesOnConditionCheckFailure as Return,
};
use cloud_apps_core::store::ports::Stored;

/// The outcome of a conditional put.
pub(super) enum Put {
    /// The item is written, perhaps by an earlier attempt of the same request.
    Done,
    /// The condition failed because of this item; it is empty if there is no item.
    Refused(Item),
    /// A transaction writes the same item. Try again.
    Conflict,
}

impl Dynamo {
    /// Writes an item, whatever is there.
    pub(super) async fn put(&self, what: &'static str, table: &str, item: Item) -> Stored<()> {
        let write = self.client().put_item().table_name(table).set_item(Some(item));
        write.send().await.map(|_| ()).map_err(|error| failed(what, &error))
    }

    /// Writes an item if the condition holds.
    pub(super) async fn put_if(
        &self,
        what: &'static str,
        table: &str,
        mut item: Item,
        condition: &Condition,
    ) -> Stored<Put> {
        let writer = n(random());
        item.insert("writer".to_owned(), writer.clone());
        let write = self.client().put_item().table_name(table).set_item(Some(item));
        let write = on_condition!(write, condition).return_values_on_condition_check_failure(Return::AllOld);
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
