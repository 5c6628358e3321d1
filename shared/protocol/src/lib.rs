//! The protocol between a Mattermost server, the bundle and an app, version 2.
//!
//! The crate has no clock, no I/O and no randomness of its own. The time (`now`, Unix milliseconds), nonces and ids are arguments,
//! so every rule of the protocol is a function that a test can call.
//!
//! A request goes through these modules: [`token`] or [`seal`] proves the sender, [`command`] is the request, [`line`] turns a
//! typed line into a function and [`Values`], [`manifest`] says what an app offers, and [`answer`] or [`error`] is the result.
//!
//! ```
//! use cloud_apps_protocol::{Answer, CommandRequest, Manifest, json};
//!
//! let manifest = Manifest::parse(
//!     r#"{"protocol": 2, "id": "hello", "version": "1.0.0", "display_name": "Hello",
//!         "commands": [{"function": "greet"}]}"#,
//! )
//! .unwrap();
//! let request: CommandRequest =
//!     json::read(br#"{"command": {"namespace": "hello", "function": "greet"}}"#).unwrap();
//! assert_eq!(request.command.namespace, manifest.namespace());
//! assert!(manifest.command(&request.command.function).is_some());
//!
//! let answer = serde_json::to_value(Answer::text("Hello!")).unwrap();
//! assert_eq!(answer["type"], "message");
//! ```

pub mod answer;
pub mod command;
pub mod error;
pub mod form;
pub mod host;
pub mod ids;
pub mod install;
pub mod json;
pub mod limits;
pub mod line;
pub mod manifest;
pub mod message;
pub mod seal;
pub mod secret;
pub mod server;
mod shape;
pub mod text;
pub mod token;
pub mod values;

pub use answer::Answer;
pub use command::CommandRequest;
pub use error::{Code, ErrorBody};
pub use form::{Field, FieldType, Form};
pub use ids::*;
pub use manifest::Manifest;
pub use message::{Attachment, Block, Message};

/// The version of the protocol.
pub const PROTOCOL: u32 = 2;

/// Values by the names of their fields (section 9). An optional field without a value is absent.
pub type Values = serde_json::Map<String, serde_json::Value>;

/// Unix time in milliseconds.
pub type Millis = u64;
