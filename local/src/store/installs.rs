//! [`Installs`] and [`Apps`] in SQLite.

use super::{
    sqlite::{Sqlite, number},
    tables::versioned,
};
use async_trait::async_trait;
use cloud_apps_core::store::{
    document,
    model::{Catalogue, Install, RegisteredApp, Sha256, Team},
    ports::{Apps, Installs, Stored},
};
use cloud_apps_protocol::{AppId, InstallId, TeamId};
use rusqlite::OptionalExtension;

#[async_trait]
impl Installs for Sqlite {
    async fn find(&self, install: &InstallId) -> Stored<Option<Install>> {
        let install = install.clone();
        self.with("Installs.find", move |tables| tables.install(&install)).await
    }

    async fn find_with_team(
        &self,
        install: &InstallId,
        team: &TeamId,
    ) -> Stored<(Option<Install>, Option<Team>)> {
        let (install, team) = (install.clone(), team.clone());
        self.with("Installs.find_with_team", move |tables| {
            Ok((tables.install(&install)?, tables.team(&install, &team)?))
        })
        .await
    }

    async fn find_static_token(&self, sha256: &Sha256) -> Stored<Option<InstallId>> {
        let sha256 = sha256.clone();
        self.with("Installs.find_static_token", move |tables| tables.token(&sha256)).await
    }
}

#[async_trait]
impl Apps for Sqlite {
    async fn all(&self) -> Stored<Catalogue> {
        self.with("Apps.all", |tables| {
            Ok(tables.one("SELECT v, document FROM catalogue", [])?.unwrap_or_default())
        })
        .await
    }

    async fn find(&self, app: &AppId) -> Stored<Option<RegisteredApp>> {
        let app = app.clone();
        self.with("Apps.find", move |tables| tables.app(&app)).await
    }

    async fn manifest(&self, app: &AppId, sha256: &Sha256) -> Stored<Option<String>> {
        let (app, sha256) = (app.clone(), sha256.clone());
        self.with("Apps.manifest", move |tables| {
            let sql = "SELECT v, text FROM manifests WHERE app = ?1 AND sha256 = ?2";
            let mut statement = tables.tx.prepare_cached(sql)?;
            let row = statement.query_row([app.as_str(), sha256.as_str()], versioned).optional()?;
            let Some((v, text)) = row else { return Ok(None) };
            document::check_version(tables.what, number(tables.what, v)?)?;
            Ok(Some(text))
        })
        .await
    }
}
