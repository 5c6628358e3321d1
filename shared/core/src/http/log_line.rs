//! One wide line per request.
//!
//! What may stand there is a closed list: ids, codes, times. Never a token, a body, a path, a query, or what a
//! person wrote.

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
