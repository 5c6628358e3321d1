//! Lambda's side of a request: API Gateway's event (payload 2.0) becomes an [`Arrival`], a response becomes what API
//! Gateway expects; a batch of SQS becomes [`Record`]s.
//!
//! Routes come from `routeKey` and `pathParameters`, never from `rawPath`. Form bodies arrive base64-encoded and are
//! decoded first: whatever is verified is verified on the raw bytes. Two `Authorization` headers arrive joined by a
//! comma, which the token's parser refuses.

use aws_lambda_events::{
    apigw::{ApiGatewayV2httpRequest, ApiGatewayV2httpResponse},
    encodings::Body,
    sqs::{SqsEvent, SqsMessage},
};
use bytes::Bytes;
use cloud_apps_core::{
    deliver::Record,
    edge::{Arrival, Route, system_now},
};
use cloud_apps_protocol::Millis;
use http::{Request, Response, Uri};

/// Whose clock a request is measured by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Clock {
    /// This machine's.
    System,
    /// The event's own `timeEpoch` or `SentTimestamp`, so that a committed sample never expires.
    Event,
}

/// Reads a batch of SQS: its messages, now, and when the function must be done with them.
pub fn records(
    event: SqsEvent,
    context: &lambda_runtime::Context,
    clock: Clock,
) -> (Vec<Record>, Millis, Millis) {
    let real_now = system_now();
    let records: Vec<_> = event.records.into_iter().map(record).collect();
    let now = match clock {
        Clock::System => real_now,
        Clock::Event => records.iter().map(|record| record.sent_at).max().unwrap_or_default(),
    };
    (records, now, now.saturating_add(context.deadline.saturating_sub(real_now)))
}

fn record(message: SqsMessage) -> Record {
    let sent_at = message.attributes.get("SentTimestamp").and_then(|text| text.parse().ok());
    Record {
        id: message.message_id.unwrap_or_default(),
        body: message.body.unwrap_or_default(),
        sent_at: sent_at.unwrap_or_default(),
    }
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]

    use super::*;
    use lambda_runtime::Context;
    use serde_json::{Value, json};

    fn event(body: &Value, base64: bool) -> ApiGatewayV2httpRequest {
        serde_json::from_value(json!({
            "version": "2.0", "routeKey": "POST /command", "rawPath": "/stage/command",
            "rawQueryString": "a=1&b=%26",
            "headers": { "authorization": "Bearer a,Bearer b", "content-type": "application/json" },
            "pathParameters": {}, "body": body, "isBase64Encoded": base64,
            "requestContext": {
                "http": { "method": "POST", "path": "/stage/command" }, "timeEpoch": 1_795_348_800_000_i64,
            },
        }))
        .unwrap()
    }

    fn context(left: u64) -> Context {
        let mut context = Context::default();
        context.request_id = "the-request".to_owned();
        context.deadline = system_now() + left;
        context
    }

    fn body(body: &Value, base64: bool) -> Bytes {
        arrival(event(body, base64), &context(1_000), Clock::Event).request.into_body()
    }

    #[test]
    fn an_event_becomes_an_arrival_with_what_gateway_and_runtime_say() {
        let arrival = arrival(event(&json!("{}"), false), &context(5_000), Clock::Event);
        assert!(matches!(arrival.route, Route::Command { .. }));
        assert_eq!(arrival.request_id, "the-request");
        assert_eq!(arrival.request.method(), http::Method::POST);
        assert_eq!(arrival.request.uri().query(), Some("a=1&b=%26"));
        // Two headers of one name come joined; the token's parser refuses them.
        assert_eq!(arrival.header("authorization"), Some("Bearer a,Bearer b"));
    }

    #[test]
    fn a_body_is_decoded_before_anybody_verifies_it() {
        assert_eq!(body(&json!("as it is"), false), "as it is");
        assert_eq!(body(&json!("YT0xJmI9Mg=="), true), "a=1&b=2");
        assert_eq!(body(&Value::Null, false), "");
        assert_eq!(body(&Value::Null, true), "");
        // No credential matches an empty body.
        assert_eq!(body(&json!("not base64!"), true), "");
    }

    #[test]
    fn the_events_clock_moves_now_and_leaves_the_time_that_is_left() {
        let sample = arrival(event(&json!("{}"), false), &context(5_000), Clock::Event);
        assert_eq!(sample.now, 1_795_348_800_000);
        assert!((sample.now..=sample.now + 5_000).contains(&sample.deadline), "{}", sample.deadline);
        let before = system_now();
        let real = arrival(event(&json!("{}"), false), &context(5_000), Clock::System);
        assert!((before..=system_now()).contains(&real.now));
        let late = arrival(event(&json!("{}"), false), &Context::default(), Clock::System);
        assert_eq!(late.deadline, late.now, "a deadline that has passed leaves nothing");
    }

    #[test]
    fn an_event_without_its_parts_is_a_route_of_nobody() {
        let empty =
            serde_json::from_value(json!({ "requestContext": { "http": { "method": "GET" } } })).unwrap();
        let arrival = arrival(empty, &context(1_000), Clock::System);
        assert_eq!(arrival.route.function(), None);
        assert!(arrival.request.body().is_empty());
    }

    #[test]
    fn text_goes_out_as_text_and_other_bytes_as_base64() {
        let out = |bytes: &'static [u8]| {
            let mut given = Response::new(Bytes::from_static(bytes));
            *given.status_mut() = http::StatusCode::CREATED;
            given.headers_mut().insert("x-request-id", http::HeaderValue::from_static("r"));
            serde_json::to_value(response(given)).unwrap()
        };
        let text = out("grüß".as_bytes());
        assert_eq!((&text["statusCode"], &text["body"]), (&json!(201), &json!("grüß")));
        assert_eq!(
            (&text["isBase64Encoded"], &text["headers"]["x-request-id"]),
            (&json!(false), &json!("r"))
        );
        let gzip = out(&[0x1f, 0x8b, 0xff]);
        assert_eq!((&gzip["isBase64Encoded"], &gzip["body"]), (&json!(true), &json!("H4v/")));
    }
}
