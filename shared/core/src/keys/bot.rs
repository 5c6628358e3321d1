//! The bot's token. It is opened when it is needed and not before.

use super::cache::KeyCache;
use crate::{
    jobs::ServerWatch,
    store::{cache::Freshness, install_cache::InstallCache, model::Install},
};
use async_trait::async_trait;
use cloud_app::mattermost::{BotTokens, Credential, Error};
use cloud_apps_protocol::{Millis, manifest::Permission};
use std::sync::Arc;

/// The bot of one install, for one request.
pub struct InstallBot {
    /// Where a newer token is found.
    pub installs: Arc<InstallCache>,
    /// Opens the token.
    pub keys: Arc<KeyCache>,
    /// Notices that the server changed.
    pub watch: Arc<ServerWatch>,
    /// The install as the request found it.
    pub install: Arc<Install>,
    /// Unix milliseconds.
    pub now: Millis,
}

#[async_trait]
impl BotTokens for InstallBot {
    async fn bot(&self, fresh: bool) -> Result<Credential, Error> {
        let again = if fresh {
            // Mattermost refused the token. There may be a newer one, however young the cached install is.
            self.installs.forget(&self.install.id);
            self.installs
                .find(&self.install.id, Freshness::Reread, self.now)
                .await
                .map_err(Error::unread_token)?
        } else {
            None
        };
        let install = again.as_ref().unwrap_or(&self.install);
        if !install.granted.permissions.contains(&Permission::ActAsBot) {
            return Err(Error::no_token(format!(
                "{} was not allowed to act as its bot on this server: an admin grants act_as_bot.",
                install.app
            )));
        }
        self.keys.open_bot_token(install, self.now).await.map_err(Error::unread_token)
    }

    async fn answered_by(&self, version_id: &str) {
        self.watch.compare(&self.install, version_id, self.now).await;
    }
}
