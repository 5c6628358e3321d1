//! Errors of Mattermost, and what to do about them.

use crate::http;
use ::http::StatusCode;
use cloud_apps_protocol::json;
use serde::Deserialize;

/// Why a call of Mattermost has no result. It never has the token.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no token to call it with.
    #[error("there is no token: {}", .text.as_deref().unwrap_or("it could not be read"))]
    NoToken {
        /// What the user may read.
        text: Option<String>,
        /// Why.
        #[source]
        source: Option<Box<dyn std::error::Error + Send + Sync>>,
    },
    /// It could not be reached.
    #[error("Mattermost cannot be reached: {0}")]
    Unreachable(#[from] http::Error),
    /// It refused the call.
    #[error("Mattermost answered {status} ({id}): {message} {advice}")]
    Refused {
        /// The HTTP status.
        status: StatusCode,
        /// Mattermost's own id of the error, `api.context.permissions.app_error`.
        id: String,
        /// Mattermost's own message.
        message: String,
        /// What to do.
        advice: &'static str,
        /// The request's id in the server's log.
        server_request_id: String,
    },
    /// Too many calls.
    #[error("Mattermost answers no more calls for now: try again in {retry_after} s")]
    TooMany {
        /// In how many seconds to try again.
        retry_after: u64,
    },
    /// The site answers with a redirect. It is not followed, because a token goes to its own site only.
    #[error("{site} redirects elsewhere: install the app with the address that the server has by itself")]
    Redirect {
        /// The site.
        site: String,
    },
    /// The answer is not one of Mattermost's.
    #[error(
        "Mattermost answered {status} with something unexpected ({problem}): does a proxy answer in its place?"
    )]
    Unexpected {
        /// The HTTP status.
        status: StatusCode,
        /// What is wrong with it.
        problem: String,
    },
    /// The path leads out of the API.
    #[error("{0:?} is no path below /api/v4/")]
    Path(String),
}

impl Error {
    /// There is no token. The user reads this text.
    pub fn no_token(text: impl Into<String>) -> Self {
        Self::NoToken { text: Some(text.into()), source: None }
    }

    /// The token cannot be read. The cause is for the log.
    pub fn unread_token(cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::NoToken { text: None, source: Some(cause.into()) }
    }

    /// The HTTP status, if Mattermost answered.
    pub fn status(&self) -> Option<StatusCode> {
        match self {
            Self::Refused { status, .. } | Self::Unexpected { status, .. } => Some(*status),
            Self::TooMany { .. } => Some(StatusCode::TOO_MANY_REQUESTS),
            Self::NoToken { .. } | Self::Unreachable(_) | Self::Redirect { .. } | Self::Path(_) => None,
        }
    }

    /// Mattermost's own id of the error.
    pub fn id(&self) -> Option<&str> {
        match self {
            Self::Refused { id, .. } => Some(id),
            _ => None,
        }
    }

    /// Whether the server may have done what it was asked all the same. `false`: it refused, or the call never reached it.
    pub fn is_doubtful(&self) -> bool {
        match self {
            Self::Unreachable(error) => error.is_doubtful(),
            // The feature is off.
            Self::Refused { status, .. } | Self::Unexpected { status, .. } if status.as_u16() == 501 => false,
            Self::Refused { status, .. } => status.is_server_error(),
            // A server that did what was asked may answer so that nobody can read it.
            Self::Unexpected { status, .. } => status.is_server_error() || status.is_success(),
            Self::NoToken { .. } | Self::TooMany { .. } | Self::Redirect { .. } | Self::Path(_) => false,
        }
    }

    /// What a user may read. The rest is for the log.
    pub(crate) fn for_user(&self) -> Option<String> {
        match self {
            Self::NoToken { text, .. } => text.clone(),
            // Mattermost's own message is "please login again". It means the bot, but a user would think it means them.
            Self::Refused { status: StatusCode::UNAUTHORIZED, advice, .. } => {
                Some(format!("Mattermost does not know the bot any more. {advice}"))
            }
            Self::Refused { message, advice, .. } => {
                Some(format!("Mattermost did not do that: {message} {advice}").trim_end().to_owned())
            }
            Self::TooMany { retry_after } => {
                Some(format!("Mattermost is busy. Try again in {retry_after} s."))
            }
            Self::Unreachable(http::Error::Timeout { .. }) => {
                Some("Mattermost did not answer in time. Try again.".to_owned())
            }
            _ => None,
        }
    }

    /// An answer of another form. It is not repeated, because it may be a token or a whole page.
    pub(super) fn unexpected(status: StatusCode, error: &serde_json::Error) -> Self {
        let (line, column) = (error.line(), error.column());
        let problem = format!("{} at line {line}, column {column}", json::without_values(error));
        Self::Unexpected { status, problem }
    }

    /// The error of an answer that is not a success.
    pub(super) fn of(status: StatusCode, headers: &::http::HeaderMap, body: &[u8]) -> Self {
        if status == StatusCode::TOO_MANY_REQUESTS {
            let header = |name| headers.get(name).and_then(|value| value.to_str().ok()?.parse().ok());
            let retry_after = header("retry-after").or_else(|| header("x-ratelimit-reset")).unwrap_or(1);
            return Self::TooMany { retry_after };
        }
        match serde_json::from_slice::<ErrorBody>(body) {
            Ok(body) => Self::Refused {
                status,
                id: short(&body.id),
                message: short(&body.message),
                advice: advice(status),
                server_request_id: short(&body.request_id),
            },
            Err(error) => Self::unexpected(status, &error),
        }
    }
}

/// An error as Mattermost writes it (`model.AppError`).
#[derive(Debug, Clone, Deserialize)]
pub struct ErrorBody {
    /// Mattermost's own id of the error: `api.context.permissions.app_error`. It is the same in every language.
    pub id: String,
    /// Mattermost's own words, in the language of the caller's account.
    pub message: String,
    /// The request's id in the log of the server.
    #[serde(default)]
    pub request_id: String,
}

/// A part of another server's message, short enough for a person and for a log.
fn short(text: &str) -> String {
    text.chars().take(500).collect()
}

fn advice(status: StatusCode) -> &'static str {
    match status.as_u16() {
        400 => "What was sent is not what it wants.",
        401 => {
            "The bot is disabled, or its token was revoked: an admin must enable the bot again or give the install a new token."
        }
        403 => {
            "The bot may not do that: add it to the channel or the team, or give it the right in the System Console."
        }
        404 => "It is not there, or the bot may not see it.",
        501 => "The feature is off: an admin can turn it on in the System Console.",
        500.. => "The server's log says more.",
        _ => "",
    }
}
