//! Errors in JSON (section 1).

use serde::{Deserialize, Serialize};

/// The code of an error. Clients may rely on it, because it does not change; the message is for people.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs)] // docs/protocol.md has a table of them.
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

    /// The HTTP status of this code.
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

/// `{"error":{…}}`: the answer to every request that fails, except in the dialects of an unmodified Mattermost.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ErrorBody {
    /// The error.
    pub error: ErrorDetail,
}

/// One error: what happened and what to do.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ErrorDetail {
    /// The code.
    pub code: Code,
    /// What happened, where, and what to do, for the person who must do it.
    pub message: String,
    /// The request's id. The log has it too.
    #[serde(default)]
    pub request_id: String,
    /// More fields that belong to the code: `line`, `column`, `pointer`, `claim`, `position`, `expected`, `now`, `problems` …
    #[serde(flatten)]
    pub more: serde_json::Map<String, serde_json::Value>,
}

impl ErrorBody {
    /// An error with its code and a message for the person who must do something. The request's id is added later.
    ///
    /// ```
    /// use cloud_apps_protocol::{Code, ErrorBody};
    ///
    /// let body = ErrorBody::new(Code::BadJson, "The body is not JSON.").with("line", 3).with("column", 7);
    /// assert_eq!(body.error.code.status(), 400);
    /// assert_eq!(body.error.more["line"], 3);
    /// ```
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self {
            error: ErrorDetail {
                code,
                message: message.into(),
                request_id: String::new(),
                more: serde_json::Map::new(),
            },
        }
    }

    /// Adds a field that belongs to the code: `line`, `column`, `pointer`, `claim` …
    #[must_use]
    pub fn with(mut self, key: &str, value: impl Into<serde_json::Value>) -> Self {
        self.error.more.insert(key.to_owned(), value.into());
        self
    }
}
