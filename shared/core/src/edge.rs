//! The edge: what is known of a request before anything is verified, and what is refused without looking further.

use crate::refusal::Refusal;
use bytes::Bytes;
use cloud_apps_protocol::{Millis, error::Code};
use http::{Method, header};
use serde::de::DeserializeOwned;
use serde_path_to_error::{Path, Segment};

pub use crate::route::{Function, Route};

/// One request as it arrived, with what the platform says about it.
///
/// AWS and the local bundle both make it: `route` comes from `routeKey` and `pathParameters` there
/// ([`Route::from_key`]), from the path here ([`Route::from_path`]); never from `rawPath`, which stages and
/// mappings change.
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

/// The largest body of a request, in bytes (section 20).
pub const MAX_BODY: usize = 1024 * 1024;

/// The largest body of a vendor's webhook, in bytes (section 20).
pub const MAX_UPSTREAM_BODY: usize = 512 * 1024;

const JSON: &str = "application/json";
const FORM: &str = "application/x-www-form-urlencoded";

impl Arrival {
    /// A header as text, if it is there once and is text.
    pub fn header(&self, name: impl header::AsHeaderName) -> Option<&str> {
        self.request.headers().get(name)?.to_str().ok()
    }

    /// The body, a JSON object of this shape. What is not JSON is said by line and column, what has another shape by its
    /// JSON pointer.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, Refusal> {
        let mut deserializer = serde_json::Deserializer::from_slice(self.request.body());
        let value = serde_path_to_error::deserialize(&mut deserializer).map_err(|error| {
            let pointer = pointer(error.path());
            Refusal::bad_json(&pointer, &error.into_inner())
        })?;
        deserializer.end().map_err(|error| Refusal::bad_json("", &error))?;
        // Serde reads an array as a struct too, in the order of its fields.
        let first = self.request.body().iter().find(|byte| !byte.is_ascii_whitespace());
        if first != Some(&b'{') {
            return Err(Refusal::bad_request("", "The body is not a JSON object."));
        }
        Ok(value)
    }

    /// Refuses what no handler reads: too large, encoded, or of another media type than the route takes.
    pub fn check(&self) -> Result<(), Refusal> {
        let limit = if matches!(self.route, Route::Upstream { .. }) { MAX_UPSTREAM_BODY } else { MAX_BODY };
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
        let found = self.header(header::CONTENT_TYPE).unwrap_or_default();
        let essence = found.split(';').next().unwrap_or_default().trim();
        if accepted.iter().any(|accepted| essence.eq_ignore_ascii_case(accepted)) {
            return Ok(());
        }
        unsupported(format!("Send this with Content-Type: {}.", accepted.join(" or ")))
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

/// RFC 6901: `/context/acting_user`; empty for the whole body.
fn pointer(path: &Path) -> String {
    let steps = path.iter().map(|segment| match segment {
        Segment::Seq { index } => format!("/{index}"),
        Segment::Map { key } => format!("/{}", key.replace('~', "~0").replace('/', "~1")),
        Segment::Enum { variant } => format!("/{variant}"),
        Segment::Unknown => String::new(),
    });
    steps.collect()
}
