//! The edge: what is known of a request before anything is verified.

use bytes::Bytes;
use cloud_apps_protocol::Millis;

/// One request as it arrived, with what the platform says about it.
///
/// AWS and the local bundle both make it: `route` comes from `routeKey` and `pathParameters` there, from the path
/// here; never from `rawPath`, which stages and mappings change.
#[derive(Debug)]
pub struct Arrival {
    /// Which route of the protocol, with its parameters as text.
    pub route: Route,
    /// Names the request in log, answer and errors.
    pub request_id: String,
    /// Unix milliseconds.
    pub now: Millis,
    /// Unix milliseconds when the platform gives up.
    pub deadline: Millis,
    /// Method, headers and decoded body.
    pub request: http::Request<Bytes>,
}

/// The routes of the protocol. Parameters are as they stood in the path; their shape is checked by the handler.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs)] // The routes of the protocol.
pub enum Route {
    Index,
    Apps,
    /// `POST /command` and `POST /` (`htp` differs).
    Command { root: bool },
    Embed,
    Answers,
    /// `POST` or `GET /hooks/{install}/slash`.
    Slash { install: String },
    Action { install: String },
    Dialog { install: String },
    Autocomplete,
    Lookup { install: String, function: String, field: String },
    Refresh { install: String },
    Event,
    Webhook { install: String },
    Upstream { install: String, path: String },
    Install,
    Complete { install: String },
    /// `GET`, `PATCH`, `DELETE /install/{id}`.
    Installed { install: String },
    Subscription { name: String },
    Connect { app: String },
    Callback { app: String },
    /// Nothing of ours.
    Unknown,
}
