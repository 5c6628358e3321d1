//! Undoes an install in steps. After each step the function may be cut off, and the next undo continues from there.
//!
//! First it marks the install, so that nobody finishes it or registers a team. Then it removes the teams and the static
//! token, then the install together with the code's link to it, then the site. As long as the site is there, no new
//! install can begin.

use super::{
    Dynamo, ROUNDS,
    condition::{Condition, on_condition},
    given_up,
    item::{self, Item, Key, TEAM, n, s},
    pause,
    put::Put,
    query::Query,
    transaction::{Outcome, Transaction, met},
};
use crate::failure::failed;
use aws_sdk_dynamodb::{operation::delete_item::DeleteItemError, types::AttributeValue};
use cloud_apps_core::store::{
    model::{Install, Sha256},
    page,
    ports::{Changed, Stored},
    rules::{self, UndoStep},
};
use cloud_apps_protocol::{AppId, InstallId, SiteUrl};
use futures_util::future::try_join_all;

/// How many teams are removed at once.
const AT_ONCE: usize = 10;

fn of(install: &InstallId) -> Condition {
    Condition::new("install = :install", [(":install", s(install.as_str()))])
}

impl Dynamo {
    pub(super) async fn undo_install(
        &self,
        what: &'static str,
        install: &Install,
        expected: u64,
    ) -> Stored<Changed> {
        // After the mark, the revision is that of the mark.
        let mut expected = expected;
        for round in 0..ROUNDS {
            if round > 0 {
                pause(round).await;
            }
            let stored = self.install(what, &install.id).await?;
            let marked = match rules::undo(stored.as_ref(), expected) {
                UndoStep::Conflict => return Ok(Changed::Conflict),
                UndoStep::Gone => {
                    self.remove_site(what, &install.app, &install.site, &install.id).await?;
                    return Ok(Changed::Yes);
                }
                UndoStep::Remove(marked) => marked,
                UndoStep::Mark(marked) => {
                    if !self.mark(what, &marked, expected).await? {
                        continue;
                    }
                    marked
                }
            };
            expected = marked.rev;
            self.remove_teams(what, &marked.id).await?;
            if let Some(token) = &marked.static_token {
                self.remove(what, Key::token(token).item(), &of(&marked.id)).await?;
            }
            if self.remove_install(what, &marked).await? {
                self.remove_site(what, &marked.app, &marked.site, &marked.id).await?;
                return Ok(Changed::Yes);
            }
        }
        Err(given_up(what))
    }

    async fn mark(&self, what: &'static str, marked: &Install, expected: u64) -> Stored<bool> {
        let condition = Condition::new("rev = :rev", [(":rev", n(expected))]);
        let put = self.put_if(what, &self.installs, item::of_install(what, marked)?, &condition).await?;
        Ok(matches!(put, Put::Done))
    }

    async fn remove_teams(&self, what: &'static str, install: &InstallId) -> Stored<()> {
        loop {
            let teams = self.team_items(what, install, Some("pk, sk")).await?;
            if teams.is_empty() {
                return Ok(());
            }
            for some in teams.chunks(AT_ONCE) {
                let there = Condition::new("attribute_exists(pk)", []);
                let removals = some.iter().map(|team| self.remove(what, team.clone(), &there));
                try_join_all(removals.collect::<Vec<_>>()).await?;
            }
        }
    }

    /// Removes the marked install and frees its code; `false` if somebody else changed it first.
    async fn remove_install(&self, what: &'static str, marked: &Install) -> Stored<bool> {
        let ours = Condition::new("rev = :rev", [(":rev", n(marked.rev))]);
        let key = Key::install(&marked.id).item();
        let Some(code) = rules::code_of(marked) else { return self.remove(what, key, &ours).await };
        let writes = Transaction::new(what).delete(&self.installs, key.clone(), &ours)?;
        match self.free_code(writes, code, &marked.id)?.write(self).await? {
            Outcome::Written => Ok(true),
            // The code has expired and was deleted, or it is for another install now.
            Outcome::Refused(refusals) if met(&refusals, 0).is_none() => self.remove(what, key, &ours).await,
            Outcome::Refused(_) | Outcome::Conflict => Ok(false),
        }
    }

    fn free_code(&self, writes: Transaction, code: &Sha256, install: &InstallId) -> Stored<Transaction> {
        let mut held = of(install);
        held.expression.push_str(" AND spent = :no");
        held.values.insert(":no".to_owned(), AttributeValue::Bool(false));
        let key = Item::from([("pk".to_owned(), s(item::code_key(code)))]);
        writes.update(&self.ledger, key, "REMOVE install", &held)
    }

    /// Removes the entry of a site if it still names this install.
    pub(super) async fn remove_site(
        &self,
        what: &'static str,
        app: &AppId,
        site: &SiteUrl,
        install: &InstallId,
    ) -> Stored<()> {
        self.remove(what, Key::site(app, site).item(), &of(install)).await.map(|_| ())
    }

    /// Removes an item of the installs table; `false` if the condition does not hold.
    async fn remove(&self, what: &'static str, key: Item, condition: &Condition) -> Stored<bool> {
        for round in 0..ROUNDS {
            let write = self.client().delete_item().table_name(&*self.installs).set_key(Some(key.clone()));
            let Err(error) = on_condition!(write, condition).send().await else { return Ok(true) };
            match error.as_service_error() {
                Some(DeleteItemError::ConditionalCheckFailedException(_)) => return Ok(false),
                Some(DeleteItemError::TransactionConflictException(_)) => pause(round).await,
                _ => return Err(failed(what, &error)),
            }
        }
        Err(given_up(what))
    }

    /// The items of an install's teams, or only these attributes of them.
    pub(super) async fn team_items(
        &self,
        what: &'static str,
        install: &InstallId,
        only: Option<&'static str>,
    ) -> Stored<Vec<Item>> {
        let mut items = Vec::new();
        let mut query = Query::new(what, &self.installs, Key::install(install).pk, TEAM).only(only);
        while let Some(found_items) = query.next(self.client(), None).await? {
            items.extend(found_items);
            if items.len() >= page::MAX_TEAMS {
                break;
            }
        }
        items.truncate(page::MAX_TEAMS);
        Ok(items)
    }
}
