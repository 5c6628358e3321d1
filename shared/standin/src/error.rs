//! What can go wrong: for the client of the REST API ([`AppError`]), and for who runs the stand-in
//! ([`StandinError`]).

use http::StatusCode;
use serde_json::{Value, json};

/// An error as the REST API tells it: `model.AppError`.
#[derive(Debug, Clone)]
pub(crate) struct AppError {
    pub id: &'static str,
    pub message: String,
    pub status: StatusCode,
}

impl AppError {
    /// With this the server also takes away the cookie of a browser.
    pub(crate) const NO_SESSION: &str = "api.context.session_expired.app_error";

    pub(crate) fn new(status: StatusCode, id: &'static str, message: impl Into<String>) -> AppError {
        AppError { id, message: message.into(), status }
    }

    pub(crate) fn bad(id: &'static str, message: impl Into<String>) -> AppError {
        AppError::new(StatusCode::BAD_REQUEST, id, message)
    }

    pub(crate) fn missing(id: &'static str, message: impl Into<String>) -> AppError {
        AppError::new(StatusCode::NOT_FOUND, id, message)
    }

    /// The session may not do this. Recorded: `commands-create-forbidden.http`.
    pub(crate) fn forbidden() -> AppError {
        AppError::new(
            StatusCode::FORBIDDEN,
            "api.context.permissions.app_error",
            "You do not have the appropriate permissions.",
        )
    }

    /// No session, or one that has ended. Recorded: `error-unauthorized.http`.
    pub(crate) fn no_session() -> AppError {
        AppError::new(
            StatusCode::UNAUTHORIZED,
            AppError::NO_SESSION,
            "Invalid or expired session, please login again.",
        )
    }

    /// A part of the path that has not its form. Recorded: `error-bad-id.http`.
    pub(crate) fn bad_path(name: &str) -> AppError {
        AppError::bad(
            "api.context.invalid_url_param.app_error",
            format!("Invalid or missing {name} parameter in request URL."),
        )
    }

    /// A body, or a key of it, that cannot be read. Recorded: `error-bad-json.http`.
    pub(crate) fn bad_body(name: &str) -> AppError {
        AppError::bad(
            "api.context.invalid_body_param.app_error",
            format!("Invalid or missing {name} in request body."),
        )
    }

    /// Recorded: `error-message-too-long.http`.
    pub(crate) fn message_too_long() -> AppError {
        AppError::bad(
            "model.post.is_valid.message_length.app_error",
            "Post Message property is longer than the maximum permitted length.",
        )
    }

    /// `ServiceSettings.EnableCommands` is off.
    pub(crate) fn commands_disabled() -> AppError {
        AppError::new(
            StatusCode::NOT_IMPLEMENTED,
            "api.command.disabled.app_error",
            "Commands have been disabled by the system admin.",
        )
    }

    /// What the stand-in does not do. A real server never answers this id, so nobody takes it for one.
    pub(crate) fn not_served(what: &str) -> AppError {
        AppError::new(
            StatusCode::NOT_IMPLEMENTED,
            "standin.not_served.app_error",
            format!("the stand-in does not serve {what}"),
        )
    }

    /// The body of what no route of a real server answers: `post-action-hyphen.http`.
    pub(crate) fn no_page(path: &str) -> Value {
        json!({
            "id": "api.context.404.app_error",
            "message": "Sorry, we could not find the page.",
            "detailed_error": format!(
                "There doesn't appear to be an api call for the url='{path}'.  Typo? are you missing a team_id or \
                 user_id as part of the url?"
            ),
            "status_code": StatusCode::NOT_FOUND.as_u16(),
        })
    }

    /// `detailed_error` is empty unless the server runs in developer mode; the stand-in does not.
    pub(crate) fn body(&self, request_id: &str) -> Value {
        json!({
            "id": self.id,
            "message": self.message,
            "detailed_error": "",
            "request_id": request_id,
            "status_code": self.status.as_u16(),
        })
    }
}

/// Why the stand-in could not do what its owner asked for.
#[derive(Debug, thiserror::Error)]
pub enum StandinError {
    /// A helper was given a name or id that the world does not have.
    #[error("the stand-in has no {what} \"{name}\"; add it first")]
    Unknown {
        /// What was looked for: user, team, channel.
        what: &'static str,
        /// The name or id as given.
        name: String,
    },
    /// The button or menu is there, but no client lets its user click it.
    #[error("\"{name}\" is disabled; enable it in the post")]
    Disabled {
        /// What stands on it.
        name: String,
    },
    /// No client lets its user enter that.
    #[error("{value} cannot be entered in the field \"{field}\"; give what its type and limits allow")]
    Impossible {
        /// The name of the field.
        field: String,
        /// What was to be entered, as JSON.
        value: String,
    },
    /// The name is taken.
    #[error("the stand-in already has a {what} \"{name}\"; choose another name")]
    Taken {
        /// What was to be added.
        what: &'static str,
        /// The name as given.
        name: String,
    },
    /// The address cannot be listened on.
    #[error("the stand-in cannot listen on {address}: {source}; choose another port, or 0 for a free one")]
    Listen {
        /// The address as given.
        address: std::net::SocketAddr,
        /// What the system said.
        source: std::io::Error,
    },
    /// The certificates could not be made.
    #[error("the stand-in cannot make its certificates: {0}")]
    Certificate(#[from] rcgen::Error),
    /// A certificate to trust is none.
    #[error("the stand-in cannot trust that certificate: {0}; give it as PEM")]
    Trust(#[from] reqwest::Error),
    /// The certificates were made but TLS refuses them.
    #[error("the stand-in cannot serve TLS: {0}")]
    Tls(#[from] rustls::Error),
}

/// The connection ended before an answer: a [`Fault`](crate::Fault) that was ordered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the stand-in closed the connection without an answer, as ordered")]
pub struct ConnectionCut;
