//! Lambda's side of a request: API Gateway's event (payload 2.0) becomes an [`Arrival`], a response becomes what API
//! Gateway expects.
//!
//! Routes come from `routeKey` and `pathParameters`, never from `rawPath`. Form bodies arrive base64-encoded and are
//! decoded first: whatever is verified is verified on the raw bytes. Two `Authorization` headers arrive joined by a
//! comma, which the token's parser refuses.

use aws_lambda_events::{
    apigw::{ApiGatewayV2httpRequest, ApiGatewayV2httpResponse},
    encodings::Body,
};
use bytes::Bytes;
use cloud_apps_core::edge::{Arrival, Route};
use http::{Request, Response, Uri};
use std::time::{SystemTime, UNIX_EPOCH};

/// Whose clock a request is measured by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Clock {
    /// This machine's.
    System,
    /// The event's own `timeEpoch`, so that a committed sample never expires.
    Event,
}

/// Unix milliseconds.
pub fn system_now() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |d| u64::try_from(d.as_millis()).unwrap_or(u64::MAX))
}

/// Reads an event of API Gateway. What it cannot be (a body that says base64 and is not) becomes an empty body,
/// which no credential matches.
pub fn arrival(event: ApiGatewayV2httpRequest, context: &lambda_runtime::Context, clock: Clock) -> Arrival {
    let real_now = system_now();
    let now = match clock {
        Clock::System => real_now,
        Clock::Event => u64::try_from(event.request_context.time_epoch).unwrap_or(0),
    };
    // `request_context.http.method` is the method; the field on the event is another payload's.
    let method = event.request_context.http.method.clone();
    let route = Route::from_key(event.route_key.as_deref().unwrap_or_default(), &event.path_parameters);
    let query = event.raw_query_string.as_deref().filter(|q| !q.is_empty());
    let uri = query.and_then(|q| Uri::try_from(format!("/?{q}")).ok()).unwrap_or_default();
    let body = match event.body {
        None => Bytes::new(),
        Some(text) if event.is_base64_encoded => {
            data_encoding::BASE64.decode(text.as_bytes()).map(Bytes::from).unwrap_or_default()
        }
        Some(text) => Bytes::from(text),
    };
    let mut request = Request::new(body);
    *request.method_mut() = method;
    *request.uri_mut() = uri;
    *request.headers_mut() = event.headers;
    Arrival {
        route,
        request_id: context.request_id.clone(),
        now,
        // The platform's deadline is in real time whatever the event says.
        deadline: now + context.deadline.saturating_sub(real_now),
        request,
    }
}

/// What API Gateway expects. Bytes that are not UTF-8 (gzip) go out as base64.
pub fn response(response: Response<Bytes>) -> ApiGatewayV2httpResponse {
    let (parts, body) = response.into_parts();
    let mut out = ApiGatewayV2httpResponse::default();
    out.status_code = i64::from(parts.status.as_u16());
    out.headers = parts.headers;
    let body = match String::from_utf8(Vec::from(body)) {
        Ok(text) => Body::Text(text),
        Err(bytes) => {
            out.is_base64_encoded = true;
            Body::Binary(bytes.into_bytes())
        }
    };
    out.body = Some(body);
    out
}
