//! [`Registry`] in SQLite.

use super::{
    sqlite::{Sqlite, int, number},
    tables::{SWEEP_AFTER, versioned},
};
use async_trait::async_trait;
use cloud_apps_core::store::{
    document,
    model::{Catalogue, Install, InstallCode, ManageCode, RegisteredApp, Sha256, SiteEntry, Sites, Team},
    page,
    ports::{Begun, Changed, Registry, Stored},
    rules,
};
use cloud_apps_protocol::{AppId, InstallId, Millis, SiteUrl, TeamId};
use rusqlite::{OptionalExtension, params};

#[async_trait]
impl Registry for Sqlite {
    async fn put_catalogue(&self, catalogue: &Catalogue, expected: u64) -> Stored<Changed> {
        let catalogue = Catalogue { rev: rules::next(expected), ..catalogue.clone() };
        self.with("Registry.put_catalogue", move |tables| {
            let document = tables.json(&catalogue)?;
            let rev: Option<i64> =
                tables.tx.query_row("SELECT rev FROM catalogue", [], |row| row.get(0)).optional()?;
            if rev.unwrap_or_default() != int(expected) {
                return Ok(Changed::Conflict);
            }
            tables.execute(
                "INSERT OR REPLACE INTO catalogue (one, v, rev, document) VALUES (1, ?1, ?2, ?3)",
                params![int(document::ITEM_VERSION), int(catalogue.rev), document],
            )?;
            Ok(Changed::Yes)
        })
        .await
    }

    async fn put_code(&self, code: &InstallCode) -> Stored<()> {
        let code = code.clone();
        self.with("Registry.put_code", move |tables| tables.put_code(&code)).await
    }

    async fn code(&self, sha256: &Sha256) -> Stored<Option<InstallCode>> {
        let sha256 = sha256.clone();
        self.with("Registry.code", move |tables| tables.code(&sha256)).await
    }

    async fn put_manage_code(&self, code: &ManageCode) -> Stored<()> {
        let code = code.clone();
        self.with("Registry.put_manage_code", move |tables| {
            let before = int(code.created_at.saturating_sub(SWEEP_AFTER));
            tables.execute("DELETE FROM manage_codes WHERE exp < ?1", [before])?;
            tables.execute(
                "INSERT OR REPLACE INTO manage_codes (sha256, v, exp, document) VALUES (?1, ?2, ?3, ?4)",
                params![
                    code.sha256.as_str(),
                    int(document::ITEM_VERSION),
                    int(code.exp),
                    tables.json(&code)?
                ],
            )?;
            Ok(())
        })
        .await
    }

    async fn manage_code(&self, sha256: &Sha256) -> Stored<Option<ManageCode>> {
        let sha256 = sha256.clone();
        self.with("Registry.manage_code", move |tables| {
            tables.one("SELECT v, document FROM manage_codes WHERE sha256 = ?1", [sha256.as_str()])
        })
        .await
    }

    async fn put_app(&self, app: &RegisteredApp, expected: u64) -> Stored<Changed> {
        let app = RegisteredApp { rev: rules::next(expected), ..app.clone() };
        self.with("Registry.put_app", move |tables| {
            let document = tables.json(&app)?;
            let stored = tables.app(&app.id)?;
            if stored.map_or(0, |stored| stored.rev) != expected {
                return Ok(Changed::Conflict);
            }
            tables.execute(
                "INSERT OR REPLACE INTO apps (app, v, document) VALUES (?1, ?2, ?3)",
                params![app.id.as_str(), int(document::ITEM_VERSION), document],
            )?;
            Ok(Changed::Yes)
        })
        .await
    }

    async fn remove_app(&self, app: &AppId, expected: u64) -> Stored<Changed> {
        let app = app.clone();
        self.with("Registry.remove_app", move |tables| {
            if tables.app(&app)?.is_some_and(|stored| stored.rev != expected) {
                return Ok(Changed::Conflict);
            }
            tables.execute("DELETE FROM apps WHERE app = ?1", [app.as_str()])?;
            Ok(Changed::Yes)
        })
        .await
    }

    async fn put_manifest(&self, app: &AppId, sha256: &Sha256, text: &str) -> Stored<()> {
        let (app, sha256, text) = (app.clone(), sha256.clone(), text.to_owned());
        self.with("Registry.put_manifest", move |tables| {
            document::check_text(tables.what, &text)?;
            tables.execute(
                "INSERT OR REPLACE INTO manifests (app, sha256, v, text) VALUES (?1, ?2, ?3, ?4)",
                params![app.as_str(), sha256.as_str(), int(document::ITEM_VERSION), text],
            )?;
            Ok(())
        })
        .await
    }

    async fn manifests(&self, app: &AppId) -> Stored<Vec<Sha256>> {
        let app = app.clone();
        self.with("Registry.manifests", move |tables| {
            // The key says what is asked, whatever the rest of the row is.
            let sql = "SELECT sha256 FROM manifests WHERE app = ?1 ORDER BY sha256";
            let mut statement = tables.tx.prepare_cached(sql)?;
            let keys = statement.query_map([app.as_str()], |row| row.get::<_, String>(0))?;
            let keys = keys.collect::<rusqlite::Result<Vec<_>>>()?;
            Ok(keys.into_iter().filter_map(|key| serde_json::from_value(key.into()).ok()).collect())
        })
        .await
    }

    async fn remove_manifest(&self, app: &AppId, sha256: &Sha256) -> Stored<()> {
        let (app, sha256) = (app.clone(), sha256.clone());
        self.with("Registry.remove_manifest", move |tables| {
            tables.execute(
                "DELETE FROM manifests WHERE app = ?1 AND sha256 = ?2",
                [app.as_str(), sha256.as_str()],
            )?;
            Ok(())
        })
        .await
    }

    async fn site(&self, app: &AppId, site: &SiteUrl) -> Stored<Option<SiteEntry>> {
        let (app, site) = (app.clone(), site.clone());
        self.with("Registry.site", move |tables| tables.site(&app, &site)).await
    }

    async fn begin(&self, install: &Install, now: Millis) -> Stored<Begun> {
        let install = install.clone();
        self.with("Registry.begin", move |tables| tables.begin(&install, now)).await
    }

    async fn change(&self, install: &Install, expected: u64) -> Stored<Changed> {
        let install = Install { rev: rules::next(expected), ..install.clone() };
        self.with("Registry.change", move |tables| {
            tables.json(&install)?;
            if !rules::may_change(tables.install(&install.id)?.as_ref(), expected) {
                return Ok(Changed::Conflict);
            }
            tables.put_install(&install)?;
            Ok(Changed::Yes)
        })
        .await
    }

    async fn put_team(&self, install: &InstallId, team: &TeamId, registered: &Team) -> Stored<()> {
        let (install, team, registered) = (install.clone(), team.clone(), registered.clone());
        self.with("Registry.put_team", move |tables| {
            let document = tables.json(&registered)?;
            if !rules::may_register(tables.install(&install)?.as_ref()) {
                return Ok(());
            }
            if registered == Team::default() {
                let key = [install.as_str(), team.as_str()];
                tables.execute("DELETE FROM teams WHERE install = ?1 AND team = ?2", key)?;
            } else {
                tables.execute(
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
        self.with("Registry.teams", move |tables| {
            tables.many(
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
        self.with("Registry.activate", move |tables| {
            tables.json(&install)?;
            let code = tables.code(&sha256)?;
            if !rules::may_activate(tables.install(&install.id)?.as_ref(), expected, code.as_ref(), now) {
                return Ok(Changed::Conflict);
            }
            tables.put_install(&install)?;
            if let Some(code) = code {
                tables.put_code(&InstallCode { spent: true, ..code })?;
            }
            Ok(Changed::Yes)
        })
        .await
    }

    async fn undo(&self, install: &Install, expected: u64) -> Stored<Changed> {
        let install = install.clone();
        self.with("Registry.undo", move |tables| tables.undo(&install, expected)).await
    }

    async fn list(&self, app: &AppId, limit: usize, cursor: Option<&str>) -> Stored<Sites> {
        const WHAT: &str = "Registry.list";
        let limit = limit.clamp(1, page::MAX_PAGE);
        let after = cursor.map(|cursor| page::site_of_cursor(WHAT, cursor)).transpose()?;
        let app = app.clone();
        self.with(WHAT, move |tables| {
            let after = after.as_ref().map_or("", |site| site.as_str());
            let sql =
                "SELECT v, document, site FROM sites WHERE app = ?1 AND site > ?2 ORDER BY site LIMIT ?3";
            let mut statement = tables.tx.prepare_cached(sql)?;
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
