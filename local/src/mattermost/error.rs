//! Errors of calls. No error holds a token, a body that was sent, or an address with a query.

use super::text::one_line;
use ::http::{HeaderMap, StatusCode, header};
use cloud_app::mattermost::ErrorBody;
use std::time::Duration;

/// Why a call has no result.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CallError {
    /// The server refused.
    #[error("cannot {doing}: {message} ({status} {id})")]
    Refused {
        /// What the call was for.
        doing: &'static str,
        /// The HTTP status.
        status: u16,
        /// Mattermost's id of the error: `api.bot.create_disabled`. It is the same in every language.
        id: String,
        /// The server's message, in the language of the admin's account.
        message: String,
    },
    /// The server, or a proxy before it, wants fewer calls.
    #[error("cannot {doing}: the server limits the rate of calls")]
    Busy {
        /// What the call was for.
        doing: &'static str,
        /// When to try again, if the server says it.
        after: Option<Duration>,
    },
    /// Something else answered: a proxy's page, a login page.
    #[error("cannot {doing}: {why} (status {status})")]
    Unlike {
        /// What the call was for.
        doing: &'static str,
        /// The HTTP status.
        status: u16,
        /// What is unexpected.
        why: String,
    },
    /// Nothing answered. It is not known whether the call took effect.
    #[error("cannot {doing}: {why}")]
    Lost {
        /// What the call was for.
        doing: &'static str,
        /// What happened.
        why: &'static str,
    },
    /// A token would be sent unencrypted.
    #[error("{address} does not begin with https, so the admin's token would be sent unencrypted")]
    Insecure {
        /// The address.
        address: String,
    },
}

impl CallError {
    /// From an answer that is neither 200 nor 201.
    pub(super) fn refused(doing: &'static str, status: StatusCode, headers: &HeaderMap, body: &[u8]) -> Self {
        if status == StatusCode::TOO_MANY_REQUESTS {
            let after = headers.get(header::RETRY_AFTER).and_then(|value| value.to_str().ok());
            let after = after.and_then(|text| text.trim().parse().ok()).map(Duration::from_secs);
            return Self::Busy { doing, after };
        }
        if status.is_redirection() {
            let to = headers.get(header::LOCATION).and_then(|value| value.to_str().ok()).unwrap_or_default();
            let to = one_line(to.split(['?', '#']).next().unwrap_or_default());
            return Self::unlike(doing, status, &format!("it points elsewhere, to {to}"));
        }
        match serde_json::from_slice::<ErrorBody>(body) {
            Ok(error) if !error.id.is_empty() => Self::Refused {
                doing,
                status: status.as_u16(),
                id: one_line(&error.id),
                message: one_line(&error.message),
            },
            _ => Self::unlike(doing, status, "the answer is not a Mattermost's"),
        }
    }

    pub(super) fn unlike(doing: &'static str, status: StatusCode, why: &str) -> Self {
        Self::Unlike { doing, status: status.as_u16(), why: why.to_owned() }
    }

    /// From a connection that gave no answer. The error's own text is not used: it may hold addresses with queries.
    pub(super) fn lost(doing: &'static str, error: &reqwest::Error) -> Self {
        Self::Lost { doing, why: why(error) }
    }

    /// The same for another address, as a text.
    pub fn lost_at(address: &str, error: &reqwest::Error) -> String {
        format!("{address}: {}", why(error))
    }

    /// The HTTP status of a refusal.
    pub fn status(&self) -> Option<u16> {
        match self {
            Self::Refused { status, .. } | Self::Unlike { status, .. } => Some(*status),
            Self::Busy { .. } => Some(429),
            Self::Lost { .. } | Self::Insecure { .. } => None,
        }
    }

    /// Mattermost's id of the error.
    pub fn id(&self) -> &str {
        match self {
            Self::Refused { id, .. } => id,
            _ => "",
        }
    }

    /// Whether the same call may work in a moment.
    pub fn transient(&self) -> bool {
        match self {
            Self::Busy { .. } | Self::Lost { .. } => true,
            Self::Refused { status, .. } => *status >= 500 && *status != 501,
            Self::Unlike { status, .. } => *status >= 502,
            Self::Insecure { .. } => false,
        }
    }

    /// When the server may be asked again.
    pub fn after(&self) -> Option<Duration> {
        match self {
            Self::Busy { after, .. } => *after,
            _ => None,
        }
    }
}

fn why(error: &reqwest::Error) -> &'static str {
    if error.is_connect() && certificate(error) {
        UNTRUSTED
    } else if error.is_connect() {
        "no connection can be made"
    } else if error.is_timeout() {
        "no answer came in time"
    } else {
        "the connection broke off before the answer"
    }
}

/// The certificate is not trusted, so the other side could be anybody.
pub(super) const UNTRUSTED: &str = "its certificate is not trusted here";

/// Whether a connection failed because of the certificate: TLS says so somewhere in the chain of causes.
fn certificate(error: &reqwest::Error) -> bool {
    let mut cause: Option<&dyn std::error::Error> = std::error::Error::source(error);
    while let Some(error) = cause {
        if error.to_string().contains("certificate") {
            return true;
        }
        cause = error.source();
    }
    false
}
