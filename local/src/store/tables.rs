//! The tables of apps, installs, codes and sites: what one transaction reads and writes.

use super::sqlite::{Sqlite, TransactionError, document, int};
use cloud_apps_core::store::{
    document,
    model::{Install, InstallCode, RegisteredApp, Sha256, SiteEntry, Team},
    ports::{Begun, Changed, StoreError, Stored},
    rules::{self, CodeSays, SiteSays, UndoStep},
};
use cloud_apps_protocol::{AppId, InstallId, Millis, SiteUrl, TeamId};
use rusqlite::{Params, Row, Transaction, params};
use serde::Serialize;

/// How long after its expiry a code is deleted, in milliseconds.
pub const SWEEP_AFTER: Millis = 24 * 3_600_000;

/// The tables, in the transaction of one operation.
pub struct Tables<'a> {
    pub what: &'static str,
    pub tx: &'a Transaction<'a>,
}

/// The version and the document of a row.
pub fn versioned(row: &Row<'_>) -> rusqlite::Result<(i64, String)> {
    Ok((row.get(0)?, row.get(1)?))
}

impl Tables<'_> {
    pub fn execute(&self, sql: &str, params: impl Params) -> Result<usize, TransactionError> {
        Ok(self.tx.prepare_cached(sql)?.execute(params)?)
    }

    pub fn one<T: for<'de> serde::Deserialize<'de>>(
        &self,
        sql: &str,
        params: impl Params,
    ) -> Result<Option<T>, TransactionError> {
        document(self.what, self.tx.prepare_cached(sql)?.query_row(params, versioned))
    }

    pub fn many<T: for<'de> serde::Deserialize<'de>>(
        &self,
        sql: &str,
        params: impl Params,
    ) -> Result<Vec<T>, TransactionError> {
        let mut statement = self.tx.prepare_cached(sql)?;
        let rows = statement.query_map(params, versioned)?;
        rows.map(|row| {
            let found = document(self.what, row)?;
            found.ok_or_else(|| rusqlite::Error::QueryReturnedNoRows.into())
        })
        .collect()
    }

    pub fn json<T: Serialize>(&self, value: &T) -> Stored<String> {
        document::write(self.what, value)
    }

    pub fn corrupt<T>(&self, detail: &str) -> Result<T, TransactionError> {
        Err(StoreError::Corrupt { what: self.what, detail: detail.to_owned() }.into())
    }

    pub fn install(&self, id: &InstallId) -> Result<Option<Install>, TransactionError> {
        self.one("SELECT v, document FROM installs WHERE id = ?1", [id.as_str()])
    }

    pub fn team(&self, install: &InstallId, team: &TeamId) -> Result<Option<Team>, TransactionError> {
        let key = [install.as_str(), team.as_str()];
        self.one("SELECT v, document FROM teams WHERE install = ?1 AND team = ?2", key)
    }

    pub fn token(&self, sha256: &Sha256) -> Result<Option<InstallId>, TransactionError> {
        // In JSON, an install's id is the id in quotes, so it can be read like every document.
        let row = self
            .tx
            .prepare_cached("SELECT v, json_quote(install) FROM tokens WHERE sha256 = ?1")?
            .query_row([sha256.as_str()], versioned);
        document(self.what, row)
    }

    pub fn code(&self, sha256: &Sha256) -> Result<Option<InstallCode>, TransactionError> {
        self.one("SELECT v, document FROM codes WHERE sha256 = ?1", [sha256.as_str()])
    }

    pub fn put_code(&self, code: &InstallCode) -> Result<(), TransactionError> {
        self.execute(
            "INSERT OR REPLACE INTO codes (sha256, v, exp, document) VALUES (?1, ?2, ?3, ?4)",
            params![code.sha256.as_str(), int(document::ITEM_VERSION), int(code.exp), self.json(code)?],
        )?;
        Ok(())
    }

    pub fn app(&self, app: &AppId) -> Result<Option<RegisteredApp>, TransactionError> {
        self.one("SELECT v, document FROM apps WHERE app = ?1", [app.as_str()])
    }

    pub fn site(&self, app: &AppId, site: &SiteUrl) -> Result<Option<SiteEntry>, TransactionError> {
        let key = [app.as_str(), site.as_str()];
        self.one("SELECT v, document FROM sites WHERE app = ?1 AND site = ?2", key)
    }

    /// Writes an install and moves its static token.
    pub fn put_install(&self, install: &Install) -> Result<(), TransactionError> {
        let document = self.json(install)?;
        self.execute("DELETE FROM tokens WHERE install = ?1", [install.id.as_str()])?;
        if let Some(token) = &install.static_token {
            if self.token(token)?.is_some() {
                return self.corrupt("another install has this static token");
            }
            self.execute(
                "INSERT INTO tokens (sha256, v, install) VALUES (?1, ?2, ?3)",
                params![token.as_str(), int(document::ITEM_VERSION), install.id.as_str()],
            )?;
        }
        self.execute(
            "INSERT OR REPLACE INTO installs (id, v, document) VALUES (?1, ?2, ?3)",
            params![install.id.as_str(), int(document::ITEM_VERSION), document],
        )?;
        Ok(())
    }

    pub fn undo(&self, install: &Install, expected: u64) -> Result<Changed, TransactionError> {
        match rules::undo(self.install(&install.id)?.as_ref(), expected) {
            UndoStep::Conflict => return Ok(Changed::Conflict),
            UndoStep::Gone => {}
            // All in one transaction: nobody would see the mark, so none is written.
            UndoStep::Mark(stored) | UndoStep::Remove(stored) => {
                let id = [stored.id.as_str()];
                self.execute("DELETE FROM teams WHERE install = ?1", id)?;
                self.execute("DELETE FROM tokens WHERE install = ?1", id)?;
                self.execute("DELETE FROM installs WHERE id = ?1", id)?;
                if let Some(code) = rules::code_of(&stored)
                    && let Some(code) =
                        self.code(code)?.filter(|code| code.install.as_ref() == Some(&stored.id))
                {
                    self.put_code(&InstallCode { install: None, ..code })?;
                }
            }
        }
        self.execute(
            "DELETE FROM sites WHERE app = ?1 AND site = ?2 AND install = ?3",
            [install.app.as_str(), install.site.as_str(), install.id.as_str()],
        )?;
        Ok(Changed::Yes)
    }

    pub fn begin(&self, install: &Install, now: Millis) -> Result<Begun, TransactionError> {
        let Some(sha256) = rules::code_of(install) else { return self.corrupt("an install begins pending") };
        self.execute("DELETE FROM codes WHERE exp < ?1", [int(now.saturating_sub(SWEEP_AFTER))])?;
        let code = self.code(sha256)?;
        match rules::code_says(code.as_ref(), install, now) {
            CodeSays::Good => {}
            CodeSays::Refused => return Ok(Begun::CodeRefused),
            CodeSays::Again(id) => return Ok(Begun::Again(id)),
        }
        let entry = self.site(&install.app, &install.site)?;
        let holder = entry.as_ref().map(|entry| self.install(&entry.install)).transpose()?.flatten();
        match rules::site_says(entry.as_ref(), holder.as_ref(), now) {
            SiteSays::Free => {}
            SiteSays::Held(entry) => return Ok(Begun::AlreadyInstalled(entry)),
            SiteSays::Abandoned(_) => {
                if let Some(holder) = holder {
                    self.undo(&holder, holder.rev)?;
                }
            }
        }
        if self.install(&install.id)?.is_some() {
            return self.corrupt("an install with this id is there");
        }
        self.put_install(install)?;
        let entry = rules::site_entry(install);
        self.execute(
            "INSERT OR REPLACE INTO sites (app, site, v, install, document) VALUES (?1, ?2, ?3, ?4, ?5)",
            params![
                install.app.as_str(),
                install.site.as_str(),
                int(document::ITEM_VERSION),
                install.id.as_str(),
                self.json(&entry)?
            ],
        )?;
        if let Some(code) = code {
            self.put_code(&InstallCode { install: Some(install.id.clone()), ..code })?;
        }
        Ok(Begun::Created)
    }
}

impl Sqlite {
    /// Runs one operation in a transaction.
    pub(super) async fn with<T: Send + 'static>(
        &self,
        what: &'static str,
        work: impl FnOnce(Tables<'_>) -> Result<T, TransactionError> + Send + 'static,
    ) -> Stored<T> {
        self.run(what, move |tx| work(Tables { what, tx })).await
    }
}
