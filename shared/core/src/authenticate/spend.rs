//! Repeats (section 2): a token is spent before a command runs that must not run twice.

use crate::{http::Refusal, services::Services};
use cloud_apps_protocol::{Code, Millis};

/// What is to be spent before anything runs.
#[derive(Debug, Clone)]
pub struct Spend {
    /// The ledger's key.
    pub key: String,
    /// Unix milliseconds until which it stays spent.
    pub until: Millis,
}

impl Spend {
    /// Spends it; of any number at once, one succeeds.
    pub async fn spend(&self, services: &Services, now: Millis) -> Result<(), Refusal> {
        match services.ledger.once(&self.key, self.until, now).await {
            Ok(true) => Ok(()),
            Ok(false) => {
                Err(Refusal::new(Code::Duplicate, "This token was used before. Nothing was done again."))
            }
            Err(error) => Err(error.into()),
        }
    }
}
