//! What travels between a Mattermost server, the bundle and an app: protocol 2.
//!
//! Pure: no clock, no I/O, no randomness of its own. The time (`now`, Unix milliseconds), nonces and ids
//! are handed in, so every rule of the protocol is a function that a test can call.
//!
//! A request walks through these modules from the outside in: [`token`] or [`seal`] says who speaks,
//! [`command`] is what was asked, [`line`] turns a typed line into a function and [`Values`],
//! [`manifest`] says what an app offers, [`answer`] is what comes back and [`error`] what is said instead.
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
pub mod ids;
pub mod install;
pub mod json;
pub mod limits;
pub mod line;
pub mod manifest;
pub mod message;
pub mod seal;
pub mod secret;
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

/// The version of the protocol this crate speaks.
pub const PROTOCOL: u32 = 2;

/// Field name → value, as section 9 of the protocol defines values. An unset optional field is absent.
pub type Values = serde_json::Map<String, serde_json::Value>;

/// Unix time in milliseconds.
pub type Millis = u64;
