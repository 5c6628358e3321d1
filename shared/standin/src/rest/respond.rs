//! From an HTTP request to its answer: the session, the faults that were ordered, the handler, the headers.

use super::router::{Route, Run};
use super::routes::find;
use crate::Version;
use crate::api::{ApiRequest, ApiResult, Reply};
use crate::app_error::AppError;
use crate::calls::{Call, Fault, html_page, too_many_requests};
use crate::config;
use crate::database::Database;
use crate::error::ConnectionCut;
use crate::go;
use crate::model::Caller;
use crate::standin::Standin;
use crate::webhook;
use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE, EXPIRES, HOST, REFERRER_POLICY, SET_COOKIE, VARY};
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode};

/// `ServiceSettings.MaximumPayloadSizeBytes` of version 11.
const LARGEST_BODY: usize = 300_000;

impl Standin {
    /// Answers a request. Every server that listens calls this too.
    ///
    /// # Errors
    /// [`ConnectionCut`] only when a [`Fault`] was ordered. A caller without sockets takes it as a connection that
    /// ended.
    pub async fn respond(&self, request: Request<Bytes>) -> Result<Response<Bytes>, ConnectionCut> {
        let secure = request.uri().scheme_str() == Some("https");
        respond(self, secure, request).await
    }
}

/// Answers a request as the server does, or fails as ordered.
pub(crate) async fn respond(
    standin: &Standin,
    secure: bool,
    request: Request<Bytes>,
) -> Result<Response<Bytes>, ConnectionCut> {
    let (head, body) = request.into_parts();
    let path = head.uri.path().to_owned();
    let found = find(&head.method, &path);
    let (fault, caller, call) = {
        let db = standin.db();
        let caller = session(&db, &head.headers).unwrap_or_default();
        let shown = match &found {
            Some((route, _)) if route.names_a_secret() => route.pattern.to_owned(),
            _ if path.starts_with("/hooks/") => "/hooks/…".to_owned(),
            _ => path.clone(),
        };
        let who = db.user(&caller.user_id).map(|user| user.username.clone());
        let route = found.as_ref().map_or("", |(route, _)| route.pattern);
        let mut calls = standin.log();
        let fault = calls.faults.next(&head.method, &path);
        let method = head.method.clone();
        calls.log.push(Call { at: db.now, method, path: shown, route, who, fault, status: None });
        (fault, caller, calls.log.len() - 1)
    };
    match fault {
        Some(Fault::Cut) => return Err(ConnectionCut),
        Some(Fault::Hang) => return std::future::pending().await,
        _ => {}
    }
    let mut answer = match fault {
        Some(Fault::Status(429)) => too_many_requests(1),
        Some(Fault::TooMany(seconds)) => too_many_requests(seconds),
        Some(Fault::Html(status)) => html_page(status),
        Some(Fault::Status(status)) => {
            let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            let error = AppError::new(status, "standin.fault.app_error", "the stand-in fails as ordered");
            render(&mut standin.db(), &head.method, &path, Err(error))
        }
        _ => {
            let result = match found {
                Some((route, names)) => {
                    let scheme = if secure { "https" } else { "http" };
                    let host = head.headers.get(HOST).and_then(|host| host.to_str().ok());
                    let query = form_urlencoded::parse(head.uri.query().unwrap_or_default().as_bytes());
                    let request = ApiRequest {
                        user: caller.user_id,
                        session: caller.session_id,
                        path: names,
                        query: query.into_owned().collect(),
                        content_type: text(&head.headers, CONTENT_TYPE.as_str()),
                        body,
                        origin: host.map(|host| format!("{scheme}://{host}")),
                    };
                    run(standin, route, &request).await
                }
                None => Err(unserved(standin.version(), &format!("{} {path}", head.method))),
            };
            render(&mut standin.db(), &head.method, &path, result)
        }
    };
    // The server deletes the cookie only if the caller sent a token: `dialog-submit-anonymous.http`.
    if answer.status() == StatusCode::UNAUTHORIZED && !head.headers.contains_key(AUTHORIZATION) {
        answer.headers_mut().remove(SET_COOKIE);
    }
    match fault {
        Some(Fault::CutAfter) => return Err(ConnectionCut),
        Some(Fault::HangAfter) => return std::future::pending().await,
        _ => {}
    }
    if let Some(call) = standin.log().log.get_mut(call) {
        call.status = Some(answer.status().as_u16());
    }
    Ok(answer)
}

/// Calls that only an open proposal for Mattermost describes. Whether a released server answers them is not known.
const PROPOSED: &[&str] = &["POST /api/v4/actions/blocks/do"];

fn unserved(version: Version, call: &str) -> AppError {
    if version >= Version::V12 && PROPOSED.contains(&call) {
        AppError::unknown(version, call)
    } else {
        AppError::not_served(call)
    }
}

async fn run(standin: &Standin, route: &Route, request: &ApiRequest) -> ApiResult {
    if standin.version().since_11() && !route.open && request.body.len() > LARGEST_BODY {
        return Err(AppError::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "api.context.request_body_too_large.app_error",
            "Unable to process request. Request body too large.",
        ));
    }
    if !route.open && request.user.is_empty() {
        return Err(AppError::no_session());
    }
    let result = match &route.run {
        Run::Database(handler) => handler(&mut standin.db(), request),
        Run::Standin(handler) => handler(standin, request),
        Run::Integration(handler) => handler(standin, request).await,
    };
    webhook::deliver(standin);
    result
}

/// Who calls, by the token in the header. `Token` is an old word for `Bearer`.
fn session(db: &Database, headers: &HeaderMap) -> Option<Caller> {
    let header = text(headers, AUTHORIZATION.as_str())?;
    let (scheme, token) = header.split_once(' ')?;
    let known = scheme.eq_ignore_ascii_case("bearer") || scheme.eq_ignore_ascii_case("token");
    db.caller(token.trim()).filter(|_| known)
}

fn text(headers: &HeaderMap, name: &str) -> Option<String> {
    headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned)
}

/// The answer with the recorded headers, but without `Date` and `Content-Length`, which a listening server adds.
fn render(db: &mut Database, method: &Method, path: &str, result: ApiResult) -> Response<Bytes> {
    let request_id = db.ids.next();
    let mut session = None;
    let mut over = false;
    let mut bare = false;
    let (status, kind, body) = match result {
        Ok(Reply::Json(status, body)) => (status, "application/json", go::json(&body)),
        Ok(Reply::Login { token, user }) => {
            session = HeaderValue::from_str(&token).ok();
            (StatusCode::OK, "application/json", go::json(&user))
        }
        Ok(Reply::LoggedOut) => {
            over = true;
            (StatusCode::OK, "application/json", "{\"status\":\"OK\"}".to_owned())
        }
        Ok(Reply::Text(status, body)) => (status, "text/plain", body),
        Ok(Reply::NoPage { path }) => {
            bare = true;
            // 5.37 sets no content type here, so Go guesses one from the body.
            let kind = if db.version.since_11() { "application/json" } else { "text/plain; charset=utf-8" };
            (StatusCode::NOT_FOUND, kind, go::json(&AppError::no_page(&path)))
        }
        Err(error) => {
            let error = if db.settings.enable_hardened_mode { error.hardened() } else { error };
            over = error.id == AppError::NO_SESSION;
            (error.status, "application/json", go::json(&error.body(&request_id)))
        }
    };
    let mut response = Response::new(Bytes::from(body));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    if bare {
        return response;
    }
    headers.insert(VARY, HeaderValue::from_static("Accept-Encoding"));
    if let Ok(id) = HeaderValue::from_str(&config::version_id(db)) {
        headers.insert("x-version-id", id);
    }
    if let Ok(id) = HeaderValue::from_str(&request_id) {
        headers.insert("x-request-id", id);
    }
    if *method == Method::GET && path.starts_with("/api/") {
        headers.insert(EXPIRES, HeaderValue::from_static("0"));
    }
    if db.version.since_11() {
        headers.insert("permissions-policy", HeaderValue::from_static(""));
        headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
        headers.insert("x-content-type-options", HeaderValue::from_static("nosniff"));
    }
    if let Some(mut token) = session {
        token.set_sensitive(true);
        headers.insert("token", token);
    }
    if over {
        let gone = "MMAUTHTOKEN=; Path=/; Max-Age=0; HttpOnly";
        headers.insert(SET_COOKIE, HeaderValue::from_static(gone));
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rest::routes::{ROUTES, tests::example};

    #[tokio::test]
    async fn every_route_but_the_open_ones_wants_a_session() {
        let standin = Standin::seeded(Version::V11, 1);
        for route in ROUTES {
            let uri = example(route.pattern);
            let request = Request::builder().method(&route.method).uri(uri).body(Bytes::new()).unwrap();
            let status = respond(&standin, false, request).await.unwrap().status();
            assert_eq!(status == StatusCode::UNAUTHORIZED, !route.open, "{} {}", route.method, route.pattern);
        }
    }
}
