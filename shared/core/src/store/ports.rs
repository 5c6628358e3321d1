//! The ports: what the bundle needs from a store. AWS, SQLite and memory implement them, and all implementations pass one
//! conformance suite. ([`Consumer`] has no implementation on AWS, where Lambda itself takes messages from the queues.)
//!
//! Ports are separate where IAM separates rights: a function that has [`Installs`] cannot change an install. Every look-up
//! names the tenant. The clock is an argument (`now`, Unix milliseconds). Whether something has expired is decided by
//! comparing with it, and never by what a store has swept away.

use crate::store::{
    job::{Job, QueueName},
    model::{
        Catalogue, Dead, Install, InstallCode, ManageCode, Page, RegisteredApp, Ring, Sha256, SiteEntry,
        Sites, Team,
    },
};
use async_trait::async_trait;
use cloud_apps_protocol::{AppId, InstallId, Millis, SiteUrl, TeamId};

/// Why a store did not do something.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The store throttles. Try again later.
    #[error("{what}: the store is throttling")]
    Busy {
        /// Which operation.
        what: &'static str,
        /// The store's own error.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The store cannot be reached, refused, or failed. Nobody knows whether the operation had an effect.
    #[error("{what}: the store is unavailable")]
    Unavailable {
        /// Which operation.
        what: &'static str,
        /// The store's own error.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The stored item cannot be read. Another version of the bundle, or a person, wrote it.
    #[error("{what}: the stored item cannot be read: {detail}")]
    Corrupt {
        /// Which operation.
        what: &'static str,
        /// What is wrong, without the item's content.
        detail: String,
    },
    /// This list did not give this cursor.
    #[error("{what}: this is not a cursor of this list. Leave it out to begin at the start")]
    BadCursor {
        /// Which operation.
        what: &'static str,
    },
    /// Something is larger than a store accepts.
    #[error("{what}: this is larger than the {limit} bytes that can be stored")]
    TooLarge {
        /// Which operation.
        what: &'static str,
        /// How many bytes are accepted.
        limit: usize,
    },
}

impl StoreError {
    /// Whether it may pass with time, so that the operation should be tried again.
    pub fn passes(&self) -> bool {
        matches!(self, Self::Busy { .. } | Self::Unavailable { .. })
    }
}

/// The result of a port.
pub type Stored<T> = Result<T, StoreError>;

/// How often a change is tried again if another request was faster.
pub(crate) const TRIES: usize = 5;

/// Reads installs. All reads are consistent. The caches are in front of this port.
#[async_trait]
pub trait Installs: Send + Sync {
    /// The install, in any state.
    async fn find(&self, install: &InstallId) -> Stored<Option<Install>>;
    /// The install and one of its teams, in one round trip.
    async fn find_with_team(
        &self,
        install: &InstallId,
        team: &TeamId,
    ) -> Stored<(Option<Install>, Option<Team>)>;
    /// The install whose static token has this hash.
    async fn find_static_token(&self, sha256: &Sha256) -> Stored<Option<InstallId>>;
}

/// Reads the registered apps.
#[async_trait]
pub trait Apps: Send + Sync {
    /// The catalogue. It is empty if nothing was registered.
    async fn all(&self) -> Stored<Catalogue>;
    /// A registered app. Linked apps are not found here.
    async fn find(&self, app: &AppId) -> Stored<Option<RegisteredApp>>;
    /// The text that is stored as the app's manifest with this hash, for linked apps too. The caller checks the hash.
    async fn manifest(&self, app: &AppId, sha256: &Sha256) -> Stored<Option<String>>;
}

/// The result of [`Registry::begin`].
#[derive(Debug, Clone, PartialEq)]
pub enum Begun {
    /// The install is pending.
    Created,
    /// This code began this install before. Nothing was written.
    Again(InstallId),
    /// The code is unknown, expired, spent, or for another app or site.
    CodeRefused,
    /// The app is on this site already, or another install of it is pending there.
    AlreadyInstalled(SiteEntry),
}

/// The result of a conditional change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Changed {
    /// It was made. The revision is one higher now.
    Yes,
    /// Another request was faster, or the thing is gone.
    Conflict,
}

/// Writes apps, codes and installs. Only the install function has it.
#[async_trait]
pub trait Registry: Send + Sync {
    /// Replaces the catalogue if it still has revision `expected` (0: there is no catalogue). Then it has `expected` + 1.
    async fn put_catalogue(&self, catalogue: &Catalogue, expected: u64) -> Stored<Changed>;

    /// Stores an install code until it expires.
    async fn put_code(&self, code: &InstallCode) -> Stored<()>;
    /// The code with this hash, expired or not.
    async fn code(&self, sha256: &Sha256) -> Stored<Option<InstallCode>>;

    /// Stores a manage code until it expires.
    async fn put_manage_code(&self, code: &ManageCode) -> Stored<()>;
    /// The manage code with this hash, expired or not.
    async fn manage_code(&self, sha256: &Sha256) -> Stored<Option<ManageCode>>;

    /// Writes a registered app if it still has revision `expected` (0: there is no such app). Then it has `expected` + 1.
    async fn put_app(&self, app: &RegisteredApp, expected: u64) -> Stored<Changed>;
    /// Removes a registered app if it still has revision `expected`. Also `Yes` if it is gone already.
    async fn remove_app(&self, app: &AppId, expected: u64) -> Stored<Changed>;

    /// Stores the text of a manifest under its hash. To store it again changes nothing.
    async fn put_manifest(&self, app: &AppId, sha256: &Sha256, text: &str) -> Stored<()>;
    /// The hashes of all stored manifests of an app, sorted. Also of those that cannot be read: they are removed as well.
    async fn manifests(&self, app: &AppId) -> Stored<Vec<Sha256>>;
    /// Removes a manifest. Also succeeds if it is gone already.
    async fn remove_manifest(&self, app: &AppId, sha256: &Sha256) -> Stored<()>;

    /// The entry of an app's install on a site, whatever state that install is in.
    async fn site(&self, app: &AppId, site: &SiteUrl) -> Stored<Option<SiteEntry>>;
    /// Begins an install, all or nothing: it writes the install, its static token and its site, and puts the install's id
    /// into the code. `install.state` is `Pending` with the code's hash and expiry.
    ///
    /// The code must be for this app and site, not expired at `now`, not spent, and without another install. The site must
    /// be free for this app: there is no entry, or the entry's install is pending and its code has expired; then that install
    /// is undone. If an undo of the code's earlier install, or of the site's install, was interrupted, it is finished first.
    async fn begin(&self, install: &Install, now: Millis) -> Stored<Begun>;

    /// Replaces an install if it still has revision `expected`. Then it has `expected` + 1. If `static_token` changed, its
    /// item moves in the same transaction. An install is not changed any more after its undo has begun.
    async fn change(&self, install: &Install, expected: u64) -> Stored<Changed>;

    /// Writes what is registered in a team. An empty [`Team`] removes the entry. If the install is gone or being removed,
    /// nothing is written; the change that follows reports the conflict.
    async fn put_team(&self, install: &InstallId, team: &TeamId, registered: &Team) -> Stored<()>;
    /// The teams of an install, at most 2,000.
    async fn teams(&self, install: &InstallId) -> Stored<Vec<(TeamId, Team)>>;

    /// Completes an install, all or nothing: the code is spent, and the install, if it has revision `expected`, is replaced
    /// by `install`. `now` must be before the code's expiry.
    async fn activate(&self, install: &Install, expected: u64, code: &Sha256, now: Millis)
    -> Stored<Changed>;

    /// Removes an install that is not active, if it has revision `expected`. First it is marked (pending, with a code that
    /// expired at time 0), so that nothing finishes it meanwhile. Then its teams and its token go, then the install, and its
    /// code is free for another try; its site goes last. It may be repeated with the same arguments after a failure at any
    /// point. Also `Yes` if the install is gone already.
    async fn undo(&self, install: &Install, expected: u64) -> Stored<Changed>;

    /// The installs of an app, sorted by site, at most `limit` (≤ 100) a page. Lines that cannot be read count too; the page
    /// lists them separately.
    async fn list(&self, app: &AppId, limit: usize, cursor: Option<&str>) -> Stored<Sites>;
}

/// The answer to a claim.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ClaimAnswer {
    /// The claim is granted: do the job.
    Mine,
    /// Another process does it, until then at most.
    Running(Millis),
    /// There is a later attempt.
    Superseded,
    /// The job was done.
    Done,
}

/// Facts that matter for minutes: which tokens were used, which jobs are claimed, small values. `once` and `claim` are
/// independent of each other.
#[async_trait]
pub trait Ledger: Send + Sync {
    /// Takes `key` until `until`, if it is free at `now`. Of any number of callers at the same time, one gets `true`.
    async fn once(&self, key: &str, until: Millis, now: Millis) -> Stored<bool>;

    /// Asks to do a job (attempt 1, 2, …) for at most `lease` ms. Its outcome is remembered until `keep`.
    async fn claim(
        &self,
        key: &str,
        attempt: u32,
        lease: u64,
        keep: Millis,
        now: Millis,
    ) -> Stored<ClaimAnswer>;
    /// The job is done. The ledger says so until `keep`. `false`: this attempt does not have the claim any more.
    async fn done(&self, key: &str, attempt: u32, keep: Millis, now: Millis) -> Stored<bool>;
    /// The job failed, and the next attempt was sent. This attempt and earlier ones are superseded; the next may claim.
    async fn again(&self, key: &str, attempt: u32, keep: Millis, now: Millis) -> Stored<bool>;
    /// Forgets a job that is done, so that it can be done again. `false`: it is not done. A running job stays as it is.
    async fn forget(&self, key: &str, now: Millis) -> Stored<bool>;

    /// Stores a small value (≤ 64 KiB) until `until`. `false`: the key has a value that has not expired.
    async fn put(&self, key: &str, value: &str, until: Millis, now: Millis) -> Stored<bool>;
    /// The value, which stays. `None`: there is none, or it has expired.
    async fn look(&self, key: &str, now: Millis) -> Stored<Option<String>>;
    /// Removes and returns the value. `None`: there is none, or it has expired. Of any number of callers at the same time, one
    /// gets it.
    async fn take(&self, key: &str, now: Millis) -> Stored<Option<String>>;
}

/// Reads key rings.
#[async_trait]
pub trait Keys: Send + Sync {
    /// The ring of an app. `None`: it has none.
    async fn ring(&self, app: &AppId) -> Stored<Option<Ring>>;
}

/// Makes key rings. Only the install function has it.
#[async_trait]
pub trait KeyMaker: Send + Sync {
    /// Stores `ring` unless the app has one. Returns the ring that the app has then. Of any number of callers at the same
    /// time, one stores its ring.
    async fn make(&self, ring: &Ring) -> Stored<Ring>;
    /// Replaces the app's ring. Secrets Manager has no compare-and-set, so the caller must hold the app's lock in the ledger
    /// ([`Ledger::put`]) and have read the ring again. Then no rotation loses the key of another.
    async fn replace(&self, ring: &Ring) -> Stored<()>;
}

/// Sends jobs.
#[async_trait]
pub trait Queue: Send + Sync {
    /// Queues a job. The queue gives it out when it is due. A queue that cannot wait so long (SQS: 15 minutes) gives it out
    /// earlier; then it must be queued again.
    async fn send(&self, job: &Job, now: Millis) -> Stored<()>;
}

/// A message that was taken from a queue. For a while it is hidden from others.
#[derive(Clone, PartialEq, Eq)]
pub struct Taken {
    /// Its id on the queue.
    pub id: String,
    /// The job as JSON.
    pub body: String,
    /// When it was queued.
    pub sent_at: Millis,
    /// How often it was taken, including this time.
    pub receives: u32,
}

/// A job may hold secrets, so it is not printed.
impl std::fmt::Debug for Taken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Taken")
            .field("id", &self.id)
            .field("receives", &self.receives)
            .finish_non_exhaustive()
    }
}

/// Takes messages from the queues. On AWS, event source mappings and the queues' redrive policies do this instead.
#[async_trait]
pub trait Consumer: Send + Sync {
    /// Takes at most `most` messages of a queue that are due, and hides each for `hidden` ms. A message that is not
    /// acknowledged by then comes again, [`QueueName::receives`] times in all. Messages of the group that has the fewest taken
    /// messages come first, then the oldest. Of any number of callers at the same time, one gets a message.
    async fn take(&self, queue: QueueName, most: usize, hidden: Millis, now: Millis) -> Stored<Vec<Taken>>;
    /// Removes a message from the queue. Also succeeds if it is gone already.
    async fn ack(&self, queue: QueueName, id: &str) -> Stored<()>;
    /// At most `most` messages that were taken as often as allowed and never acknowledged. They stay on the queue until they
    /// are acknowledged.
    async fn dead(&self, queue: QueueName, most: usize, now: Millis) -> Stored<Vec<Taken>>;
}

/// Keeps jobs that were given up.
#[async_trait]
pub trait DeadLetters: Send + Sync {
    /// Stores a letter. If there is a letter with this id, that one stays.
    async fn park(&self, dead: &Dead) -> Stored<()>;
    /// The letters of an install, the oldest first, at most `limit` (≤ 100) a page. `None`: the letters that belong to no
    /// install, and those of messages that cannot be read.
    async fn list(
        &self,
        install: Option<&InstallId>,
        limit: usize,
        cursor: Option<&str>,
    ) -> Stored<Page<Dead>>;
    /// One letter.
    async fn find(&self, install: Option<&InstallId>, id: &str) -> Stored<Option<Dead>>;
    /// Removes and returns a letter. `None`: there is none. Of any number of callers at the same time, one gets it.
    async fn take(&self, install: Option<&InstallId>, id: &str) -> Stored<Option<Dead>>;
    /// Removes all letters of an install, also those that cannot be read.
    async fn clear(&self, install: &InstallId) -> Stored<()>;
}

/// What a function returned.
#[derive(Clone, PartialEq, Eq)]
pub struct Invoked {
    /// Whether the function itself failed (`FunctionError`: `Handled`, `Unhandled`).
    pub failed: bool,
    /// Its payload.
    pub payload: Vec<u8>,
}

/// Why a function returned nothing.
#[derive(Debug, thiserror::Error)]
pub enum InvokeError {
    /// There is no such function, or the bundle may not invoke it.
    #[error("the function cannot be invoked: {0}")]
    Refused(String),
    /// The platform throttles.
    #[error("the platform throttles invocations")]
    Busy,
    /// It did not end in its time. Nobody knows what it did.
    #[error("the function did not end in its time")]
    TimedOut,
    /// It cannot be reached.
    #[error("the function did not answer")]
    Failed(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// Invokes an app's Lambda function.
#[async_trait]
pub trait Functions: Send + Sync {
    /// Invokes `function` (a name or ARN) and waits for at most `left`.
    async fn invoke(
        &self,
        function: &str,
        payload: Vec<u8>,
        left: std::time::Duration,
    ) -> Result<Invoked, InvokeError>;
}
