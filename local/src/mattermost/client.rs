//! The client: it sends calls, and reads answers of a bounded length.

use super::{
    endpoint::Endpoint,
    error::CallError,
    http::{client, date},
};
use crate::{
    bounded::{self, Pages, Unread},
    certificates::Authorities,
};
use ::http::{HeaderMap, Method, StatusCode};
use cloud_apps_protocol::SiteUrl;
use secrecy::{ExposeSecret, SecretString};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;
use std::time::Duration;

/// The entries of a page. The server does not give more.
const PAGE: usize = 200;

/// One Mattermost server, with the rights of a user.
#[derive(Clone)]
pub struct Mattermost {
    http: reqwest::Client,
    site: SiteUrl,
    token: Option<SecretString>,
}

impl std::fmt::Debug for Mattermost {
    /// Without the token.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Mattermost").field("site", &self.site).finish_non_exhaustive()
    }
}

/// What a server answered.
pub(super) struct Answer {
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

impl Mattermost {
    /// A server, without a token. A call that takes longer than `timeout` fails.
    pub fn new(site: &SiteUrl, timeout: Duration, authorities: &Authorities) -> Result<Self, CallError> {
        let client = client(site.as_str(), timeout, authorities)?;
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

    /// Sends one call. `doing` says what the call is for, for the error: `make the bot`.
    pub(super) async fn send(
        &self,
        doing: &'static str,
        method: Method,
        to: &Endpoint<'_>,
        body: Option<&Value>,
    ) -> Result<Answer, CallError> {
        let Some(url) = to.url(&self.site) else {
            let why = "a name or an id in the call's address would make another call of it";
            return Err(CallError::unlike(doing, StatusCode::BAD_REQUEST, why));
        };
        let mut request = self.http.request(method, url);
        if let Some(token) = &self.token {
            request = request.bearer_auth(token.expose_secret());
        }
        if let Some(body) = body {
            request = request.json(body);
        }
        let lost = |error: reqwest::Error| CallError::lost(doing, &error);
        let response = request.send().await.map_err(lost)?;
        let (status, headers) = (response.status(), response.headers().clone());
        let bytes = bounded::read(response).await.map_err(|unread| match unread {
            Unread::TooLong => CallError::unlike(doing, status, bounded::TOO_LONG),
            Unread::Lost(error) => lost(error),
        })?;
        if matches!(status, StatusCode::OK | StatusCode::CREATED) {
            return Ok(Answer { headers, body: bytes });
        }
        Err(CallError::refused(doing, status, &headers, &bytes))
    }

    pub(super) async fn json<T: DeserializeOwned>(
        &self,
        doing: &'static str,
        method: Method,
        to: &Endpoint<'_>,
        body: Option<&Value>,
    ) -> Result<T, CallError> {
        let answer = self.send(doing, method, to, body).await?;
        answer.read(doing)
    }

    pub(super) async fn get<T: DeserializeOwned>(
        &self,
        doing: &'static str,
        to: &Endpoint<'_>,
    ) -> Result<T, CallError> {
        self.json(doing, Method::GET, to, None).await
    }

    /// `None` if the server answers 404.
    pub(super) async fn find<T: DeserializeOwned>(
        &self,
        doing: &'static str,
        to: &Endpoint<'_>,
    ) -> Result<Option<T>, CallError> {
        match self.get(doing, to).await {
            Ok(found) => Ok(Some(found)),
            Err(trouble) if trouble.status() == Some(404) => Ok(None),
            Err(trouble) => Err(trouble),
        }
    }

    pub(super) async fn post<T: DeserializeOwned>(
        &self,
        doing: &'static str,
        to: &Endpoint<'_>,
        body: &impl Serialize,
    ) -> Result<T, CallError> {
        // All keys are texts, so this never fails.
        let body = serde_json::to_value(body).unwrap_or_default();
        self.json(doing, Method::POST, to, Some(&body)).await
    }

    /// A call that deletes. If the thing does not exist any more, that is a success.
    pub(super) async fn gone(
        &self,
        doing: &'static str,
        method: Method,
        to: &Endpoint<'_>,
        body: Option<&Value>,
    ) -> Result<(), CallError> {
        match self.send(doing, method, to, body).await {
            Ok(_) => Ok(()),
            Err(trouble) if trouble.status() == Some(404) => Ok(()),
            Err(trouble) => Err(trouble),
        }
    }

    /// All pages of a list.
    pub(super) async fn pages<T: DeserializeOwned>(
        &self,
        doing: &'static str,
        to: &Endpoint<'_>,
    ) -> Result<Vec<T>, CallError> {
        let (mut all, mut pages) = (Vec::new(), Pages::new());
        loop {
            let page = to.clone().query("page", &pages.count()).query("per_page", &PAGE);
            let answer = self.send(doing, Method::GET, &page, None).await?;
            let list: Vec<T> = answer.read(doing)?;
            if list.len() > PAGE {
                let message =
                    format!("a page of the list has more than the {PAGE} entries that were asked for");
                return Err(CallError::unlike(doing, StatusCode::OK, &message));
            }
            let ended = list.len() < PAGE;
            all.extend(list);
            if ended {
                return Ok(all);
            }
            pages
                .read(answer.body.len())
                .map_err(|endless| CallError::unlike(doing, StatusCode::OK, &endless.to_string()))?;
        }
    }
}

impl Answer {
    /// The answer as JSON.
    pub fn read<T: DeserializeOwned>(&self, doing: &'static str) -> Result<T, CallError> {
        serde_json::from_slice(&self.body).map_err(|_| {
            CallError::unlike(doing, StatusCode::OK, "the answer is not what a Mattermost server sends")
        })
    }

    /// The time of the server's clock in seconds since 1970 (`Date`, RFC 9110 6.6.1).
    pub fn date(&self) -> Option<i64> {
        date(&self.headers)
    }
}
