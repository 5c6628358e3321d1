//! The edge: what is known of a request before anything is verified, and what is refused without looking further.

use super::{refusal::Refusal, route::Route};
use bytes::Bytes;
use cloud_apps_protocol::{Millis, error::Code, json, limits};
use http::{Method, header};
use serde::de::DeserializeOwned;

/// One request as it arrived, with what the platform says about it.
///
/// AWS and the local bundle both make it: `route` comes from `routeKey` and `pathParameters` there
/// ([`Route::from_key`]), from the path here ([`Route::from_path`]); never from `rawPath`, which stages and
/// mappings change.
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

/// Headers and body hold credentials, so neither is shown.
impl std::fmt::Debug for Arrival {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Arrival")
            .field("route", &self.route.name())
            .field("request_id", &self.request_id)
            .field("now", &self.now)
            .finish_non_exhaustive()
    }
}

/// The largest body of a request, in bytes (section 20).
pub const MAX_BODY: usize = limits::BODY;

const JSON: &str = "application/json";
const FORM: &str = "application/x-www-form-urlencoded";

/// This machine's clock, in Unix milliseconds: for who makes an [`Arrival`]. Behind it, `now` is an argument.
pub fn system_now() -> Millis {
    std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .map_or(0, |since| u64::try_from(since.as_millis()).unwrap_or(Millis::MAX))
}

impl Arrival {
    /// A header as text, if it is there once and is text.
    pub fn header(&self, name: impl header::AsHeaderName) -> Option<&str> {
        let mut given = self.request.headers().get_all(name).iter();
        match (given.next(), given.next()) {
            (Some(one), None) => one.to_str().ok(),
            _ => None,
        }
    }

    /// The body, a JSON object of this shape.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, Refusal> {
        Ok(json::read(self.request.body())?)
    }

    /// Refuses what no handler reads: too large, encoded, or of another media type than the route takes.
    pub fn check(&self) -> Result<(), Refusal> {
        let limit = if matches!(self.route, Route::Upstream { .. }) { limits::WEBHOOK } else { MAX_BODY };
        if self.request.body().len() > limit {
            return Err(Refusal::new(Code::TooLarge, format!("A body may have {limit} bytes here.")));
        }
        let unsupported = |message: String| Err(Refusal::new(Code::UnsupportedMediaType, message));
        if self.request.headers().contains_key(header::CONTENT_ENCODING) {
            return unsupported("Send the body as it is, without Content-Encoding.".into());
        }
        let accepted = self.media_types();
        if accepted.is_empty() {
            return Ok(());
        }
        if accepted.iter().any(|accepted| self.is(accepted)) {
            return Ok(());
        }
        unsupported(format!("Send this with Content-Type: {}.", accepted.join(" or ")))
    }

    /// Whether the body is said to be JSON.
    pub(crate) fn is_json(&self) -> bool {
        self.is(JSON)
    }

    /// Whether the body is said to be of this media type, whatever its parameters.
    fn is(&self, media: &str) -> bool {
        let found = self.header(header::CONTENT_TYPE).unwrap_or_default();
        found.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case(media)
    }

    /// The media types that the route takes; empty: any, or there is no body.
    fn media_types(&self) -> &'static [&'static str] {
        match self.route {
            // Requests without a body, and those whose body is the vendor's own.
            _ if matches!(*self.request.method(), Method::GET | Method::DELETE) => &[],
            Route::Upstream { .. } | Route::Unknown => &[],
            Route::Slash { .. } | Route::Connect { .. } => &[FORM],
            Route::Webhook { .. } => &[JSON, FORM],
            _ => &[JSON],
        }
    }
}
