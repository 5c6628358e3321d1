//! The test kit for apps: the handlers of a deployed bundle in memory, with a Mattermost in memory. It needs no sockets
//! and no files, and does not wait for a clock.
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
    http::system_now,
    operator::{self, OperatorAnswer, OperatorRequest, Patch},
    random::SystemRandom,
    services::{Management, Services, Stores},
    store::memory::Memory,
};
use cloud_apps_protocol::{error::ErrorDetail, install::InstallPatch};
use cloud_apps_standin::{Attachment, Shown, Standin, Version};
use http::{Response, StatusCode};
use serde_json::Value;
use std::sync::Arc;

/// The team of the kit's Mattermost.
pub const TEAM: &str = "demo";
/// The channel where the kit's users type.
pub const CHANNEL: &str = "town-square";
const BUNDLE: &str = "https://bundle.test";
const SITE: &str = "https://mattermost.test";

/// An app, installed on a Mattermost where alice, bob and carol are in the channel `town-square`.
pub struct Kit {
    /// The Mattermost server: look at posts and calls, add users, order faults.
    pub mattermost: Standin,
    /// All handlers of the bundle.
    pub bundle: Bundle,
    /// The app's install.
    pub installed: Installed,
}

/// What a user sees after a command.
#[derive(Debug)]
pub struct Seen {
    /// All texts that the user saw, in order, each on its own lines.
    pub text: String,
    /// The attachments below these texts, in order. The blocks of an app's message are attachments here.
    pub attachments: Vec<Attachment>,
    /// The same one by one, with their kinds.
    pub shown: Vec<Shown>,
}

impl Kit {
    /// Installs `app` on a current Mattermost.
    ///
    /// # Panics
    ///
    /// If the app cannot be installed; the message has the reason.
    pub async fn new(app: App) -> Self {
        Self::on(Version::V11, app).await
    }

    /// Installs `app` on a Mattermost of this version.
    ///
    /// # Panics
    ///
    /// As [`Kit::new`].
    #[allow(clippy::panic)] // This is for tests, whose output shows the reason.
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
        let plugged = bundle.clone();
        mattermost.plug(BUNDLE, move |request| {
            let plugged = plugged.clone();
            async move { plugged.handle(arrival(request)).await }
        });
        let installed = install(&bundle, &mattermost, &id, TEAM, BUNDLE).await?;
        Ok(Self { mattermost, bundle, installed })
    }

    /// Changes settings of the install, as an admin does. `Err` if they are refused: `message` is what the
    /// admin reads, and `more["fields"]` what the app says of each setting.
    ///
    /// # Panics
    ///
    /// If the settings are no JSON object.
    #[allow(clippy::panic)] // This is for tests, whose output shows the reason.
    pub async fn configure(&self, settings: Value) -> Result<(), ErrorDetail> {
        let Value::Object(settings) = settings else { panic!("{settings} is no JSON object") };
        let request = OperatorRequest::Change {
            install_id: self.installed.created.install_id.clone(),
            patch: Patch(InstallPatch::Settings(settings).body()),
            if_match: None,
        };
        let answer =
            operator::handle(self.bundle.management(), request.payload(), system_now(), "testkit").await;
        match serde_json::from_value(answer) {
            Ok(OperatorAnswer::Error(body)) => Err(body.error),
            Ok(_) => Ok(()),
            Err(error) => panic!("the bundle's answer cannot be read: {error}"),
        }
    }

    /// Types `line` as a user of the demo in [`CHANNEL`]; returns what the user sees.
    ///
    /// # Panics
    ///
    /// If the kit's Mattermost has no such user.
    pub async fn slash(&self, user: &str, line: &str) -> Seen {
        self.slash_in(user, CHANNEL, line).await
    }

    /// The same in another channel, which is given by its name or id.
    ///
    /// # Panics
    ///
    /// If the kit's Mattermost has no such user or channel.
    #[allow(clippy::panic)] // This is for tests, whose output shows the reason.
    pub async fn slash_in(&self, user: &str, channel: &str, line: &str) -> Seen {
        match self.mattermost.execute(user, channel, line).await {
            Ok(executed) => Seen {
                text: executed.texts().join("\n"),
                attachments: executed.shown.iter().flat_map(Shown::attachments).cloned().collect(),
                shown: executed.shown,
            },
            Err(error) => panic!("{error}"),
        }
    }
}

/// All handlers with a store in memory. Their outbound calls go to `mattermost`.
fn bundle(app: App, mattermost: &Standin) -> Bundle {
    let memory = Arc::new(Memory::new());
    let stores = Stores::new(memory.clone(), memory.clone());
    let server = mattermost.clone();
    let http = Outbound::in_process(Arc::new(move |request| {
        let server = server.clone();
        Box::pin(async move {
            // A connection that was cut as ordered looks like a gateway without an answer.
            server.respond(request).await.unwrap_or_else(|_| {
                let mut cut = Response::new(Bytes::new());
                *cut.status_mut() = StatusCode::BAD_GATEWAY;
                cut
            })
        })
    }));
    let services = Services::new([app], stores, http, Arc::new(SystemRandom));
    Bundle::new(Management::new(services, memory.clone(), memory))
}

/// The app of the README: compiled, and its test run.
#[cfg(doctest)]
#[doc = include_str!("../../../README.md")]
struct Readme;
