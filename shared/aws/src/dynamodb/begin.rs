//! Begins an install: one transaction over code, site, install and static token. A refused transaction returns the
//! items that its conditions met, so a spent code and a held site need no other read.

use super::{
    Dynamo, ROUNDS,
    condition::Condition,
    given_up,
    item::{self, Item, Key, Read, n, s},
    pause,
    transaction::{Outcome, Refusal, Transaction, corrupt, met},
};
use aws_sdk_dynamodb::types::AttributeValue;
use cloud_apps_core::store::{
    model::{Install, Sha256},
    ports::{Begun, Stored},
    rules::{self, CodeSays, SiteSays},
};
use cloud_apps_protocol::Millis;

const WHAT: &str = "Registry.begin";
/// The writes of the transaction, in their order.
const CODE: usize = 0;
const SITE: usize = 1;
const INSTALL: usize = 2;
const TOKEN: usize = 3;

impl Dynamo {
    pub(super) async fn begin_install(&self, install: &Install, now: Millis) -> Stored<Begun> {
        let Some(code) = rules::code_of(install) else {
            return Err(corrupt(WHAT, "an install begins pending"));
        };
        for round in 0..ROUNDS {
            match self.begin_writes(install, code, now)?.write(self).await? {
                Outcome::Written => return Ok(Begun::Created),
                Outcome::Conflict => pause(round).await,
                Outcome::Refused(refusals) => {
                    if let Some(answer) = self.refused(install, code, now, &refusals).await? {
                        return Ok(answer);
                    }
                }
            }
        }
        Err(given_up(WHAT))
    }

    fn begin_writes(&self, install: &Install, code: &Sha256, now: Millis) -> Stored<Transaction> {
        // This is what `rules::code_says` calls good.
        let good = Condition::new(
            "app = :app AND site = :site AND exp > :now AND spent = :no AND attribute_not_exists(install)",
            [
                (":app", s(install.app.as_str())),
                (":site", s(install.site.as_str())),
                (":now", n(now)),
                (":no", AttributeValue::Bool(false)),
                (":id", s(install.id.as_str())),
            ],
        );
        let key = Item::from([("pk".to_owned(), s(item::code_key(code)))]);
        let writes = Transaction::new(WHAT)
            .update(&self.ledger, key, "SET install = :id", &good)?
            .put(&self.installs, item::of_site(install), &Condition::absent())?
            .put(&self.installs, item::of_install(WHAT, install)?, &Condition::absent())?;
        match &install.static_token {
            Some(token) => {
                writes.put(&self.installs, item::of_token(token, &install.id), &Condition::absent())
            }
            None => Ok(writes),
        }
    }

    /// What the refused transaction means; `None` if the obstacle was removed and the next round can succeed.
    async fn refused(
        &self,
        install: &Install,
        code: &Sha256,
        now: Millis,
        refusals: &[Refusal],
    ) -> Stored<Option<Begun>> {
        if let Some(found) = met(refusals, CODE) {
            let found = Some(found).filter(|item| !item.is_empty());
            let found = found.map(|item| Read::new(WHAT, item)?.code(code)).transpose()?;
            return match rules::code_says(found.as_ref(), install, now) {
                CodeSays::Refused => Ok(Some(Begun::CodeRefused)),
                CodeSays::Good => Err(corrupt(WHAT, "the condition refused a code that is good")),
                CodeSays::Again(id) => match self.install(WHAT, &id).await?.filter(rules::given_up) {
                    // An undo of this install was cut off.
                    Some(holder) => self.clear(&holder).await,
                    None => Ok(Some(Begun::Again(id))),
                },
            };
        }
        if let Some(found) = met(refusals, SITE) {
            let mut found = found.clone();
            // The returned item may lack its key, which we know.
            found.extend(Key::site(&install.app, &install.site).item());
            let entry = Read::new(WHAT, &found)?.site_entry()?;
            let holder = self.install(WHAT, &entry.install).await?;
            return match rules::site_says(Some(&entry), holder.as_ref(), now) {
                SiteSays::Held(entry) => Ok(Some(Begun::AlreadyInstalled(entry))),
                SiteSays::Free => Ok(None),
                SiteSays::Abandoned(entry) => {
                    if let Some(holder) = holder {
                        return self.clear(&holder).await;
                    }
                    self.remove_site(WHAT, &install.app, &entry.site, &entry.install).await?;
                    Ok(None)
                }
            };
        }
        if met(refusals, INSTALL).is_some() {
            return Err(corrupt(WHAT, "an install with this id is there"));
        }
        if met(refusals, TOKEN).is_some() {
            return Err(corrupt(WHAT, "another install has this static token"));
        }
        Ok(None)
    }

    async fn clear(&self, holder: &Install) -> Stored<Option<Begun>> {
        // A conflict means that somebody else changes the install; the next round sees the result.
        self.undo_install(WHAT, holder, holder.rev).await.map(|_| None)
    }
}
