//! The library with which an author writes an app.
//!
//! An app is a list of commands, events and lifecycle functions. A command is a struct whose documented fields
//! are its grammar, and a `run`:
//!
//! ```
//! use cloud_app::prelude::*;
//!
//! /// Greets somebody.
//! #[derive(Command)]
//! struct Greet {
//!     /// Whom to greet.
//!     #[field(positional)]
//!     user: UserId,
//!     /// In capitals.
//!     loud: bool,
//! }
//!
//! impl Run for Greet {
//!     async fn run(self, cx: Cx) -> Result<Answer> {
//!         let greeting = if self.loud { "HELLO" } else { "Hello" };
//!         Ok(Answer::text(format!("{greeting}, @{}!", cx.username(&self.user).await?)))
//!     }
//! }
//!
//! pub fn app() -> App {
//!     App::new("hello", "1.0.0", "Hello").command::<Greet>()
//! }
//!
//! # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
//! # let mut request = cloud_app::protocol::CommandRequest::default();
//! # let bob: UserId = "bobobobobobobobobobobobobo".parse().unwrap();
//! # request.context.mentioned.users.insert("bob".parse().unwrap(), cloud_app::protocol::command::User::of(bob.clone()));
//! # let serde_json::Value::Object(values) = serde_json::json!({"user": bob, "loud": true}) else { unreachable!() };
//! # let answer = app().call("greet", Cx::for_tests(request, None), values).unwrap().await.unwrap();
//! # assert_eq!(answer, Answer::text("HELLO, @bob!"));
//! # });
//! ```
//!
//! Parsing, help, the manifest, forms and completion all come from this definition. See [`derive@Command`] for the attributes,
//! [`Cx`] for what a function gets, and [`App`] for the parts of an app.

pub mod app;
pub mod cx;
pub mod event;
pub mod failure;
pub mod field;
pub mod http;
pub mod location;
pub mod markdown;
pub mod mattermost;

pub use app::{App, Run};
pub use cloud_app_derive::{Choice, Command, Settings};
pub use cx::Cx;
pub use failure::{Failure, Result};
pub use field::{Command, Fields};
pub use location::Location;
pub use mattermost::Mattermost;

/// Everything an app needs, in one line.
pub mod prelude {
    pub use crate::{
        App, Choice, Command, Cx, Failure, Location, Mattermost, Result, Run, Settings,
        event::{Event, EventKind},
        markdown::escape,
        mattermost::NewPost,
    };
    pub use cloud_apps_protocol::{Answer, Block, ChannelId, PostId, TeamId, UserId, manifest::Permission};
    pub use serde_json::json;
}

/// Blocks and attachments of messages.
pub use cloud_apps_protocol::message;

#[doc(hidden)]
pub use cloud_apps_protocol as protocol;
#[doc(hidden)]
pub use jiff;
pub use serde_json;
