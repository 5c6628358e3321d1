//! The install function: installs an app on a Mattermost server, changes the install, and removes it.

use crate::{
    authenticate::{self, jwt},
    http::{Arrival, LogLine, Refusal, Responder, Route, etag},
    install::{
        RequestInfo,
        access::{self, Found},
        apps, begin, catalogue,
        change::{self, Match},
        complete, remove, view,
    },
    not_served::NotServed,
    services::Management,
    store::model::Install,
};
use bytes::Bytes;
use cloud_apps_protocol::{
    PROTOCOL,
    install::{InstallChanged, InstallRemoved},
    token::Credential,
};
use http::{HeaderValue, Method, Response, StatusCode, header};
use serde_json::json;
use std::sync::Arc;
use zeroize::Zeroizing;

/// Answers one request.
pub async fn handle(management: &Management, arrival: Arrival) -> Response<Bytes> {
    let mut line = LogLine::new(&arrival);
    // Boxed, because it holds whole installs while it runs, and each caller's future would hold them in turn.
    let result = Box::pin(route(management, &arrival, &mut line)).await;
    line.close(&Responder::new(&arrival), result)
}

async fn route(
    management: &Management,
    arrival: &Arrival,
    line: &mut LogLine,
) -> Result<Response<Bytes>, Refusal> {
    arrival.check()?;
    let responder = Responder::new(arrival);
    match &arrival.route {
        Route::Index => {
            let index = json!({ "protocol": [PROTOCOL], "bundle": env!("CARGO_PKG_VERSION") });
            Ok(responder.json(StatusCode::OK, &index))
        }
        Route::Install => {
            let created = begin::begin(management, arrival, line).await?;
            Ok(unstored(responder.json(StatusCode::CREATED, &created)))
        }
        Route::Complete { install } => {
            let completed = complete::complete(management, arrival, install, line).await?;
            Ok(unstored(responder.json(StatusCode::OK, &completed)))
        }
        Route::Installed { install } if *arrival.request.method() == Method::GET => {
            show(management, arrival, install, line).await
        }
        Route::Installed { install } if *arrival.request.method() == Method::DELETE => {
            let removed = remove(management, arrival, install, line).await?;
            Ok(responder.json(StatusCode::OK, &removed))
        }
        Route::Installed { install } => {
            let changed = change(management, arrival, install, line).await?;
            Ok(unstored(responder.json(StatusCode::OK, &changed)))
        }
        Route::Subscription { .. } => Err(authenticate::refuse_app(arrival)),
        Route::Apps => {
            let apps = catalogue::catalogue(management, arrival, line).await?;
            Ok(responder.json(StatusCode::OK, &json!({ "apps": apps })))
        }
        Route::Connect { .. } | Route::Callback { .. } => {
            Err(NotServed::Accounts.refusal("Nothing was connected."))
        }
        _ => Err(Refusal::no_route()),
    }
}

/// `PATCH /install/{install}`.
async fn change(
    management: &Management,
    arrival: &Arrival,
    install: &str,
    line: &mut LogLine,
) -> Result<InstallChanged, Refusal> {
    let request_info = RequestInfo::of(arrival);
    match access::admin(management, arrival, install, line).await? {
        Found::Gone(_) => Err(Refusal::unauthorized()),
        // The body is read now and not before, so that a stranger gets the same answer whatever the body is. A server's token
        // is spent even if its body cannot be read, because the token is valid for these bytes only.
        Found::Stands(install, by) => {
            let if_match = Match::Header(arrival.header(header::IF_MATCH));
            change::change(management, request_info, (install, by), if_match, &arrival.json()?, line).await
        }
        Found::Replaced(install) => {
            let body = arrival.json().map_err(|_| Refusal::unauthorized())?;
            change::repeat(management, request_info, install, &body, line).await
        }
    }
}

/// `DELETE /install/{install}`.
async fn remove(
    management: &Management,
    arrival: &Arrival,
    install: &str,
    line: &mut LogLine,
) -> Result<InstallRemoved, Refusal> {
    match access::admin(management, arrival, install, line).await? {
        Found::Gone(removed) => Ok(removed),
        Found::Replaced(_) => Err(Refusal::unauthorized()),
        Found::Stands(install, _) => {
            if let Some(tags) = arrival.header(header::IF_MATCH) {
                let offered = apps::offered(management, &install.app, arrival.now).await?;
                Match::Header(Some(tags)).check(&install, offered.as_ref())?;
            }
            remove::remove(management, RequestInfo::of(arrival), install, true, line).await
        }
    }
}

/// `GET /install/{install}`.
async fn show(
    management: &Management,
    arrival: &Arrival,
    install: &str,
    line: &mut LogLine,
) -> Result<Response<Bytes>, Refusal> {
    let install = reader(management, arrival, install, line).await?;
    let app = management.services.apps.agreed(&install, arrival.now).await?;
    let offered = apps::offered(management, &install.app, arrival.now).await?;
    let etag = etag::tag(&offered.as_ref().unwrap_or(&app).sha256(), &install);
    let unchanged = arrival.header(header::IF_NONE_MATCH).is_some_and(|tags| etag::matches(tags, &etag));
    let mut response = if unchanged {
        let mut response = Response::new(Bytes::new());
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        if let Ok(id) = HeaderValue::from_str(&arrival.request_id) {
            response.headers_mut().insert("x-request-id", id);
        }
        response
    } else {
        let teams = management.registry.teams(&install.id).await?;
        let view = view::view(Ok(app.manifest()), offered.as_ref(), &install, &teams);
        Responder::new(arrival).json(StatusCode::OK, &view)
    };
    if let Ok(etag) = HeaderValue::from_str(&etag) {
        response.headers_mut().insert(header::ETAG, etag);
    }
    management.services.apps.name_manifest(&install, &mut response);
    Ok(response)
}

/// Finds the install of the path, for its server or the holder of a manage code.
async fn reader(
    management: &Management,
    arrival: &Arrival,
    install: &str,
    line: &mut LogLine,
) -> Result<Arc<Install>, Refusal> {
    match authenticate::credential(arrival)? {
        Credential::Opaque(code) => {
            match access::holder(management, arrival, install, &Zeroizing::new(code), line).await? {
                Found::Stands(install, _) => Ok(install),
                Found::Replaced(_) | Found::Gone(_) => Err(Refusal::unauthorized()),
            }
        }
        Credential::Jwt(token) => {
            let verified = jwt::verify(&management.services, arrival, &token, line).await?;
            if verified.kid.install.as_str() != install {
                return Err(Refusal::unauthorized());
            }
            verified.complete_install(&management.services, arrival.now).await
        }
    }
}

/// An answer with secrets must not stay in a cache on its way.
fn unstored(mut response: Response<Bytes>) -> Response<Bytes> {
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
