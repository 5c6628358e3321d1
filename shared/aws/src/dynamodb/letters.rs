//! [`DeadLetters`] over the `Data` table.

use super::{
    item::{Item, Read, n, s},
    query::Query,
};
use crate::{clients::Clients, failure::failed};
use async_trait::async_trait;
use aws_sdk_dynamodb::{
    Client,
    operation::{delete_item::DeleteItemError, put_item::PutItemError},
    types::ReturnValue,
};
use cloud_apps_core::store::{
    document,
    model::{Dead, Page},
    page,
    ports::{DeadLetters, Stored},
};
use cloud_apps_protocol::InstallId;
use futures_util::future::try_join_all;
use std::sync::Arc;

/// How many letters are removed at the same time.
const AT_ONCE: usize = 10;
/// The prefix of the sort key of a letter.
const DEAD: &str = "DEAD#";

/// The dead letters of a stack, in the partitions of their installs. Clones share the client.
#[derive(Clone, Debug)]
pub struct Letters {
    clients: Arc<Clients>,
    data: Arc<str>,
}

/// The partition of an install's letters, or of the letters without an install.
fn pk(install: Option<&InstallId>) -> String {
    install.map_or_else(|| "DEAD".to_owned(), |install| format!("INSTALL#{install}"))
}

fn key(install: Option<&InstallId>, id: &str) -> Item {
    Item::from([("pk".to_owned(), s(pk(install))), ("sk".to_owned(), s(format!("{DEAD}{id}")))])
}

impl Letters {
    /// Uses this table. The client is built when it is first needed.
    pub fn new(clients: Arc<Clients>, data: &str) -> Self {
        Self { clients, data: data.into() }
    }

    fn client(&self) -> &Client {
        self.clients.dynamodb()
    }
}

fn letter(what: &'static str, item: &Item) -> Stored<Dead> {
    Read::new(what, item)?.document()
}

#[async_trait]
impl DeadLetters for Letters {
    async fn park(&self, dead: &Dead) -> Stored<()> {
        const WHAT: &str = "DeadLetters.park";
        let mut item = key(dead.install.as_ref(), &dead.id);
        item.insert("v".to_owned(), n(document::ITEM_VERSION));
        item.insert("document".to_owned(), s(document::write(WHAT, dead)?));
        let write = self
            .client()
            .put_item()
            .table_name(&*self.data)
            .set_item(Some(item))
            .condition_expression("attribute_not_exists(pk)");
        let Err(error) = write.send().await else { return Ok(()) };
        match error.as_service_error() {
            // The letter was parked before.
            Some(PutItemError::ConditionalCheckFailedException(_)) => Ok(()),
            _ => Err(failed(WHAT, &error)),
        }
    }

    async fn list(
        &self,
        install: Option<&InstallId>,
        limit: usize,
        cursor: Option<&str>,
    ) -> Stored<Page<Dead>> {
        const WHAT: &str = "DeadLetters.list";
        let limit = limit.clamp(1, page::MAX_PAGE);
        let after = cursor.map(|cursor| page::letter_of_cursor(WHAT, cursor)).transpose()?;
        let after = after.map(|id| key(install, &id));
        let mut letters = Vec::new();
        let mut query = Query::new(WHAT, &self.data, pk(install), DEAD).after(after);
        while let Some(found_items) = query.next(self.client(), Some(limit + 1 - letters.len())).await? {
            for item in found_items {
                letters.push(letter(WHAT, &item)?);
            }
            if letters.len() > limit {
                break;
            }
        }
        Ok(page::of_letters(letters, limit))
    }

    async fn find(&self, install: Option<&InstallId>, id: &str) -> Stored<Option<Dead>> {
        const WHAT: &str = "DeadLetters.find";
        if !page::is_letter_id(id) {
            return Ok(None);
        }
        let read = self.client().get_item().table_name(&*self.data).set_key(Some(key(install, id)));
        let answer = read.consistent_read(true).send().await.map_err(|error| failed(WHAT, &error))?;
        answer.item.map(|item| letter(WHAT, &item)).transpose()
    }

    async fn take(&self, install: Option<&InstallId>, id: &str) -> Stored<Option<Dead>> {
        const WHAT: &str = "DeadLetters.take";
        if !page::is_letter_id(id) {
            return Ok(None);
        }
        let write = self
            .client()
            .delete_item()
            .table_name(&*self.data)
            .set_key(Some(key(install, id)))
            .condition_expression("attribute_exists(pk)")
            .return_values(ReturnValue::AllOld);
        match write.send().await {
            Ok(answer) => letter(WHAT, &answer.attributes.unwrap_or_default()).map(Some),
            Err(error) => match error.as_service_error() {
                Some(DeleteItemError::ConditionalCheckFailedException(_)) => Ok(None),
                _ => Err(failed(WHAT, &error)),
            },
        }
    }

    async fn clear(&self, install: &InstallId) -> Stored<()> {
        const WHAT: &str = "DeadLetters.clear";
        let mut query = Query::new(WHAT, &self.data, pk(Some(install)), DEAD).only(Some("pk, sk"));
        while let Some(found_items) = query.next(self.client(), None).await? {
            for some in found_items.chunks(AT_ONCE) {
                let removals = some.iter().map(|letter| async {
                    let write = self.client().delete_item().table_name(&*self.data);
                    let removed = write.set_key(Some(letter.clone())).send().await;
                    removed.map(|_| ()).map_err(|error| failed(WHAT, &error))
                });
                try_join_all(removals.collect::<Vec<_>>()).await?;
            }
        }
        Ok(())
    }
}
