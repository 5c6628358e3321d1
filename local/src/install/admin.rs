//! The admin of a server, and how work is done with an admin's rights.

use super::{
    consent, credentials,
    person::{Interruptible, Person},
    runner::{Patience, Runner},
    stop::Stop,
};
use crate::mattermost::Mattermost;
use secrecy::SecretString;
use tokio_util::sync::CancellationToken;

/// The admin of a server.
pub struct Admin<'a> {
    /// The server, before anybody has logged in.
    pub server: Mattermost,
    /// The admin's personal access token, if it was given.
    pub token: Option<SecretString>,
    /// The person who is told and asked.
    pub person: &'a dyn Person,
    /// Cancelled when somebody wants to stop.
    pub interrupt: CancellationToken,
    /// How often a step is tried.
    pub patience: Patience,
}

impl Admin<'_> {
    /// Does the work as the admin, and logs out afterwards if a session was opened for it.
    pub async fn logged_in<T>(
        &self,
        work: impl AsyncFnOnce(&Mattermost) -> Result<T, Stop>,
    ) -> Result<T, Stop> {
        credentials::as_admin(&self.server, self.token.as_ref(), &self.interruptible(), work).await
    }

    /// Asks for yes or no.
    pub async fn agrees(&self, question: &str) -> Result<bool, Stop> {
        consent::agrees(&self.interruptible(), question).await
    }

    /// The person, whose answers are not waited for any more when somebody wants to stop.
    pub fn interruptible(&self) -> Interruptible<'_> {
        Interruptible { person: self.person, interrupt: &self.interrupt }
    }

    /// Runs the steps of this work.
    pub fn runner(&self) -> Runner<'_> {
        Runner { person: self.person, interrupt: self.interrupt.clone(), patience: self.patience }
    }

    /// Does work that changes nothing, so that Ctrl-C may end it anywhere.
    pub async fn unless_interrupted<T>(
        &self,
        work: impl Future<Output = Result<T, Stop>>,
    ) -> Result<T, Stop> {
        tokio::select! {
            done = work => done,
            () = self.interrupt.cancelled() => Err(Stop::Interrupted),
        }
    }
}
