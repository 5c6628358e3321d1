//! What the handlers of the REST API get and return.

use crate::app_error::AppError;
use crate::ids::is_id;
use bytes::Bytes;
use http::StatusCode;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// A request to the REST API, taken apart.
pub(crate) struct ApiRequest {
    /// The user of the session; empty on routes that need no session.
    pub user: String,
    /// The id of the session; empty for a personal access token, and for the Rust API.
    pub session: String,
    /// The words of the path that the pattern of the route names.
    pub path: Vec<(&'static str, String)>,
    pub query: Vec<(String, String)>,
    pub content_type: Option<String>,
    pub body: Bytes,
    /// `http://host:port`, as the client wrote it.
    pub origin: Option<String>,
}

/// An answer of the REST API that is not an error.
pub(crate) enum Reply {
    Json(StatusCode, Value),
    Text(StatusCode, String),
    /// The user who logged in, and the token of the new session, which is sent in a header.
    Login {
        token: String,
        user: Value,
    },
    /// The session has ended, and the cookie of a browser is deleted.
    LoggedOut,
    /// No route of a real server fits. It answers so without its usual headers.
    NoPage {
        path: String,
    },
}

pub(crate) type ApiResult = Result<Reply, AppError>;

impl Reply {
    #[expect(clippy::unnecessary_wraps, reason = "what every handler ends with")]
    pub(crate) fn ok(body: Value) -> ApiResult {
        Ok(Reply::Json(StatusCode::OK, body))
    }

    #[expect(clippy::unnecessary_wraps, reason = "what every handler ends with")]
    pub(crate) fn created(body: Value) -> ApiResult {
        Ok(Reply::Json(StatusCode::CREATED, body))
    }

    /// `{"status":"OK"}`
    pub(crate) fn done() -> ApiResult {
        Reply::ok(serde_json::json!({"status": "OK"}))
    }
}

impl ApiRequest {
    /// The request that a user's client sends when the user does something.
    pub(crate) fn of(user: String, path: Vec<(&'static str, String)>, body: &Value) -> ApiRequest {
        ApiRequest {
            user,
            session: String::new(),
            path,
            query: Vec::new(),
            content_type: Some("application/json".to_owned()),
            body: Bytes::from(body.to_string()),
            origin: None,
        }
    }

    /// A part of the path.
    pub(crate) fn path(&self, name: &'static str) -> Result<&str, AppError> {
        let found = self.path.iter().find(|(known, _)| *known == name);
        found.map(|(_, value)| value.as_str()).ok_or_else(|| AppError::bad_path(name))
    }

    /// A part of the path that must be an id.
    pub(crate) fn id(&self, name: &'static str) -> Result<&str, AppError> {
        let value = self.path(name)?;
        if is_id(value) { Ok(value) } else { Err(AppError::bad_path(name)) }
    }

    /// The user in the path, where `me` is the caller.
    pub(crate) fn user_id(&self) -> Result<&str, AppError> {
        if self.path("user_id")? == "me" { Ok(&self.user) } else { self.id("user_id") }
    }

    pub(crate) fn query(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The content type without its parameters; empty without one.
    pub(crate) fn media_type(&self) -> &str {
        media_type(self.content_type.as_deref())
    }

    /// One page of a list. `default` is the page size of the real route.
    pub(crate) fn page<T>(&self, list: Vec<T>, default: usize) -> Vec<T> {
        let number = |name, default| self.query(name).and_then(|text| text.parse().ok()).unwrap_or(default);
        let (page, size): (usize, usize) = (number("page", 0), number("per_page", default).min(200));
        list.into_iter().skip(page.saturating_mul(size)).take(size).collect()
    }

    /// The body as JSON. `name` is how the real server calls the body when it cannot read it.
    pub(crate) fn body<T: DeserializeOwned>(&self, name: &str) -> Result<T, AppError> {
        let read = || {
            let mut body: Value = serde_json::from_slice(&self.body)?;
            // Go reads null as the zero value of any type.
            if let Some(object) = body.as_object_mut() {
                object.retain(|_, value| !value.is_null());
            }
            serde_json::from_value(body)
        };
        read().map_err(|_: serde_json::Error| AppError::bad_body(name))
    }
}

/// A content type without its parameters; empty without one.
pub(crate) fn media_type(content_type: Option<&str>) -> &str {
    content_type.unwrap_or_default().split(';').next().unwrap_or_default().trim()
}
