//! Logging in at the prompt, where personal access tokens are off as they are by default, and out again, whatever
//! happened between.

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
    /// What the authenticator shows, where there is one.
    pub code: Option<String>,
}

/// Somebody with rights on the server. One that came of a login must be [closed](Session::close).
#[derive(Debug)]
pub struct Session {
    /// The server, as that person.
    pub server: Mattermost,
    login: bool,
}

impl Session {
    /// By a personal access token, which nobody logs out.
    pub fn of_token(server: &Mattermost, token: SecretString) -> Self {
        Self { server: server.with_token(token), login: false }
    }

    /// By name and password.
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

    /// Whether a refused login wants the code of an authenticator.
    pub fn wants_code(trouble: &CallError) -> bool {
        trouble.id().contains("mfa")
    }

    /// Logs out, if this was a login.
    pub async fn close(self) -> Result<(), CallError> {
        if !self.login {
            return Ok(());
        }
        match self.server.send("log out", Method::POST, &Endpoint::new(&["users", "logout"]), None).await {
            // Who has no session is logged out.
            Err(trouble) if trouble.status() == Some(401) => Ok(()),
            other => other.map(drop),
        }
    }
}
