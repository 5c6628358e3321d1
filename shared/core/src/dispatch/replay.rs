//! Repeats (section 2): a token is spent before a command runs that must not run twice.

use crate::{refusal::Refusal, resolve::resolve, world::World};
use cloud_apps_protocol::{Code, CommandRequest, Manifest, Millis, line::Line};

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
    pub async fn spend(&self, world: &World, now: Millis) -> Result<(), Refusal> {
        match world.ledger.once(&self.key, self.until, now).await {
            Ok(true) => Ok(()),
            Ok(false) => {
                Err(Refusal::new(Code::Duplicate, "This token was used before. Nothing was done again."))
            }
            Err(error) => Err(error.into()),
        }
    }
}

/// Whether a request runs, as far as the app's own definition says, a command that must not run twice.
pub fn must_spend(manifest: &Manifest, request: &CommandRequest, now: Millis) -> bool {
    match resolve(manifest, &[], request, None, now) {
        Ok(Line::Run(invocation)) => {
            manifest.command(invocation.function.as_str()).is_some_and(|command| !command.safe)
        }
        Ok(Line::Help(_)) | Err(_) => false,
    }
}
