//! One wide log line per request.
//!
//! It has a fixed list of fields: ids, codes and times. It never has a token, a body, a path, a query, or text that a person
//! wrote.

use super::{
    arrival::Arrival,
    refusal::Refusal,
    response::Responder,
    trace::{of_request, trace_id},
};
use crate::log::chain;
use bytes::Bytes;
use cloud_apps_protocol::{Code, UserId};
use http::Response;
use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Instant,
};

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
    /// The app, after a credential was verified.
    pub app: Option<String>,
    /// The install, after a credential was verified.
    pub install: Option<String>,
    /// The acting user. This is an id and not text, because a sender's token may have anything as its subject.
    pub user: Option<UserId>,
    /// The function that runs.
    pub function: Option<String>,
    /// The idempotency key that the app gets.
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
    /// Begins the line of an HTTP request, and measures time from now on.
    pub fn new(arrival: &Arrival) -> Self {
        Self::begin(arrival.route.name(), &arrival.request_id, trace_id(arrival))
    }

    /// Begins the line of an operator's request or of a job. `trace`: the trace of the request that the job follows.
    pub fn apart(route: &'static str, request_id: &str, trace: Option<&str>) -> Self {
        Self::begin(route, request_id, trace.map_or_else(|| of_request(request_id), str::to_owned))
    }

    fn begin(route: &'static str, request_id: &str, trace: String) -> Self {
        Self {
            started: Instant::now(),
            cold: !WARM.swap(true, Ordering::Relaxed),
            route,
            request_id: request_id.to_owned(),
            trace,
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

    /// How the request ended.
    pub fn outcome(&mut self, outcome: &'static str) {
        self.outcome = outcome;
    }

    /// The request was refused. Its code and causes are logged.
    pub fn refused(&mut self, refusal: &Refusal) {
        self.outcome = "refused";
        self.code = Some(refusal.code);
        self.error = refusal.chain();
    }

    /// Something failed, and the answer says so already.
    pub fn failed(&mut self, cause: &(dyn std::error::Error + 'static)) {
        self.error = Some(chain(cause));
    }

    /// Something is wrong with the app's answer. Its author should know, and its user should not be told.
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
        self.write(Some(response.status().as_u16()));
        response
    }

    /// Writes the line. `status`: the HTTP status, if there is one.
    pub fn write(self, status: Option<u16>) {
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
