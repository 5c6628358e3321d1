//! The install function: how an app comes to a Mattermost server, and what its operator does.
//!
//! Two steps make an install ([`state`] has the table): `POST /install` checks everything and makes it pending, the
//! caller registers what it is told to, `complete` runs the app's own part and makes it serve. Both are authorised by
//! an install code, both may be repeated, and either of them cut off anywhere leaves an install that is whole or
//! none. From then on it is changed and in the end removed, by its server's admin or the holder of a manage code
//! ([`access`]). Operators come by another door ([`operator`](mod@operator)).

pub(crate) mod access;
pub(crate) mod begin;
pub(crate) mod catalogue;
pub(crate) mod change;
pub mod codes;
pub(crate) mod complete;
mod lifecycle;
mod plan;
mod problems;
mod registered;
pub(crate) mod remove;
mod request;
pub mod state;
pub(crate) mod upkeep;
pub(crate) mod view;

pub use lifecycle::RequestInfo;

use crate::{
    apps::ServedApp,
    http::Refusal,
    services::Management,
    store::{
        cache::Freshness,
        model::{Install, Sha256, Sites, UnreadSite},
        ports::Stored,
    },
};
use cloud_apps_protocol::{AppId, Code, InstallId, Millis, SiteUrl};
use std::sync::Arc;

/// The app of an install, as its admin agreed to it.
pub(crate) async fn agreed<'o>(
    management: &'o Management,
    install: &Install,
    now: Millis,
) -> Result<ServedApp<'o>, Refusal> {
    management.services.apps.app_of(install, now).await?.ok_or_else(|| absent(&install.app))
}

/// What an upgrade moves installs of an app to; none where the bundle does not have the app, or cannot vouch for it.
pub(crate) async fn offered<'o>(
    management: &'o Management,
    app: &AppId,
    now: Millis,
) -> Result<Option<ServedApp<'o>>, Refusal> {
    match management.services.apps.app(app, Freshness::Reread, now).await {
        Ok(offered) => Ok(offered),
        Err(error) if error.passes() => Err(error.into()),
        Err(error) => {
            tracing::error!(app = app.as_str(), error = %error, "an app is not offered");
            Ok(None)
        }
    }
}

/// The app as new installs get it, and as the store has it now: what is made of it here stays.
pub(crate) async fn known<'o>(
    management: &'o Management,
    app: &AppId,
    now: Millis,
) -> Result<ServedApp<'o>, Refusal> {
    management.services.apps.app(app, Freshness::Reread, now).await?.ok_or_else(|| absent(app))
}

pub(crate) fn absent(app: &AppId) -> Refusal {
    let message = format!(
        "{app} is not an app of this bundle: it is neither linked into it nor registered. Deploy a bundle that links \
         it, or register it with `cloud-apps operator apps add`, then try again."
    );
    Refusal::new(Code::UpstreamFailed, message)
}

/// An install as the store has it now: what follows is a change that builds on its revision.
pub(crate) async fn stored(
    management: &Management,
    id: &InstallId,
    now: Millis,
) -> Stored<Option<Arc<Install>>> {
    management.services.installs.forget(id);
    management.services.installs.find(id, Freshness::Cached, now).await
}

/// A page of an app's installs. Each line that cannot be read is logged: whoever asks goes on with the others.
pub(crate) async fn listed(
    management: &Management,
    app: &AppId,
    limit: usize,
    cursor: Option<&str>,
) -> Stored<Sites> {
    let page = management.registry.list(app, limit, cursor).await?;
    for UnreadSite { site, why } in &page.unread {
        let app = app.as_str();
        tracing::error!(app, site, error = why, "a line of the list of an app's installs cannot be read");
    }
    Ok(page)
}

/// Somebody else is at it, until `lease` at the latest.
pub(crate) fn busy(lease: Millis, now: Millis) -> Refusal {
    let seconds = lease.saturating_sub(now).div_ceil(1_000).max(1);
    let message =
        format!("This installation is being completed by another request. Ask again in {seconds} s.");
    Refusal {
        retry_after: Some(u32::try_from(seconds).unwrap_or(u32::MAX)),
        ..Refusal::new(Code::Unavailable, message)
    }
}

/// Keeps the manifest that an install is about to agree to. That of a registered app is kept already.
pub(crate) async fn keep_manifest(management: &Management, app: &ServedApp<'_>) -> Stored<()> {
    match app {
        ServedApp::Registered(_) => Ok(()),
        ServedApp::Linked { .. } => {
            let text = Sha256::text(app.manifest());
            management.registry.put_manifest(app.id(), &Sha256::of(&text), &text).await
        }
    }
}

/// Codes, tokens and secrets travel between these two: over `https`, or without leaving the machine.
pub(crate) fn private(management: &Management, pointer: &str, address: &SiteUrl) -> Result<(), Refusal> {
    let url = url::Url::parse(address.as_str()).ok();
    let here = url.as_ref().and_then(url::Url::host).is_some_and(|host| match host {
        url::Host::Domain(name) => name == "localhost" || name.ends_with(".localhost"),
        url::Host::Ipv4(address) => address.is_loopback(),
        url::Host::Ipv6(address) => address.is_loopback(),
    });
    let local_bundle = management.services.http.policy().loopback;
    if here || local_bundle || url.is_some_and(|url| url.scheme() == "https") {
        return Ok(());
    }
    let message =
        format!("{address} does not begin with https, and secrets would travel in clear. Use https.");
    Err(Refusal::bad_request(pointer, message))
}
