//! [`Registry`]: changes of installs and apps, each on the condition of a revision, and the lists.

use super::{
    Dynamo, ROUNDS,
    condition::Condition,
    given_up,
    item::{self, Item, Key, MANIFEST, Read, SITE, TEAM, UNDOING, n, s},
    pause,
    put::Put,
    query::Query,
    transaction::{Outcome, Refusal, Transaction, corrupt, met},
};
use crate::failure::failed;
use async_trait::async_trait;
use aws_sdk_dynamodb::{operation::delete_item::DeleteItemError, types::AttributeValue};
use cloud_apps_core::store::{
    model::{Catalogue, Install, InstallCode, ManageCode, RegisteredApp, Sha256, SiteEntry, Sites, Team},
    page,
    ports::{Begun, Changed, Registry, Stored},
    rules,
};
use cloud_apps_protocol::{AppId, InstallId, Millis, SiteUrl, TeamId};

/// The static token that a stored install has.
#[derive(PartialEq, Clone)]
struct Held(Option<String>);

impl Held {
    fn wanted(install: &Install) -> Self {
        Self(install.static_token.as_ref().map(|token| token.as_str().to_owned()))
    }

    fn stored(item: &Item) -> Self {
        Self(item.get("static_token").and_then(|value| value.as_s().ok()).cloned())
    }
}

/// What `rules::may_change` allows, as long as the static token is this one.
fn unchanged(expected: u64, held: &Held) -> Condition {
    let condition =
        Condition::new("rev = :rev AND phase <> :undoing", [(":rev", n(expected)), (":undoing", s(UNDOING))]);
    condition.and_text("static_token", held.0.as_deref())
}

/// What a refused write of an install met.
enum Met {
    /// Another revision, or no install.
    Conflict,
    /// The right revision, with this static token.
    Token(Held),
}

fn what_was_met(what: &'static str, old: &Item, expected: u64, tried: &Held) -> Stored<Met> {
    if old.is_empty() {
        return Ok(Met::Conflict);
    }
    let read = Read::new(what, old)?;
    let held = Held::stored(old);
    let current = read.number("rev")? == expected && read.text("phase") != Some(UNDOING);
    Ok(if current && held != *tried { Met::Token(held) } else { Met::Conflict })
}

impl Dynamo {
    /// Adds the writes that replace the held static token by that of the install.
    fn move_token(
        &self,
        writes: Transaction,
        what: &'static str,
        install: &Install,
        held: &Held,
    ) -> Stored<Transaction> {
        let mut writes = writes;
        if *held == Held::wanted(install) {
            return Ok(writes);
        }
        if let Some(old) = &held.0 {
            let old: Sha256 = serde_json::from_value(serde_json::Value::from(old.as_str()))
                .map_err(|_| corrupt(what, "the static token is not a hash"))?;
            let ours = Condition::new(
                "attribute_not_exists(pk) OR install = :id",
                [(":id", s(install.id.as_str()))],
            );
            writes = writes.delete(&self.installs, Key::token(&old).item(), &ours)?;
        }
        match &install.static_token {
            Some(new) => writes.put(&self.installs, item::of_token(new, &install.id), &Condition::absent()),
            None => Ok(writes),
        }
    }

    async fn change_install(&self, install: &Install, expected: u64) -> Stored<Changed> {
        const WHAT: &str = "Registry.change";
        // Most changes do not change the token. Then one put is enough, and a refused put shows what is there instead.
        let mut held = Held::wanted(install);
        let condition = unchanged(expected, &held);
        match self.put_if(WHAT, &self.installs, item::of_install(WHAT, install)?, &condition).await? {
            Put::Done => return Ok(Changed::Yes),
            Put::Refused(old) => match what_was_met(WHAT, &old, expected, &held)? {
                Met::Conflict => return Ok(Changed::Conflict),
                Met::Token(found) => held = found,
            },
            Put::Conflict => {}
        }
        for round in 0..ROUNDS {
            let writes = Transaction::new(WHAT).put(
                &self.installs,
                item::of_install(WHAT, install)?,
                &unchanged(expected, &held),
            )?;
            match self.move_token(writes, WHAT, install, &held)?.write(self).await? {
                Outcome::Written => return Ok(Changed::Yes),
                Outcome::Conflict => pause(round).await,
                Outcome::Refused(refusals) => match refused_install(WHAT, &refusals, 0, expected, &held)? {
                    Met::Conflict => return Ok(Changed::Conflict),
                    Met::Token(found) => held = found,
                },
            }
        }
        Err(given_up(WHAT))
    }

    async fn activate_install(
        &self,
        install: &Install,
        expected: u64,
        code: &Sha256,
        now: Millis,
    ) -> Stored<Changed> {
        const WHAT: &str = "Registry.activate";
        let mut held = Held::wanted(install);
        for round in 0..ROUNDS {
            let good = Condition::new(
                "install = :install AND exp > :now AND spent = :no",
                [
                    (":install", s(install.id.as_str())),
                    (":now", n(now)),
                    (":no", AttributeValue::Bool(false)),
                    (":yes", AttributeValue::Bool(true)),
                ],
            );
            let mut begun = unchanged(expected, &held);
            begun.expression.push_str(" AND phase IN (:pending, :completing)");
            begun.values.insert(":pending".to_owned(), s("pending"));
            begun.values.insert(":completing".to_owned(), s("completing"));
            let key = Item::from([("pk".to_owned(), s(item::code_key(code)))]);
            let writes = Transaction::new(WHAT).update(&self.ledger, key, "SET spent = :yes", &good)?.put(
                &self.installs,
                item::of_install(WHAT, install)?,
                &begun,
            )?;
            match self.move_token(writes, WHAT, install, &held)?.write(self).await? {
                Outcome::Written => return Ok(Changed::Yes),
                Outcome::Conflict => pause(round).await,
                Outcome::Refused(refusals) if met(&refusals, 0).is_some() => return Ok(Changed::Conflict),
                Outcome::Refused(refusals) => match refused_install(WHAT, &refusals, 1, expected, &held)? {
                    Met::Conflict => return Ok(Changed::Conflict),
                    Met::Token(found) => held = found,
                },
            }
        }
        Err(given_up(WHAT))
    }
}

impl Dynamo {
    /// Writes an item with a revision, if the stored revision is still `expected` (0 if there is no item).
    async fn put_revision(&self, what: &'static str, item: Item, expected: u64) -> Stored<Changed> {
        let condition = if expected == 0 {
            Condition::absent()
        } else {
            Condition::new("rev = :rev", [(":rev", n(expected))])
        };
        match self.put_if(what, &self.installs, item, &condition).await? {
            Put::Done => Ok(Changed::Yes),
            Put::Refused(_) | Put::Conflict => Ok(Changed::Conflict),
        }
    }
}

/// Why a transaction was refused whose write number `at` is an install.
fn refused_install(
    what: &'static str,
    refusals: &[Refusal],
    at: usize,
    expected: u64,
    held: &Held,
) -> Stored<Met> {
    match met(refusals, at) {
        Some(old) => what_was_met(what, old, expected, held),
        None => Err(corrupt(what, "another install has this static token")),
    }
}

#[async_trait]
impl Registry for Dynamo {
    async fn put_catalogue(&self, catalogue: &Catalogue, expected: u64) -> Stored<Changed> {
        const WHAT: &str = "Registry.put_catalogue";
        let catalogue = Catalogue { rev: rules::next(expected), ..catalogue.clone() };
        self.put_revision(WHAT, item::of_catalogue(WHAT, &catalogue)?, expected).await
    }

    async fn put_code(&self, code: &InstallCode) -> Stored<()> {
        self.put("Registry.put_code", &self.ledger, item::of_code(code)).await
    }

    async fn code(&self, sha256: &Sha256) -> Stored<Option<InstallCode>> {
        const WHAT: &str = "Registry.code";
        let item = self.get_ledger(WHAT, &item::code_key(sha256)).await?;
        item.map(|item| Read::new(WHAT, &item)?.code(sha256)).transpose()
    }

    async fn put_manage_code(&self, code: &ManageCode) -> Stored<()> {
        self.put("Registry.put_manage_code", &self.ledger, item::of_manage_code(code)).await
    }

    async fn manage_code(&self, sha256: &Sha256) -> Stored<Option<ManageCode>> {
        const WHAT: &str = "Registry.manage_code";
        let item = self.get_ledger(WHAT, &item::manage_key(sha256)).await?;
        item.map(|item| Read::new(WHAT, &item)?.manage_code(sha256)).transpose()
    }

    async fn put_app(&self, app: &RegisteredApp, expected: u64) -> Stored<Changed> {
        const WHAT: &str = "Registry.put_app";
        let app = RegisteredApp { rev: rules::next(expected), ..app.clone() };
        self.put_revision(WHAT, item::of_app(WHAT, &app)?, expected).await
    }

    async fn remove_app(&self, app: &AppId, expected: u64) -> Stored<Changed> {
        let write = self
            .client()
            .delete_item()
            .table_name(&*self.installs)
            .set_key(Some(Key::app(app).item()))
            .condition_expression("attribute_not_exists(pk) OR rev = :rev")
            .expression_attribute_values(":rev", n(expected));
        let Err(error) = write.send().await else { return Ok(Changed::Yes) };
        match error.as_service_error() {
            Some(DeleteItemError::ConditionalCheckFailedException(_)) => Ok(Changed::Conflict),
            _ => Err(failed("Registry.remove_app", &error)),
        }
    }

    async fn put_manifest(&self, app: &AppId, sha256: &Sha256, text: &str) -> Stored<()> {
        const WHAT: &str = "Registry.put_manifest";
        self.put(WHAT, &self.installs, item::of_manifest(WHAT, app, sha256, text)?).await
    }

    async fn manifests(&self, app: &AppId) -> Stored<Vec<Sha256>> {
        const WHAT: &str = "Registry.manifests";
        let mut found = Vec::new();
        let mut query = Query::new(WHAT, &self.installs, Key::app(app).pk, MANIFEST);
        while let Some(items) = query.next(self.client(), None).await? {
            found.extend(items.iter().filter_map(item::manifest_of_key));
        }
        Ok(found)
    }

    async fn remove_manifest(&self, app: &AppId, sha256: &Sha256) -> Stored<()> {
        let key = Key::manifest(app, sha256).item();
        let write = self.client().delete_item().table_name(&*self.installs).set_key(Some(key));
        write.send().await.map(|_| ()).map_err(|error| failed("Registry.remove_manifest", &error))
    }

    async fn site(&self, app: &AppId, site: &SiteUrl) -> Stored<Option<SiteEntry>> {
        const WHAT: &str = "Registry.site";
        let item = self.get(WHAT, Key::site(app, site)).await?;
        item.map(|item| Read::new(WHAT, &item)?.site_entry()).transpose()
    }

    async fn begin(&self, install: &Install, now: Millis) -> Stored<Begun> {
        self.begin_install(install, now).await
    }

    async fn change(&self, install: &Install, expected: u64) -> Stored<Changed> {
        let install = Install { rev: rules::next(expected), ..install.clone() };
        self.change_install(&install, expected).await
    }

    async fn put_team(&self, install: &InstallId, team: &TeamId, registered: &Team) -> Stored<()> {
        const WHAT: &str = "Registry.put_team";
        // This is what `rules::may_register` allows.
        let stays = Condition::new(
            "attribute_exists(pk) AND NOT phase IN (:removing, :undoing)",
            [(":removing", s("removing")), (":undoing", s(UNDOING))],
        );
        for round in 0..ROUNDS {
            let always = Condition::new("attribute_not_exists(pk) OR attribute_exists(pk)", []);
            let writes =
                Transaction::new(WHAT).check(&self.installs, Key::install(install).item(), &stays)?;
            let writes = if *registered == Team::default() {
                writes.delete(&self.installs, Key::team(install, team).item(), &always)?
            } else {
                writes.put(&self.installs, item::of_team(WHAT, install, team, registered)?, &always)?
            };
            match writes.write(self).await? {
                Outcome::Written | Outcome::Refused(_) => return Ok(()),
                Outcome::Conflict => pause(round).await,
            }
        }
        Err(given_up(WHAT))
    }

    async fn teams(&self, install: &InstallId) -> Stored<Vec<(TeamId, Team)>> {
        const WHAT: &str = "Registry.teams";
        let items = self.team_items(WHAT, install, None).await?;
        let teams = items.iter().map(|item| {
            let read = Read::new(WHAT, item)?;
            Ok((read.id_after(TEAM)?, read.document()?))
        });
        teams.collect()
    }

    async fn activate(
        &self,
        install: &Install,
        expected: u64,
        code: &Sha256,
        now: Millis,
    ) -> Stored<Changed> {
        let install = Install { rev: rules::next(expected), ..install.clone() };
        self.activate_install(&install, expected, code, now).await
    }

    async fn undo(&self, install: &Install, expected: u64) -> Stored<Changed> {
        self.undo_install("Registry.undo", install, expected).await
    }

    async fn list(&self, app: &AppId, limit: usize, cursor: Option<&str>) -> Stored<Sites> {
        const WHAT: &str = "Registry.list";
        let limit = limit.clamp(1, page::MAX_PAGE);
        let after = cursor.map(|cursor| page::site_of_cursor(WHAT, cursor)).transpose()?;
        let after = after.map(|site| Key::site(app, &site).item());
        let mut lines = Vec::new();
        let mut query = Query::new(WHAT, &self.installs, Key::app(app).pk, SITE).after(after);
        while let Some(found_items) = query.next(self.client(), Some(limit + 1 - lines.len())).await? {
            for item in found_items {
                let read = Read::new(WHAT, &item).and_then(|read| read.site_entry());
                lines.push((item::site_of_key(&item).to_owned(), read));
            }
            if lines.len() > limit {
                break;
            }
        }
        page::of_sites(WHAT, lines, limit)
    }
}
