//! What an app's tests use: the production handlers in memory, in front of a Mattermost in memory. No sockets, no
//! files, no clock to wait for.
//!
//! ```
//! use cloud_app_testkit::Kit;
//!
//! # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
//! let kit = Kit::new(hello::app()).await;
//! let seen = kit.slash("alice", "/hello greet @bob").await;
//! assert!(seen.text.contains("@bob"), "{}", seen.text);
//! # });
//! ```

mod install;

pub use install::{InstallError, Installed, arrival, install};

use bytes::Bytes;
use cloud_app::{App, http::Outbound};
use cloud_apps_core::{
    bundle::Bundle,
    random::SystemRandom,
    services::{INSTALL_CACHE, Management, Services, Stores},
    store::memory::Memory,
};
use cloud_apps_standin::{Shown, Standin, Version};
use http::{Response, StatusCode};
use std::sync::Arc;

/// The team of the kit's Mattermost.
pub const TEAM: &str = "demo";
/// Where the kit's people type.
pub const CHANNEL: &str = "town-square";
const BUNDLE: &str = "https://bundle.test";
const SITE: &str = "https://mattermost.test";

/// An app, installed on a Mattermost where alice, bob and carol are in the channel `town-square`.
pub struct Kit {
    /// The Mattermost: look at posts and calls, add people, order faults.
    pub mattermost: Standin,
    /// Every handler of the bundle.
    pub bundle: Bundle,
    /// The app's install.
    pub installed: Installed,
}

/// What a person sees after a command.
#[derive(Debug)]
pub struct Seen {
    /// All texts that appeared before the person, in order, each on its own lines.
    pub text: String,
    /// The same, one by one, with their kinds.
    pub shown: Vec<Shown>,
}

impl Kit {
    /// Installs `app` on a Mattermost of today.
    ///
    /// # Panics
    ///
    /// When the app cannot be installed, with the reason: a test has nothing to go on with.
    pub async fn new(app: App) -> Self {
        Self::on(Version::V11, app).await
    }

    /// Installs `app` on a Mattermost of this version.
    ///
    /// # Panics
    ///
    /// As [`Kit::new`].
    #[allow(clippy::panic)] // For tests: the reason belongs into their output.
    pub async fn on(version: Version, app: App) -> Self {
        let problems = app.check();
        assert!(problems.is_empty(), "the app is not well defined: {problems:#?}");
        match Self::install(version, app).await {
            Ok(kit) => kit,
            Err(error) => panic!("{error}"),
        }
    }

    async fn install(version: Version, app: App) -> Result<Self, InstallError> {
        let id = app.manifest().id.clone();
        let mattermost = Standin::new(version);
        mattermost.demo()?;
        mattermost.set_site_url(SITE);
        let bundle = bundle(app, &mattermost);
        let door = bundle.clone();
        mattermost.plug(BUNDLE, move |request| {
            let door = door.clone();
            async move { door.handle(arrival(request)).await }
        });
        let installed = install(&bundle, &mattermost, &id, TEAM, BUNDLE).await?;
        Ok(Self { mattermost, bundle, installed })
    }

    /// Types `line` as a person of the demo in [`CHANNEL`], and tells what the person sees.
    ///
    /// # Panics
    ///
    /// When the kit's Mattermost has no such person.
    pub async fn slash(&self, user: &str, line: &str) -> Seen {
        self.slash_in(user, CHANNEL, line).await
    }

    /// The same in another channel, named or by its id.
    ///
    /// # Panics
    ///
    /// When the kit's Mattermost has no such person or channel.
    #[allow(clippy::panic)] // For tests: the reason belongs into their output.
    pub async fn slash_in(&self, user: &str, channel: &str, line: &str) -> Seen {
        match self.mattermost.execute(user, channel, line).await {
            Ok(executed) => Seen { text: executed.texts().join("\n"), shown: executed.shown },
            Err(error) => panic!("{error}"),
        }
    }
}

/// Every handler over a store in memory, whose outbound calls go to `mattermost`.
fn bundle(app: App, mattermost: &Standin) -> Bundle {
    let memory = Arc::new(Memory::new());
    let stores = Stores {
        installs: memory.clone(),
        apps: memory.clone(),
        ledger: memory.clone(),
        keys: memory.clone(),
        keep_installs: INSTALL_CACHE,
    };
    let server = mattermost.clone();
    let http = Outbound::in_process(Arc::new(move |request| {
        let server = server.clone();
        Box::pin(async move {
            // A connection that was cut on order is a gateway that gives up.
            server.respond(request).await.unwrap_or_else(|_| {
                let mut cut = Response::new(Bytes::new());
                *cut.status_mut() = StatusCode::BAD_GATEWAY;
                cut
            })
        })
    }));
    let services = Services::new([app], stores, http, Arc::new(SystemRandom));
    Bundle::new(Management {
        services: Arc::new(services),
        registry: memory.clone(),
        key_maker: memory.clone(),
        queue: memory.clone(),
        dead_letters: memory,
    })
}

/// The app of the README: compiled, and its test run.
#[cfg(doctest)]
#[doc = include_str!("../../../README.md")]
struct Readme;
