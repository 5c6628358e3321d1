//! A Mattermost in a box: what a server does around an integration, in two personalities, without a server.
//!
//! It holds a world (users, teams, channels, posts, bots, tokens, sessions, slash commands, webhooks, OAuth apps),
//! answers the REST API v4 as 5.37 and 11.6 do, executes slash commands and post actions, shows dialogs and sends
//! outgoing webhooks: it sends what a server sends, and does with the answer what a server does. It is for tests,
//! for `cloud-apps serve`, and for functions that run on a laptop; it knows nothing of this project.
//!
//! * **Filling it**: [`Standin::demo`] and its neighbours, past all permissions; or by REST, as an admin would.
//!   [`Standin::configure`] sets what an admin sets in the system console, and [`Settings`] begin as a fresh
//!   server's do: whoever installs meets the same refusals as there.
//! * **Using it** as a person does: [`Standin::execute`], [`Standin::click`], [`Standin::select`],
//!   [`Standin::dialogs_of`], [`Standin::submit`], [`Standin::cancel`], [`Standin::lookup`], [`Standin::refresh`].
//!   [`Shown`] is what a client shows of it. What is said fires outgoing webhooks, for which nobody waits but
//!   [`Standin::settled`].
//! * **Looking at it**: [`Standin::snapshot`] lists all there is without its secrets, so that "nothing is left"
//!   is one assertion; [`Standin::calls`] lists what was asked, by whom, and what became of it.
//! * **Breaking it**: a [`Fault`] for the nth call, for the nth of a kind, or for all from one on.
//!
//! What is true of a real server is taken, in this order, from the recordings in `tests/recordings`, to which
//! `tests/it/conformance` holds every call and lists the exceptions with their reasons; and from the source of
//! mattermost-server at v5.37 and v11.6, which the modules name. Roles, licences and plugins are a fresh team
//! edition's.
//!
//! Trade-offs: everything is in memory behind one lock. What it does not do it refuses by name (501,
//! `standin.not_served.app_error`), for a stand-in that agrees to what it does not do makes tests that lie.
//! There are no web sockets, files, OAuth flows and plugins.
//!
//! ```
//! use cloud_apps_standin::{Standin, Version};
//! use http::Response;
//!
//! # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
//! let mm = Standin::new(Version::V11);
//! mm.demo()?;
//! mm.plug("http://app.test/", |_| async { Response::new("hello".into()) });
//! mm.add_command("demo", "hello", "http://app.test/slash")?;
//! let seen = mm.execute("alice", "town-square", "/hello greet @bob").await?;
//! assert_eq!(seen.texts(), ["hello"]);
//! # Ok::<(), cloud_apps_standin::StandinError>(()) }).unwrap();
//! ```

mod action;
mod addresses;
mod dialog;
mod error;
mod executing;
mod fault;
mod filling;
mod ids;
mod looking;
mod markup;
mod naming;
mod outgoing;
mod rest;
mod serve;
mod settings;
mod shape;
mod slash;
mod snapshot;
mod tls;
mod trigger;
mod version;
mod webhook;
mod world;

pub use action::attachment::{Action, Attachment, Field};
pub use dialog::OpenDialog;
pub use dialog::client::DialogOutcome;
pub use dialog::form::{Choice, DateTimeConfig, Dialog, Element};
pub use error::{ConnectionCut, StandinError};
pub use executing::{Executed, Shown};
pub use fault::Fault;
pub use rest::Call;
pub use serve::Server;
pub use settings::Settings;
pub use snapshot::{Kind, Snapshot};
pub use version::Version;
pub use world::{Bot, ChannelKind, Millis, Post, User};

use action::cookie::CookieKey;
use bytes::Bytes;
use http::{Method, Request, Response};
use ids::Ids;
use outgoing::Outgoing;
use std::fmt;
use std::future::Future;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use trigger::TriggerKey;
use webhook::Deliveries;
use world::World;

type Clock = Arc<dyn Fn() -> Millis + Send + Sync>;

/// A Mattermost. Cheap to clone; all clones are the same server.
#[derive(Clone)]
pub struct Standin {
    inner: Arc<Inner>,
}

struct Inner {
    version: Version,
    world: Mutex<World>,
    clock: Mutex<Clock>,
    outgoing: Outgoing,
    trigger_key: TriggerKey,
    deliveries: Deliveries,
}

impl fmt::Debug for Standin {
    /// Counts only: the world is full of tokens.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let world = self.world();
        f.debug_struct("Standin")
            .field("version", &world.version)
            .field("users", &world.users.len())
            .field("posts", &world.posts.len())
            .field("calls", &world.calls.len())
            .finish_non_exhaustive()
    }
}

/// Making one.
impl Standin {
    /// An empty server whose ids and tokens nobody can guess.
    pub fn new(version: Version) -> Standin {
        Standin::with_ids(version, Ids::random())
    }

    /// An empty server that gives the same ids and tokens for the same seed. Not for anything that listens
    /// beyond loopback.
    pub fn seeded(version: Version, seed: u64) -> Standin {
        Standin::with_ids(version, Ids::seeded(seed))
    }

    fn with_ids(version: Version, ids: Ids) -> Standin {
        let world = World {
            version,
            now: 0,
            ids,
            settings: Settings::fresh(version),
            users: Vec::new(),
            teams: Vec::new(),
            channels: Vec::new(),
            team_members: Vec::new(),
            channel_members: Vec::new(),
            posts: Vec::new(),
            reactions: Vec::new(),
            tokens: Vec::new(),
            sessions: Vec::new(),
            credentials: Vec::new(),
            commands: Vec::new(),
            hooks: Vec::new(),
            outgoing_webhooks: Vec::new(),
            incoming_webhooks: Vec::new(),
            oauth_apps: Vec::new(),
            dialogs: Vec::new(),
            told: Vec::new(),
            cookie_key: CookieKey::new(),
            firings: Vec::new(),
            calls: Vec::new(),
            faults: fault::Faults::default(),
        };
        let outgoing = Outgoing::new();
        outgoing.allow(world.settings.allowed_untrusted_internal_connections.clone());
        let inner = Inner {
            version,
            world: Mutex::new(world),
            clock: Mutex::new(Arc::new(system_clock)),
            outgoing,
            trigger_key: TriggerKey::new(),
            deliveries: Deliveries::new(),
        };
        Standin { inner: Arc::new(inner) }
    }

    /// Which server this is.
    pub fn version(&self) -> Version {
        self.inner.version
    }

    /// Sets the clock, in milliseconds since 1970.
    pub fn set_clock(&self, clock: impl Fn() -> Millis + Send + Sync + 'static) {
        *self.inner.clock.lock().unwrap_or_else(PoisonError::into_inner) = Arc::new(clock);
    }

    /// `ServiceSettings.SiteURL`: where version 11 sends late answers. Serving sets it to where the stand-in
    /// listens, so set it afterwards if it is reached under another name.
    pub fn set_site_url(&self, url: &str) {
        url.trim_end_matches('/').clone_into(&mut self.world().settings.site_url);
    }

    /// `ServiceSettings.SiteURL`.
    pub fn site_url(&self) -> String {
        self.world().settings.site_url.clone()
    }

    /// The settings of the server.
    pub fn settings(&self) -> Settings {
        self.world().settings.clone()
    }

    /// Changes settings, as an admin does in the system console.
    pub fn configure(&self, change: impl FnOnce(&mut Settings)) {
        let allowed = {
            let mut world = self.world();
            change(&mut world.settings);
            world.settings.allowed_untrusted_internal_connections.clone()
        };
        self.inner.outgoing.allow(allowed);
    }

    /// Both overrides at once: of the name and of the picture under which an integration posts.
    pub fn allow_overrides(&self, allow: bool) {
        self.configure(|settings| {
            settings.enable_post_username_override = allow;
            settings.enable_post_icon_override = allow;
        });
    }

    /// `OutgoingIntegrationRequestsTimeout`: how long an integration may take; 30 seconds unless set.
    pub fn set_outgoing_timeout(&self, timeout: Duration) {
        self.inner.outgoing.set_timeout(timeout);
    }

    /// The demo world: team `demo`, its two channels, `admin` (system admin), `alice`, `bob`, `carol`; bot
    /// accounts and personal access tokens are allowed, which they are not in a fresh server.
    ///
    /// # Errors
    /// A part of it is already there.
    pub fn demo(&self) -> Result<(), StandinError> {
        self.configure(Settings::allow_integrations);
        self.add_team("demo")?;
        for name in ["admin", "alice", "bob", "carol"] {
            self.add_user(name)?;
            self.join_team(name, "demo")?;
        }
        self.add_role("admin", "system_admin")
    }
}

/// Working.
impl Standin {
    /// Answers a request: the one entry, which serving wraps.
    ///
    /// # Errors
    /// [`ConnectionCut`] only when a [`Fault`] was ordered; without sockets the caller takes it for a
    /// connection that ended.
    pub async fn respond(&self, request: Request<Bytes>) -> Result<Response<Bytes>, ConnectionCut> {
        let secure = request.uri().scheme_str() == Some("https");
        rest::respond(self, secure, request).await
    }

    /// Calls to addresses that begin with `prefix` go to `handler` and not to a socket. The longest prefix
    /// wins; plugging the same prefix again replaces the handler.
    pub fn plug<F, A>(&self, prefix: &str, handler: F)
    where
        F: Fn(Request<Bytes>) -> A + Send + Sync + 'static,
        A: Future<Output = Response<Bytes>> + Send + 'static,
    {
        self.inner.outgoing.plug(prefix, handler);
    }

    /// Trusts one more authority when calling integrations under TLS.
    ///
    /// # Errors
    /// The text is not a PEM certificate.
    pub fn trust(&self, ca_pem: &str) -> Result<(), StandinError> {
        Ok(self.inner.outgoing.trust(ca_pem)?)
    }

    /// Orders a failure of the `nth` REST call from now; the next one is 1.
    pub fn fault(&self, nth: usize, fault: Fault) {
        self.world().faults.order(None, "", nth, false, fault);
    }

    /// Orders a failure of the `nth` call of this kind from now. In `path` a word in braces stands for any:
    /// `/api/v4/teams/{team_id}/members`.
    pub fn fault_on(&self, method: Method, path: &str, nth: usize, fault: Fault) {
        self.world().faults.order(Some(method), path, nth, false, fault);
    }

    /// Orders that all calls fail from the `nth` on, until [`clear_faults`](Standin::clear_faults).
    pub fn fault_from(&self, nth: usize, fault: Fault) {
        self.world().faults.order(None, "", nth, true, fault);
    }

    /// Takes back all orders that have not been carried out.
    pub fn clear_faults(&self) {
        self.world().faults.clear();
    }

    /// Waits until all outgoing webhooks that were fired so far are delivered and their answers posted. Nobody
    /// waits for them otherwise: whoever posts has his answer before.
    pub async fn settled(&self) {
        self.inner.deliveries.settled().await;
    }

    /// Listens for HTTP; port 0 takes a free one.
    ///
    /// # Errors
    /// The address cannot be had.
    pub async fn serve_http(&self, address: SocketAddr) -> Result<Server, StandinError> {
        serve::serve(self.clone(), address, None).await
    }

    /// Listens for HTTPS under a new authority of its own. `names` are further host names or addresses that
    /// the certificate is for; `localhost` and the loopback addresses always are.
    ///
    /// # Errors
    /// The address cannot be had, or a name cannot stand in a certificate.
    pub async fn serve_https(&self, address: SocketAddr, names: &[&str]) -> Result<Server, StandinError> {
        serve::serve(self.clone(), address, Some(names)).await
    }
}

/// For the rooms within.
impl Standin {
    /// The world, at the present time.
    pub(crate) fn world(&self) -> MutexGuard<'_, World> {
        let clock = self.inner.clock.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let mut world = self.inner.world.lock().unwrap_or_else(PoisonError::into_inner);
        world.now = clock();
        world
    }

    pub(crate) fn outgoing(&self) -> &Outgoing {
        &self.inner.outgoing
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
