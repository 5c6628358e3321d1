//! [`Installs`], [`Apps`] and [`Registry`] in SQLite.

use super::sqlite::{Sqlite, Trouble, document, int, number};
use async_trait::async_trait;
use cloud_apps_core::store::{
    document,
    model::{Catalogue, Install, InstallCode, ManageCode, RegisteredApp, Sha256, SiteEntry, Sites, Team},
    page,
    ports::{Apps, Begun, Changed, Installs, Registry, StoreError, Stored},
    rules::{self, CodeSays, SiteSays, UndoStep},
};
use cloud_apps_protocol::{AppId, InstallId, Millis, SiteUrl, TeamId};
use rusqlite::{OptionalExtension, Params, Row, Transaction, params};
use serde::Serialize;

/// How long after its expiry a code is swept away, in milliseconds.
const SWEEP_AFTER: Millis = 24 * 3_600_000;

/// One transaction of one operation.
struct Books<'a> {
    what: &'static str,
    tx: &'a Transaction<'a>,
}

fn versioned(row: &Row<'_>) -> rusqlite::Result<(i64, String)> {
    Ok((row.get(0)?, row.get(1)?))
}

impl Books<'_> {
    fn execute(&self, sql: &str, params: impl Params) -> Result<usize, Trouble> {
        Ok(self.tx.prepare_cached(sql)?.execute(params)?)
    }

    fn one<T: for<'de> serde::Deserialize<'de>>(
        &self,
        sql: &str,
        params: impl Params,
    ) -> Result<Option<T>, Trouble> {
        document(self.what, self.tx.prepare_cached(sql)?.query_row(params, versioned))
    }

    fn many<T: for<'de> serde::Deserialize<'de>>(
        &self,
        sql: &str,
        params: impl Params,
    ) -> Result<Vec<T>, Trouble> {
        let mut statement = self.tx.prepare_cached(sql)?;
        let rows = statement.query_map(params, versioned)?;
        rows.map(|row| {
            let found = document(self.what, row)?;
            found.ok_or_else(|| rusqlite::Error::QueryReturnedNoRows.into())
        })
        .collect()
    }

    fn json<T: Serialize>(&self, value: &T) -> Stored<String> {
        document::write(self.what, value)
    }

    fn corrupt<T>(&self, detail: &str) -> Result<T, Trouble> {
        Err(StoreError::Corrupt { what: self.what, detail: detail.to_owned() }.into())
    }

    fn install(&self, id: &InstallId) -> Result<Option<Install>, Trouble> {
        self.one("SELECT v, document FROM installs WHERE id = ?1", [id.as_str()])
    }

    fn team(&self, install: &InstallId, team: &TeamId) -> Result<Option<Team>, Trouble> {
        let key = [install.as_str(), team.as_str()];
        self.one("SELECT v, document FROM teams WHERE install = ?1 AND team = ?2", key)
    }

    fn token(&self, sha256: &Sha256) -> Result<Option<InstallId>, Trouble> {
        // An install's id as a JSON text is the id in quotes: the same path as every document.
        let row = self
            .tx
            .prepare_cached("SELECT v, json_quote(install) FROM tokens WHERE sha256 = ?1")?
            .query_row([sha256.as_str()], versioned);
        document(self.what, row)
    }

    fn code(&self, sha256: &Sha256) -> Result<Option<InstallCode>, Trouble> {
        self.one("SELECT v, document FROM codes WHERE sha256 = ?1", [sha256.as_str()])
    }

    fn put_code(&self, code: &InstallCode) -> Result<(), Trouble> {
        self.execute(
            "INSERT OR REPLACE INTO codes (sha256, v, exp, document) VALUES (?1, ?2, ?3, ?4)",
            params![code.sha256.as_str(), int(document::ITEM_VERSION), int(code.exp), self.json(code)?],
        )?;
        Ok(())
    }

    fn app(&self, app: &AppId) -> Result<Option<RegisteredApp>, Trouble> {
        self.one("SELECT v, document FROM apps WHERE app = ?1", [app.as_str()])
    }

    fn site(&self, app: &AppId, site: &SiteUrl) -> Result<Option<SiteEntry>, Trouble> {
        let key = [app.as_str(), site.as_str()];
        self.one("SELECT v, document FROM sites WHERE app = ?1 AND site = ?2", key)
    }

    /// Writes an install and moves its static token.
    fn put_install(&self, install: &Install) -> Result<(), Trouble> {
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

    fn undo(&self, install: &Install, expected: u64) -> Result<Changed, Trouble> {
        match rules::undo(self.install(&install.id)?.as_ref(), expected) {
            UndoStep::Conflict => return Ok(Changed::Conflict),
            UndoStep::Gone => {}
            // One transaction: nobody sees the mark, so none is written.
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

    fn begin(&self, install: &Install, now: Millis) -> Result<Begun, Trouble> {
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
    async fn with<T: Send + 'static>(
        &self,
        what: &'static str,
        work: impl FnOnce(Books<'_>) -> Result<T, Trouble> + Send + 'static,
    ) -> Stored<T> {
        self.run(what, move |tx| work(Books { what, tx })).await
    }
}

#[async_trait]
impl Installs for Sqlite {
    async fn find(&self, install: &InstallId) -> Stored<Option<Install>> {
        let install = install.clone();
        self.with("Installs.find", move |books| books.install(&install)).await
    }

    async fn find_with_team(
        &self,
        install: &InstallId,
        team: &TeamId,
    ) -> Stored<(Option<Install>, Option<Team>)> {
        let (install, team) = (install.clone(), team.clone());
        self.with("Installs.find_with_team", move |books| {
            Ok((books.install(&install)?, books.team(&install, &team)?))
        })
        .await
    }

    async fn find_static_token(&self, sha256: &Sha256) -> Stored<Option<InstallId>> {
        let sha256 = sha256.clone();
        self.with("Installs.find_static_token", move |books| books.token(&sha256)).await
    }
}

#[async_trait]
impl Apps for Sqlite {
    async fn all(&self) -> Stored<Catalogue> {
        self.with("Apps.all", |books| {
            Ok(books.one("SELECT v, document FROM catalogue", [])?.unwrap_or_default())
        })
        .await
    }

    async fn find(&self, app: &AppId) -> Stored<Option<RegisteredApp>> {
        let app = app.clone();
        self.with("Apps.find", move |books| books.app(&app)).await
    }

    async fn manifest(&self, app: &AppId, sha256: &Sha256) -> Stored<Option<String>> {
        let (app, sha256) = (app.clone(), sha256.clone());
        self.with("Apps.manifest", move |books| {
            let sql = "SELECT v, text FROM manifests WHERE app = ?1 AND sha256 = ?2";
            let mut statement = books.tx.prepare_cached(sql)?;
            let row = statement.query_row([app.as_str(), sha256.as_str()], versioned).optional()?;
            let Some((v, text)) = row else { return Ok(None) };
            document::check_version(books.what, number(books.what, v)?)?;
            Ok(Some(text))
        })
        .await
    }
}

#[async_trait]
impl Registry for Sqlite {
    async fn put_catalogue(&self, catalogue: &Catalogue, expected: u64) -> Stored<Changed> {
        let catalogue = Catalogue { rev: rules::next(expected), ..catalogue.clone() };
        self.with("Registry.put_catalogue", move |books| {
            let document = books.json(&catalogue)?;
            let rev: Option<i64> =
                books.tx.query_row("SELECT rev FROM catalogue", [], |row| row.get(0)).optional()?;
            if rev.unwrap_or_default() != int(expected) {
                return Ok(Changed::Conflict);
            }
            books.execute(
                "INSERT OR REPLACE INTO catalogue (one, v, rev, document) VALUES (1, ?1, ?2, ?3)",
                params![int(document::ITEM_VERSION), int(catalogue.rev), document],
            )?;
            Ok(Changed::Yes)
        })
        .await
    }

    async fn put_code(&self, code: &InstallCode) -> Stored<()> {
        let code = code.clone();
        self.with("Registry.put_code", move |books| books.put_code(&code)).await
    }

    async fn code(&self, sha256: &Sha256) -> Stored<Option<InstallCode>> {
        let sha256 = sha256.clone();
        self.with("Registry.code", move |books| books.code(&sha256)).await
    }

    async fn put_manage_code(&self, code: &ManageCode) -> Stored<()> {
        let code = code.clone();
        self.with("Registry.put_manage_code", move |books| {
            let before = int(code.created_at.saturating_sub(SWEEP_AFTER));
            books.execute("DELETE FROM manage_codes WHERE exp < ?1", [before])?;
            books.execute(
                "INSERT OR REPLACE INTO manage_codes (sha256, v, exp, document) VALUES (?1, ?2, ?3, ?4)",
                params![code.sha256.as_str(), int(document::ITEM_VERSION), int(code.exp), books.json(&code)?],
            )?;
            Ok(())
        })
        .await
    }

    async fn manage_code(&self, sha256: &Sha256) -> Stored<Option<ManageCode>> {
        let sha256 = sha256.clone();
        self.with("Registry.manage_code", move |books| {
            books.one("SELECT v, document FROM manage_codes WHERE sha256 = ?1", [sha256.as_str()])
        })
        .await
    }

    async fn put_app(&self, app: &RegisteredApp, expected: u64) -> Stored<Changed> {
        let app = RegisteredApp { rev: rules::next(expected), ..app.clone() };
        self.with("Registry.put_app", move |books| {
            let document = books.json(&app)?;
            let stored = books.app(&app.id)?;
            if stored.map_or(0, |stored| stored.rev) != expected {
                return Ok(Changed::Conflict);
            }
            books.execute(
                "INSERT OR REPLACE INTO apps (app, v, document) VALUES (?1, ?2, ?3)",
                params![app.id.as_str(), int(document::ITEM_VERSION), document],
            )?;
            Ok(Changed::Yes)
        })
        .await
    }

    async fn remove_app(&self, app: &AppId, expected: u64) -> Stored<Changed> {
        let app = app.clone();
        self.with("Registry.remove_app", move |books| {
            if books.app(&app)?.is_some_and(|stored| stored.rev != expected) {
                return Ok(Changed::Conflict);
            }
            books.execute("DELETE FROM apps WHERE app = ?1", [app.as_str()])?;
            Ok(Changed::Yes)
        })
        .await
    }

    async fn put_manifest(&self, app: &AppId, sha256: &Sha256, text: &str) -> Stored<()> {
        let (app, sha256, text) = (app.clone(), sha256.clone(), text.to_owned());
        self.with("Registry.put_manifest", move |books| {
            document::check_text(books.what, &text)?;
            books.execute(
                "INSERT OR REPLACE INTO manifests (app, sha256, v, text) VALUES (?1, ?2, ?3, ?4)",
                params![app.as_str(), sha256.as_str(), int(document::ITEM_VERSION), text],
            )?;
            Ok(())
        })
        .await
    }

    async fn manifests(&self, app: &AppId) -> Stored<Vec<Sha256>> {
        let app = app.clone();
        self.with("Registry.manifests", move |books| {
            // A hash as a JSON text is the hash in quotes: the same path as every document.
            let sql = "SELECT v, json_quote(sha256) FROM manifests WHERE app = ?1 ORDER BY sha256";
            books.many(sql, [app.as_str()])
        })
        .await
    }

    async fn remove_manifest(&self, app: &AppId, sha256: &Sha256) -> Stored<()> {
        let (app, sha256) = (app.clone(), sha256.clone());
        self.with("Registry.remove_manifest", move |books| {
            books.execute(
                "DELETE FROM manifests WHERE app = ?1 AND sha256 = ?2",
                [app.as_str(), sha256.as_str()],
            )?;
            Ok(())
        })
        .await
    }

    async fn site(&self, app: &AppId, site: &SiteUrl) -> Stored<Option<SiteEntry>> {
        let (app, site) = (app.clone(), site.clone());
        self.with("Registry.site", move |books| books.site(&app, &site)).await
    }

    async fn begin(&self, install: &Install, now: Millis) -> Stored<Begun> {
        let install = install.clone();
        self.with("Registry.begin", move |books| books.begin(&install, now)).await
    }

    async fn change(&self, install: &Install, expected: u64) -> Stored<Changed> {
        let install = Install { rev: rules::next(expected), ..install.clone() };
        self.with("Registry.change", move |books| {
            books.json(&install)?;
            if !rules::may_change(books.install(&install.id)?.as_ref(), expected) {
                return Ok(Changed::Conflict);
            }
            books.put_install(&install)?;
            Ok(Changed::Yes)
        })
        .await
    }

    async fn put_team(&self, install: &InstallId, team: &TeamId, registered: &Team) -> Stored<()> {
        let (install, team, registered) = (install.clone(), team.clone(), registered.clone());
        self.with("Registry.put_team", move |books| {
            let document = books.json(&registered)?;
            if !rules::may_register(books.install(&install)?.as_ref()) {
                return Ok(());
            }
            if registered == Team::default() {
                let key = [install.as_str(), team.as_str()];
                books.execute("DELETE FROM teams WHERE install = ?1 AND team = ?2", key)?;
            } else {
                books.execute(
                    "INSERT OR REPLACE INTO teams (install, team, v, document) VALUES (?1, ?2, ?3, ?4)",
                    params![install.as_str(), team.as_str(), int(document::ITEM_VERSION), document],
                )?;
            }
            Ok(())
        })
        .await
    }

    async fn teams(&self, install: &InstallId) -> Stored<Vec<(TeamId, Team)>> {
        let install = install.clone();
        self.with("Registry.teams", move |books| {
            books.many(
                "SELECT v, json_array(team, json(document)) FROM teams WHERE install = ?1 ORDER BY team LIMIT ?2",
                params![install.as_str(), int(page::MAX_TEAMS as u64)],
            )
        })
        .await
    }

    async fn activate(
        &self,
        install: &Install,
        expected: u64,
        code: &Sha256,
        now: Millis,
    ) -> Stored<Changed> {
        let (install, sha256) = (Install { rev: rules::next(expected), ..install.clone() }, code.clone());
        self.with("Registry.activate", move |books| {
            books.json(&install)?;
            let code = books.code(&sha256)?;
            if !rules::may_activate(books.install(&install.id)?.as_ref(), expected, code.as_ref(), now) {
                return Ok(Changed::Conflict);
            }
            books.put_install(&install)?;
            if let Some(code) = code {
                books.put_code(&InstallCode { spent: true, ..code })?;
            }
            Ok(Changed::Yes)
        })
        .await
    }

    async fn undo(&self, install: &Install, expected: u64) -> Stored<Changed> {
        let install = install.clone();
        self.with("Registry.undo", move |books| books.undo(&install, expected)).await
    }

    async fn list(&self, app: &AppId, limit: usize, cursor: Option<&str>) -> Stored<Sites> {
        const WHAT: &str = "Registry.list";
        let limit = limit.clamp(1, page::MAX_PAGE);
        let after = cursor.map(|cursor| page::site_of_cursor(WHAT, cursor)).transpose()?;
        let app = app.clone();
        self.with(WHAT, move |books| {
            let after = after.as_ref().map_or("", |site| site.as_str());
            let sql =
                "SELECT v, document, site FROM sites WHERE app = ?1 AND site > ?2 ORDER BY site LIMIT ?3";
            let mut statement = books.tx.prepare_cached(sql)?;
            let rows = statement.query_map(params![app.as_str(), after, int(limit as u64 + 1)], |row| {
                Ok((row.get::<_, String>(2)?, versioned(row)?))
            })?;
            let lines = rows.map(|row| {
                let (site, (v, document)) = row?;
                Ok((site, number(WHAT, v).and_then(|v| document::read(WHAT, v, &document))))
            });
            let lines = lines.collect::<rusqlite::Result<_>>()?;
            Ok(page::of_sites(WHAT, lines, limit)?)
        })
        .await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::OpenError;
    use cloud_apps_core::testing::{
        conformance,
        faults::{Fault, Faults, Faulty},
        sample,
    };
    use std::sync::atomic::{AtomicUsize, Ordering};

    /// A new database per call, in one folder.
    struct Folder(tempfile::TempDir, AtomicUsize);

    impl Folder {
        fn new() -> Self {
            Self(tempfile::tempdir().unwrap(), AtomicUsize::new(0))
        }
        fn next(&self) -> Sqlite {
            let n = self.1.fetch_add(1, Ordering::SeqCst);
            Sqlite::open(&self.0.path().join(format!("{n}.db"))).unwrap()
        }
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    async fn sqlite_keeps_installs_and_the_registry() {
        let folder = Folder::new();
        conformance::installs_and_registry(async || folder.next()).await;
    }

    #[tokio::test]
    async fn sqlite_lists_the_installs_beside_a_line_that_cannot_be_read() {
        let store = Folder::new().next();
        conformance::unread_sites(store.clone(), async |site| {
            let later = move |tx: &Transaction<'_>| {
                Ok(tx.execute("UPDATE sites SET v = 2 WHERE site = ?1", [site.as_str()])?)
            };
            assert_eq!(store.run("a test", later).await.unwrap(), 1);
        })
        .await;
    }

    #[tokio::test]
    async fn a_line_of_the_list_that_has_another_shape_is_named_and_hides_no_other() {
        let store = Folder::new().next();
        for n in 1..=2 {
            store.put_code(&sample::code(n, 1_000)).await.unwrap();
            store.begin(&sample::pending(n, 1_000), 0).await.unwrap();
        }
        let spoil = |tx: &Transaction<'_>| {
            let sql = "UPDATE sites SET document = '\"the secret\"', site = 'no site' WHERE site = ?1";
            Ok(tx.execute(sql, [sample::site(1).as_str()])?)
        };
        store.run("a test", spoil).await.unwrap();
        let page = store.list(&sample::app(), 2, None).await.unwrap();
        assert_eq!((page.items.len(), page.cursor), (1, None));
        assert_eq!(page.unread[0].site, "no site");
        assert!(!page.unread[0].why.contains("secret"), "{:?}", page.unread);
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    async fn sqlite_keeps_apps_and_manage_codes() {
        let folder = Folder::new();
        conformance::apps_and_manage_codes(async || folder.next()).await;
    }

    #[async_trait]
    impl conformance::Drained for Sqlite {
        async fn drain(&self) -> Vec<String> {
            conformance::drain(self).await
        }
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    async fn sqlite_keeps_the_queue() {
        let folder = Folder::new();
        conformance::queue(async || folder.next()).await;
        conformance::consumer(async || folder.next()).await;
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    async fn sqlite_keeps_dead_letters() {
        let folder = Folder::new();
        conformance::dead_letters(async || folder.next()).await;
    }

    #[tokio::test]
    async fn a_database_of_the_first_version_is_brought_forward_and_keeps_what_it_has() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("bundle.db");
        let store = Sqlite::open(&path).unwrap();
        store.put_code(&sample::code(1, 1_000)).await.unwrap();
        let back = |tx: &Transaction<'_>| {
            let drop =
                "DROP TABLE manage_codes; DROP TABLE queue; DROP TABLE dead_letters; DROP TABLE manifests;";
            Ok(tx.execute_batch(&format!("{drop} PRAGMA user_version = 1"))?)
        };
        store.run("a test", back).await.unwrap();
        drop(store);
        let store = Sqlite::open(&path).unwrap();
        assert!(store.code(&sample::code_hash(1)).await.unwrap().is_some());
        assert!(Registry::manage_code(&store, &sample::code_hash(1)).await.unwrap().is_none());
        assert!(conformance::drain(&store).await.is_empty());
    }

    /// As an app was kept before its manifests were kept by their hashes.
    const FORMER: &str = r#"{"rev":3,"manifest":{"protocol":2,"id":"jira","version":"1.0.0","display_name":"Jira",
        "upstream":{"type":"http","url":"https://app.example.com"}},"upstream_key":"1","upstream_generation":2}"#;

    #[tokio::test]
    async fn a_database_of_the_second_version_keeps_its_apps_and_they_are_replaced_or_removed() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("bundle.db");
        for removed in [false, true] {
            let store = Sqlite::open(&path).unwrap();
            let back = |tx: &Transaction<'_>| {
                tx.execute_batch("DROP TABLE manifests; DELETE FROM apps; PRAGMA user_version = 2")?;
                Ok(tx.execute("INSERT INTO apps (app, v, document) VALUES ('jira', 1, ?1)", [FORMER])?)
            };
            store.run("a test", back).await.unwrap();
            drop(store);
            let store = Sqlite::open(&path).unwrap();
            let app = sample::app_id("jira");
            let former = Apps::find(&store, &app).await.unwrap().unwrap();
            assert_eq!((&former.id, former.rev, former.version.as_str()), (&app, 3, "1.0.0"));
            assert!(former.versions.is_empty() && former.binding.is_none());
            if removed {
                assert_eq!(store.remove_app(&app, 3).await.unwrap(), Changed::Yes);
            } else {
                assert_eq!(store.put_app(&former, 3).await.unwrap(), Changed::Yes);
                assert_eq!(Apps::find(&store, &app).await.unwrap().unwrap().rev, 4);
            }
        }
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    async fn sqlite_keeps_the_ledger() {
        let folder = Folder::new();
        conformance::ledger(async || folder.next()).await;
    }

    #[tokio::test]
    async fn sqlite_finishes_an_undo_that_was_cut_off() {
        let folder = Folder::new();
        for fault in [Fault::Before, Fault::After] {
            conformance::interrupted_undo(
                async || folder.next(),
                |store, n| {
                    let faults = Faults::at(n, fault);
                    (Faulty::new(store.clone(), faults.clone()), move || faults.struck())
                },
            )
            .await;
        }
    }

    #[tokio::test]
    async fn what_was_kept_is_there_after_a_restart_and_for_a_second_process() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("folder").join("bundle.db");
        let first = Sqlite::open(&path).unwrap();
        first.put_code(&sample::code(1, 1_000)).await.unwrap();
        let second = Sqlite::open(&path).unwrap();
        second.begin(&sample::pending(1, 1_000), 0).await.unwrap();
        assert!(Installs::find(&first, &sample::install_id(1)).await.unwrap().is_some());
        drop((first, second));
        let third = Sqlite::open(&path).unwrap();
        assert!(Installs::find(&third, &sample::install_id(1)).await.unwrap().is_some());
    }

    #[cfg(unix)]
    #[tokio::test]
    async fn the_files_are_for_their_owner_only() {
        use std::{fs, os::unix::fs::PermissionsExt};
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join("folder");
        let store = Sqlite::open(&folder.join("bundle.db")).unwrap();
        store.put_code(&sample::code(1, 1_000)).await.unwrap();
        assert_eq!(fs::metadata(&folder).unwrap().permissions().mode() & 0o777, 0o700);
        let mut names = Vec::new();
        for file in fs::read_dir(&folder).unwrap() {
            let file = file.unwrap();
            assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600, "{file:?}");
            names.push(file.file_name().into_string().unwrap());
        }
        assert!(
            names.contains(&"bundle.db".to_owned()) && names.contains(&"bundle.db-wal".to_owned()),
            "{names:?}"
        );
    }

    #[tokio::test]
    async fn an_item_of_a_later_version_is_not_read() {
        let root = tempfile::tempdir().unwrap();
        let store = Sqlite::open(&root.path().join("bundle.db")).unwrap();
        store.put_code(&sample::code(1, 1_000)).await.unwrap();
        store.begin(&sample::pending(1, 1_000), 0).await.unwrap();
        let later =
            |tx: &Transaction<'_>| Ok(tx.execute_batch("UPDATE installs SET v = 2; UPDATE codes SET v = 2")?);
        store.run("a test", later).await.unwrap();
        let install = Installs::find(&store, &sample::install_id(1)).await.unwrap_err();
        let code = store.code(&sample::code_hash(1)).await.unwrap_err();
        for error in [install, code] {
            assert!(
                matches!(error, StoreError::Corrupt { .. }) && error.to_string().contains("version 2"),
                "{error}"
            );
        }
        assert!(store.undo(&sample::pending(1, 1_000), 1).await.is_err(), "and not removed either");
    }

    #[tokio::test]
    async fn a_document_that_cannot_be_read_is_named_without_its_content() {
        let root = tempfile::tempdir().unwrap();
        let store = Sqlite::open(&root.path().join("bundle.db")).unwrap();
        store.put_code(&sample::code(1, 1_000)).await.unwrap();
        let spoil =
            |tx: &Transaction<'_>| Ok(tx.execute_batch("UPDATE codes SET document = '\"the secret\"'")?);
        store.run("a test", spoil).await.unwrap();
        let error = store.code(&sample::code_hash(1)).await.unwrap_err();
        assert!(
            matches!(error, StoreError::Corrupt { .. }) && !format!("{error:?}").contains("secret"),
            "{error}"
        );
    }

    #[test]
    fn a_file_that_is_no_database_or_a_later_one_is_refused_by_name() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("bundle.db");
        crate::store::files::private_file(&path).unwrap();
        std::fs::write(&path, "not a database, but long enough to be looked at by SQLite ".repeat(50))
            .unwrap();
        let error = Sqlite::open(&path).err().unwrap();
        assert!(error.to_string().contains("bundle.db"), "{error}");
        let later = root.path().join("later.db");
        crate::store::files::private_file(&later).unwrap();
        rusqlite::Connection::open(&later).unwrap().pragma_update(None, "user_version", 7).unwrap();
        assert!(matches!(Sqlite::open(&later), Err(OpenError::Later { found: 7, .. })));
    }
}
