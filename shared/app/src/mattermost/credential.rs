//! Whose rights a client has.

use super::Error;
use async_trait::async_trait;
use cloud_apps_protocol::SiteUrl;
use secrecy::SecretString;

/// A token and the one site it may be sent to. The HTTP client takes this, never a URL and a token.
#[derive(Clone, Debug)]
pub struct Credential {
    /// The site.
    pub origin: SiteUrl,
    /// Its token.
    pub token: SecretString,
}

/// Where the bot's token comes from. The bundle implements it; tests hand in a fixed one.
#[async_trait]
pub trait BotTokens: Send + Sync {
    /// The install's bot token; `fresh` after Mattermost refused it, to read the install again.
    async fn bot(&self, fresh: bool) -> Result<Credential, Error>;
}

/// A token that never changes.
#[async_trait]
impl BotTokens for Credential {
    async fn bot(&self, _: bool) -> Result<Credential, Error> {
        Ok(self.clone())
    }
}
