//! Makes an [`http::Response`] with the headers that every answer has.
//!
//! These are exactly `Content-Type: application/json` (Mattermost shows anything else as text), `X-Request-Id`, and
//! `Retry-After` if it helps to wait. From 2 KiB on, the body is compressed if the request accepts gzip.

use crate::http::{Arrival, Refusal};
use bytes::Bytes;
use cloud_apps_protocol::{Code, ErrorBody, error::ErrorDetail};
use http::{HeaderValue, Response, StatusCode, header};
use serde::Serialize;
use std::io::Write;

/// The size from which an answer is compressed, in bytes.
const GZIP_FROM: usize = 2 * 1024;

/// Makes the response to a request.
#[derive(Debug, Clone)]
pub struct Responder {
    request_id: String,
    gzip: bool,
}

impl Responder {
    /// For a request.
    pub fn new(arrival: &Arrival) -> Self {
        let accepts = arrival.request.headers().get_all(header::ACCEPT_ENCODING);
        let gzip = accepts.iter().filter_map(|value| value.to_str().ok()).any(accepts_gzip);
        Self { request_id: arrival.request_id.clone(), gzip }
    }

    /// The request's id, as it stands in the log.
    pub fn request_id(&self) -> &str {
        &self.request_id
    }

    /// A JSON answer.
    pub fn json(&self, status: StatusCode, body: &impl Serialize) -> Response<Bytes> {
        match serde_json::to_vec(body) {
            Ok(bytes) => self.bytes(status, bytes.into()),
            // Only a map whose keys are not text does not serialise, and the bundle has no such type.
            Err(error) => {
                let refusal = Refusal::new(Code::Internal, "The answer could not be written.").because(error);
                self.refuse(&refusal)
            }
        }
    }

    /// A refusal, as the protocol's error body.
    pub fn refuse(&self, refusal: &Refusal) -> Response<Bytes> {
        let body = ErrorBody {
            error: ErrorDetail {
                code: refusal.code,
                message: refusal.message.clone(),
                request_id: self.request_id.clone(),
                more: refusal.more.clone(),
            },
        };
        let status = StatusCode::from_u16(refusal.code.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        // An error body has text and JSON values only, so it always serialises.
        let mut response = self.bytes(status, serde_json::to_vec(&body).unwrap_or_default().into());
        if let Some(seconds) = refusal.retry_after {
            response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
        }
        response
    }

    /// A response with this JSON text.
    fn bytes(&self, status: StatusCode, body: Bytes) -> Response<Bytes> {
        let compressed = if self.gzip && body.len() >= GZIP_FROM { gzip(&body) } else { None };
        let encoded = compressed.is_some();
        let mut response = Response::new(compressed.unwrap_or(body));
        *response.status_mut() = status;
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        if encoded {
            headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        }
        if let Ok(id) = HeaderValue::from_str(&self.request_id) {
            headers.insert("x-request-id", id);
        }
        response
    }
}

/// Whether a value of `Accept-Encoding` accepts gzip.
fn accepts_gzip(value: &str) -> bool {
    value.split(',').any(|coding| {
        let mut parts = coding.split(';').map(str::trim);
        let named = parts.next().is_some_and(|name| name.eq_ignore_ascii_case("gzip"));
        let refused = parts.any(|p| p.strip_prefix("q=").and_then(|q| q.parse::<f32>().ok()) == Some(0.0));
        named && !refused
    })
}

fn gzip(body: &[u8]) -> Option<Bytes> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(body).ok()?;
    encoder.finish().ok().map(Bytes::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gzip_is_used_where_it_is_named_and_not_refused() {
        for (value, accepted) in [
            ("gzip", true),
            ("br, GZIP;q=0.5", true),
            ("gzip; q=0", false),
            ("gzip;q=0.0", false),
            ("br", false),
            ("", false),
        ] {
            assert_eq!(accepts_gzip(value), accepted, "{value:?}");
        }
    }
}
