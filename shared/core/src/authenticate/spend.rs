//! Repeats (section 2): a token is spent before a command runs that must not run twice, and so is an action that only the first
//! click runs (section 5).

use crate::{http::Refusal, services::Services};
use cloud_apps_protocol::{Code, Millis};

/// What is to be spent before anything runs.
#[derive(Debug, Clone)]
pub struct Spend {
    /// The ledger's key.
    pub key: String,
    /// Unix milliseconds until which it stays spent.
    pub until: Millis,
    /// Who spends it, if others are told.
    pub by: Option<String>,
}

impl Spend {
    /// Spends it; of any number at once, one succeeds.
    pub async fn spend(&self, services: &Services, now: Millis) -> Result<(), Refusal> {
        match &self.by {
            None if services.ledger.once(&self.key, self.until, now).await? => Ok(()),
            None => Err(Refusal::new(Code::Duplicate, "This token was used before. Nothing was done again.")),
            Some(name) if services.ledger.put(&self.key, name, self.until, now).await? => Ok(()),
            Some(_) => {
                let first = services.ledger.look(&self.key, now).await?.unwrap_or_default();
                let by = if first.is_empty() { String::new() } else { format!(" by @{first}") };
                Err(Refusal::new(Code::Duplicate, format!("Already done{by}.")))
            }
        }
    }

    /// Gives an action back, because its function answered that nothing was done. A token stays spent.
    pub async fn give_back(&self, services: &Services, now: Millis) -> Result<(), Refusal> {
        if self.by.is_some() {
            services.ledger.take(&self.key, now).await?;
        }
        Ok(())
    }
}
