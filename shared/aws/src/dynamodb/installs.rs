//! [`Installs`] and [`Apps`]: consistent reads by key.

use super::{
    Dynamo, ROUNDS, given_up,
    item::{INSTALL, Item, Key, Read},
    pause,
};
use crate::failure::failed;
use async_trait::async_trait;
use aws_sdk_dynamodb::types::KeysAndAttributes;
use cloud_apps_core::store::{
    model::{Catalogue, Install, RegisteredApp, Sha256, Team},
    ports::{Apps, Installs, Stored},
};
use cloud_apps_protocol::{AppId, InstallId, TeamId};
use std::collections::HashMap;

impl Dynamo {
    /// One item of the installs table.
    pub(super) async fn get(&self, what: &'static str, key: Key) -> Stored<Option<Item>> {
        let read = self.client().get_item().table_name(&*self.installs).set_key(Some(key.item()));
        let answer = read.consistent_read(true).send().await.map_err(|error| failed(what, &error))?;
        Ok(answer.item)
    }

    pub(super) async fn install(&self, what: &'static str, install: &InstallId) -> Stored<Option<Install>> {
        let item = self.get(what, Key::install(install)).await?;
        item.map(|item| Read::new(what, &item)?.document()).transpose()
    }
}

#[async_trait]
impl Installs for Dynamo {
    async fn find(&self, install: &InstallId) -> Stored<Option<Install>> {
        self.install("Installs.find", install).await
    }

    async fn find_with_team(
        &self,
        install: &InstallId,
        team: &TeamId,
    ) -> Stored<(Option<Install>, Option<Team>)> {
        const WHAT: &str = "Installs.find_with_team";
        let keys = vec![Key::install(install).item(), Key::team(install, team).item()];
        let mut wanted = Some(keys);
        let (mut found, mut registered) = (None, None);
        for round in 0..ROUNDS {
            let Some(keys) = wanted.take() else { return Ok((found, registered)) };
            if round > 0 {
                pause(round).await;
            }
            let keys = KeysAndAttributes::builder().set_keys(Some(keys)).consistent_read(true).build();
            let keys = keys.map_err(|_| given_up(WHAT))?;
            let request = HashMap::from([(self.installs.to_string(), keys)]);
            let read = self.client().batch_get_item().set_request_items(Some(request));
            let mut answer = read.send().await.map_err(|error| failed(WHAT, &error))?;
            let items = answer.responses.take().and_then(|mut tables| tables.remove(&*self.installs));
            for item in items.unwrap_or_default() {
                let read = Read::new(WHAT, &item)?;
                if read.text("sk") == Some(INSTALL) {
                    found = Some(read.document()?);
                } else {
                    registered = Some(read.document()?);
                }
            }
            // A throttled table returns only some of the items; the next round asks for the others.
            let rest = answer.unprocessed_keys.take().and_then(|mut tables| tables.remove(&*self.installs));
            wanted = rest.map(|rest| rest.keys).filter(|keys| !keys.is_empty());
        }
        if wanted.is_none() { Ok((found, registered)) } else { Err(given_up(WHAT)) }
    }

    async fn find_static_token(&self, sha256: &Sha256) -> Stored<Option<InstallId>> {
        const WHAT: &str = "Installs.find_static_token";
        let item = self.get(WHAT, Key::token(sha256)).await?;
        item.map(|item| Read::new(WHAT, &item)?.id("install")).transpose()
    }
}

#[async_trait]
impl Apps for Dynamo {
    async fn all(&self) -> Stored<Catalogue> {
        const WHAT: &str = "Apps.all";
        let item = self.get(WHAT, Key::catalogue()).await?;
        Ok(item.map(|item| Read::new(WHAT, &item)?.document()).transpose()?.unwrap_or_default())
    }

    async fn find(&self, app: &AppId) -> Stored<Option<RegisteredApp>> {
        const WHAT: &str = "Apps.find";
        let item = self.get(WHAT, Key::app(app)).await?;
        item.map(|item| Read::new(WHAT, &item)?.document()).transpose()
    }

    async fn manifest(&self, app: &AppId, sha256: &Sha256) -> Stored<Option<String>> {
        const WHAT: &str = "Apps.manifest";
        let item = self.get(WHAT, Key::manifest(app, sha256)).await?;
        item.map(|item| Read::new(WHAT, &item)?.manifest()).transpose()
    }
}
