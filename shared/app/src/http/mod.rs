//! Outbound calls (section 19): one guarded client for everything that leaves the bundle.
//!
//! A site's address comes from an admin of a foreign server, so where a call goes is checked twice: an address in the
//! URL before the call, and every address of a name at the moment of connecting, so that a name cannot point
//! elsewhere between check and use. There are no redirects, no proxies and no retries.

pub mod address;
mod error;
mod resolve;

pub use error::Error;
pub use resolve::{Names, SystemNames};

use bytes::{Bytes, BytesMut};
use http::{Request, Response};
use std::{
    net::IpAddr,
    pin::Pin,
    sync::{Arc, OnceLock},
    time::Duration,
};
use url::{Host, Url};

/// The longest answer that is read, in bytes.
pub const MAX_ANSWER: usize = 1 << 20;

/// How long a connection may take to come about.
pub const CONNECT: Duration = Duration::from_secs(2);

/// How long a connection is kept for the next call. Servers and load balancers close idle ones after 60 s or more, and
/// a function that was frozen meanwhile does not notice.
const IDLE: Duration = Duration::from_secs(45);

/// What may be reached.
#[derive(Debug, Clone, Default)]
pub struct Policy {
    /// Networks that may be reached although they are not public.
    pub allowed_networks: Vec<ipnet::IpNet>,
    /// PEM of further certificate authorities.
    pub extra_certificates: Option<String>,
    /// Loopback, also by `http`: for the bundle on a laptop.
    pub loopback: bool,
}

/// The guarded HTTP client. Cheap to clone; the client inside is built at the first call.
#[derive(Clone)]
pub struct Outbound(Arc<Shared>);

/// A server in this process: it gets every call, and none leaves.
pub type InProcess =
    Arc<dyn Fn(Request<Bytes>) -> Pin<Box<dyn Future<Output = Response<Bytes>> + Send>> + Send + Sync>;

struct Shared {
    policy: Arc<Policy>,
    in_process: Option<InProcess>,
    names: Arc<dyn Names>,
    // Built late: reading the roots is a part of a cold start that most requests do not need.
    client: OnceLock<Result<reqwest::Client, String>>,
}

impl Outbound {
    /// A client under this policy.
    pub fn new(policy: Policy) -> Self {
        Self::with_names(policy, Arc::new(SystemNames))
    }

    /// A client that looks names up elsewhere, for tests.
    pub fn with_names(policy: Policy, names: Arc<dyn Names>) -> Self {
        Self(Arc::new(Shared { policy: Arc::new(policy), in_process: None, names, client: OnceLock::new() }))
    }

    /// Calls that do not leave the process: a Mattermost in memory, for tests and for `sam local`.
    pub fn in_process(server: InProcess) -> Self {
        Self(Arc::new(Shared {
            policy: Arc::default(),
            in_process: Some(server),
            names: Arc::new(SystemNames),
            client: OnceLock::new(),
        }))
    }

    /// The policy.
    pub fn policy(&self) -> &Policy {
        &self.0.policy
    }

    /// Builds the client now: an error where `ExtraCertificates` cannot be read.
    pub fn ready(&self) -> Result<(), Error> {
        self.client().map(|_| ())
    }

    /// Whether this address may be called, as far as it says itself: scheme, host and, where it is one, the address. What
    /// a name leads to is checked when it is connected to.
    pub fn permits(&self, url: &str) -> Result<(), Error> {
        self.check(&Url::parse(url).map_err(|error| Error::Address(error.to_string()))?)
    }

    /// Makes a call and reads the whole answer, whatever its status; a redirect is an answer. `limit` is for all of it.
    pub async fn send(&self, request: Request<Bytes>, limit: Duration) -> Result<Response<Bytes>, Error> {
        if let Some(server) = &self.0.in_process {
            return Ok(server(request).await);
        }
        let url =
            Url::parse(&request.uri().to_string()).map_err(|error| Error::Address(error.to_string()))?;
        self.check(&url)?;
        let mut call = reqwest::Request::try_from(request)
            .map_err(|error| Error::Address(error.without_url().to_string()))?;
        *call.timeout_mut() = Some(limit);
        let of = |error| Error::of(error, &url, limit);
        let mut answer = self.client()?.execute(call).await.map_err(of)?;
        let too_large = || Error::TooLarge { origin: error::origin(&url) };
        if answer.content_length().is_some_and(|length| length > MAX_ANSWER as u64) {
            return Err(too_large());
        }
        let mut body = BytesMut::new();
        while let Some(chunk) = answer.chunk().await.map_err(of)? {
            if body.len() + chunk.len() > MAX_ANSWER {
                return Err(too_large());
            }
            body.extend_from_slice(&chunk);
        }
        let mut whole = Response::new(body.freeze());
        *whole.status_mut() = answer.status();
        *whole.headers_mut() = std::mem::take(answer.headers_mut());
        Ok(whole)
    }

    /// Scheme, host and, where the URL has one, the address.
    fn check(&self, url: &Url) -> Result<(), Error> {
        let policy = &self.0.policy;
        let host = url.host().ok_or_else(|| Error::Address("it has no host".to_owned()))?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err(Error::Address("it has a user in it".to_owned()));
        }
        let literal = match host {
            Host::Ipv4(address) => Some(IpAddr::V4(address)),
            Host::Ipv6(address) => Some(IpAddr::V6(address)),
            Host::Domain(_) => None,
        };
        let here = literal.map_or_else(|| resolve::is_this_machine(&host.to_string()), |a| a.is_loopback());
        if url.scheme() != "https" && !(url.scheme() == "http" && policy.loopback && here) {
            return Err(Error::Scheme { origin: error::origin(url) });
        }
        match literal {
            Some(address) => address::permitted(address, &policy.allowed_networks, policy.loopback)
                .map_err(|class| Error::Refused { host: host.to_string(), address, class }),
            None => Ok(()),
        }
    }

    fn client(&self) -> Result<&reqwest::Client, Error> {
        let built = self.0.client.get_or_init(|| self.build());
        built.as_ref().map_err(|problem| Error::Setup(problem.clone()))
    }

    fn build(&self) -> Result<reqwest::Client, String> {
        let mut roots = Vec::with_capacity(webpki_root_certs::TLS_SERVER_ROOT_CERTS.len());
        for root in webpki_root_certs::TLS_SERVER_ROOT_CERTS {
            roots.push(reqwest::Certificate::from_der(root).map_err(|error| error.to_string())?);
        }
        if let Some(pem) = &self.0.policy.extra_certificates {
            let unreadable =
                "ExtraCertificates holds no certificate that can be read: give it PEM, with its lines";
            let extra = reqwest::Certificate::from_pem_bundle(pem.as_bytes()).map_err(|_| unreadable)?;
            if extra.is_empty() {
                return Err(unreadable.to_owned());
            }
            roots.extend(extra);
        }
        let resolver =
            resolve::Guarded { policy: Arc::clone(&self.0.policy), names: Arc::clone(&self.0.names) };
        reqwest::Client::builder()
            .tls_certs_only(roots)
            .dns_resolver(resolver)
            .connect_timeout(CONNECT)
            .pool_idle_timeout(IDLE)
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .no_proxy()
            .referer(false)
            .user_agent(concat!("cloud-apps/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|error| format!("the HTTP client cannot be built: {error:?}"))
    }
}
