//! Errors of calls. No error holds a token, a body that was sent, or an address with a query.

use super::text::one_line;
use crate::certificates::CertificateFault;
use ::http::{HeaderMap, StatusCode, header};
use cloud_app::mattermost::ErrorBody;
use std::time::Duration;

/// Why a call has no result.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CallError {
    /// The server refused.
    #[error("cannot {doing}: {message} ({})", code(*status, id))]
    Refused {
        /// What the call was for.
        doing: &'static str,
        /// The HTTP status.
        status: u16,
        /// Mattermost's id of the error: `api.bot.create_disabled`. It is the same in every language. A server in hardened
        /// mode gives none for its own failures.
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
    /// The server's certificate is not trusted, so it could be anybody. Nothing was sent.
    #[error("cannot {doing}: {fault}")]
    Certificate {
        /// What the call was for.
        doing: &'static str,
        /// What is wrong with the certificate.
        fault: CertificateFault,
    },
    /// A token would be sent unencrypted.
    #[error("{address} does not begin with https, so the admin's token would be sent unencrypted")]
    Insecure {
        /// The address.
        address: String,
    },
}

/// The status and the id of an error, as an admin reads them.
fn code(status: u16, id: &str) -> String {
    if id.is_empty() { status.to_string() } else { format!("{status} {id}") }
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
            Ok(error) if !error.id.is_empty() || !error.request_id.is_empty() => Self::Refused {
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
        match CertificateFault::behind(error) {
            Some(fault) => Self::Certificate { doing, fault: fault.clone() },
            None => Self::Lost { doing, why: why(error) },
        }
    }

    /// No client can be made, because this machine knows no authority.
    pub(super) fn no_authorities() -> Self {
        let why = "no certificate authorities are installed on this machine";
        Self::Lost { doing: "make an HTTP client", why }
    }

    /// The HTTP status of a refusal.
    pub fn status(&self) -> Option<u16> {
        match self {
            Self::Refused { status, .. } | Self::Unlike { status, .. } => Some(*status),
            Self::Busy { .. } => Some(429),
            Self::Lost { .. } | Self::Certificate { .. } | Self::Insecure { .. } => None,
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
            Self::Certificate { .. } | Self::Insecure { .. } => false,
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

/// Why a call got no answer.
pub fn why(error: &reqwest::Error) -> &'static str {
    if error.is_connect() {
        "no connection can be made"
    } else if error.is_timeout() {
        "no answer came in time"
    } else {
        "the connection broke off before the answer"
    }
}
