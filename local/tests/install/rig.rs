//! A server, a bundle, an admin, and faults between them.

use async_trait::async_trait;
use axum::{
    Router,
    body::{Body, to_bytes},
    extract::{Request as Arrived, State},
    response::Response,
};
use cloud_app::App;
use cloud_app_testkit::arrival;
use cloud_apps::{
    certificates::Authorities,
    failure::Failure,
    folder::Data,
    install::{
        self, Admin, Installed, Installer, Patience, Request, Stop, Teams,
        bundle::{Bundle, Operator, Rights},
        person::Person,
    },
    local,
    mattermost::Mattermost,
    store::Sqlite,
};
use cloud_apps_core::{
    bundle::Bundle as Served,
    http::system_now,
    operator::{self, OperatorAnswer, OperatorRequest},
    services::Management,
    store::job::QueueName,
    upkeep,
};
use cloud_apps_protocol::{AppId, Millis, SiteUrl, Values, install::InstallView};
use cloud_apps_standin::{Fault, Server, Snapshot, Standin, Version};
use http::StatusCode;
use secrecy::SecretString;
use std::{
    collections::VecDeque,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    time::Duration,
};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

/// What is too long to wait for where a call is never answered. A call that is slow by chance then only fails as well.
const SHORT: Duration = Duration::from_millis(200);
/// What nothing takes.
const LONG: Duration = Duration::from_mins(1);

/// Where a call goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum To {
    /// The server's REST API.
    Mattermost,
    /// The bundle's HTTP.
    Bundle,
    /// The bundle's operator.
    Operator,
}

/// Counts the calls to a bundle, and lets one of them fail.
#[derive(Clone, Default)]
pub struct Gate(Arc<GateState>);

#[derive(Default)]
struct GateState {
    calls: AtomicUsize,
    order: Mutex<Option<(usize, Fault)>>,
    ahead: AtomicU64,
}

impl Gate {
    /// Lets the `nth` call from now fail.
    pub fn fault(&self, nth: usize, fault: Fault) {
        *self.0.order.lock().unwrap() = Some((self.calls() + nth, fault));
    }

    /// How many calls have come.
    pub fn calls(&self) -> usize {
        self.0.calls.load(Ordering::SeqCst)
    }

    /// No call fails any more.
    pub fn clear(&self) {
        *self.0.order.lock().unwrap() = None;
    }

    /// Lets the clock of the bundle go ahead by so many milliseconds.
    pub fn go_ahead(&self, by: Millis) {
        self.0.ahead.fetch_add(by, Ordering::SeqCst);
    }

    /// How far the clock of the bundle is ahead.
    pub fn ahead(&self) -> Millis {
        self.0.ahead.load(Ordering::SeqCst)
    }

    fn next(&self) -> Option<Fault> {
        let call = self.0.calls.fetch_add(1, Ordering::SeqCst) + 1;
        self.0.order.lock().unwrap().filter(|(nth, _)| *nth == call).map(|(_, fault)| fault)
    }
}

/// A Mattermost and a bundle that reach each other, and an admin between them.
pub struct Rig {
    pub mattermost: Standin,
    pub served: Served,
    /// Between the admin and the bundle's HTTP.
    pub http: Gate,
    /// Between the admin and the bundle's operator.
    pub operator: Gate,
    pub person: Scripted,
    pub patience: Patience,
    pub token: Option<String>,
    timeout: Mutex<Duration>,
    folder: TempDir,
    base_url: SiteUrl,
    site: SiteUrl,
    server: Arc<Server>,
}

impl Rig {
    pub async fn new(version: Version) -> Self {
        Self::with(version, vec![hello::app()]).await
    }

    pub async fn with(version: Version, apps: Vec<App>) -> Self {
        let mattermost = Standin::new(version);
        mattermost.demo().unwrap();
        mattermost.set_password("admin", "Password-1!").unwrap();
        let listening = mattermost.serve_http("127.0.0.1:0".parse().unwrap()).await.unwrap();
        Self::at(mattermost, Arc::new(listening), apps).await
    }

    /// Another bundle that serves the same Mattermost.
    pub async fn beside(&self) -> Self {
        Self::at(self.mattermost.clone(), self.server.clone(), vec![hello::app()]).await
    }

    async fn at(mattermost: Standin, listening: Arc<Server>, apps: Vec<App>) -> Self {
        let token = mattermost.add_token("admin").unwrap();
        let folder = TempDir::new().unwrap();
        let data = Data { dir: Some(folder.path().to_owned()) };
        let (files, _) = data.make().unwrap();
        let (served, _) = local::bundle(&files, apps, &Authorities::default()).unwrap();
        let (http, listener) =
            (Gate::default(), local::listen("127.0.0.1:0".parse().unwrap()).await.unwrap());
        let base_url = SiteUrl::new(&format!("http://{}", listener.local_addr().unwrap())).unwrap();
        let router = Router::new().fallback(answer).with_state((served.clone(), http.clone()));
        tokio::spawn(async move { axum::serve(listener, router).await });
        let site = SiteUrl::new(listening.url()).unwrap();
        let rig = Self {
            mattermost,
            served,
            http,
            operator: Gate::default(),
            person: Scripted::default(),
            patience: Patience { tries: 1, pause: Duration::ZERO },
            token: Some(token),
            timeout: Mutex::new(LONG),
            folder,
            base_url,
            site,
            server: listening,
        };
        rig.operate(OperatorRequest::Register {}).await;
        rig
    }

    /// The `nth` call from now fails.
    pub fn order(&self, to: To, nth: usize, fault: Fault) {
        if matches!(fault, Fault::Hang | Fault::HangAfter) {
            *self.timeout.lock().unwrap() = SHORT;
        }
        match to {
            To::Mattermost => self.mattermost.fault(nth, fault),
            To::Bundle => self.http.fault(nth, fault),
            To::Operator => self.operator.fault(nth, fault),
        }
    }

    /// No call fails any more.
    pub fn clear(&self) {
        *self.timeout.lock().unwrap() = LONG;
        self.mattermost.clear_faults();
        self.http.clear();
        self.operator.clear();
    }

    /// How many calls have come.
    pub fn calls_to(&self, to: To) -> usize {
        match to {
            To::Mattermost => self.mattermost.calls().len(),
            To::Bundle => self.http.calls(),
            To::Operator => self.operator.calls(),
        }
    }

    /// An operator's request past every fault.
    pub async fn operate(&self, request: OperatorRequest) -> OperatorAnswer {
        let answer =
            operator::handle(self.served.management(), request.payload(), system_now(), "test").await;
        serde_json::from_value(answer).unwrap()
    }

    /// What the local bundle works with.
    pub fn management(&self) -> &Management {
        self.served.management()
    }

    /// The upkeep of the day of this time: all its jobs, also those that wait for a part of an hour.
    pub async fn upkeep(&self, now: Millis) {
        for minutes in [0, 5, 20, 40] {
            let now = now + minutes * 60_000;
            upkeep::begin(self.served.management(), now).await.unwrap();
            self.jobs(now).await;
        }
    }

    /// All jobs that are due at this time.
    pub async fn jobs(&self, now: Millis) {
        let queue = Sqlite::open(&self.folder.path().join("bundle.db")).unwrap();
        let runner = self.served.job_runner();
        let round =
            async || runner.round(&queue, QueueName::Commands, 10, (30_000, 60_000), now).await.unwrap();
        while round().await > 0 {}
    }

    /// The server, as its admin.
    pub fn admin(&self) -> Mattermost {
        let token = self.token.clone().unwrap();
        Mattermost::new(&self.site, LONG, &Authorities::default()).unwrap().with_token(token.into())
    }

    /// The server, as somebody else.
    pub fn server_as(&self, user: &str) -> Mattermost {
        let token = self.mattermost.add_token(user).unwrap();
        Mattermost::new(&self.site, LONG, &Authorities::default()).unwrap().with_token(token.into())
    }

    pub fn base_url(&self) -> &SiteUrl {
        &self.base_url
    }

    pub fn journals(&self) -> std::path::PathBuf {
        self.folder.path().join("installing")
    }

    /// What the admin of the demo wants.
    pub fn request(&self) -> Request {
        Request {
            app: AppId::new("hello").unwrap(),
            site: self.site.clone(),
            teams: Teams::Named(vec!["demo".to_owned()]),
            bot: None,
            set: Vec::new(),
            settings: Values::new(),
            agreed: true,
            keep: false,
            take_over: false,
        }
    }

    /// With an operator's rights.
    pub fn installer(&self) -> Installer<'_> {
        let asked = Asked { served: self.served.clone(), gate: self.operator.clone() };
        self.installer_by(Rights::Operator(Box::new(asked)))
    }

    /// With a code.
    pub fn installer_by(&self, rights: Rights) -> Installer<'_> {
        let timeout = *self.timeout.lock().unwrap();
        let admin = Admin {
            server: Mattermost::new(&self.site, timeout, &Authorities::default()).unwrap(),
            token: self.token.clone().map(SecretString::from),
            person: &self.person,
            interrupt: CancellationToken::new(),
            patience: self.patience,
        };
        let bundle = Bundle::new(self.base_url.clone(), rights, timeout, &Authorities::default()).unwrap();
        Installer { admin, bundle, journals: self.journals() }
    }

    pub async fn install(&self) -> Result<Installed, Stop> {
        install::install(&self.installer(), &self.request()).await
    }

    /// An install code, as an operator hands it to an admin.
    pub async fn code(&self) -> SecretString {
        let request = OperatorRequest::Code {
            app: AppId::new("hello").unwrap(),
            site_url: self.site.clone(),
            base_url: self.base_url.clone(),
            valid_seconds: 900,
            replace: false,
        };
        let OperatorAnswer::Code { code, .. } = self.operate(request).await else { panic!("no code") };
        SecretString::from(code)
    }

    /// The install, as the bundle has it.
    pub async fn install_at_the_bundle(&self) -> Option<InstallView> {
        let list = OperatorRequest::List { app: AppId::new("hello").unwrap(), cursor: None };
        let OperatorAnswer::Installs { installs, .. } = self.operate(list).await else { panic!("no list") };
        let id = installs.into_iter().next()?.install_id;
        match self.operate(OperatorRequest::Show { install_id: id }).await {
            OperatorAnswer::Install(view) => Some(*view),
            other => panic!("{other:?}"),
        }
    }

    /// Nothing of the app is in use on either side.
    pub async fn assert_nothing_is_left(&self, before: &Snapshot, case: &str) {
        let left = before.in_use().difference(&self.mattermost.snapshot().in_use());
        assert!(left.is_empty(), "{case}: {left:#?}\n{}", self.person.text());
        let install = self.install_at_the_bundle().await;
        assert!(install.is_none(), "{case}: {install:?}\n{}", self.person.text());
        assert!(!self.unfinished(), "{case}: the journal is left\n{}", self.person.text());
    }

    /// No item of any install is in the bundle's tables.
    pub fn assert_the_bundle_keeps_nothing(&self, case: &str) {
        let database = rusqlite::Connection::open(self.folder.path().join("bundle.db")).unwrap();
        for table in ["installs", "teams", "sites", "tokens", "dead_letters"] {
            let kept: i64 =
                database.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get(0)).unwrap();
            assert_eq!(kept, 0, "{case}: {table}");
        }
    }

    /// The app is whole on both sides, once, and answers.
    pub async fn assert_it_is_whole(&self, before: &Snapshot, case: &str) {
        let said = self.person.text();
        let install =
            self.install_at_the_bundle().await.unwrap_or_else(|| panic!("{case}: no install\n{said}"));
        assert_eq!(install.state, "active", "{case}\n{said}");
        let new = before.in_use().difference(&self.mattermost.snapshot().in_use());
        let count = |what: &str| new.iter().filter(|line| line.starts_with(what)).count();
        assert_eq!(count("+ bot"), 1, "{case}: {new:#?}\n{said}");
        assert_eq!(count("+ token of hello"), 1, "{case}: {new:#?}\n{said}");
        assert_eq!(count("+ command"), 1, "{case}: {new:#?}\n{said}");
        assert_eq!(count("-"), 0, "{case}: {new:#?}\n{said}");
        assert_eq!(count("+ session"), 0, "{case}: {new:#?}\n{said}");
        let seen = self.mattermost.execute("alice", "town-square", "/hello help").await.unwrap();
        assert!(seen.texts().concat().contains("greet"), "{case}: {seen:?}\n{said}");
        assert!(!self.unfinished(), "{case}: the journal is left\n{said}");
    }

    /// A journal stands.
    pub fn unfinished(&self) -> bool {
        let Ok(files) = std::fs::read_dir(self.journals()) else { return false };
        files.flatten().any(|file| file.path().extension().is_some_and(|end| end == "json"))
    }
}

async fn answer(State((served, gate)): State<(Served, Gate)>, request: Arrived) -> Response {
    let fault = gate.next();
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, 1 << 20).await.unwrap();
    let mut arrived = arrival(http::Request::from_parts(parts, body));
    arrived.now += gate.ahead();
    arrived.deadline += gate.ahead();
    let done = || async { served.handle(arrived).await.map(Body::from) };
    match fault {
        None => done().await,
        Some(Fault::Hang) => std::future::pending().await,
        Some(Fault::HangAfter) => {
            done().await;
            std::future::pending().await
        }
        Some(Fault::Cut) => cut(),
        Some(Fault::CutAfter) => {
            done().await;
            cut()
        }
        Some(Fault::Html(status)) => plain(status, "text/html", "<html>Bad Gateway</html>"),
        Some(Fault::TooMany(_)) => plain(503, "text/plain", "the gateway throttles"),
        Some(Fault::Status(status)) => plain(status, "text/plain", "the gateway's own words"),
        Some(other) => panic!("{other:?} is not for a bundle"),
    }
}

fn plain(status: u16, kind: &'static str, body: &'static str) -> Response {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = StatusCode::from_u16(status).unwrap();
    response.headers_mut().insert(http::header::CONTENT_TYPE, kind.parse().unwrap());
    response
}

/// An answer that breaks off.
fn cut() -> Response {
    let broken = futures_util::stream::once(async { Err::<bytes::Bytes, _>(std::io::Error::other("cut")) });
    Response::new(Body::from_stream(broken))
}

/// The operator, with faults in between.
struct Asked {
    served: Served,
    gate: Gate,
}

#[async_trait]
impl Operator for Asked {
    async fn ask(&self, request: &OperatorRequest) -> Result<OperatorAnswer, Failure> {
        let fault = self.gate.next();
        if let Some(fault) = fault
            && !fault.takes_effect()
        {
            return Err(Failure::unreachable("the operator's way is cut"));
        }
        let answer =
            operator::handle(self.served.management(), request.payload(), system_now(), "test").await;
        if fault.is_some() {
            return Err(Failure::unreachable("the operator's way was cut"));
        }
        Ok(serde_json::from_value(answer).unwrap())
    }
}

/// Somebody who answers what the test wrote down, and remembers what was said.
#[derive(Default)]
pub struct Scripted {
    said: Mutex<String>,
    answers: Mutex<VecDeque<String>>,
}

impl Scripted {
    /// The next answers.
    pub fn will_say(&self, answers: &[&str]) {
        self.answers.lock().unwrap().extend(answers.iter().map(|&answer| answer.to_owned()));
    }

    /// All that was told and asked.
    pub fn text(&self) -> String {
        self.said.lock().unwrap().clone()
    }

    fn answer(&self, question: &str) -> Result<String, Failure> {
        self.tell(question);
        let next = self.answers.lock().unwrap().pop_front();
        next.ok_or_else(|| Failure::usage(format!("nobody answers {question:?}")))
    }
}

#[async_trait]
impl Person for Scripted {
    fn tell(&self, line: &str) {
        let mut said = self.said.lock().unwrap();
        said.push_str(line);
        said.push('\n');
    }

    fn answers(&self) -> bool {
        !self.answers.lock().unwrap().is_empty()
    }

    async fn ask(&self, question: &str) -> Result<String, Stop> {
        Ok(self.answer(question)?)
    }

    async fn ask_secretly(&self, question: &str) -> Result<SecretString, Stop> {
        Ok(self.answer(question).map(SecretString::from)?)
    }
}
