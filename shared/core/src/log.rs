//! One wide line per request (architecture, section 6), and which other lines a log has.
//!
//! What may stand there is a closed list: ids, codes, times. Never a token, a body, a path, a query, or what a
//! person wrote.

use crate::{
    edge::Arrival,
    refusal::Refusal,
    respond::Responder,
    trace::{of_request, trace_id},
};
use bytes::Bytes;
use cloud_app::App;
use cloud_apps_protocol::{Code, UserId};
use http::Response;
use std::{
    any::Any,
    collections::BTreeSet,
    sync::atomic::{AtomicBool, Ordering},
    time::Instant,
};
use tracing::{Level, Metadata};

/// Which lines a log has: those of this project and of the apps as detailed as the operator likes, those of any other
/// crate as warnings at most. HTTP clients, SDKs and Lambda's runtime describe their work by whole requests and
/// answers, and credentials stand in those.
#[derive(Debug, Clone)]
pub struct Lines {
    level: Level,
    apps: BTreeSet<&'static str>,
}

impl Lines {
    /// Lines up to `level`, where `apps` are linked.
    pub fn new(level: Level, apps: &[App]) -> Self {
        Self { level, apps: apps.iter().flat_map(App::crates).collect() }
    }

    /// The most detailed level that any line has.
    pub fn level(&self) -> Level {
        self.level
    }

    /// Whether the log has this line.
    pub fn allow(&self, line: &Metadata<'_>) -> bool {
        let name = line.target().split("::").next().unwrap_or_default();
        let own = name == "cloud_app" || name.starts_with("cloud_apps") || self.apps.contains(name);
        *line.level() <= if own { self.level } else { self.level.min(Level::WARN) }
    }
}

/// Makes a panic a line of the log that says where it was.
pub fn report_panics() {
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string);
        tracing::error!(place, error = literal(panic.payload()), "panic");
    }));
}

/// A panic's message, if it is a literal of the source: any other may repeat what a request or an answer brought.
fn literal(panic: &(dyn Any + Send)) -> Option<&'static str> {
    panic.downcast_ref::<&'static str>().copied()
}

/// What a line says of a panic that was caught.
pub(crate) fn of_panic(panic: &(dyn Any + Send)) -> &'static str {
    literal(panic).unwrap_or("the line `panic` before this one says where")
}

/// Set by the first request of this process.
static WARM: AtomicBool = AtomicBool::new(false);

/// What is known of a request so far.
#[derive(Debug)]
pub struct LogLine {
    started: Instant,
    cold: bool,
    route: &'static str,
    request_id: String,
    trace: String,
    /// The app, once a credential verified.
    pub app: Option<String>,
    /// The install, once a credential verified.
    pub install: Option<String>,
    /// The acting user. An id and no text: what a sender's token says of its subject may be anything.
    pub user: Option<UserId>,
    /// What runs.
    pub function: Option<String>,
    /// The app's idempotency key.
    pub delivery_id: Option<String>,
    /// How long the app's function ran.
    pub upstream_ms: Option<u64>,
    /// What happened: the type of the answer, or `refused`.
    outcome: &'static str,
    code: Option<Code>,
    error: Option<String>,
    warning: Option<String>,
}

impl LogLine {
    /// Begins the line, and the measurement.
    pub fn new(arrival: &Arrival) -> Self {
        Self {
            started: Instant::now(),
            cold: !WARM.swap(true, Ordering::Relaxed),
            route: arrival.route.name(),
            request_id: arrival.request_id.clone(),
            trace: trace_id(arrival),
            app: None,
            install: None,
            user: None,
            function: None,
            delivery_id: None,
            upstream_ms: None,
            outcome: "done",
            code: None,
            error: None,
            warning: None,
        }
    }

    /// The line of what did not come over HTTP: an operator's request, a job. `trace`: of the request that it follows.
    pub fn apart(route: &'static str, request_id: &str, trace: Option<&str>) -> Self {
        Self {
            started: Instant::now(),
            cold: !WARM.swap(true, Ordering::Relaxed),
            route,
            request_id: request_id.to_owned(),
            trace: trace.map_or_else(|| of_request(request_id), str::to_owned),
            app: None,
            install: None,
            user: None,
            function: None,
            delivery_id: None,
            upstream_ms: None,
            outcome: "done",
            code: None,
            error: None,
            warning: None,
        }
    }

    /// Milliseconds since the request arrived.
    pub fn elapsed_ms(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    /// The trace that the request belongs to.
    pub fn trace(&self) -> &str {
        &self.trace
    }

    /// What the request was answered.
    pub fn outcome(&mut self, outcome: &'static str) {
        self.outcome = outcome;
    }

    /// The request was refused: code and causes, for the log only.
    pub fn refused(&mut self, refusal: &Refusal) {
        self.outcome = "refused";
        self.code = Some(refusal.code);
        self.error = refusal.chain();
    }

    /// Something failed that the answer speaks of already.
    pub fn failed(&mut self, cause: &(dyn std::error::Error + 'static)) {
        self.error = Some(chain(cause));
    }

    /// Something is wrong with the app's answer that its author should know and its user should not be told.
    pub fn warn(&mut self, warning: String) {
        self.warning = Some(warning);
    }

    /// Turns a handler's result into the response, and writes the line.
    pub fn close(
        mut self,
        responder: &Responder,
        result: Result<Response<Bytes>, Refusal>,
    ) -> Response<Bytes> {
        let response = result.unwrap_or_else(|refusal| {
            self.refused(&refusal);
            responder.refuse(&refusal)
        });
        self.write(response.status().as_u16());
        response
    }

    fn write(&self, status: u16) {
        let code = self.code.and_then(|code| serde_json::to_value(code).ok());
        tracing::info!(
            route = self.route,
            app = self.app,
            install = self.install,
            user = self.user.as_ref().map(UserId::as_str),
            function = self.function,
            outcome = self.outcome,
            code = code.as_ref().and_then(serde_json::Value::as_str),
            status,
            ms = self.elapsed_ms(),
            upstream_ms = self.upstream_ms,
            cold = self.cold,
            request_id = self.request_id,
            delivery_id = self.delivery_id,
            trace = self.trace,
            error = self.error,
            warning = self.warning,
            "request"
        );
    }
}

/// The most of an error that is logged, in characters: an app's may repeat a whole answer of its upstream.
const MAX_ERROR: usize = 4_000;

/// An error and its causes in one line.
pub(crate) fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        next = cause.source();
    }
    text.chars().take(MAX_ERROR).collect()
}
