//! The request for which something is done.

use crate::http::Arrival;
use cloud_apps_protocol::Millis;

/// The request or job for which something is done, and the time that it has.
#[derive(Debug, Clone, Copy)]
pub struct RequestInfo<'a> {
    /// Unix milliseconds when the request came in.
    pub now: Millis,
    /// Unix milliseconds when the platform stops it.
    pub deadline: Millis,
    /// Its id.
    pub request_id: &'a str,
}

impl<'a> RequestInfo<'a> {
    /// The info of an HTTP request.
    pub fn of(arrival: &'a Arrival) -> Self {
        Self { now: arrival.now, deadline: arrival.deadline, request_id: &arrival.request_id }
    }
}
