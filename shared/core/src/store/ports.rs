//! The ports: what the domain needs of a store. Each has three implementations under one conformance suite: AWS,
//! SQLite and memory. A port stands apart where IAM draws a line: who holds [`Installs`] cannot change an install.
//!
//! Every look-up names the tenant. The clock is an argument (`now`, Unix milliseconds); expiry is decided by
//! comparing with it, never by a store's own sweeping.

use crate::store::{
    job::{Job, QueueName},
    model::{
        Catalogue, Dead, Install, InstallCode, ManageCode, Page, RegisteredApp, Ring, Sha256, SiteEntry,
        Sites, Team,
    },
};
use async_trait::async_trait;
use cloud_apps_protocol::{AppId, InstallId, Millis, SiteUrl, TeamId};

/// A store that did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// It throttles; try again later.
    #[error("{what}: the store is throttling")]
    Busy {
        /// Which operation.
        what: &'static str,
        /// The store's own error.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// It cannot be reached, refuses, or failed. Whether the operation took effect is unknown.
    #[error("{what}: the store is unavailable")]
    Unavailable {
        /// Which operation.
        what: &'static str,
        /// The store's own error.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// What it holds cannot be read: made by another version, or by hand.
    #[error("{what}: the stored item cannot be read: {detail}")]
    Corrupt {
        /// Which operation.
        what: &'static str,
        /// What is wrong, without the item's content.
        detail: String,
    },
    /// The cursor was not given by this list.
    #[error("{what}: this is not a cursor of this list; leave it out to begin at the start")]
    BadCursor {
        /// Which operation.
        what: &'static str,
    },
    /// What is to be kept is larger than a store keeps.
    #[error("{what}: this is larger than the {limit} bytes that are kept")]
    TooLarge {
        /// Which operation.
        what: &'static str,
        /// Bytes.
        limit: usize,
    },
}

/// Result of a port.
pub type Stored<T> = Result<T, StoreError>;

/// Reads installs. Always consistent reads; the caches are in front of it.
#[async_trait]
pub trait Installs: Send + Sync {
    /// The install, in whatever state.
    async fn find(&self, install: &InstallId) -> Stored<Option<Install>>;
    /// The install and what is registered in one of its teams, in one round trip.
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
    /// The catalogue; empty where nothing was registered.
    async fn all(&self) -> Stored<Catalogue>;
    /// An app that was registered at run time (never a linked one).
    async fn find(&self, app: &AppId) -> Stored<Option<RegisteredApp>>;
    /// The text of a manifest of an app that is kept under this hash; of linked apps too. Whoever reads it checks the hash.
    async fn manifest(&self, app: &AppId, sha256: &Sha256) -> Stored<Option<String>>;
}

/// How [`Registry::begin`] went.
#[derive(Debug, Clone, PartialEq)]
pub enum Begun {
    /// The install is pending.
    Created,
    /// This code has begun this install before; nothing was written.
    Again(InstallId),
    /// The code is unknown, expired, spent, or for another app or site.
    CodeRefused,
    /// The app is on this site already (or another install of it is still pending).
    AlreadyInstalled(SiteEntry),
}

/// How a conditional change went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Changed {
    /// Done; the install has `rev` + 1.
    Yes,
    /// Somebody else was faster, or it is gone.
    Conflict,
}

/// Writes apps, codes and installs. Only the install function holds it.
#[async_trait]
pub trait Registry: Send + Sync {
    /// Replaces the catalogue if it still has revision `expected` (0: there is none); it then has `expected` + 1.
    async fn put_catalogue(&self, catalogue: &Catalogue, expected: u64) -> Stored<Changed>;

    /// Keeps an install code until it expires.
    async fn put_code(&self, code: &InstallCode) -> Stored<()>;
    /// The code with this hash, if it is there (expired or not).
    async fn code(&self, sha256: &Sha256) -> Stored<Option<InstallCode>>;

    /// Keeps a manage code until it expires.
    async fn put_manage_code(&self, code: &ManageCode) -> Stored<()>;
    /// The manage code with this hash, if it is there (expired or not).
    async fn manage_code(&self, sha256: &Sha256) -> Stored<Option<ManageCode>>;

    /// Writes an app that is reached over HTTPS or as a Lambda function, if it still has revision `expected` (0: there
    /// is none); it then has `expected` + 1.
    async fn put_app(&self, app: &RegisteredApp, expected: u64) -> Stored<Changed>;
    /// Removes such an app, if it still has revision `expected`; `Yes` also when it is gone already.
    async fn remove_app(&self, app: &AppId, expected: u64) -> Stored<Changed>;

    /// Keeps the text of a manifest under its hash, for as long as an install may have agreed to it. Again: no change.
    async fn put_manifest(&self, app: &AppId, sha256: &Sha256, text: &str) -> Stored<()>;
    /// The hashes of all manifests of an app that are kept, in their order.
    async fn manifests(&self, app: &AppId) -> Stored<Vec<Sha256>>;
    /// Forgets a manifest; also when it is gone already.
    async fn remove_manifest(&self, app: &AppId, sha256: &Sha256) -> Stored<()>;

    /// What holds a site for an app, whatever has become of that install.
    async fn site(&self, app: &AppId, site: &SiteUrl) -> Stored<Option<SiteEntry>>;
    /// Begins an install, all or nothing: the code gets the install's id (it must be for this app and site, unexpired
    /// at `now`, unspent, without another install); the site must be free for this app (absent, or held by a pending
    /// install whose code is expired, which is then superseded); the install is written, and its static token's item.
    /// `install.state` is `Pending` with the code's hash and expiry. An undo that was cut off, of this code's earlier
    /// install or of the site's, is finished first.
    async fn begin(&self, install: &Install, now: Millis) -> Stored<Begun>;

    /// Replaces an install if it still has revision `expected`; it then has `expected` + 1. A changed
    /// `static_token` moves its item in the same transaction. An install whose undo has begun is not changed any more.
    async fn change(&self, install: &Install, expected: u64) -> Stored<Changed>;

    /// Writes what is registered in a team; an empty [`Team`] removes it. Nothing is written where the install is gone or going: the change that
    /// follows tells of the conflict.
    async fn put_team(&self, install: &InstallId, team: &TeamId, registered: &Team) -> Stored<()>;
    /// The teams of an install, at most 2,000 (paged inside).
    async fn teams(&self, install: &InstallId) -> Stored<Vec<(TeamId, Team)>>;

    /// Ends the beginning, all or nothing: the code is spent, and the install (with `expected` revision) becomes
    /// what `install` says. `now` must be before the code's expiry.
    async fn activate(&self, install: &Install, expected: u64, code: &Sha256, now: Millis)
    -> Stored<Changed>;

    /// Removes all of an install that is not active, if it has revision `expected`: it is marked first (pending, with
    /// a code that expired at 0), so that nothing finishes it meanwhile; then teams and token go, then the install
    /// while its code is freed for another try, its site last. May be repeated with the same arguments after a failure
    /// at any point; `Yes` also when it is gone already.
    async fn undo(&self, install: &Install, expected: u64) -> Stored<Changed>;

    /// The installs of an app, by site; at most `limit` (≤ 100) a page. A line that cannot be read is one of them: it is
    /// told beside those that can.
    async fn list(&self, app: &AppId, limit: usize, cursor: Option<&str>) -> Stored<Sites>;
}

/// What a claim was answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ClaimAnswer {
    /// Do it.
    Mine,
    /// Somebody is at it until then.
    Running(Millis),
    /// A later attempt was sent.
    Superseded,
    /// It was done.
    Done,
}

/// What is true for minutes. `once` and `claim` are two verbs; neither is built from the other.
#[async_trait]
pub trait Ledger: Send + Sync {
    /// Whether `key` was free at `now`; it then is taken until `until`. Of any number at once, one gets `true`.
    async fn once(&self, key: &str, until: Millis, now: Millis) -> Stored<bool>;

    /// Asks to do a job (attempt 1, 2, …) for at most `lease` ms; its outcome is remembered until `keep`.
    async fn claim(
        &self,
        key: &str,
        attempt: u32,
        lease: u64,
        keep: Millis,
        now: Millis,
    ) -> Stored<ClaimAnswer>;
    /// The job is done; whoever asks until `keep` is told so. `false` if the claim is not this attempt's any more.
    async fn done(&self, key: &str, attempt: u32, keep: Millis, now: Millis) -> Stored<bool>;
    /// The job failed, and attempt + 1 was sent: this attempt and earlier ones are superseded, the next may claim.
    async fn again(&self, key: &str, attempt: u32, keep: Millis, now: Millis) -> Stored<bool>;
    /// Forgets a job that is done, so that it can be done once more; `false` where it is not done. A running one is not
    /// touched.
    async fn forget(&self, key: &str, now: Millis) -> Stored<bool>;

    /// Keeps a small value (≤ 64 KiB) until `until`; `false` if the key holds an unexpired one.
    async fn put(&self, key: &str, value: &str, until: Millis, now: Millis) -> Stored<bool>;
    /// The value, which stays; `None` when absent or expired.
    async fn look(&self, key: &str, now: Millis) -> Stored<Option<String>>;
    /// Takes the value away; `None` when absent or expired. Of any number at once, one gets it.
    async fn take(&self, key: &str, now: Millis) -> Stored<Option<String>>;
}

/// Reads key rings.
#[async_trait]
pub trait Keys: Send + Sync {
    /// The ring of an app; `None` when none was made.
    async fn ring(&self, app: &AppId) -> Stored<Option<Ring>>;
}

/// Makes key rings. Only the install function holds it.
#[async_trait]
pub trait KeyMaker: Send + Sync {
    /// Keeps `ring` unless the app has one; answers the one that stands. Of any number at once, one is kept.
    async fn make(&self, ring: &Ring) -> Stored<Ring>;
    /// Keeps `ring` in place of the app's own. Secrets Manager has no compare-and-set: whoever calls this has read the
    /// ring again and holds the app's lease ([`Ledger::claim`]), so that of two rotations none loses the other's key.
    async fn replace(&self, ring: &Ring) -> Stored<()>;
}

/// Sends jobs.
#[async_trait]
pub trait Queue: Send + Sync {
    /// Queues a job, to be given out when it is due. A queue that cannot wait for so long (SQS: 15 minutes) gives it out
    /// sooner, and whoever takes it queues it again.
    async fn send(&self, job: &Job, now: Millis) -> Stored<()>;
}

/// A message that was taken from a queue and is hidden from others for a while.
#[derive(Clone, PartialEq, Eq)]
pub struct Taken {
    /// The queue's name of it.
    pub id: String,
    /// The job as JSON.
    pub body: String,
    /// When it was queued.
    pub sent_at: Millis,
    /// How often it was taken, this time included.
    pub receives: u32,
}

/// A job may hold what no log should.
impl std::fmt::Debug for Taken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Taken")
            .field("id", &self.id)
            .field("receives", &self.receives)
            .finish_non_exhaustive()
    }
}

/// Takes what was queued. On AWS the event source mappings and the queues' redrive policies stand in its place.
#[async_trait]
pub trait Consumer: Send + Sync {
    /// Takes at most `most` messages of a queue that are due, each hidden for `hidden` ms; what is not acknowledged by
    /// then comes again, [`QueueName::receives`] times in all. Whoever has the fewest messages in hand goes first, then the
    /// oldest message. Of any number at once, one gets it.
    async fn take(&self, queue: QueueName, most: usize, hidden: Millis, now: Millis) -> Stored<Vec<Taken>>;
    /// It is done with: it does not come again. Also when it is gone already.
    async fn ack(&self, queue: QueueName, id: &str) -> Stored<()>;
    /// Those that were taken as often as they may be and never acknowledged, at most `most`. They stay until they are.
    async fn dead(&self, queue: QueueName, most: usize, now: Millis) -> Stored<Vec<Taken>>;
}

/// Keeps jobs that were given up.
#[async_trait]
pub trait DeadLetters: Send + Sync {
    /// Keeps one. The same id again is the same letter: the first one stands.
    async fn park(&self, dead: &Dead) -> Stored<()>;
    /// Those of an install, the oldest first; `None`: those of no install, and what could not be read. At most `limit`
    /// (≤ 100) a page.
    async fn list(
        &self,
        install: Option<&InstallId>,
        limit: usize,
        cursor: Option<&str>,
    ) -> Stored<Page<Dead>>;
    /// One of them.
    async fn find(&self, install: Option<&InstallId>, id: &str) -> Stored<Option<Dead>>;
    /// Takes one away; `None` when it is not there. Of any number at once, one gets it.
    async fn take(&self, install: Option<&InstallId>, id: &str) -> Stored<Option<Dead>>;
    /// Throws all of an install away, also what cannot be read.
    async fn clear(&self, install: &InstallId) -> Stored<()>;
}

/// What an invoked function gave back.
#[derive(Clone, PartialEq, Eq)]
pub struct Invoked {
    /// The platform says that the function itself failed (`FunctionError`: `Handled`, `Unhandled`).
    pub failed: bool,
    /// Its payload.
    pub payload: Vec<u8>,
}

/// An invocation that did not come about.
#[derive(Debug, thiserror::Error)]
pub enum InvokeError {
    /// There is no such function, or the bundle may not invoke it.
    #[error("the function cannot be invoked: {0}")]
    Refused(String),
    /// The platform throttles.
    #[error("the platform throttles invocations")]
    Busy,
    /// It did not end in its time; whether it did something is unknown.
    #[error("the function did not end in its time")]
    TimedOut,
    /// It cannot be reached.
    #[error("the function did not answer")]
    Failed(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// Invokes an app's function where it runs elsewhere on the platform.
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
