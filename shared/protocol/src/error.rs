//! Errors as they stand on the wire (section 1).

use serde::{Deserialize, Serialize};

/// The stable code of an error. A client may rely on it; the message is for people.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs)] // Each is a line of the protocol's table.
pub enum Code {
    BadJson,
    BadRequest,
    BadCommandLine,
    Unauthorized,
    BadToken,
    TokenExpired,
    ClockSkew,
    WrongAudience,
    BodyMismatch,
    NotGranted,
    Disabled,
    Forbidden,
    NoRoute,
    UnknownFunction,
    Duplicate,
    AlreadyInstalled,
    VersionConflict,
    TooLarge,
    UnsupportedMediaType,
    BadManifest,
    InstallRefused,
    NotExpanded,
    Busy,
    Internal,
    UpstreamFailed,
    UpstreamRefused,
    BadAnswer,
    AnswerTooLarge,
    Unavailable,
    Deadline,
}

impl Code {
    /// Every code, for tests and documentation.
    #[allow(clippy::enum_glob_use)] // Thirty names, each once.
    pub const ALL: [Code; 30] = {
        use Code::*;
        [
            BadJson,
            BadRequest,
            BadCommandLine,
            Unauthorized,
            BadToken,
            TokenExpired,
            ClockSkew,
            WrongAudience,
            BodyMismatch,
            NotGranted,
            Disabled,
            Forbidden,
            NoRoute,
            UnknownFunction,
            Duplicate,
            AlreadyInstalled,
            VersionConflict,
            TooLarge,
            UnsupportedMediaType,
            BadManifest,
            InstallRefused,
            NotExpanded,
            Busy,
            Internal,
            UpstreamFailed,
            UpstreamRefused,
            BadAnswer,
            AnswerTooLarge,
            Unavailable,
            Deadline,
        ]
    };

    /// The HTTP status that carries this code.
    pub fn status(self) -> u16 {
        match self {
            Code::BadJson | Code::BadRequest | Code::BadCommandLine => 400,
            Code::Unauthorized
            | Code::BadToken
            | Code::TokenExpired
            | Code::ClockSkew
            | Code::WrongAudience
            | Code::BodyMismatch => 401,
            Code::NotGranted | Code::Disabled | Code::Forbidden => 403,
            Code::NoRoute | Code::UnknownFunction => 404,
            Code::Duplicate | Code::AlreadyInstalled | Code::VersionConflict => 409,
            Code::TooLarge => 413,
            Code::UnsupportedMediaType => 415,
            Code::BadManifest | Code::InstallRefused => 422,
            Code::NotExpanded => 424,
            Code::Busy => 429,
            Code::Internal => 500,
            Code::UpstreamFailed | Code::UpstreamRefused | Code::BadAnswer | Code::AnswerTooLarge => 502,
            Code::Unavailable => 503,
            Code::Deadline => 504,
        }
    }
}

/// `{"error":{…}}`: what every failed request is answered with, outside the built-in dialects.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ErrorBody {
    /// The error.
    pub error: ErrorDetail,
}

/// One error: what happened and what to do.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ErrorDetail {
    /// Stable.
    pub code: Code,
    /// For the person who must act: what happened, where, what to do.
    pub message: String,
    /// Stands in the log too.
    #[serde(default)]
    pub request_id: String,
    /// What else this code carries: `line`, `column`, `pointer`, `claim`, `position`, `expected`, `now`, `problems` …
    #[serde(flatten)]
    pub more: serde_json::Map<String, serde_json::Value>,
}
