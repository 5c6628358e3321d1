//! Calls to integrations, with the limits of the real server: 30 seconds in all, 3 seconds for the connection, ten
//! redirects (after 301, 302 and 303 the method becomes `GET`), at most 1 MiB of the answer (in 5.37 a click or
//! dialog can have an answer of any size), and no second try. Source: `DoCommandRequest` in `app/command.go`,
//! `shared/httpservice`, and Go's HTTP client.
//!
//! An integration in the same process can be plugged in under a URL prefix; it is then called without a socket. The
//! redirects are followed here and not by the HTTP client, so that the same limits hold for both kinds.

mod action;
mod addresses;
mod deliveries;
mod request;

pub(crate) use deliveries::Deliveries;
pub(crate) use request::{get, post};

use bytes::{Bytes, BytesMut};
use flate2::read::MultiGzDecoder;
use http::header::{AUTHORIZATION, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, LOCATION, REFERER};
use http::{HeaderValue, Method, Request, Response, StatusCode, Uri};
use std::future::Future;
use std::io::Read;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use url::Url;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
/// `MaxIntegrationResponseSize`, in bytes.
pub(crate) const LARGEST_ANSWER: usize = 1024 * 1024;
const MOST_REDIRECTS: usize = 10;

type FutureAnswer = Pin<Box<dyn Future<Output = Response<Bytes>> + Send>>;
type Handler = Arc<dyn Fn(Request<Bytes>) -> FutureAnswer + Send + Sync>;

/// The HTTP client for integrations.
pub(crate) struct Outbound {
    timeout: Mutex<Duration>,
    allowed: Mutex<String>,
    plugged: Mutex<Vec<(String, Handler)>>,
    trusted: Mutex<Vec<reqwest::Certificate>>,
    client: Mutex<Option<reqwest::Client>>,
}

/// Why there is no answer. A real server does not tell its user, so the stand-in writes it to the log.
#[derive(Debug, thiserror::Error)]
pub(crate) enum OutboundError {
    #[error("the address of the integration is not a URL: {0}")]
    Url(#[from] url::ParseError),
    #[error("the request to the integration cannot be made: {0}")]
    Request(#[from] http::Error),
    #[error("the integration cannot be reached: {0}")]
    Http(#[from] reqwest::Error),
    #[error("{0} is in the server's own network; allow it in AllowedUntrustedInternalConnections")]
    Forbidden(String),
    #[error("the integration did not answer in time")]
    Slow,
    #[error("the integration redirected more than ten times")]
    Redirects,
}

impl Outbound {
    pub(crate) fn new() -> Outbound {
        Outbound {
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

    /// Sets which addresses of the server's own network are called nevertheless.
    pub(crate) fn allow(&self, allowed: String) {
        *self.allowed.lock().unwrap_or_else(PoisonError::into_inner) = allowed;
    }

    pub(crate) fn plug<F, A>(&self, prefix: &str, handler: F)
    where
        F: Fn(Request<Bytes>) -> A + Send + Sync + 'static,
        A: Future<Output = Response<Bytes>> + Send + 'static,
    {
        let handler: Handler = Arc::new(move |request| Box::pin(handler(request)));
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

    /// Calls an integration, and reads at most [`LARGEST_ANSWER`] bytes of the answer.
    pub(crate) async fn call(&self, request: Request<Bytes>) -> Result<Response<Bytes>, OutboundError> {
        self.call_within(request, LARGEST_ANSWER).await
    }

    /// Calls an integration, and reads at most so many bytes of the answer.
    pub(crate) async fn call_within(
        &self,
        request: Request<Bytes>,
        largest: usize,
    ) -> Result<Response<Bytes>, OutboundError> {
        let timeout = *self.timeout.lock().unwrap_or_else(PoisonError::into_inner);
        tokio::time::timeout(timeout, self.follow(request, largest)).await.map_err(|_| OutboundError::Slow)?
    }

    async fn follow(
        &self,
        request: Request<Bytes>,
        largest: usize,
    ) -> Result<Response<Bytes>, OutboundError> {
        let (mut head, mut body) = request.into_parts();
        let mut at = Url::parse(&head.uri.to_string())?;
        for _ in 0..=MOST_REDIRECTS {
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
            // Go does this too: `inbound/117-redirected.http`.
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
        Err(OutboundError::Redirects)
    }

    async fn once(
        &self,
        url: &str,
        request: Request<Bytes>,
        largest: usize,
    ) -> Result<Response<Bytes>, OutboundError> {
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
            // As in Go, the limit holds for the unpacked text, and a broken stream is read until it breaks.
            let _ = packed.take(largest as u64).read_to_end(&mut plain);
            *answer.body_mut() = plain.into();
        }
        answer.body_mut().truncate(largest);
        Ok(answer)
    }

    async fn send(&self, request: Request<Bytes>, largest: usize) -> Result<Response<Bytes>, OutboundError> {
        let host = request.uri().host().unwrap_or_default().to_owned();
        let allowed = self.allowed.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if !addresses::may_call(&host, &allowed).await {
            return Err(OutboundError::Forbidden(host));
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

    /// The client is built at the first call, because loading the system's certificates takes a while.
    fn client(&self) -> Result<reqwest::Client, OutboundError> {
        let mut client = self.client.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(client) = client.as_ref() {
            return Ok(client.clone());
        }
        let trusted = self.trusted.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let made = reqwest::Client::builder()
            // A demo or a test must not depend on the proxy of the machine.
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(CONNECT_TIMEOUT)
            .tls_certs_merge(trusted)
            .build()?;
        *client = Some(made.clone());
        Ok(made)
    }
}
