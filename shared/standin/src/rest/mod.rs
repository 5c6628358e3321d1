//! The REST API: one list of routes, the session, the answer's headers.
//!
//! Whatever is not in [`routes::ROUTES`] is refused by name with 501, so that an app never believes that the stand-in
//! agreed to something it does not do.

mod bots;
mod channels;
mod commands;
mod login;
mod oauth_apps;
mod posts;
mod reactions;
mod roles;
mod routes;
mod system;
mod teams;
mod tokens;
mod users;
mod webhooks;

pub(crate) use commands::is_built_in;

use crate::error::{AppError, ConnectionCut};
use crate::fault::{self, Fault};
use crate::ids::is_id;
use crate::outgoing::go_json;
use crate::world::{Caller, Millis, World};
use crate::{Standin, action, dialog, slash, webhook};
use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE, EXPIRES, HOST, REFERRER_POLICY, SET_COOKIE, VARY};
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode};
use routes::{Route, Run};
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::fmt;

/// A REST call that came in, for assertions and for a log. The path holds no secret: the ids of a `response_url`
/// and of an incoming webhook are left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// When, by the stand-in's clock.
    pub at: Millis,
    /// `GET`, `POST`, …
    pub method: Method,
    /// Without the query.
    pub path: String,
    /// The pattern that the path fits, with names in braces; empty if the call is not served.
    pub route: &'static str,
    /// The user name of the session; `None` without one.
    pub who: Option<String>,
    /// The failure that was ordered for it.
    pub fault: Option<Fault>,
    /// `None` if the connection was cut or left hanging, as ordered.
    pub status: Option<u16>,
}

/// A request, taken apart.
pub(crate) struct Ask {
    /// The user of the session; empty on routes that need none.
    pub user: String,
    /// The id of the session; empty for a personal access token and for what the owner does.
    pub session: String,
    pub path: Vec<(&'static str, String)>,
    pub query: Vec<(String, String)>,
    pub content_type: Option<String>,
    pub body: Bytes,
    /// `http://host:port`, as the client wrote it.
    pub origin: Option<String>,
}

/// An answer that is no error.
pub(crate) enum Reply {
    Json(StatusCode, Value),
    Text(StatusCode, String),
    /// Who logged in, and the token of his session, which stands in a header.
    Login {
        token: String,
        user: Value,
    },
    /// No route of a real server fits, and it says so without its usual headers.
    NoPage {
        path: String,
    },
    /// The session is over, and so is the cookie that a browser has.
    LoggedOut,
}

pub(crate) type Answer = Result<Reply, AppError>;

impl fmt::Display for Call {
    /// `201 POST /api/v4/bots by admin`, for a log.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.status {
            Some(status) => write!(f, "{status} ")?,
            None => f.write_str("no answer ")?,
        }
        write!(f, "{} {} by {}", self.method, self.path, self.who.as_deref().unwrap_or("nobody"))?;
        self.fault.map_or(Ok(()), |fault| write!(f, ", {fault:?} as ordered"))
    }
}

impl Reply {
    pub(crate) fn json(status: StatusCode, body: Value) -> Reply {
        Reply::Json(status, body)
    }

    #[expect(clippy::unnecessary_wraps, reason = "what every handler ends with")]
    pub(crate) fn ok(body: Value) -> Answer {
        Ok(Reply::Json(StatusCode::OK, body))
    }

    #[expect(clippy::unnecessary_wraps, reason = "what every handler ends with")]
    pub(crate) fn created(body: Value) -> Answer {
        Ok(Reply::Json(StatusCode::CREATED, body))
    }

    /// `{"status":"OK"}`
    pub(crate) fn done() -> Answer {
        Reply::ok(serde_json::json!({"status": "OK"}))
    }
}

impl Ask {
    /// What a client sends whose user does something: for the owner's helpers.
    pub(crate) fn of(user: String, path: Vec<(&'static str, String)>, body: &Value) -> Ask {
        Ask {
            user,
            session: String::new(),
            path,
            query: Vec::new(),
            content_type: Some("application/json".to_owned()),
            body: Bytes::from(body.to_string()),
            origin: None,
        }
    }

    /// A part of the path, as it stands there.
    pub(crate) fn path(&self, name: &'static str) -> Result<&str, AppError> {
        let found = self.path.iter().find(|(known, _)| *known == name);
        found.map(|(_, value)| value.as_str()).ok_or_else(|| AppError::bad_path(name))
    }

    /// A part of the path that must be an id.
    pub(crate) fn id(&self, name: &'static str) -> Result<&str, AppError> {
        let value = self.path(name)?;
        if is_id(value) { Ok(value) } else { Err(AppError::bad_path(name)) }
    }

    /// The user in the path, where `me` is the caller.
    pub(crate) fn user_id(&self) -> Result<&str, AppError> {
        if self.path("user_id")? == "me" { Ok(&self.user) } else { self.id("user_id") }
    }

    pub(crate) fn query(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// A page of a list; `default` is the size that the real route has.
    pub(crate) fn page<T>(&self, list: Vec<T>, default: usize) -> Vec<T> {
        let number = |name, default| self.query(name).and_then(|text| text.parse().ok()).unwrap_or(default);
        let (page, size): (usize, usize) = (number("page", 0), number("per_page", default).min(200));
        list.into_iter().skip(page.saturating_mul(size)).take(size).collect()
    }

    /// The body as JSON; `name` is what the real server calls it when it cannot be read.
    pub(crate) fn body<T: DeserializeOwned>(&self, name: &str) -> Result<T, AppError> {
        let read = || {
            let mut body: Value = serde_json::from_slice(&self.body)?;
            // To Go, null is the zero value of whatever was wanted.
            if let Some(object) = body.as_object_mut() {
                object.retain(|_, value| !value.is_null());
            }
            serde_json::from_value(body)
        };
        read().map_err(|_: serde_json::Error| AppError::bad_body(name))
    }
}

/// `ServiceSettings.MaximumPayloadSizeBytes` of version 11.
const LARGEST: usize = 300_000;

/// Answers a request as the server does, or fails as ordered. All serving ends here.
pub(crate) async fn respond(
    standin: &Standin,
    secure: bool,
    request: Request<Bytes>,
) -> Result<Response<Bytes>, ConnectionCut> {
    let (head, body) = request.into_parts();
    let path = head.uri.path().to_owned();
    let found = routes::find(&head.method, &path);
    let (fault, caller, call) = {
        let mut world = standin.world();
        let caller = session(&world, &head.headers).unwrap_or_default();
        let shown = match &found {
            Some((route, _)) if route.names_a_secret() => route.pattern.to_owned(),
            _ if path.starts_with("/hooks/") => "/hooks/…".to_owned(),
            _ => path.clone(),
        };
        let who = world.user(&caller.user_id).map(|user| user.username.clone());
        let route = found.as_ref().map_or("", |(route, _)| route.pattern);
        let fault = world.faults.next(&head.method, &path);
        let method = head.method.clone();
        let at = world.now;
        world.calls.push(Call { at, method, path: shown, route, who, fault, status: None });
        (fault, caller, world.calls.len() - 1)
    };
    match fault {
        Some(Fault::Cut) => return Err(ConnectionCut),
        Some(Fault::Hang) => return std::future::pending().await,
        _ => {}
    }
    let mut answer = match fault {
        Some(Fault::Status(429)) => fault::too_many(1),
        Some(Fault::TooMany(seconds)) => fault::too_many(seconds),
        Some(Fault::Html(status)) => fault::html(status),
        Some(Fault::Status(status)) => {
            let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            let error = AppError::new(status, "standin.fault.app_error", "the stand-in fails as ordered");
            render(&mut standin.world(), &head.method, &path, Err(error))
        }
        _ => {
            let answer = match found {
                Some((route, names)) => {
                    let scheme = if secure { "https" } else { "http" };
                    let host = head.headers.get(HOST).and_then(|host| host.to_str().ok());
                    let query = form_urlencoded::parse(head.uri.query().unwrap_or_default().as_bytes());
                    let ask = Ask {
                        user: caller.user_id,
                        session: caller.session_id,
                        path: names,
                        query: query.into_owned().collect(),
                        content_type: text(&head.headers, CONTENT_TYPE.as_str()),
                        body,
                        origin: host.map(|host| format!("{scheme}://{host}")),
                    };
                    run(standin, route, &ask).await
                }
                None => Err(AppError::not_served(&format!("{} {path}", head.method))),
            };
            render(&mut standin.world(), &head.method, &path, answer)
        }
    };
    // Only a token that is no longer good is taken away: `dialog-submit-anonymous.http`.
    if answer.status() == StatusCode::UNAUTHORIZED && !head.headers.contains_key(AUTHORIZATION) {
        answer.headers_mut().remove(SET_COOKIE);
    }
    match fault {
        Some(Fault::CutAfter) => return Err(ConnectionCut),
        Some(Fault::HangAfter) => return std::future::pending().await,
        _ => {}
    }
    if let Some(call) = standin.world().calls.get_mut(call) {
        call.status = Some(answer.status().as_u16());
    }
    Ok(answer)
}

async fn run(standin: &Standin, route: &Route, ask: &Ask) -> Answer {
    let version = standin.version();
    if version.is_11() && !route.open && ask.body.len() > LARGEST {
        return Err(AppError::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "api.context.request_body_too_large.app_error",
            "Unable to process request. Request body too large.",
        ));
    }
    if !route.open && ask.user.is_empty() {
        return Err(AppError::no_session());
    }
    let answer = match &route.run {
        Run::World(handler) => handler(&mut standin.world(), ask),
        Run::Standin(handler) => handler(standin, ask),
        Run::Execute => slash::execute(standin, ask).await,
        Run::Act => action::run(standin, ask).await,
        Run::Submit => dialog::submit(standin, ask).await,
        Run::LookUp => dialog::lookup(standin, ask).await,
    };
    webhook::dispatch(standin);
    answer
}

/// Who calls: the token in the header. `Token` is an old word for `Bearer`.
fn session(world: &World, headers: &HeaderMap) -> Option<Caller> {
    let header = text(headers, AUTHORIZATION.as_str())?;
    let (scheme, token) = header.split_once(' ')?;
    let known = scheme.eq_ignore_ascii_case("bearer") || scheme.eq_ignore_ascii_case("token");
    world.caller(token.trim()).filter(|_| known)
}

fn text(headers: &HeaderMap, name: &str) -> Option<String> {
    headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned)
}

/// The answer with the headers that the recordings have. `Date` and `Content-Length` are the server's.
fn render(world: &mut World, method: &Method, path: &str, answer: Answer) -> Response<Bytes> {
    let request_id = world.ids.next();
    let mut session = None;
    let mut over = false;
    let mut bare = false;
    let (status, kind, body) = match answer {
        Ok(Reply::Json(status, body)) => (status, "application/json", go_json(&body)),
        Ok(Reply::Login { token, user }) => {
            session = HeaderValue::from_str(&token).ok();
            (StatusCode::OK, "application/json", go_json(&user))
        }
        Ok(Reply::LoggedOut) => {
            over = true;
            (StatusCode::OK, "application/json", "{\"status\":\"OK\"}".to_owned())
        }
        Ok(Reply::Text(status, body)) => (status, "text/plain", body),
        Ok(Reply::NoPage { path }) => {
            bare = true;
            // 5.37 leaves it to Go to guess what its body is.
            let kind = if world.version.is_11() { "application/json" } else { "text/plain; charset=utf-8" };
            (StatusCode::NOT_FOUND, kind, go_json(&AppError::no_page(&path)))
        }
        Err(error) => {
            over = error.id == AppError::NO_SESSION;
            (error.status, "application/json", go_json(&error.body(&request_id)))
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
    headers.insert("x-version-id", HeaderValue::from_static(world.version.header()));
    if let Ok(id) = HeaderValue::from_str(&request_id) {
        headers.insert("x-request-id", id);
    }
    if *method == Method::GET && path.starts_with("/api/") {
        headers.insert(EXPIRES, HeaderValue::from_static("0"));
    }
    if world.version.is_11() {
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
    use super::routes::{ROUTES, tests::example};
    use super::*;
    use crate::Version;

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
