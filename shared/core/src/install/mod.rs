//! The install function: how an app comes to a Mattermost server, and what its operator does.
//!
//! Two steps make an install ([`state`] has the table): `POST /install` checks everything and makes it pending, the
//! caller registers what it is told to, `complete` runs the app's own part and makes it serve. Both are authorised by
//! an install code, both may be repeated, and either of them cut off anywhere leaves an install that is whole or
//! none. From then on it is changed and in the end removed, by its server's admin or the holder of a manage code
//! ([`access`]). Operators come by another door ([`operator`](mod@operator)).

mod access;
mod apps;
mod begin;
mod change;
pub mod codes;
mod complete;
mod letters;
mod lifecycle;
pub mod operator;
mod plan;
mod problems;
mod registered;
mod remove;
mod request;
mod rings;
pub mod state;
pub mod upkeep;
mod view;

pub use lifecycle::Moment;
pub use operator::{OperatorAnswer, OperatorRequest, is_operator, operator};
pub use view::etag;
pub(crate) use view::tag;

use self::{access::Found, change::Match};
use crate::{
    authenticate::{self, jwt},
    cache::Freshness,
    command::{no_route, upstream},
    edge::{Arrival, Route},
    log::LogLine,
    model::{Install, Sites, UnreadSite},
    ports::Stored,
    refusal::Refusal,
    respond::Responder,
    upstream::Known,
    world::{Office, World},
};
use bytes::Bytes;
use cloud_apps_protocol::{
    AppId, Code, InstallId, Millis, PROTOCOL,
    install::{InstallChanged, InstallRemoved},
    token::Credential,
};
use http::{HeaderValue, Method, Response, StatusCode, header};
use serde_json::json;
use std::sync::Arc;
use zeroize::Zeroizing;

/// The header by which a server learns that it must fetch the install again (section 18).
const MANIFEST: &str = "cloud-apps-manifest";

/// Answers one request.
pub async fn handle(office: &Office, arrival: Arrival) -> Response<Bytes> {
    let mut line = LogLine::new(&arrival);
    let result = route(office, &arrival, &mut line).await;
    line.close(&Responder::new(&arrival), result)
}

async fn route(office: &Office, arrival: &Arrival, line: &mut LogLine) -> Result<Response<Bytes>, Refusal> {
    arrival.check()?;
    let responder = Responder::new(arrival);
    match &arrival.route {
        Route::Index => {
            let index = json!({ "protocol": [PROTOCOL], "bundle": env!("CARGO_PKG_VERSION") });
            Ok(responder.json(StatusCode::OK, &index))
        }
        Route::Install => {
            let created = begin::begin(office, arrival, line).await?;
            Ok(unstored(responder.json(StatusCode::CREATED, &created)))
        }
        Route::Complete { install } => {
            let completed = complete::complete(office, arrival, install, line).await?;
            Ok(unstored(responder.json(StatusCode::OK, &completed)))
        }
        Route::Installed { install } if *arrival.request.method() == Method::GET => {
            show(office, arrival, install, line).await
        }
        Route::Installed { install } if *arrival.request.method() == Method::DELETE => {
            let removed = remove(office, arrival, install, line).await?;
            Ok(responder.json(StatusCode::OK, &removed))
        }
        Route::Installed { install } => {
            let changed = change(office, arrival, install, line).await?;
            Ok(unstored(responder.json(StatusCode::OK, &changed)))
        }
        Route::Subscription { .. } => Err(upstream(arrival)),
        Route::Apps => {
            let apps = apps::catalogue(office, arrival, line).await?;
            Ok(responder.json(StatusCode::OK, &json!({ "apps": apps })))
        }
        Route::Connect { .. } | Route::Callback { .. } => {
            Err(Refusal::not_served("Accounts of users elsewhere are", "Nothing was connected."))
        }
        _ => Err(no_route()),
    }
}

/// Says in a header which manifest and install an answer comes from. Without a read; nothing where the app is not in
/// memory.
pub fn name_manifest(world: &World, install: &Install, response: &mut Response<Bytes>) {
    if let Some(etag) = world.etag(install).and_then(|etag| HeaderValue::try_from(etag).ok()) {
        response.headers_mut().insert(MANIFEST, etag);
    }
}

/// `PATCH /install/{install}`.
async fn change(
    office: &Office,
    arrival: &Arrival,
    install: &str,
    line: &mut LogLine,
) -> Result<InstallChanged, Refusal> {
    let moment = Moment::of(arrival);
    match access::admin(office, arrival, install, line).await? {
        Found::Gone(_) => Err(Refusal::unauthorized()),
        // The body is read now and not before: a stranger is answered alike whatever he sends. A server's token is spent
        // although its body cannot be read, because the token is good for these very bytes and no others.
        Found::Stands(install, by) => {
            let if_match = Match::Header(arrival.header(header::IF_MATCH));
            change::change(office, moment, (install, by), if_match, &arrival.json()?, line).await
        }
        Found::Replaced(install) => {
            let body = arrival.json().map_err(|_| Refusal::unauthorized())?;
            change::repeat(office, moment, install, &body, line).await
        }
    }
}

/// `DELETE /install/{install}`.
async fn remove(
    office: &Office,
    arrival: &Arrival,
    install: &str,
    line: &mut LogLine,
) -> Result<InstallRemoved, Refusal> {
    match access::admin(office, arrival, install, line).await? {
        Found::Gone(removed) => Ok(removed),
        Found::Replaced(_) => Err(Refusal::unauthorized()),
        Found::Stands(install, _) => {
            if let Some(tags) = arrival.header(header::IF_MATCH) {
                let offered = offered(office, &install.app, arrival.now).await?;
                Match::Header(Some(tags)).check(&install, offered.as_ref())?;
            }
            remove::remove(office, Moment::of(arrival), install, true, line).await
        }
    }
}

/// `GET /install/{install}`.
async fn show(
    office: &Office,
    arrival: &Arrival,
    install: &str,
    line: &mut LogLine,
) -> Result<Response<Bytes>, Refusal> {
    let install = reader(office, arrival, install, line).await?;
    let app = agreed(office, &install, arrival.now).await?;
    let offered = offered(office, &install.app, arrival.now).await?;
    let etag = tag(&offered.as_ref().unwrap_or(&app).sha256(), &install);
    let known = arrival.header(header::IF_NONE_MATCH).is_some_and(|tags| view::matches(tags, &etag));
    let mut response = if known {
        let mut response = Response::new(Bytes::new());
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        if let Ok(id) = HeaderValue::from_str(&arrival.request_id) {
            response.headers_mut().insert("x-request-id", id);
        }
        response
    } else {
        let teams = office.registry.teams(&install.id).await?;
        let view = view::view(Ok(app.manifest()), offered.as_ref(), &install, &teams);
        Responder::new(arrival).json(StatusCode::OK, &view)
    };
    if let Ok(etag) = HeaderValue::from_str(&etag) {
        response.headers_mut().insert(header::ETAG, etag);
    }
    name_manifest(&office.world, &install, &mut response);
    Ok(response)
}

/// The install of the path, for its server or the holder of a manage code.
async fn reader(
    office: &Office,
    arrival: &Arrival,
    install: &str,
    line: &mut LogLine,
) -> Result<Arc<Install>, Refusal> {
    match authenticate::credential(arrival)? {
        Credential::Opaque(code) => {
            match access::holder(office, arrival, install, &Zeroizing::new(code), line).await? {
                Found::Stands(install, _) => Ok(install),
                Found::Replaced(_) | Found::Gone(_) => Err(Refusal::unauthorized()),
            }
        }
        Credential::Jwt(token) => {
            let verified = jwt::verify(&office.world, arrival, &token, line).await?;
            if verified.kid.install.as_str() != install {
                return Err(Refusal::unauthorized());
            }
            verified.complete_install(&office.world, arrival.now).await
        }
    }
}

/// The app of an install, as its admin agreed to it.
async fn agreed<'o>(office: &'o Office, install: &Install, now: Millis) -> Result<Known<'o>, Refusal> {
    office.world.app_of(install, now).await?.ok_or_else(|| absent(&install.app))
}

/// What an upgrade moves installs of an app to; none where the bundle does not have the app, or cannot vouch for it.
async fn offered<'o>(office: &'o Office, app: &AppId, now: Millis) -> Result<Option<Known<'o>>, Refusal> {
    match office.world.app(app, Freshness::Reread, now).await {
        Ok(offered) => Ok(offered),
        Err(error) if error.passes() => Err(error.into()),
        Err(error) => {
            tracing::error!(app = app.as_str(), error = %error, "an app is not offered");
            Ok(None)
        }
    }
}

/// The app as new installs get it, and as the store has it now: what is made of it here stays.
async fn known<'o>(office: &'o Office, app: &AppId, now: Millis) -> Result<Known<'o>, Refusal> {
    office.world.app(app, Freshness::Reread, now).await?.ok_or_else(|| absent(app))
}

fn absent(app: &AppId) -> Refusal {
    let message = format!(
        "{app} is not an app of this bundle: it is neither linked into it nor registered. Deploy a bundle that links \
         it, or register it with `cloud-apps app add`, then try again."
    );
    Refusal::new(Code::UpstreamFailed, message)
}

/// An install as the store has it now: what follows is a change that builds on its revision.
async fn stored(office: &Office, id: &InstallId, now: Millis) -> Stored<Option<Arc<Install>>> {
    office.world.installs.forget(id);
    office.world.installs.find(id, Freshness::Cached, now).await
}

/// A page of an app's installs. Each line that cannot be read is logged: whoever asks goes on with the others.
async fn listed(office: &Office, app: &AppId, limit: usize, cursor: Option<&str>) -> Stored<Sites> {
    let page = office.registry.list(app, limit, cursor).await?;
    for UnreadSite { site, why } in &page.unread {
        let app = app.as_str();
        tracing::error!(app, site, error = why, "a line of the list of an app's installs cannot be read");
    }
    Ok(page)
}

/// Somebody else is at it, until `lease` at the latest.
fn busy(lease: Millis, now: Millis) -> Refusal {
    let seconds = lease.saturating_sub(now).div_ceil(1_000).max(1);
    let message =
        format!("This installation is being completed by another request. Ask again in {seconds} s.");
    Refusal {
        retry_after: Some(u32::try_from(seconds).unwrap_or(u32::MAX)),
        ..Refusal::new(Code::Unavailable, message)
    }
}

/// What holds secrets stays in no cache on the way.
fn unstored(mut response: Response<Bytes>) -> Response<Bytes> {
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
