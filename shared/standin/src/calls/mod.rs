//! The REST calls that came in, and the failures that a test ordered for them.

mod fault;

pub use fault::Fault;
pub(crate) use fault::{Faults, html_page, too_many_requests};

use crate::model::Millis;
use http::Method;
use std::fmt;

/// A REST call that came in, for assertions and for a log. The path holds no secret: the id of a `response_url` or
/// of an incoming webhook is left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// When it came, by the stand-in's clock.
    pub at: Millis,
    /// `GET`, `POST`, …
    pub method: Method,
    /// Without the query.
    pub path: String,
    /// The pattern that the path fits, with names in braces; empty if the stand-in does not serve the call.
    pub route: &'static str,
    /// The user name of the session; `None` without one.
    pub who: Option<String>,
    /// The failure that was ordered for it.
    pub fault: Option<Fault>,
    /// `None` if the connection was cut or left hanging, as ordered.
    pub status: Option<u16>,
}

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

/// The log of calls, and the failures that still wait for their call. Both have one lock, so that the nth
/// call in the log is the nth call to a fault.
#[derive(Debug, Default)]
pub(crate) struct Calls {
    pub log: Vec<Call>,
    pub faults: Faults,
}
