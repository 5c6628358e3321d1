//! A small Mattermost server in memory, in several versions: all that a server does around an integration.
//!
//! It stores users, teams, channels, posts, bots, tokens, sessions, slash commands, webhooks and OAuth apps. It answers
//! the REST API v4 as 5.37, 11.6 and the versions from there to 12.0 do. It executes slash commands and post actions,
//! opens dialogs and sends outgoing webhooks: it sends to integrations what a server sends, and does with their answers
//! what a server does. It is for tests, for `cloud-apps serve`, and for functions that run on a laptop. It knows nothing
//! of this project.
//!
//! * **Set it up**: [`Standin::demo`], [`Standin::add_user`] and the methods beside it need no permissions; or use the
//!   REST API, as an admin does. [`Standin::configure`] sets what an admin sets in the system console. [`Settings`]
//!   begin as those of a fresh server, so an installation meets the same refusals as there.
//! * **Use it** as a person does: [`Standin::execute`], [`Standin::click`], [`Standin::select`],
//!   [`Standin::dialogs_of`], [`Standin::submit`], [`Standin::cancel`], [`Standin::lookup`], [`Standin::refresh`].
//!   [`Shown`] is what the user sees of the result. A post can trigger outgoing webhooks; nobody waits for these but
//!   [`Standin::settled`].
//! * **Look at it**: [`Standin::snapshot`] lists all that the server has without its secrets, so that "nothing is left"
//!   is one assertion. [`Standin::calls`] lists the calls that came in, with caller and status.
//! * **Break it**: order a [`Fault`] for the nth call, for the nth call of a kind, or for all calls from the nth on.
//!
//! What a real server does is taken first from the recordings in `tests/recordings`. `tests/it/conformance` replays
//! every one, and lists each exception with its reason. Where there is no recording, the source of mattermost-server
//! at v5.37 and v11.6 decides; the modules name the functions. Roles, licenses and plugins are those of a fresh team
//! edition.
//!
//! Of the versions after 11.6 no server was recorded: what they do differently is derived from what is written about them
//! (see [`Version`]). A test can move a server to another version with [`Standin::set_version`], while its data stays.
//!
//! Where a change goes: a call of the REST API into `rest`; a version of Mattermost into `version`; what buttons and menus
//! do into `action`, and their form into `model/attachment.rs`; Mattermost Blocks into `blocks`; what dialogs do into `dialog`, and their form into
//! `model/dialog.rs`; what a person does in a client into `client`; what is stored into `model` and `database`.
//!
//! Everything is in memory. There are no web sockets, files, OAuth flows and plugins. The stand-in
//! refuses by name what it does not do (501, `standin.not_served.app_error`), because a test against a stand-in that
//! only pretends would prove nothing.
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
mod api;
mod app_error;
mod blocks;
mod calls;
mod client;
mod config;
mod database;
mod dialog;
mod error;
mod go;
mod ids;
mod inspect;
mod keys;
mod markup;
mod model;
mod outbound;
mod rest;
mod serve;
mod settings;
mod setup;
mod shape;
mod slash;
mod snapshot;
mod standin;
mod version;
mod webhook;

pub use calls::{Call, Fault};
pub use client::{DialogOutcome, Executed, Shown};
pub use error::{ConnectionCut, StandinError};
pub use model::{
    Action, Attachment, Bot, ChannelKind, Choice, CollapsibleConfig, DateTimeConfig, Dialog, Element, Field,
    MatrixConfig, Millis, OpenDialog, Post, User,
};
pub use serve::Server;
pub use settings::Settings;
pub use slash::{mentioned_channels, mentioned_users};
pub use snapshot::{Kind, Snapshot};
pub use standin::Standin;
pub use version::Version;
