//! Calls to integrations, under the rules of the real server: 30 seconds in all, 3 for the connection, ten
//! redirects of which 301, 302 and 303 become a `GET`, at most 1 MiB of the answer (of clicks and
//! dialogs, in 5.37, all of it), no second try.
//! `DoCommandRequest` in `app/command.go`, `shared/httpservice`, and the client of Go.
//!
//! An integration in the same process is plugged in under a URL prefix and called without a socket. The
//! redirects are followed here, not in the client, so that both kinds obey the same rules.

use crate::addresses;
use bytes::{Bytes, BytesMut};
use flate2::read::MultiGzDecoder;
use http::header::{
    ACCEPT, ACCEPT_ENCODING, AUTHORIZATION, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, LOCATION,
    REFERER, USER_AGENT,
};
use http::{HeaderValue, Method, Request, Response, StatusCode, Uri};
use serde::Serialize;
use std::future::Future;
use std::io::Read;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use url::Url;

const CONNECT: Duration = Duration::from_secs(3);
/// `MaxIntegrationResponseSize`, in bytes.
pub(crate) const LARGEST: usize = 1024 * 1024;
const REDIRECTS: usize = 10;

type Answer = Pin<Box<dyn Future<Output = Response<Bytes>> + Send>>;
type Plugged = Arc<dyn Fn(Request<Bytes>) -> Answer + Send + Sync>;

/// The way out.
pub(crate) struct Outgoing {
    timeout: Mutex<Duration>,
    allowed: Mutex<String>,
    plugged: Mutex<Vec<(String, Plugged)>>,
    trusted: Mutex<Vec<reqwest::Certificate>>,
    client: Mutex<Option<reqwest::Client>>,
}

/// Why there is no answer. The user of a real server is never told, so the log is.
#[derive(Debug, thiserror::Error)]
pub(crate) enum OutgoingError {
    #[error("the address of the integration is not a URL: {0}")]
    Url(#[from] url::ParseError),
    #[error("the request to the integration cannot be made: {0}")]
    Request(#[from] http::Error),
    #[error("the integration cannot be reached: {0}")]
    Http(#[from] reqwest::Error),
    #[error("{0} is an address of an own network; allow it in AllowedUntrustedInternalConnections")]
    Forbidden(String),
    #[error("the integration did not answer in time")]
    Slow,
    #[error("the integration redirected more than ten times")]
    Redirects,
}

impl Outgoing {
    pub(crate) fn new() -> Outgoing {
        Outgoing {
            timeout: Mutex::new(Duration::from_secs(30)),
            allowed: Mutex::default(),
            plugged: Mutex::default(),
            trusted: Mutex::default(),
            client: Mutex::default(),
        }
    }

    pub(crate) fn set_timeout(&self, timeout: Duration) {
        *self.timeout.lock().unwrap_or_else(PoisonError::into_inner) = timeout;
    }

    pub(crate) fn timeout(&self) -> Duration {
        *self.timeout.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Which addresses of the own network are called all the same.
    pub(crate) fn allow(&self, allowed: String) {
        *self.allowed.lock().unwrap_or_else(PoisonError::into_inner) = allowed;
    }

    pub(crate) fn plug<F, A>(&self, prefix: &str, handler: F)
    where
        F: Fn(Request<Bytes>) -> A + Send + Sync + 'static,
        A: Future<Output = Response<Bytes>> + Send + 'static,
    {
        let handler: Plugged = Arc::new(move |request| Box::pin(handler(request)));
        let mut plugged = self.plugged.lock().unwrap_or_else(PoisonError::into_inner);
        plugged.retain(|(known, _)| known != prefix);
        plugged.push((prefix.to_owned(), handler));
        // The longest prefix wins.
        plugged.sort_by_key(|(prefix, _)| std::cmp::Reverse(prefix.len()));
    }

    pub(crate) fn trust(&self, pem: &str) -> Result<(), reqwest::Error> {
        let certificate = reqwest::Certificate::from_pem(pem.as_bytes())?;
        self.trusted.lock().unwrap_or_else(PoisonError::into_inner).push(certificate);
        *self.client.lock().unwrap_or_else(PoisonError::into_inner) = None;
        Ok(())
    }

    pub(crate) async fn call(&self, request: Request<Bytes>) -> Result<Response<Bytes>, OutgoingError> {
        self.call_within(request, LARGEST).await
    }

    /// The same, with at most so many bytes of the answer.
    pub(crate) async fn call_within(
        &self,
        request: Request<Bytes>,
        largest: usize,
    ) -> Result<Response<Bytes>, OutgoingError> {
        let timeout = *self.timeout.lock().unwrap_or_else(PoisonError::into_inner);
        tokio::time::timeout(timeout, self.follow(request, largest)).await.map_err(|_| OutgoingError::Slow)?
    }

    async fn follow(
        &self,
        request: Request<Bytes>,
        largest: usize,
    ) -> Result<Response<Bytes>, OutgoingError> {
        let (mut head, mut body) = request.into_parts();
        let mut at = Url::parse(&head.uri.to_string())?;
        for _ in 0..=REDIRECTS {
            head.uri = at.as_str().parse::<Uri>().map_err(http::Error::from)?;
            let request = Request::from_parts(head.clone(), body.clone());
            let answer = self.once(at.as_str(), request, largest).await?;
            let keeps = match answer.status().as_u16() {
                301..=303 => false,
                307 | 308 => true,
                _ => return Ok(answer),
            };
            let Some(next) = answer.headers().get(LOCATION).and_then(|next| next.to_str().ok()) else {
                return Ok(answer);
            };
            let next = at.join(next)?;
            if next.host_str() != at.host_str() {
                head.headers.remove(AUTHORIZATION);
            }
            // As Go does: `inbound/117-redirected.http`.
            if let Ok(from) = HeaderValue::from_str(at.as_str()) {
                head.headers.insert(REFERER, from);
            }
            if !keeps {
                head.method = Method::GET;
                head.headers.remove(CONTENT_TYPE);
                head.headers.remove(CONTENT_LENGTH);
                body = Bytes::new();
            }
            at = next;
        }
        Err(OutgoingError::Redirects)
    }

    async fn once(
        &self,
        url: &str,
        request: Request<Bytes>,
        largest: usize,
    ) -> Result<Response<Bytes>, OutgoingError> {
        let plugged = {
            let plugged = self.plugged.lock().unwrap_or_else(PoisonError::into_inner);
            plugged.iter().find(|(prefix, _)| url.starts_with(prefix)).map(|(_, handler)| handler.clone())
        };
        let mut answer = match plugged {
            Some(handler) => handler(request).await,
            None => self.send(request, largest).await?,
        };
        if answer.headers().get(CONTENT_ENCODING).is_some_and(|encoding| encoding == "gzip") {
            let mut plain = Vec::new();
            let packed = MultiGzDecoder::new(answer.body().as_ref());
            // The limit is of the unpacked text, as it is in Go; a broken stream ends where it breaks.
            let _ = packed.take(largest as u64).read_to_end(&mut plain);
            *answer.body_mut() = plain.into();
        }
        answer.body_mut().truncate(largest);
        Ok(answer)
    }

    async fn send(&self, request: Request<Bytes>, largest: usize) -> Result<Response<Bytes>, OutgoingError> {
        let host = request.uri().host().unwrap_or_default().to_owned();
        let allowed = self.allowed.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if !addresses::may_call(&host, &allowed).await {
            return Err(OutgoingError::Forbidden(host));
        }
        let client = self.client()?;
        let mut answer = client.execute(reqwest::Request::try_from(request)?).await?;
        let mut body = BytesMut::new();
        while let Some(chunk) = answer.chunk().await? {
            body.extend_from_slice(&chunk);
            if body.len() >= largest {
                body.truncate(largest);
                break;
            }
        }
        let mut response = Response::new(body.freeze());
        *response.status_mut() = StatusCode::from_u16(answer.status().as_u16()).map_err(http::Error::from)?;
        *response.headers_mut() = answer.headers().clone();
        Ok(response)
    }

    /// Made when first needed: loading the system's certificates takes a while.
    fn client(&self) -> Result<reqwest::Client, OutgoingError> {
        let mut client = self.client.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(client) = client.as_ref() {
            return Ok(client.clone());
        }
        let trusted = self.trusted.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let made = reqwest::Client::builder()
            // A proxy of the machine's is no part of the demo or of a test.
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(CONNECT)
            .tls_certs_merge(trusted)
            .build()?;
        *client = Some(made.clone());
        Ok(made)
    }
}

/// A request as the server sends it to integrations.
pub(crate) fn get(url: &str) -> Result<Request<Bytes>, http::Error> {
    common(Method::GET, url).body(Bytes::new())
}

/// The same, with a body.
pub(crate) fn post(url: &str, kind: &'static str, body: Bytes) -> Result<Request<Bytes>, http::Error> {
    common(Method::POST, url).header(CONTENT_TYPE, kind).body(body)
}

fn common(method: Method, url: &str) -> http::request::Builder {
    Request::builder()
        .method(method)
        .uri(url)
        .header(USER_AGENT, "Mattermost-Bot/1.1")
        .header(ACCEPT, "application/json")
        .header(ACCEPT_ENCODING, "gzip")
}

/// A form as Go's `url.Values.Encode` writes it: sorted by key.
pub(crate) fn go_form(mut pairs: Vec<(&str, &str)>) -> String {
    pairs.sort_by_key(|(key, _)| *key);
    let encoded = form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
    // Go leaves the tilde and escapes the star; the URL standard does the opposite.
    encoded.replace("%7E", "~").replace('*', "%2A")
}

/// JSON as Go writes it: `<`, `>` and `&` are escaped. They stand nowhere but in strings.
pub(crate) fn go_json(value: &impl Serialize) -> String {
    let text = serde_json::to_string(value).unwrap_or_default();
    text.replace('<', "\\u003c").replace('>', "\\u003e").replace('&', "\\u0026")
}
