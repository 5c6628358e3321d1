//! The token of a client.

use super::Error;
use async_trait::async_trait;
use cloud_apps_protocol::SiteUrl;
use secrecy::SecretString;

/// A token and the only site to which it may be sent. The HTTP client takes both together, never a URL and a token.
#[derive(Clone, Debug)]
pub struct Credential {
    /// The site.
    pub origin: SiteUrl,
    /// Its token.
    pub token: SecretString,
}

/// Where the bot's token comes from. The bundle implements it. Tests use a fixed token.
#[async_trait]
pub trait BotTokens: Send + Sync {
    /// The install's bot token. `fresh`: Mattermost refused the token, so read the install again.
    async fn bot(&self, fresh: bool) -> Result<Credential, Error>;

    /// A call with the bot's token was answered by a server that calls itself this (`X-Version-Id`): its version, and a hash
    /// of its configuration.
    async fn answered_by(&self, _version_id: &str) {}
}

/// A token that never changes.
#[async_trait]
impl BotTokens for Credential {
    async fn bot(&self, _: bool) -> Result<Credential, Error> {
        Ok(self.clone())
    }
}
