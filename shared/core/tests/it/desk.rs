//! An install function over a store in memory, and those who speak to it: an operator, and an installer with a code.

use crate::build::Build;
use bytes::Bytes;
use cloud_app::{App, Cx, Failure, Fields, Location, event::EventKind, http::Outbound};
use cloud_apps_core::{
    functions::command,
    functions::install,
    http::{Arrival, Route},
    operator,
    services::Management,
    store::{memory::Memory, model::Install, ports::Installs},
    testing::{faults::Faults, sample},
};
use cloud_apps_protocol::{
    Answer, BadId, Field, InstallId, Millis, Values,
    answer::Kind,
    install::RotationId,
    manifest::Permission,
    secret::Secret,
    token::{Direction, Kid, body_sha256, sign},
};
use http::{HeaderValue, Method, Request, Response, StatusCode, header};
use serde_json::{Value, json};
use std::sync::{
    Arc, Mutex,
    atomic::{AtomicUsize, Ordering},
};
use tokio::sync::Notify;

pub const NOW: Millis = 1_795_383_561_000;
pub const SITE: &str = "https://chat.example.com";
pub const BASE: &str = "https://bundle.example.com";
pub const ADMIN: &str = "roaxwho8njrnjytedmp4qzu99e";
pub const BOT: &str = "ft1du16ho78a8ed76wcngpuswe";
pub const TEAM: &str = "eznx9z5nn7r1iq7p5pnkpgzjoe";
/// A team that the bot is not in; the server tells it that the team is there, and no more.
pub const PRIVATE_TEAM: &str = "eznx9z5nn7r1iq7p5pnkpgzjo2";
pub const COMMAND: &str = "isepw4368fr8pb3xm4wus8rbho";
/// What nobody may read anywhere.
pub const ACCESS_TOKEN: &str = "nezum4kpu3faiec7r7c5zt6tfy";
/// Another token of the same bot, and one of somebody else.
pub const NEXT_TOKEN: &str = "x1ezum4kpu3faiec7r7c5zt6tf";
pub const OTHERS_TOKEN: &str = "y1ezum4kpu3faiec7r7c5zt6tf";
pub const SLASH_TOKEN: &str = "hr75w5inzfn75kzmgg8cozbgmy";
pub const PASSWORD: &str = "correct horse battery staple";

/// What the app's install function does.
#[derive(Debug, Clone)]
pub enum Behaviour {
    Agrees,
    Refuses(Answer),
    Fails(Option<&'static str>),
    Panics,
    /// Before there is a future to await.
    PanicsAtOnce,
    Hangs,
    /// Says that it began, and waits until it is told to go on.
    Waits(Arc<Notify>, Arc<Notify>),
}

/// One call of the install function.
#[derive(Debug, Clone, PartialEq)]
pub struct Call {
    pub function: String,
    pub install: InstallId,
    pub delivery: String,
    pub settings: Values,
    /// What the app alone can read.
    pub password: Option<String>,
    pub acting_user: String,
}

static JTI: AtomicUsize = AtomicUsize::new(0);

pub struct Desk {
    pub memory: Memory,
    pub behaviour: Mutex<Behaviour>,
    pub calls: Arc<Mutex<Vec<Call>>>,
    pub now: Millis,
    management: Mutex<Option<Arc<Management>>>,
    /// Whether the app cannot do without an event.
    pub demanding: bool,
    /// Whether the app is the next version, which asks for more.
    newer: bool,
}

impl Desk {
    /// Nothing is registered yet.
    pub fn empty() -> Self {
        Self {
            memory: Memory::new(),
            behaviour: Mutex::new(Behaviour::Agrees),
            calls: Arc::default(),
            now: NOW,
            management: Mutex::default(),
            demanding: false,
            newer: false,
        }
    }

    /// The linked app is registered.
    pub async fn new() -> Self {
        let desk = Self::empty();
        desk.operator(json!({"do": "register"})).await;
        desk
    }

    pub fn behave(&self, behaviour: Behaviour) {
        *self.behaviour.lock().unwrap() = behaviour;
        // The app is linked into the process: another app, another process.
        *self.management.lock().unwrap() = None;
    }

    /// From now on the bundle has the app's next version, which asks for `act_as_user` too.
    pub fn deploy_newer(&mut self) {
        self.newer = true;
        *self.management.lock().unwrap() = None;
    }

    /// A process with empty caches, whose calls to stores and app may fail.
    pub fn process(&self, faults: &Faults) -> Arc<Management> {
        let app = hello(
            self.behaviour.lock().unwrap().clone(),
            Arc::clone(&self.calls),
            faults.clone(),
            (self.demanding, self.newer),
        );
        let build = Build::over(&self.memory).app(app).http(mattermost(faults)).faults(faults);
        Arc::new(build.management())
    }

    /// The process that is running, or a new one.
    pub fn management(&self) -> Arc<Management> {
        let mut management = self.management.lock().unwrap();
        Arc::clone(management.get_or_insert_with(|| self.process(&Faults::none())))
    }

    pub async fn operator(&self, request: Value) -> Value {
        operator::handle(&self.management(), json!({ "operator": request }), self.now, "request-1").await
    }

    /// An install code for the usual site.
    pub async fn code(&self) -> String {
        self.code_for(SITE).await
    }

    pub async fn code_for(&self, site: &str) -> String {
        let request = json!({"do": "code", "app": "hello", "site_url": site, "base_url": BASE});
        let answer = self.operator(request).await;
        answer["code"].as_str().unwrap_or_else(|| panic!("{answer}")).to_owned()
    }

    pub async fn begin(&self, code: &str, body: &Value) -> Answered {
        self.send(request(Method::POST, "/install", Some(body), Some(code))).await
    }

    pub async fn complete(&self, code: &str, id: &str, body: &Value) -> Answered {
        self.send(request(Method::POST, &format!("/install/{id}/complete"), Some(body), Some(code))).await
    }

    /// Both steps; the install's id.
    pub async fn install(&self, code: &str, body: &Value) -> String {
        let begun = self.begin(code, body).await;
        assert_eq!(begun.status, StatusCode::CREATED, "{begun:?}");
        let id = begun.body["install_id"].as_str().unwrap().to_owned();
        let done = self.complete(code, &id, &registered()).await;
        assert_eq!(done.status, StatusCode::OK, "{done:?}");
        id
    }

    /// A manage code for an install.
    pub async fn manage_code(&self, id: &str) -> String {
        let answer = self.operator(json!({"do": "manage_code", "install_id": id})).await;
        answer["code"].as_str().unwrap_or_else(|| panic!("{answer}")).to_owned()
    }

    /// A change by an operator: the install as it then stands, and what is handed over.
    pub async fn change(&self, id: &str, patch: &Value) -> Value {
        let answer = self.operator(json!({"do": "change", "install_id": id, "patch": patch})).await;
        let changed = answer.get("changed");
        changed.unwrap_or_else(|| panic!("{answer}")).clone()
    }

    /// A change that an operator is refused: what is read.
    pub async fn refused_change(&self, id: &str, patch: &Value) -> String {
        let answer = self.operator(json!({"do": "change", "install_id": id, "patch": patch})).await;
        let message = answer["error"]["message"].as_str();
        message.unwrap_or_else(|| panic!("{answer}")).to_owned()
    }

    /// `PATCH` with a manage code.
    pub async fn patch(&self, id: &str, code: &str, body: &Value) -> Answered {
        self.send(request(Method::PATCH, &format!("/install/{id}"), Some(body), Some(code))).await
    }

    /// `DELETE` with a manage code.
    pub async fn delete(&self, id: &str, code: &str) -> Answered {
        self.send(request(Method::DELETE, &format!("/install/{id}"), None, Some(code))).await
    }

    /// `/hello greet` as Mattermost sends it for the team, with this token of the command.
    pub async fn slash(&self, id: &str, token: &str) -> Answered {
        let line = format!(
            "team_id={TEAM}&channel_id={TEAM}&user_id={ADMIN}&command=/hello&text=greet&token={token}"
        );
        let mut greet = request(Method::POST, &format!("/hooks/{id}/slash"), None, None);
        *greet.body_mut() = line.into();
        let form = HeaderValue::from_static("application/x-www-form-urlencoded");
        greet.headers_mut().insert(header::CONTENT_TYPE, form);
        command::handle(&self.management().services, self.arrival(greet)).await.into()
    }

    pub async fn send(&self, request: Request<Bytes>) -> Answered {
        Answered::from(install::handle(&self.management(), self.arrival(request)).await)
    }

    pub fn arrival(&self, request: Request<Bytes>) -> Arrival {
        arrival(request, self.now)
    }

    pub async fn stored(&self, id: &str) -> Option<Install> {
        Installs::find(&self.memory, &id.parse().unwrap()).await.unwrap()
    }

    pub fn calls(&self) -> Vec<Call> {
        self.calls.lock().unwrap().clone()
    }

    /// A request with a server's token.
    pub fn signed(
        &self,
        method: Method,
        path: &str,
        body: &str,
        kid: &str,
        secret: &str,
        scope: &str,
    ) -> Request<Bytes> {
        let claims = json!({
            "iss": SITE,
            "aud": "hello",
            "sub": ADMIN,
            "iat": self.now / 1000,
            "exp": self.now / 1000 + 60,
            "jti": format!("sample-jti-{:011}", JTI.fetch_add(1, Ordering::SeqCst)),
            "htm": method.as_str(),
            "htp": path,
            "scope": scope,
            "body_sha256": body_sha256(body.as_bytes()),
        });
        let kid: Kid = kid.parse().unwrap();
        let token = sign(Direction::Server, &kid, &Secret::from_base64url(secret).unwrap(), &claims);
        let mut request = request(method, path, None, Some(&token));
        *request.body_mut() = Bytes::copy_from_slice(body.as_bytes());
        request
    }
}

/// What replaces a shared secret, by a rotation of its own for each `n`.
pub fn rotation(n: u8) -> Value {
    json!({"rotate": "shared_secret", "rotation": RotationId::new([n; 16]).as_str()})
}

pub fn arrival(request: Request<Bytes>, now: Millis) -> Arrival {
    Arrival {
        route: Route::from_path(request.method(), request.uri().path()),
        request_id: "request-1".into(),
        now,
        deadline: now + 29_000,
        request,
    }
}

pub fn request(method: Method, path: &str, body: Option<&Value>, token: Option<&str>) -> Request<Bytes> {
    let mut request =
        Request::builder().method(method).uri(path).header(header::CONTENT_TYPE, "application/json");
    if let Some(token) = token {
        request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
    }
    request.body(body.map(|body| Bytes::from(body.to_string())).unwrap_or_default()).unwrap()
}

/// `POST /install` for a V2 server that wants a static token as well.
pub fn body() -> Value {
    json!({
        "app_id": "hello",
        "server": {"site_url": SITE, "version": "11.6.0"},
        "bot": {"user_id": BOT, "username": "hello", "access_token": ACCESS_TOKEN},
        "installed_by": ADMIN,
        "v2": true,
        "static_token": true,
        "granted": {"permissions": ["act_as_bot"], "locations": ["message_box"]},
        "settings": {"site": "https://jira.example.com", "password": PASSWORD},
    })
}

/// `complete` with one team's command.
pub fn registered() -> Value {
    json!({"registered": [
        {"kind": "slash_command", "team_id": TEAM, "id": COMMAND, "trigger": "hello", "token": SLASH_TOKEN},
    ]})
}

/// The app's settings: a required URL, a password, a number with a default.
struct Settings {
    password: Option<String>,
}

impl Fields for Settings {
    fn fields() -> Result<Vec<Field>, BadId> {
        Ok(serde_json::from_value(json!([
            {"name": "site", "type": "text", "subtype": "url", "required": true},
            {"name": "password", "type": "text", "subtype": "password", "max_length": 40},
            {"name": "retries", "type": "number", "default": 3},
        ]))
        .unwrap())
    }
    fn from_values(values: Values) -> Result<Self, Failure> {
        Ok(Self { password: values.get("password").and_then(Value::as_str).map(str::to_owned) })
    }
}

struct Greet;

impl Fields for Greet {
    fn fields() -> Result<Vec<Field>, BadId> {
        Ok(Vec::new())
    }
    fn from_values(_: Values) -> Result<Self, Failure> {
        Ok(Self)
    }
}

impl cloud_app::Command for Greet {
    const FUNCTION: &'static str = "greet";
    fn entry() -> Result<cloud_apps_protocol::manifest::CommandEntry, BadId> {
        Ok(serde_json::from_value(json!({"function": "greet", "summary": "Greets."})).unwrap())
    }
}

impl cloud_app::Run for Greet {
    async fn run(self, cx: Cx) -> cloud_app::Result<Answer> {
        let known = cx.settings::<Settings>()?.password.as_deref() == Some(PASSWORD);
        Ok(Answer::text(if known { "Hello!" } else { "I have no password." }))
    }
}

/// A Mattermost that knows two bots' tokens, two teams, and whether it is up.
fn mattermost(faults: &Faults) -> Outbound {
    let faults = faults.clone();
    Outbound::in_process(Arc::new(move |request: Request<Bytes>| {
        let faults = faults.clone();
        let token = request.headers()[header::AUTHORIZATION].to_str().unwrap().to_owned();
        Box::pin(async move {
            let answer = |status: u16, body: Value| {
                let builder =
                    Response::builder().status(status).header(header::CONTENT_TYPE, "application/json");
                builder.body(Bytes::from(body.to_string())).unwrap()
            };
            let missing = json!({"id": "app.team.get.find.app_error", "message": "No.", "status_code": 404});
            let forbidden =
                json!({"id": "api.context.permissions.app_error", "message": "No.", "status_code": 403});
            let (what, known) = match request.uri().path() {
                "/api/v4/users/me/teams" => {
                    let many = (0..1_700).map(|n| json!({"id": sample::team_id(n)}));
                    ("Mattermost.teams", answer(200, many.chain([json!({"id": TEAM})]).collect()))
                }
                path if path == format!("/api/v4/teams/{PRIVATE_TEAM}") => {
                    ("Mattermost.team", answer(403, forbidden))
                }
                path if path.starts_with("/api/v4/teams/") => ("Mattermost.team", answer(404, missing)),
                path => {
                    assert_eq!(path, "/api/v4/users/me");
                    (
                        "Mattermost.me",
                        match token.strip_prefix("Bearer ").unwrap() {
                            NEXT_TOKEN => answer(200, json!({"id": BOT, "username": "hello"})),
                            OTHERS_TOKEN => answer(200, json!({"id": ADMIN, "username": "alice"})),
                            _ => answer(
                                401,
                                json!({"id": "api.context.session_expired.app_error", "message": "No.", "status_code": 401}),
                            ),
                        },
                    )
                }
            };
            let down = || answer(503, json!({}));
            faults.effect(what, down, async { Ok(known) }).await.unwrap_or_else(|down| down)
        })
    }))
}

fn hello(
    behaviour: Behaviour,
    calls: Arc<Mutex<Vec<Call>>>,
    faults: Faults,
    (demanding, newer): (bool, bool),
) -> App {
    let mut joined = EventKind::UserJoinedChannel.named("welcome");
    if demanding {
        joined = joined.required();
    }
    let (version, permissions) = if newer {
        ("2.0.0", vec![Permission::ActAsBot, Permission::ActAsUser])
    } else {
        ("1.0.0", vec![Permission::ActAsBot])
    };
    let turn = |what: &'static str| {
        let (behaviour, calls, faults) = (behaviour.clone(), Arc::clone(&calls), faults.clone());
        move |cx: Cx| {
            let (behaviour, calls, faults) = (behaviour.clone(), Arc::clone(&calls), faults.clone());
            async move {
                let lost = || Failure::say("The network is down.");
                faults.effect(what, lost, installed(cx, behaviour, calls)).await
            }
        }
    };
    App::new("hello", version, "Hello")
        .description("Greets people.")
        .on_configure(turn("App.on_configure"))
        .on_upgrade(turn("App.on_upgrade"))
        .on_uninstall(turn("App.on_uninstall"))
        .permissions(permissions)
        .locations([Location::MessageBox, Location::PostMenu, Location::Dialog])
        .settings::<Settings>()
        .command::<Greet>()
        .event(joined, async |_, _| Ok(()))
        .on_install(move |cx| {
            let (behaviour, calls, faults) = (behaviour.clone(), Arc::clone(&calls), faults.clone());
            assert!(!matches!(behaviour, Behaviour::PanicsAtOnce), "a panic before the first await");
            async move {
                let lost = || Failure::say("The network is down.");
                faults.effect("App.on_install", lost, installed(cx, behaviour, calls)).await
            }
        })
}

async fn installed(cx: Cx, behaviour: Behaviour, calls: Arc<Mutex<Vec<Call>>>) -> cloud_app::Result<Answer> {
    let request = cx.request();
    let app = request.context.app.as_ref().unwrap();
    calls.lock().unwrap().push(Call {
        function: request.command.function.clone(),
        install: app.install_id.clone(),
        delivery: request.delivery.as_ref().unwrap().id.clone(),
        settings: app.settings.clone(),
        password: cx.settings::<Settings>()?.password,
        acting_user: request.context.acting_user.as_ref().unwrap().id.to_string(),
    });
    match behaviour {
        Behaviour::Agrees => Ok(Answer::done()),
        Behaviour::Refuses(answer) => Ok(answer),
        Behaviour::Fails(Some(text)) => Err(Failure::say(text)),
        Behaviour::Fails(None) => Err(std::io::Error::other("the cause, for the log").into()),
        Behaviour::Panics | Behaviour::PanicsAtOnce => panic!("the install function of a test panics"),
        Behaviour::Hangs => std::future::pending().await,
        Behaviour::Waits(began, go_on) => {
            began.notify_one();
            go_on.notified().await;
            Ok(Answer::done())
        }
    }
}

pub fn refusal(text: &str) -> Behaviour {
    Behaviour::Refuses(
        Kind::Error { text: text.into(), fields: std::collections::BTreeMap::default() }.into(),
    )
}

/// What came back. No error ever holds a secret: that is asserted here and once.
#[derive(Debug)]
pub struct Answered {
    pub status: StatusCode,
    pub headers: http::HeaderMap,
    pub body: Value,
}

impl From<Response<Bytes>> for Answered {
    fn from(response: Response<Bytes>) -> Self {
        let (parts, body) = response.into_parts();
        assert!(parts.headers.contains_key("x-request-id"));
        let text = std::str::from_utf8(&body).unwrap();
        let body = if text.is_empty() { Value::Null } else { serde_json::from_str(text).unwrap() };
        if parts.status.is_client_error() || parts.status.is_server_error() {
            assert_eq!(body["error"]["request_id"], "request-1");
            for secret in [ACCESS_TOKEN, NEXT_TOKEN, OTHERS_TOKEN, SLASH_TOKEN, PASSWORD] {
                assert!(!text.contains(secret), "{text}");
            }
        }
        Self { status: parts.status, headers: parts.headers, body }
    }
}

impl Answered {
    pub fn code(&self) -> &str {
        self.body["error"]["code"].as_str().unwrap_or("(none)")
    }

    pub fn message(&self) -> &str {
        self.body["error"]["message"].as_str().unwrap_or_default()
    }

    pub fn id(&self) -> String {
        self.body["install_id"].as_str().unwrap_or_else(|| panic!("{self:?}")).to_owned()
    }
}

#[test]
fn the_app_of_these_tests_is_valid() {
    for which in [(false, false), (true, false), (false, true)] {
        hello(Behaviour::Agrees, Arc::default(), Faults::none(), which).assert_valid();
    }
}
