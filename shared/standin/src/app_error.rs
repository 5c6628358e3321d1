//! The errors that a client of the REST API gets: `model.AppError`.

use crate::Version;
use http::StatusCode;
use serde_json::{Value, json};

/// An error as the REST API returns it.
#[derive(Debug, Clone)]
pub(crate) struct AppError {
    pub id: &'static str,
    pub message: String,
    pub status: StatusCode,
}

/// How an error is made.
impl AppError {
    /// With this id the server also deletes the cookie of a browser.
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

    /// What a server in hardened mode says of its own failures. To it, a feature that is switched off is one of them too.
    pub(crate) fn hardened(self) -> AppError {
        let of_standin = self.status == StatusCode::NOT_IMPLEMENTED && self.id.starts_with("standin.");
        if !self.status.is_server_error() || of_standin {
            return self;
        }
        AppError::new(StatusCode::INTERNAL_SERVER_ERROR, "", "Internal Server Error")
    }

    /// The body. `detailed_error` is empty unless the server runs in developer mode; the stand-in does not.
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

/// What is wrong with a request.
impl AppError {
    /// The session may not do this: `commands-create-forbidden.http`.
    pub(crate) fn forbidden() -> AppError {
        AppError::new(
            StatusCode::FORBIDDEN,
            "api.context.permissions.app_error",
            "You do not have the appropriate permissions.",
        )
    }

    /// There is no session, or it has ended: `error-unauthorized.http`.
    pub(crate) fn no_session() -> AppError {
        AppError::new(
            StatusCode::UNAUTHORIZED,
            AppError::NO_SESSION,
            "Invalid or expired session, please login again.",
        )
    }

    /// A part of the path does not have its form: `error-bad-id.http`.
    pub(crate) fn bad_path(name: &str) -> AppError {
        AppError::bad(
            "api.context.invalid_url_param.app_error",
            format!("Invalid or missing {name} parameter in request URL."),
        )
    }

    /// The body, or a key of it, cannot be read: `error-bad-json.http`.
    pub(crate) fn bad_body(name: &str) -> AppError {
        AppError::bad(
            "api.context.invalid_body_param.app_error",
            format!("Invalid or missing {name} in request body."),
        )
    }

    /// `error-message-too-long.http`
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

    /// The integration of a click or dialog did something wrong: `fail-action-500.http`. The user does not learn
    /// the cause.
    pub(crate) fn integration_failed() -> AppError {
        AppError::new(
            StatusCode::BAD_REQUEST,
            "api.post.do_action.action_integration.app_error",
            "Action integration error.",
        )
    }

    /// The stand-in does not do this. No real server answers with this id, so nobody takes it for one.
    pub(crate) fn not_served(what: &str) -> AppError {
        AppError::new(
            StatusCode::NOT_IMPLEMENTED,
            "standin.not_served.app_error",
            format!("the stand-in does not serve {what}"),
        )
    }

    /// What a server of this version does is not known, because none was recorded and nothing is written about it.
    pub(crate) fn unknown(version: Version, what: &str) -> AppError {
        AppError::new(
            StatusCode::NOT_IMPLEMENTED,
            "standin.unknown.app_error",
            format!("unknown in {}: {what}", version.name()),
        )
    }

    /// The body for a path that no route of a real server fits: `post-action-hyphen.http`.
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
}

/// What does not exist.
impl AppError {
    /// `error-not-found.http`
    pub(crate) fn no_user() -> AppError {
        AppError::missing("app.user.missing_account.const", "Unable to find the user.")
    }

    pub(crate) fn no_team() -> AppError {
        AppError::missing("app.team.get.find.app_error", "Unable to find the existing team.")
    }

    pub(crate) fn no_team_member() -> AppError {
        AppError::missing(
            "app.team.get_member.missing.app_error",
            "No team member found for that user ID and team ID.",
        )
    }

    pub(crate) fn no_channel(version: Version, id: &str) -> AppError {
        let text = if version.since_11() {
            format!("Unable to find the existing channel {id}.")
        } else {
            "Unable to find the existing channel.".to_owned()
        };
        AppError::missing("app.channel.get.existing.app_error", text)
    }

    pub(crate) fn no_post() -> AppError {
        AppError::missing("app.post.get.app_error", "Unable to get the post.")
    }
}
