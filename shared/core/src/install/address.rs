//! Addresses between which codes, tokens and secrets travel.

use crate::{http::Refusal, services::Management};
use cloud_apps_protocol::{SiteUrl, host::is_this_machine};

/// Refuses an address to which secrets would travel unencrypted: one without `https`, unless it is on this machine.
pub(crate) fn private(management: &Management, pointer: &str, address: &SiteUrl) -> Result<(), Refusal> {
    let url = url::Url::parse(address.as_str()).ok();
    let here = url.as_ref().and_then(url::Url::host).is_some_and(|host| is_this_machine(&host));
    let local_bundle = management.services.http.policy().loopback;
    if here || local_bundle || url.is_some_and(|url| url.scheme() == "https") {
        return Ok(());
    }
    let message =
        format!("{address} does not begin with https, and secrets would travel in clear. Use https.");
    Err(Refusal::bad_request(pointer, message))
}
