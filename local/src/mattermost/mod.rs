//! An admin's calls to the REST API v4 of a Mattermost server, 5.37 to 11: those that an install, its upkeep and its
//! end take, and no others.
//!
//! The admin's token lives here and nowhere else: it goes to the one site that it is for, over `https` (or without
//! leaving the machine), and a redirect is not followed, because it would carry the token to somebody else. What a server
//! refuses is a [`Trouble`], and a trouble is told as a [`Finding`]: what, which setting or permission, what to do.

mod calls;
mod finding;
mod login;
mod shape;
mod trouble;

pub use finding::{Finding, Setting};
pub use login::{Login, Session};
pub use shape::{Bot, ClientConfig, Command, NewCommand, NewWebhook, OutgoingWebhook, Team, Token, User};
pub use trouble::Trouble;

use crate::bounded::{self, Pages, Unread};
use cloud_apps_protocol::{SiteUrl, text::shortened};
use http::{Method, StatusCode, header};
use secrecy::{ExposeSecret, SecretString};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;
use std::{net::IpAddr, time::Duration};

/// How long a connection may take.
const CONNECT: Duration = Duration::from_secs(10);
/// How long a call may take unless said else.
pub const TIMEOUT: Duration = Duration::from_secs(30);
/// The most that a page of a list holds; larger sizes are cut by the server.
const PAGE: usize = 200;

/// One Mattermost server, as somebody.
#[derive(Clone)]
pub struct Mattermost {
    http: reqwest::Client,
    site: SiteUrl,
    token: Option<SecretString>,
}

impl std::fmt::Debug for Mattermost {
    /// Not the token.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Mattermost").field("site", &self.site).finish_non_exhaustive()
    }
}

/// What a server answered.
struct Answer {
    headers: http::HeaderMap,
    body: Vec<u8>,
}

impl Mattermost {
    /// A server, as nobody yet. A call that takes longer than `timeout` is given up.
    pub fn new(site: &SiteUrl, timeout: Duration) -> Result<Self, Trouble> {
        let client = client(site.as_str(), timeout)?;
        Ok(Self { http: client, site: site.clone(), token: None })
    }

    /// The same server, as the owner of this token.
    #[must_use]
    pub fn with_token(&self, token: SecretString) -> Self {
        Self { token: Some(token), ..self.clone() }
    }

    /// Its address.
    pub fn site(&self) -> &SiteUrl {
        &self.site
    }

    /// Sends one call. `doing` says what it is for, in the words of who reads that it failed: `make the bot`.
    async fn send(
        &self,
        doing: &'static str,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Answer, Trouble> {
        if !stays(path) {
            let why = "a name or an id that goes into the call's address would make another call of it";
            return Err(Trouble::unlike(doing, StatusCode::BAD_REQUEST, why));
        }
        let mut request = self.http.request(method, format!("{}/api/v4{path}", self.site));
        if let Some(token) = &self.token {
            request = request.bearer_auth(token.expose_secret());
        }
        if let Some(body) = body {
            request = request.json(body);
        }
        let lost = |error: reqwest::Error| Trouble::lost(doing, &error);
        let response = request.send().await.map_err(lost)?;
        let (status, headers) = (response.status(), response.headers().clone());
        let bytes = bounded::read(response).await.map_err(|unread| match unread {
            Unread::TooLong => Trouble::unlike(doing, status, bounded::TOO_LONG),
            Unread::Lost(error) => lost(error),
        })?;
        if matches!(status, StatusCode::OK | StatusCode::CREATED) {
            return Ok(Answer { headers, body: bytes });
        }
        Err(Trouble::refused(doing, status, &headers, &bytes))
    }

    async fn json<T: DeserializeOwned>(
        &self,
        doing: &'static str,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<T, Trouble> {
        let answer = self.send(doing, method, path, body).await?;
        answer.read(doing)
    }

    async fn get<T: DeserializeOwned>(&self, doing: &'static str, path: &str) -> Result<T, Trouble> {
        self.json(doing, Method::GET, path, None).await
    }

    /// `None` where the server says 404.
    async fn find<T: DeserializeOwned>(&self, doing: &'static str, path: &str) -> Result<Option<T>, Trouble> {
        match self.get(doing, path).await {
            Ok(found) => Ok(Some(found)),
            Err(trouble) if trouble.status() == Some(404) => Ok(None),
            Err(trouble) => Err(trouble),
        }
    }

    async fn post<T: DeserializeOwned>(
        &self,
        doing: &'static str,
        path: &str,
        body: &impl Serialize,
    ) -> Result<T, Trouble> {
        // Text keys only: it always serialises.
        let body = serde_json::to_value(body).unwrap_or_default();
        self.json(doing, Method::POST, path, Some(&body)).await
    }

    /// A call that deletes; what is not there any more is deleted.
    async fn gone(
        &self,
        doing: &'static str,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<(), Trouble> {
        match self.send(doing, method, path, body).await {
            Ok(_) => Ok(()),
            Err(trouble) if trouble.status() == Some(404) => Ok(()),
            Err(trouble) => Err(trouble),
        }
    }

    /// All pages of a list. `path` has its query already, or ends in `?`.
    async fn pages<T: DeserializeOwned>(&self, doing: &'static str, path: &str) -> Result<Vec<T>, Trouble> {
        let (mut all, mut pages) = (Vec::new(), Pages::new());
        let joint = if path.contains('?') { '&' } else { '?' };
        loop {
            let path = format!("{path}{joint}page={}&per_page={PAGE}", pages.count());
            let answer = self.send(doing, Method::GET, &path, None).await?;
            let list: Vec<T> = answer.read(doing)?;
            if list.len() > PAGE {
                let message =
                    format!("a page of the list has more than the {PAGE} entries that were asked for");
                return Err(Trouble::unlike(doing, StatusCode::OK, &message));
            }
            let ended = list.len() < PAGE;
            all.extend(list);
            if ended {
                return Ok(all);
            }
            pages
                .read(answer.body.len())
                .map_err(|endless| Trouble::unlike(doing, StatusCode::OK, &endless.to_string()))?;
        }
    }
}

impl Answer {
    fn read<T: DeserializeOwned>(&self, doing: &'static str) -> Result<T, Trouble> {
        serde_json::from_slice(&self.body).map_err(|_| {
            Trouble::unlike(doing, StatusCode::OK, "the answer is not what a Mattermost server sends")
        })
    }

    /// Where the server's clock stands, in seconds since 1970 (`Date`, RFC 9110 6.6.1).
    fn date(&self) -> Option<i64> {
        date(&self.headers)
    }
}

/// Whether a call's path stays what it is when it becomes an address. Ids and names in it come from bundles, journals and
/// command lines, and `..` would make another call of it, with an admin's rights.
fn stays(path: &str) -> bool {
    let path = path.split('?').next().unwrap_or_default();
    let plain = !path.contains(|c: char| matches!(c, '\\' | '%' | '#') || c.is_ascii_control());
    plain && path.split('/').all(|segment| !matches!(segment, "." | ".."))
}

/// The `Date` of an answer, in seconds since 1970.
pub fn date(headers: &http::HeaderMap) -> Option<i64> {
    let text = headers.get(header::DATE)?.to_str().ok()?;
    jiff::fmt::rfc2822::parse(text).ok().map(|at| at.timestamp().as_second())
}

/// A client for one address: TLS by the system's certificates, no redirects, `https` only unless the address does not
/// leave the machine, and then past every proxy.
pub fn client(address: &str, timeout: Duration) -> Result<reqwest::Client, Trouble> {
    let here = loopback(address);
    if !here && !address.starts_with("https://") {
        return Err(Trouble::Insecure { address: address.to_owned() });
    }
    let builder = reqwest::Client::builder()
        .user_agent(concat!("cloud-apps/", env!("CARGO_PKG_VERSION")))
        .redirect(reqwest::redirect::Policy::none())
        .connect_timeout(CONNECT.min(timeout))
        .timeout(timeout);
    let builder = if here { builder.no_proxy() } else { builder.https_only(true) };
    builder.build().map_err(|error| Trouble::lost("make an HTTP client", &error))
}

/// Whether an address stays on this machine.
pub fn loopback(address: &str) -> bool {
    let Ok(url) = address.parse::<http::Uri>() else { return false };
    let host = url.host().unwrap_or_default().trim_start_matches('[').trim_end_matches(']');
    let named = host.eq_ignore_ascii_case("localhost") || host.to_ascii_lowercase().ends_with(".localhost");
    named || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// What somebody else wrote, as a part of a sentence: one line of at most 2,000 characters.
pub fn tame(text: &str) -> String {
    let words = text.split(|c: char| c.is_whitespace() || c.is_control()).filter(|word| !word.is_empty());
    shortened(&words.collect::<Vec<_>>().join(" "), 2_000).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_name_or_id_makes_another_call_of_a_path() {
        for id in
            ["..", ".", "../users/x", "a/../../users/x", "..\\users", ".\t.", "%2e%2e/users", "a#", ".\n./x"]
        {
            assert!(!stays(&format!("/commands/{id}")), "{id:?}");
        }
        for path in [
            "/users/username/a.b_c-d:e",
            "/commands?team_id=x&custom_only=true",
            "/bots/x?include_deleted=true",
        ] {
            assert!(stays(path), "{path}");
        }
    }
}
