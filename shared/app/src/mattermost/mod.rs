//! The client of Mattermost's REST API v4 that apps and the bundle use.
//!
//! A client has a token and the site of that token. No method takes a URL, so the token cannot go to another site.

mod credential;
mod error;
mod model;

pub use credential::{BotTokens, Credential};
pub use error::{Error, ErrorBody};
pub(crate) use model::absent_when_empty;
pub use model::{Channel, ChannelMember, NewPost, Post, ServerSettings, Team, User};

use crate::http::Outbound;
use ::http::{
    HeaderValue, Method, Request, StatusCode,
    header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE},
};
use bytes::Bytes;
use cloud_apps_protocol::{ChannelId, TeamId, UserId, server::ServerFacts};
use secrecy::ExposeSecret;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};
use url::Url;

/// The header in which every answer of a server has its version and a hash of its configuration.
const VERSION_ID: &str = "x-version-id";

/// How long one call may take.
const CALL: Duration = Duration::from_secs(8);

/// The client, with the rights of a token. It is cheap to clone.
#[derive(Clone)]
pub struct Mattermost {
    http: Outbound,
    who: Who,
    until: Option<Instant>,
}

#[derive(Clone)]
enum Who {
    Bot(Arc<dyn BotTokens>),
    User(Credential),
}

/// Making a client.
impl Mattermost {
    /// A client with the bot's rights. After a 401 it asks once for a new token, and repeats the call.
    pub fn bot(http: Outbound, bot: Arc<dyn BotTokens>) -> Self {
        Self { http, who: Who::Bot(bot), until: None }
    }

    /// A client with the rights of a token.
    pub fn user(http: Outbound, credential: Credential) -> Self {
        Self { http, who: Who::User(credential), until: None }
    }

    /// A client whose calls end at this time at the latest.
    #[must_use]
    pub fn until(mut self, instant: Instant) -> Self {
        self.until = Some(instant);
        self
    }
}

/// The most frequent calls.
impl Mattermost {
    /// What the server says of itself.
    pub async fn server_settings(&self) -> Result<ServerSettings, Error> {
        let answer = self.answer(Method::GET, "/config/client?format=old", None).await?;
        let settings: ServerSettings = read(&answer)?;
        Ok(ServerSettings { version_id: version_id(&answer).map(str::to_owned), ..settings })
    }

    /// The user of the token.
    pub async fn me(&self) -> Result<User, Error> {
        self.get("/users/me").await
    }

    /// A user.
    pub async fn user_by_id(&self, user: &UserId) -> Result<User, Error> {
        self.get(&format!("/users/{user}")).await
    }

    /// A user by name, without `@`.
    pub async fn user_by_username(&self, username: &str) -> Result<User, Error> {
        self.get(&format!("/users/username/{}", segment(username))).await
    }

    /// The users with these ids, in no fixed order. Unknown ids are left out.
    pub async fn users_by_ids(&self, users: &[&UserId]) -> Result<Vec<User>, Error> {
        self.post("/users/ids", users).await
    }

    /// The users with these names, without `@`, in no fixed order. Unknown names are left out.
    pub async fn users_by_usernames(&self, usernames: &[&str]) -> Result<Vec<User>, Error> {
        self.post("/users/usernames", usernames).await
    }

    /// A channel.
    pub async fn channel(&self, channel: &ChannelId) -> Result<Channel, Error> {
        self.get(&format!("/channels/{channel}")).await
    }

    /// A team.
    pub async fn team(&self, team: &TeamId) -> Result<Team, Error> {
        self.get(&format!("/teams/{team}")).await
    }

    /// A user's membership in a channel. `None`: the user is not a member.
    pub async fn channel_member(
        &self,
        channel: &ChannelId,
        user: &UserId,
    ) -> Result<Option<ChannelMember>, Error> {
        match self.get(&format!("/channels/{channel}/members/{user}")).await {
            Err(Error::Refused { status: StatusCode::NOT_FOUND, .. }) => Ok(None),
            other => other.map(Some),
        }
    }

    /// Adds a user to a channel. With the bot's own id, the bot joins it.
    pub async fn add_channel_member(
        &self,
        channel: &ChannelId,
        user: &UserId,
    ) -> Result<ChannelMember, Error> {
        self.post(&format!("/channels/{channel}/members"), &json!({ "user_id": user })).await
    }

    /// The direct channel of two users. It is made if there is none.
    pub async fn direct_channel(&self, one: &UserId, other: &UserId) -> Result<Channel, Error> {
        self.post("/channels/direct", &[one, other]).await
    }

    /// Makes a post.
    pub async fn create_post(&self, post: &NewPost) -> Result<Post, Error> {
        self.post("/posts", post).await
    }
}

/// All other calls of the API. A path begins with `/` and is below `/api/v4`. It may have a query.
impl Mattermost {
    /// `GET`.
    pub async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, Error> {
        self.call(Method::GET, path, None).await
    }

    /// `POST`.
    pub async fn post<T: DeserializeOwned>(
        &self,
        path: &str,
        body: &(impl Serialize + ?Sized + Sync),
    ) -> Result<T, Error> {
        self.call(Method::POST, path, Some(encode(body)?)).await
    }

    /// `PUT`.
    pub async fn put<T: DeserializeOwned>(
        &self,
        path: &str,
        body: &(impl Serialize + ?Sized + Sync),
    ) -> Result<T, Error> {
        self.call(Method::PUT, path, Some(encode(body)?)).await
    }

    /// `DELETE`.
    pub async fn delete(&self, path: &str) -> Result<(), Error> {
        self.call::<Value>(Method::DELETE, path, None).await.map(|_| ())
    }

    async fn call<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: Option<Bytes>,
    ) -> Result<T, Error> {
        read(&self.answer(method, path, body).await?)
    }

    /// The answer to a call, if it is a success.
    async fn answer(
        &self,
        method: Method,
        path: &str,
        body: Option<Bytes>,
    ) -> Result<::http::Response<Bytes>, Error> {
        let answer = match &self.who {
            Who::User(credential) => self.send(credential, &method, path, body).await?,
            Who::Bot(tokens) => {
                let credential = tokens.bot(false).await?;
                let mut answer = self.send(&credential, &method, path, body.clone()).await?;
                if answer.status() == StatusCode::UNAUTHORIZED {
                    // The token may have been replaced after the install was read.
                    answer = self.send(&tokens.bot(true).await?, &method, path, body).await?;
                }
                if let Some(version_id) = version_id(&answer) {
                    tokens.answered_by(version_id).await;
                }
                answer
            }
        };
        let status = answer.status();
        if status.is_success() { Ok(answer) } else { Err(Error::of(status, answer.headers(), answer.body())) }
    }

    async fn send(
        &self,
        credential: &Credential,
        method: &Method,
        path: &str,
        body: Option<Bytes>,
    ) -> Result<::http::Response<Bytes>, Error> {
        let url = below_api(credential.origin.as_str(), path)?;
        let bad = |_| Error::Path(path.to_owned());
        let mut token = HeaderValue::from_str(&format!("Bearer {}", credential.token.expose_secret()))
            .map_err(|_| Error::NoToken { text: None, source: None })?;
        token.set_sensitive(true);
        let mut request = Request::builder()
            .method(method)
            .uri(url.as_str())
            .header(AUTHORIZATION, token)
            .header(ACCEPT, "application/json");
        if body.is_some() {
            request = request.header(CONTENT_TYPE, "application/json");
        }
        let request = request.body(body.unwrap_or_default()).map_err(bad)?;
        let left = self.until.map_or(CALL, |until| until.saturating_duration_since(Instant::now()));
        let answer = self.http.send(request, left.min(CALL)).await?;
        if answer.status().is_redirection() {
            return Err(Error::Redirect { site: credential.origin.to_string() });
        }
        Ok(answer)
    }
}

/// The body of an answer as JSON.
fn read<T: DeserializeOwned>(answer: &::http::Response<Bytes>) -> Result<T, Error> {
    serde_json::from_slice(answer.body()).map_err(|error| Error::unexpected(answer.status(), &error))
}

/// What the server calls itself in the header of an answer.
fn version_id(answer: &::http::Response<Bytes>) -> Option<&str> {
    let text = answer.headers().get(VERSION_ID)?.to_str().ok()?;
    Some(text).filter(|text| ServerFacts::is_version_id(text))
}

fn encode(body: &(impl Serialize + ?Sized)) -> Result<Bytes, Error> {
    let problem = |error: serde_json::Error| Error::Unexpected {
        status: StatusCode::BAD_REQUEST,
        problem: format!("the request cannot be written: {error}"),
    };
    serde_json::to_vec(body).map(Bytes::from).map_err(problem)
}

/// The URL of a path. Dots and other tricks cannot lead out of the API.
fn below_api(site: &str, path: &str) -> Result<Url, Error> {
    let bad = || Error::Path(path.to_owned());
    let base = Url::parse(&format!("{site}/api/v4/")).map_err(|_| bad())?;
    // The parser drops spaces at the end of a URL, so `.. ` would become `..`.
    let rest = path.strip_prefix('/').map(|rest| rest.replace(' ', "%20")).ok_or_else(bad)?;
    let url = Url::parse(&format!("{base}{rest}")).map_err(|_| bad())?;
    // A part that has only dots, or becomes that, means another path: `/users/username/..`.
    let parts = path.split(['?', '#']).next().unwrap_or_default().split(['/', '\\']);
    let dots = parts
        .map(|part| part.to_ascii_lowercase().replace("%2e", "."))
        .any(|part| part == "." || part == "..");
    if dots || path.contains(|c: char| c.is_ascii_control()) {
        return Err(bad());
    }
    let inside = url.origin() == base.origin()
        && url.path().starts_with(base.path())
        && url.path().len() > base.path().len()
        && url.fragment().is_none();
    if inside { Ok(url) } else { Err(bad()) }
}

/// Escapes a text as one part of a path.
fn segment(text: &str) -> String {
    // These characters have a meaning in a path. The URL escapes the rest itself.
    text.replace('%', "%25").replace('/', "%2F").replace('?', "%3F").replace('#', "%23").replace('\\', "%5C")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_stays_below_the_api() {
        let site = "https://chat.example.com/company";
        for (path, url) in [
            ("/users/me", Some("https://chat.example.com/company/api/v4/users/me")),
            ("/users?page=1", Some("https://chat.example.com/company/api/v4/users?page=1")),
            ("/../../hooks/x", None),
            ("/%2e%2e/x", None),
            ("/users/username/..", None),
            ("/users/username/.%2E?x", None),
            ("/users/username/.. ", Some("https://chat.example.com/company/api/v4/users/username/..%20")),
            (
                "/users/username/%2e. ?x",
                Some("https://chat.example.com/company/api/v4/users/username/%2e.%20?x"),
            ),
            ("/users?term=a b", Some("https://chat.example.com/company/api/v4/users?term=a%20b")),
            ("/users/.\t./x", None),
            ("/users/username/a.b..c", Some("https://chat.example.com/company/api/v4/users/username/a.b..c")),
            ("users/me", None),
            ("/", None),
            ("", None),
            ("@evil.example/", None),
            ("/users/me#x", None),
        ] {
            assert_eq!(below_api(site, path).ok().as_ref().map(Url::as_str), url, "{path}");
        }
    }

    #[test]
    fn a_name_cannot_become_a_path() {
        let path = format!("/users/username/{}", segment("../../x?y#z"));
        let url = below_api("https://chat.example.com", &path).unwrap();
        assert_eq!(url.path(), "/api/v4/users/username/..%2F..%2Fx%3Fy%23z");
    }
}
