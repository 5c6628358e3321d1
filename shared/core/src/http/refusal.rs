//! Why a request is refused. Each dialect renders it in its own way.
//!
//! A new refusal stands where it is decided, with its sentence. What this version does not serve is said in `not_served.rs`. A
//! new code is one of the protocol's (`error.rs` there, and its table in `docs/protocol.md`).
//!
//! V2 renders it as a status and an [`ErrorBody`](cloud_apps_protocol::ErrorBody). The dialects of an unmodified Mattermost
//! show the message to a person with status 200, because Mattermost shows the body of no other answer. The cause is in the
//! log only.

use crate::store::ports::StoreError;
use cloud_apps_protocol::{Code, ErrorBody, line::LineError, token};
use serde_json::{Map, Value};
use std::error::Error;

/// A refused request.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct Refusal {
    /// The code, which does not change between versions. It decides the status.
    pub code: Code,
    /// What happened and what to do, for the person who must do it.
    pub message: String,
    /// More fields that belong to the code: `claim`, `position`, `expected`, `pointer` …
    pub more: Map<String, Value>,
    /// Seconds after which to try again.
    pub retry_after: Option<u32>,
    /// The cause, for the log.
    #[source]
    pub source: Option<Box<dyn Error + Send + Sync>>,
}

impl Refusal {
    /// A refusal with a code and a message.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), more: Map::new(), retry_after: None, source: None }
    }

    /// The refusal of every credential that is not valid, whatever the reason.
    pub fn unauthorized() -> Self {
        token::Refused::unauthorized().into()
    }

    /// The request's path is not served by this function.
    pub fn no_route() -> Self {
        Self::new(Code::NoRoute, "Nothing is served at this path and method.")
    }

    /// What a person reads of it. Where only the operator can help, it ends with the request's id, which the log has too.
    pub fn sentence(&self, request_id: &str) -> String {
        match self.code.status() {
            500.. => format!("{} (request {request_id})", self.message),
            _ => self.message.clone(),
        }
    }

    /// Adds a field that belongs to the code.
    #[must_use]
    pub fn with(mut self, key: &str, value: impl Into<Value>) -> Self {
        self.more.insert(key.into(), value.into());
        self
    }

    /// Adds the cause, for the log.
    #[must_use]
    pub fn because(mut self, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// The cause and its causes on one line, for the log.
    pub fn chain(&self) -> Option<String> {
        self.source.as_deref().map(|source| crate::log::chain(source))
    }

    /// Another request changed something at the same time, so this request could not change it.
    pub fn conflict(what: &str) -> Self {
        let message = format!(
            "Another request changed {what} at the same time, so this request did not. Look at it again, then try again."
        );
        Self { retry_after: Some(1), ..Self::new(Code::VersionConflict, message) }
    }

    /// Something is wrong in the body, at a JSON pointer.
    pub fn bad_request(pointer: &str, message: impl Into<String>) -> Self {
        Self::new(Code::BadRequest, message).with("pointer", pointer)
    }
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Busy { .. } => Self {
                retry_after: Some(1),
                ..Self::new(Code::Busy, "Too much is going on right now. Try again in a moment.")
            },
            StoreError::Unavailable { .. } => Self {
                retry_after: Some(1),
                ..Self::new(
                    Code::Unavailable,
                    "A store of the bundle cannot be reached. Try again in a moment.",
                )
            },
            StoreError::BadCursor { .. } => Self::new(Code::BadRequest, error.to_string()),
            StoreError::TooLarge { .. } => Self::new(Code::TooLarge, error.to_string()),
            StoreError::Corrupt { .. } => Self::new(
                Code::Internal,
                "The bundle cannot read what it stored. Its operator finds why in the log.",
            ),
        }
        .because(error)
    }
}

impl From<token::Refused> for Refusal {
    fn from(refused: token::Refused) -> Self {
        let refusal = Self::new(refused.code, refused.message);
        match refused.claim {
            Some(claim) => refusal.with("claim", claim),
            None => refusal,
        }
    }
}

impl From<ErrorBody> for Refusal {
    fn from(body: ErrorBody) -> Self {
        Self { more: body.error.more, ..Self::new(body.error.code, body.error.message) }
    }
}

impl From<LineError> for Refusal {
    fn from(error: LineError) -> Self {
        if error.unknown_function {
            return Self::new(Code::UnknownFunction, error.message);
        }
        let refusal = Self::new(Code::BadCommandLine, error.message)
            .with("position", error.position)
            .with("found", error.found)
            .with("expected", error.expected);
        if error.fields.is_empty() {
            return refusal;
        }
        let fields: Map<String, Value> = error.fields.into_iter().map(|(k, v)| (k, v.into())).collect();
        refusal.with("fields", fields)
    }
}
