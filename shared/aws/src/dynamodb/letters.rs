//! [`DeadLetters`] over the `Data` table.

use super::item::{Item, Read, n, s};
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

/// How many letters are thrown away at once.
const AT_ONCE: usize = 10;
/// How the sort key of a letter begins.
const DEAD: &str = "DEAD#";

/// The dead letters of a stack, each beside what else its install keeps. Clones share the client.
#[derive(Clone, Debug)]
pub struct Letters {
    clients: Arc<Clients>,
    data: Arc<str>,
}

/// The partition of an install's letters; of those of none.
fn pk(install: Option<&InstallId>) -> String {
    install.map_or_else(|| "DEAD".to_owned(), |install| format!("INSTALL#{install}"))
}

fn key(install: Option<&InstallId>, id: &str) -> Item {
    Item::from([("pk".to_owned(), s(pk(install))), ("sk".to_owned(), s(format!("{DEAD}{id}")))])
}

impl Letters {
    /// Uses this table; nothing is built or called before it is needed.
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
            // It was parked before.
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
        let mut after = after.map(|id| key(install, &id));
        let mut letters = Vec::new();
        loop {
            let missing = limit + 1 - letters.len();
            let page = self
                .client()
                .query()
                .table_name(&*self.data)
                .key_condition_expression("pk = :pk AND begins_with(sk, :dead)")
                .expression_attribute_values(":pk", s(pk(install)))
                .expression_attribute_values(":dead", s(DEAD))
                .set_exclusive_start_key(after.take())
                .limit(i32::try_from(missing).unwrap_or(i32::MAX))
                .consistent_read(true);
            let page = page.send().await.map_err(|error| failed(WHAT, &error))?;
            for item in page.items.unwrap_or_default() {
                letters.push(letter(WHAT, &item)?);
            }
            after = page.last_evaluated_key;
            if after.is_none() || letters.len() > limit {
                return Ok(page::of_letters(letters, limit));
            }
        }
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
        let mut after = None;
        loop {
            let page = self
                .client()
                .query()
                .table_name(&*self.data)
                .key_condition_expression("pk = :pk AND begins_with(sk, :dead)")
                .expression_attribute_values(":pk", s(pk(Some(install))))
                .expression_attribute_values(":dead", s(DEAD))
                .projection_expression("pk, sk")
                .set_exclusive_start_key(after.take())
                .consistent_read(true);
            let page = page.send().await.map_err(|error| failed(WHAT, &error))?;
            for some in page.items.unwrap_or_default().chunks(AT_ONCE) {
                let removals = some.iter().map(|letter| async {
                    let write = self.client().delete_item().table_name(&*self.data);
                    let removed = write.set_key(Some(letter.clone())).send().await;
                    removed.map(|_| ()).map_err(|error| failed(WHAT, &error))
                });
                try_join_all(removals.collect::<Vec<_>>()).await?;
            }
            after = page.last_evaluated_key;
            if after.is_none() {
                return Ok(());
            }
        }
    }
}
