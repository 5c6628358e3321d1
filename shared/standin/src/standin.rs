//! The stand-in: what all its parts share.

use crate::calls::{Calls, Fault};
use crate::database::Database;
use crate::error::StandinError;
use crate::ids::Ids;
use crate::keys::TriggerKey;
use crate::model::Millis;
use crate::outbound::{Deliveries, Outbound};
use crate::settings::Settings;
use crate::version::Version;
use bytes::Bytes;
use http::{Method, Request, Response};
use std::fmt;
use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

type Clock = Arc<dyn Fn() -> Millis + Send + Sync>;

/// A Mattermost server. It is cheap to clone; all clones are the same server.
#[derive(Clone)]
pub struct Standin {
    inner: Arc<Inner>,
}

struct Inner {
    clock: Mutex<Clock>,
    db: Mutex<Database>,
    calls: Mutex<Calls>,
    outbound: Outbound,
    trigger_key: TriggerKey,
    deliveries: Deliveries,
}

impl fmt::Debug for Standin {
    /// Only counts, because the database is full of tokens.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (users, posts) = {
            let db = self.db();
            (db.users.len(), db.posts.len())
        };
        f.debug_struct("Standin")
            .field("version", &self.version())
            .field("users", &users)
            .field("posts", &posts)
            .field("calls", &self.log().log.len())
            .finish_non_exhaustive()
    }
}

/// How a stand-in is made and configured.
impl Standin {
    /// An empty server. Nobody can guess its ids and tokens.
    pub fn new(version: Version) -> Standin {
        Standin::with_ids(version, Ids::random())
    }

    /// An empty server with the same ids and tokens for the same seed. Do not let it listen beyond loopback.
    pub fn seeded(version: Version, seed: u64) -> Standin {
        Standin::with_ids(version, Ids::seeded(seed))
    }

    fn with_ids(version: Version, ids: Ids) -> Standin {
        let db = Database::new(version, ids);
        let outbound = Outbound::new();
        outbound.allow(db.settings.allowed_untrusted_internal_connections.clone());
        let inner = Inner {
            clock: Mutex::new(Arc::new(system_clock)),
            db: Mutex::new(db),
            calls: Mutex::default(),
            outbound,
            trigger_key: TriggerKey::new(),
            deliveries: Deliveries::new(),
        };
        Standin { inner: Arc::new(inner) }
    }

    /// The version of the server.
    pub fn version(&self) -> Version {
        self.db().version
    }

    /// Makes this a server of another version, as an upgrade does, or a downgrade. All that is stored stays.
    pub fn set_version(&self, version: Version) {
        let mut db = self.db();
        let before = std::mem::replace(&mut db.version, version);
        db.settings.upgrade(before, version);
    }

    /// Sets the clock, in milliseconds since 1970.
    pub fn set_clock(&self, clock: impl Fn() -> Millis + Send + Sync + 'static) {
        *self.inner.clock.lock().unwrap_or_else(PoisonError::into_inner) = Arc::new(clock);
    }

    /// Sets `ServiceSettings.SiteURL`, where version 11 expects late answers. A server that begins to listen sets it
    /// to its own address; if clients reach it under another name, set it afterwards.
    pub fn set_site_url(&self, url: &str) {
        url.trim_end_matches('/').clone_into(&mut self.db().settings.site_url);
    }

    /// `ServiceSettings.SiteURL`.
    pub fn site_url(&self) -> String {
        self.db().settings.site_url.clone()
    }

    /// The settings of the server.
    pub fn settings(&self) -> Settings {
        self.db().settings.clone()
    }

    /// Changes settings, as an admin does in the system console.
    pub fn configure(&self, change: impl FnOnce(&mut Settings)) {
        let allowed = {
            let mut db = self.db();
            change(&mut db.settings);
            db.settings.allowed_untrusted_internal_connections.clone()
        };
        self.inner.outbound.allow(allowed);
    }

    /// Sets whether an integration can choose the name and the picture under which it posts.
    pub fn allow_overrides(&self, allow: bool) {
        self.configure(|settings| {
            settings.enable_post_username_override = allow;
            settings.enable_post_icon_override = allow;
        });
    }
}

/// How it calls integrations.
impl Standin {
    /// Calls `handler` without a socket for all addresses that begin with `prefix`. The longest prefix wins. A second
    /// handler for the same prefix replaces the first.
    pub fn plug<F, A>(&self, prefix: &str, handler: F)
    where
        F: Fn(Request<Bytes>) -> A + Send + Sync + 'static,
        A: Future<Output = Response<Bytes>> + Send + 'static,
    {
        self.inner.outbound.plug(prefix, handler);
    }

    /// Trusts one more certificate authority when it calls integrations with TLS.
    ///
    /// # Errors
    /// The text is not a PEM certificate.
    pub fn trust(&self, ca_pem: &str) -> Result<(), StandinError> {
        Ok(self.inner.outbound.trust(ca_pem)?)
    }

    /// Sets `OutgoingIntegrationRequestsTimeout`: how long an integration may take. The default is 30 seconds.
    pub fn set_outgoing_timeout(&self, timeout: Duration) {
        self.db().settings.outgoing_integration_requests_timeout = timeout.as_secs();
        self.inner.outbound.set_timeout(timeout);
    }

    /// Waits until all outgoing webhooks that were triggered so far are delivered, and their answers posted. Nothing
    /// else waits for them: who posts gets the answer before.
    pub async fn settled(&self) {
        self.inner.deliveries.settled().await;
    }
}

/// How it fails.
impl Standin {
    /// Orders a failure of the `nth` REST call from now; the next one is 1.
    pub fn fault(&self, nth: usize, fault: Fault) {
        self.log().faults.order(None, "", nth, false, fault);
    }

    /// Orders a failure of the `nth` call of this kind from now. In `path` a word in braces stands for any word:
    /// `/api/v4/teams/{team_id}/members`.
    pub fn fault_on(&self, method: Method, path: &str, nth: usize, fault: Fault) {
        self.log().faults.order(Some(method), path, nth, false, fault);
    }

    /// Orders that all calls fail from the `nth` on, until [`clear_faults`](Standin::clear_faults).
    pub fn fault_from(&self, nth: usize, fault: Fault) {
        self.log().faults.order(None, "", nth, true, fault);
    }

    /// Cancels all failures that were ordered and did not happen yet.
    pub fn clear_faults(&self) {
        self.log().faults.clear();
    }
}

/// What its parts share.
impl Standin {
    /// The database, with the present time. Do not hold it during a call to an integration: an integration can call
    /// back before it answers.
    pub(crate) fn db(&self) -> MutexGuard<'_, Database> {
        let clock = self.inner.clock.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let mut db = self.inner.db.lock().unwrap_or_else(PoisonError::into_inner);
        db.now = clock();
        db
    }

    /// The log of calls. Who needs the database too takes the database first.
    pub(crate) fn log(&self) -> MutexGuard<'_, Calls> {
        self.inner.calls.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn outbound(&self) -> &Outbound {
        &self.inner.outbound
    }

    pub(crate) fn deliveries(&self) -> &Deliveries {
        &self.inner.deliveries
    }

    pub(crate) fn trigger_key(&self) -> &TriggerKey {
        &self.inner.trigger_key
    }
}

fn system_clock() -> Millis {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}
