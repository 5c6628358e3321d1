//! A request as it arrives, before anything is verified, and what is refused at once.

use super::{refusal::Refusal, route::Route};
use bytes::Bytes;
use cloud_apps_protocol::{Millis, error::Code, json, limits};
use http::{Method, header};
use serde::de::DeserializeOwned;

/// A request as it arrived, with what the platform says about it.
///
/// On AWS, `route` comes from `routeKey` and `pathParameters` ([`Route::from_key`]), and never from `rawPath`, because stages
/// and mappings change that. In the local bundle it comes from the path ([`Route::from_path`]).
pub struct Arrival {
    /// The route, with its parameters as text.
    pub route: Route,
    /// The request's id in the log, the answer and errors.
    pub request_id: String,
    /// Unix milliseconds.
    pub now: Millis,
    /// Unix milliseconds when the platform stops the request.
    pub deadline: Millis,
    /// Method, headers and the decoded body.
    pub request: http::Request<Bytes>,
}

/// Headers and body have credentials, so neither is printed.
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

/// The time of this machine's clock in Unix milliseconds, for those who make an [`Arrival`]. After that, `now` is an argument.
pub fn system_now() -> Millis {
    std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .map_or(0, |since| u64::try_from(since.as_millis()).unwrap_or(Millis::MAX))
}

impl Arrival {
    /// The value of a header, if there is one such header and its value is text.
    pub fn header(&self, name: impl header::AsHeaderName) -> Option<&str> {
        let mut given = self.request.headers().get_all(name).iter();
        match (given.next(), given.next()) {
            (Some(one), None) => one.to_str().ok(),
            _ => None,
        }
    }

    /// The body, a JSON object of this type.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, Refusal> {
        Ok(json::read(self.request.body())?)
    }

    /// Refuses a body that is too large, encoded, or of a media type that the route does not accept.
    pub fn check(&self) -> Result<(), Refusal> {
        let limit =
            if matches!(self.route, Route::VendorWebhook { .. }) { limits::WEBHOOK } else { MAX_BODY };
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

    /// Whether the request says that its body is JSON.
    pub(crate) fn is_json(&self) -> bool {
        self.is(JSON)
    }

    /// Whether the request says that its body has this media type, with any parameters.
    fn is(&self, media: &str) -> bool {
        let found = self.header(header::CONTENT_TYPE).unwrap_or_default();
        found.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case(media)
    }

    /// The media types that the route accepts. Empty: any, or there is no body.
    fn media_types(&self) -> &'static [&'static str] {
        match self.route {
            // These requests have no body, or a body in the vendor's own form.
            _ if matches!(*self.request.method(), Method::GET | Method::DELETE) => &[],
            Route::VendorWebhook { .. } | Route::Unknown => &[],
            Route::Slash { .. } | Route::Connect { .. } => &[FORM],
            Route::OutgoingWebhook { .. } => &[JSON, FORM],
            _ => &[JSON],
        }
    }
}
