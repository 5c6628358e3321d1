//! Queries.

use super::item::{Item, s};
use crate::failure::failed;
use aws_sdk_dynamodb::Client;
use cloud_apps_core::store::ports::Stored;

/// The items of one partition whose sort keys have the same prefix, read page by page.
pub(super) struct Query<'a> {
    what: &'static str,
    table: &'a str,
    pk: String,
    prefix: &'static str,
    only: Option<&'static str>,
    after: Option<Item>,
    ended: bool,
}

impl<'a> Query<'a> {
    pub fn new(what: &'static str, table: &'a str, pk: String, prefix: &'static str) -> Self {
        Self { what, table, pk, prefix, only: None, after: None, ended: false }
    }

    /// Reads only these attributes, if any are named.
    pub fn only(self, only: Option<&'static str>) -> Self {
        Self { only, ..self }
    }

    /// Begins after this key, if there is one.
    pub fn after(self, after: Option<Item>) -> Self {
        Self { after, ..self }
    }

    /// The next page, of at most `limit` items; `None` after the last page.
    pub async fn next(&mut self, client: &Client, limit: Option<usize>) -> Stored<Option<Vec<Item>>> {
        if self.ended {
            return Ok(None);
        }
        let page = client
            .query()
            .table_name(self.table)
            .key_condition_expression("pk = :pk AND begins_with(sk, :prefix)")
            .expression_attribute_values(":pk", s(&self.pk))
            .expression_attribute_values(":prefix", s(self.prefix))
            .set_projection_expression(self.only.map(str::to_owned))
            .set_exclusive_start_key(self.after.take())
            .set_limit(limit.map(|limit| i32::try_from(limit).unwrap_or(i32::MAX)))
            .consistent_read(true);
        let page = page.send().await.map_err(|error| failed(self.what, &error))?;
        self.after = page.last_evaluated_key;
        self.ended = self.after.is_none();
        Ok(Some(page.items.unwrap_or_default()))
    }
}
