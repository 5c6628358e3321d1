//! HTTP clients, for Mattermost servers and for bundles.

use super::error::CallError;
use crate::certificates::{Authorities, client_config};
use ::http::{HeaderMap, header};
use cloud_apps_protocol::host::is_this_machine;
use std::time::Duration;
use url::Url;

/// How long a connection may take.
const CONNECT: Duration = Duration::from_secs(10);
/// How long a call may take, unless something else is given.
pub const TIMEOUT: Duration = Duration::from_secs(30);

/// A client for one address: TLS that trusts the system's authorities and the given ones, no redirects. Only `https`, unless the
/// address is on this machine; then no proxy is used.
pub fn client(
    address: &str,
    timeout: Duration,
    authorities: &Authorities,
) -> Result<reqwest::Client, CallError> {
    let here = loopback(address);
    if !here && !address.starts_with("https://") {
        return Err(CallError::Insecure { address: address.to_owned() });
    }
    let tls = client_config(authorities).map_err(|_| CallError::no_authorities())?;
    let builder = reqwest::Client::builder()
        .tls_backend_preconfigured(tls)
        .user_agent(concat!("cloud-apps/", env!("CARGO_PKG_VERSION")))
        .redirect(reqwest::redirect::Policy::none())
        .connect_timeout(CONNECT.min(timeout))
        .timeout(timeout);
    let builder = if here { builder.no_proxy() } else { builder.https_only(true) };
    builder.build().map_err(|error| CallError::lost("make an HTTP client", &error))
}

/// Whether an address is on this machine. No name is looked up.
pub fn loopback(address: &str) -> bool {
    Url::parse(address).is_ok_and(|url| url.host().is_some_and(|host| is_this_machine(&host)))
}

/// The `Date` of an answer, in seconds since 1970.
pub fn date(headers: &HeaderMap) -> Option<i64> {
    let text = headers.get(header::DATE)?.to_str().ok()?;
    jiff::fmt::rfc2822::parse(text).ok().map(|at| at.timestamp().as_second())
}
