//! Why a call got no answer. An error names the site only, because a path may have the id of a hook, which is a
//! credential.

use super::{MAX_ANSWER, address::Class};
use std::{error::Error as StdError, io, net::IpAddr, time::Duration};

type Source = Box<dyn StdError + Send + Sync>;

/// Why a call got no answer, and what the operator can do.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The address does not have `https`; in the local bundle, `http` to loopback is allowed too.
    #[error(
        "{origin} is not called: only https is, and in the local bundle http to this machine; change the site's address"
    )]
    Scheme {
        /// The site.
        origin: String,
    },
    /// The address cannot be called, because it has no host or has a user.
    #[error("this is no address that can be called: {0}")]
    Address(String),
    /// The address is not public, and the operator did not list it.
    #[error("{host} is not called: {address} is {class}; if it is yours, add its network to AllowedNetworks")]
    Refused {
        /// The host.
        host: String,
        /// Its address.
        address: IpAddr,
        /// Why.
        class: Class,
    },
    /// The name has no address.
    #[error("{host} was not found: check the site's address, and that the bundle can resolve it")]
    NotFound {
        /// The host.
        host: String,
        #[source]
        /// What the resolver said.
        source: Source,
    },
    /// Nobody answers there.
    #[error(
        "{origin} cannot be connected to: check that it is up, and that the bundle's network leads there"
    )]
    Connect {
        /// The site.
        origin: String,
        #[source]
        /// What the network said.
        source: Source,
    },
    /// The server's certificate is not valid.
    #[error("the certificate of {origin} is not trusted: {reason}")]
    Certificate {
        /// The site.
        origin: String,
        /// Why, and what to do.
        reason: String,
    },
    /// It took too long.
    #[error("{origin} did not answer within {} ms", .limit.as_millis())]
    Timeout {
        /// The site.
        origin: String,
        /// How much time it had.
        limit: Duration,
    },
    /// The answer is too long.
    #[error("{origin} answered more than {} KiB, which is not read", MAX_ANSWER / 1024)]
    TooLarge {
        /// The site.
        origin: String,
    },
    /// The connection was interrupted.
    #[error("the call of {origin} broke off")]
    Broken {
        /// The site.
        origin: String,
        #[source]
        /// What the network said.
        source: Source,
    },
    /// The client cannot be built.
    #[error("no call can be made: {0}")]
    Setup(String),
}

/// Refused by the resolver: every address of a host.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{address} is {class}")]
pub(super) struct RefusedAddress {
    pub address: IpAddr,
    pub class: Class,
}

/// A name without addresses.
#[derive(Debug, thiserror::Error)]
#[error("no address")]
pub(super) struct NoAddress(#[source] pub Option<std::io::Error>);

impl Error {
    /// Whether the server may have read the whole request.
    pub fn is_doubtful(&self) -> bool {
        match self {
            // A shorter time is the one for connecting.
            Self::Timeout { limit, .. } => *limit != super::CONNECT,
            Self::TooLarge { .. } | Self::Broken { .. } => true,
            Self::Scheme { .. }
            | Self::Address(_)
            | Self::Refused { .. }
            | Self::NotFound { .. }
            | Self::Connect { .. }
            | Self::Certificate { .. }
            | Self::Setup(_) => false,
        }
    }

    /// The error for an error of reqwest.
    pub(super) fn of(error: reqwest::Error, url: &url::Url, limit: Duration) -> Self {
        let origin = origin(url);
        let host = url.host_str().unwrap_or_default().to_owned();
        // The whole URL must not be logged.
        let error = error.without_url();
        if let Some(RefusedAddress { address, class }) = cause::<RefusedAddress>(&error) {
            return Self::Refused { host, address: *address, class: *class };
        }
        if cause::<NoAddress>(&error).is_some() {
            return Self::NotFound { host, source: error.into() };
        }
        if let Some(reason) = cause::<rustls::Error>(&error) {
            return Self::Certificate { origin, reason: untrusted(reason) };
        }
        if error.is_timeout() {
            let limit = if error.is_connect() { limit.min(super::CONNECT) } else { limit };
            return Self::Timeout { origin, limit };
        }
        if error.is_connect() {
            return Self::Connect { origin, source: error.into() };
        }
        Self::Broken { origin, source: error.into() }
    }
}

/// Why a certificate is not trusted, and what to do.
fn untrusted(error: &rustls::Error) -> String {
    use rustls::CertificateError as Fault;
    match error {
        rustls::Error::InvalidCertificate(Fault::UnknownIssuer) => {
            "its authority is unknown. If it is a private one, give the bundle that authority's certificate as PEM: the \
             parameter ExtraCertificates of the stack, or --ca of `cloud-apps`"
        }
        rustls::Error::InvalidCertificate(Fault::Expired | Fault::ExpiredContext { .. }) => {
            "it has expired. The admin of that server renews it"
        }
        rustls::Error::InvalidCertificate(Fault::NotValidForName | Fault::NotValidForNameContext { .. }) => {
            "it is for other names than this one. Check the address"
        }
        other => return other.to_string(),
    }
    .to_owned()
}

/// Whether a connection was closed before anything of the answer came: the server may have closed it while it was idle, and
/// did not read the request then.
pub(super) fn is_unanswered(error: &reqwest::Error) -> bool {
    let closed = cause::<hyper::Error>(error)
        .is_some_and(|error| error.is_incomplete_message() || error.is_canceled());
    let reset = cause::<io::Error>(error).is_some_and(|error| {
        use io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, UnexpectedEof};
        matches!(error.kind(), BrokenPipe | ConnectionAborted | ConnectionReset | UnexpectedEof)
    });
    !error.is_connect() && !error.is_timeout() && (closed || reset)
}

/// Scheme, host and port.
pub(super) fn origin(url: &url::Url) -> String {
    url.origin().ascii_serialization()
}

/// The first error of this type in the chain, also inside an `io::Error`.
fn cause<'e, E: StdError + 'static>(error: &'e (dyn StdError + 'static)) -> Option<&'e E> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref::<E>() {
            return Some(found);
        }
        let wrapped = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        if let Some(wrapped) = wrapped {
            return cause::<E>(wrapped);
        }
        next = error.source();
    }
    None
}
