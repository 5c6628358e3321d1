//! Logs in with name and password, because personal access tokens are off by default, and logs out again whatever happened in
//! between.

use super::{client::Mattermost, endpoint::Endpoint, error::CallError};
use ::http::{Method, StatusCode};
use secrecy::{ExposeSecret, SecretString};
use serde_json::json;

/// What somebody types.
pub struct Login {
    /// A user name or an e-mail address.
    pub name: String,
    /// The password.
    pub password: SecretString,
    /// The code of the authenticator, if there is one.
    pub code: Option<String>,
}

/// A user of the server. After a login it must be [closed](Session::close).
#[derive(Debug)]
pub struct Session {
    /// The server, as that user.
    pub server: Mattermost,
    login: bool,
}

impl Session {
    /// With a personal access token. It needs no logout.
    pub fn of_token(server: &Mattermost, token: SecretString) -> Self {
        Self { server: server.with_token(token), login: false }
    }

    /// With name and password.
    pub async fn login(server: &Mattermost, login: &Login) -> Result<Self, CallError> {
        const DOING: &str = "log in";
        let mut body = json!({ "login_id": login.name, "password": login.password.expose_secret() });
        if let (Some(code), Some(body)) = (&login.code, body.as_object_mut()) {
            body.insert("token".to_owned(), code.trim().into());
        }
        let answer =
            server.send(DOING, Method::POST, &Endpoint::new(&["users", "login"]), Some(&body)).await?;
        let token = answer.headers.get("token").and_then(|value| value.to_str().ok());
        let token = token.filter(|token| !token.is_empty()).ok_or_else(|| {
            CallError::unlike(
                DOING,
                StatusCode::OK,
                "the answer to a login has no token: is a proxy taking it away?",
            )
        })?;
        Ok(Self { server: server.with_token(SecretString::from(token)), login: true })
    }

    /// Whether a login was refused because it needs the code of an authenticator.
    pub fn wants_code(trouble: &CallError) -> bool {
        trouble.id().contains("mfa")
    }

    /// Logs out, if this was a login.
    pub async fn close(self) -> Result<(), CallError> {
        if !self.login {
            return Ok(());
        }
        match self.server.send("log out", Method::POST, &Endpoint::new(&["users", "logout"]), None).await {
            // Without a session, the user is logged out.
            Err(trouble) if trouble.status() == Some(401) => Ok(()),
            other => other.map(drop),
        }
    }
}
