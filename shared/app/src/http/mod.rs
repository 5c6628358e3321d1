//! Outgoing calls (section 19): one client for all calls that leave the bundle, which checks where they go.
//!
//! The address of a site comes from an admin of another server, so it is checked twice: an IP address in the URL is checked
//! before the call, and every IP address of a host name is checked when the connection is made, so that the name cannot
//! change in between. There are no redirects and no proxies. A call is sent once; one whose connection was closed unanswered is sent
//! once more where that is safe.

pub mod address;
mod error;
mod resolve;

pub use error::Error;
pub use resolve::{Names, SystemNames};

use bytes::{Bytes, BytesMut};
use cloud_apps_protocol::host::is_this_machine;
use http::{Request, Response};
use std::{
    net::IpAddr,
    pin::Pin,
    sync::{Arc, OnceLock},
    time::{Duration, Instant},
};
use url::{Host, Url};

/// The longest answer that is read, in bytes.
pub const MAX_ANSWER: usize = 1 << 20;

/// How long it may take to connect.
pub const CONNECT: Duration = Duration::from_secs(2);

/// How long a connection is kept for the next call: less than servers keep it. Node and uvicorn close an idle connection after
/// 5 s, and a function that was frozen meanwhile does not notice that.
const IDLE: Duration = Duration::from_secs(4);

/// The header with the idempotency key of a call (section 3).
const DELIVERY: &str = "cloud-apps-delivery";

/// Which addresses may be called.
#[derive(Debug, Clone, Default)]
pub struct Policy {
    /// Networks that may be called although they are not public.
    pub allowed_networks: Vec<ipnet::IpNet>,
    /// More certificate authorities, as PEM.
    pub extra_certificates: Option<String>,
    /// Whether loopback may be called, also with `http`. This is for the bundle on a laptop.
    pub loopback: bool,
}

/// The HTTP client. It is cheap to clone. The client inside is built at the first call.
#[derive(Clone)]
pub struct Outbound(Arc<Shared>);

/// A server in this process. It gets every call, and no call leaves the process.
pub type InProcess =
    Arc<dyn Fn(Request<Bytes>) -> Pin<Box<dyn Future<Output = Response<Bytes>> + Send>> + Send + Sync>;

struct Shared {
    policy: Arc<Policy>,
    in_process: Option<InProcess>,
    names: Arc<dyn Names>,
    // It is built late, because most requests after a cold start do not need it, and reading the root certificates takes time.
    client: OnceLock<Result<reqwest::Client, String>>,
    // It makes a new connection for each call.
    unpooled: OnceLock<Result<reqwest::Client, String>>,
}

impl Outbound {
    /// A client with this policy.
    pub fn new(policy: Policy) -> Self {
        Self::with_names(policy, Arc::new(SystemNames))
    }

    /// A client with another resolver, for tests.
    pub fn with_names(policy: Policy, names: Arc<dyn Names>) -> Self {
        Self(Arc::new(Shared {
            policy: Arc::new(policy),
            in_process: None,
            names,
            client: OnceLock::new(),
            unpooled: OnceLock::new(),
        }))
    }

    /// A client whose calls do not leave the process: a Mattermost in memory answers them, for tests and for `sam local`.
    pub fn in_process(server: InProcess) -> Self {
        Self(Arc::new(Shared {
            policy: Arc::default(),
            in_process: Some(server),
            names: Arc::new(SystemNames),
            client: OnceLock::new(),
            unpooled: OnceLock::new(),
        }))
    }

    /// The policy.
    pub fn policy(&self) -> &Policy {
        &self.0.policy
    }

    /// Builds the client now. Fails if `ExtraCertificates` cannot be read.
    pub fn ready(&self) -> Result<(), Error> {
        self.client().map(|_| ())
    }

    /// Whether this URL may be called, by its scheme and host, and by its IP address if it has one. The addresses of a host name
    /// are checked when the connection is made.
    pub fn permits(&self, url: &str) -> Result<(), Error> {
        self.check(&Url::parse(url).map_err(|error| Error::Address(error.to_string()))?)
    }

    /// Makes a call and reads the whole answer, with any status. A redirect is an answer too. `limit` is for everything.
    ///
    /// If the connection is closed before anything of the answer came, the call is sent once more, on a new connection: a read,
    /// or one that has an idempotency key. Servers close idle connections, also at the moment when one is used again.
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
        let ends = Instant::now() + limit;
        let of = |error| Error::of(error, &url, limit);
        let again = if may_be_repeated(&call) { call.try_clone() } else { None };
        let mut answer = match (self.client()?.execute(call).await, again) {
            (Err(error), Some(mut again)) if error::is_unanswered(&error) => {
                *again.timeout_mut() = Some(ends.saturating_duration_since(Instant::now()));
                self.unpooled()?.execute(again).await.map_err(of)?
            }
            (answer, _) => answer.map_err(of)?,
        };
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

    /// Checks the scheme and the host, and the IP address if the URL has one.
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
        let here = is_this_machine(&host);
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
        let built = self.0.client.get_or_init(|| self.build(usize::MAX));
        built.as_ref().map_err(|problem| Error::Setup(problem.clone()))
    }

    /// A client that never uses a connection again.
    fn unpooled(&self) -> Result<&reqwest::Client, Error> {
        let built = self.0.unpooled.get_or_init(|| self.build(0));
        built.as_ref().map_err(|problem| Error::Setup(problem.clone()))
    }

    /// Builds a client that keeps at most so many idle connections to one host.
    fn build(&self, idle: usize) -> Result<reqwest::Client, String> {
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
            .pool_max_idle_per_host(idle)
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .no_proxy()
            .referer(false)
            .user_agent(concat!("cloud-apps/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|error| format!("the HTTP client cannot be built: {error:?}"))
    }
}

/// Whether a call may reach its server twice: a read, or one that its server knows again by its idempotency key.
fn may_be_repeated(call: &reqwest::Request) -> bool {
    call.method().is_safe() || call.headers().get(DELIVERY).is_some_and(|key| !key.is_empty())
}
