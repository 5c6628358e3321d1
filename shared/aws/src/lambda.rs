//! Lambda's events: an event of API Gateway (payload 2.0) becomes an [`Arrival`], a response becomes what API Gateway
//! expects, and a batch of SQS becomes [`Record`]s.
//!
//! The route comes from `routeKey` and `pathParameters`, never from `rawPath`. The body of a form comes in base64 and is
//! decoded first, because signatures are verified over the raw bytes. Two `Authorization` headers come joined by a comma,
//! and the parser of tokens refuses that.

use aws_lambda_events::{apigw::ApiGatewayV2httpResponse, encodings::Body};
use bytes::Bytes;
use cloud_apps_core::{
    http::{Arrival, Route, system_now},
    jobs::Record,
};
use cloud_apps_protocol::Millis;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, Uri};
use serde_json::Value;

/// The clock that decides what is now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Clock {
    /// The clock of this machine.
    System,
    /// The `timeEpoch` or `SentTimestamp` of the event, so that a committed sample never expires.
    Event,
}

/// The consumer got an event that is not a batch of SQS. The error does not repeat the event, because Lambda's runtime
/// logs errors.
#[derive(Debug, thiserror::Error)]
#[error("this event has no list `Records`: the consumer is for the event source mappings of the queues only")]
pub struct NoBatch;

/// Whether this is the event of the template's daily schedule. No message of a queue can look like it.
pub fn is_upkeep(event: &Value) -> bool {
    event.get("upkeep") == Some(&Value::Bool(true))
}

/// What a function that serves HTTP says of an event that is none of its own, such as a ping that should keep it warm.
pub const NOT_A_REQUEST: &str = "this event is not a request of the stack's HTTP API (payload format 2.0), so nothing was done: the \
     function takes no other events, and needs no pings to stay warm";

/// Whether an event is a request of an HTTP API in payload format 2.0.
pub fn is_request(event: &Value) -> bool {
    event.get("version").and_then(Value::as_str) == Some("2.0")
        && event.pointer("/requestContext/http").is_some()
}

/// Takes a text out of an event; `None` if there is no text at this place.
fn text(event: &mut Value, pointer: &str) -> Option<String> {
    match event.pointer_mut(pointer).map(Value::take) {
        Some(Value::String(text)) => Some(text),
        _ => None,
    }
}

/// Takes the texts of an object out of an event.
fn texts(event: &mut Value, pointer: &str) -> impl Iterator<Item = (String, String)> {
    let object = match event.pointer_mut(pointer).map(Value::take) {
        Some(Value::Object(object)) => object,
        _ => serde_json::Map::new(),
    };
    object.into_iter().filter_map(|(name, value)| match value {
        Value::String(value) => Some((name, value)),
        _ => None,
    })
}

/// Reads a batch of SQS: its messages, the present time, and when the function must be done with them.
pub fn records(
    mut event: Value,
    context: &lambda_runtime::Context,
    clock: Clock,
) -> Result<(Vec<Record>, Millis, Millis), NoBatch> {
    let Some(Value::Array(messages)) = event.get_mut("Records").map(Value::take) else { return Err(NoBatch) };
    let real_now = system_now();
    let records: Vec<_> = messages.into_iter().map(record).collect();
    let now = match clock {
        Clock::System => real_now,
        Clock::Event => records.iter().map(|record| record.sent_at).max().unwrap_or_default(),
    };
    Ok((records, now, now.saturating_add(context.deadline.saturating_sub(real_now))))
}

fn record(mut message: Value) -> Record {
    let sent_at = text(&mut message, "/attributes/SentTimestamp").and_then(|text| text.parse().ok());
    Record {
        id: text(&mut message, "/messageId").unwrap_or_default(),
        body: text(&mut message, "/body").unwrap_or_default(),
        sent_at: sent_at.unwrap_or_default(),
    }
}

/// Reads an event of API Gateway. A part that is missing or malformed counts as absent: a malformed header is left out,
/// and a body that should be base64 and is not counts as empty; no credential matches then. So all events get an answer,
/// and none causes an error that would repeat it in the log.
pub fn arrival(mut event: Value, context: &lambda_runtime::Context, clock: Clock) -> Arrival {
    let real_now = system_now();
    let now = match clock {
        Clock::System => real_now,
        Clock::Event => {
            event.pointer("/requestContext/timeEpoch").and_then(Value::as_u64).unwrap_or_default()
        }
    };
    let parameters = texts(&mut event, "/pathParameters").collect();
    let route = Route::from_key(&text(&mut event, "/routeKey").unwrap_or_default(), &parameters);
    let method = text(&mut event, "/requestContext/http/method");
    let query = text(&mut event, "/rawQueryString").filter(|query| !query.is_empty());
    let mut headers = HeaderMap::new();
    for (name, value) in texts(&mut event, "/headers") {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
            headers.append(name, value);
        }
    }
    let body = text(&mut event, "/body").unwrap_or_default();
    let body = if event.get("isBase64Encoded") == Some(&Value::Bool(true)) {
        data_encoding::BASE64.decode(body.as_bytes()).map(Bytes::from).unwrap_or_default()
    } else {
        Bytes::from(body)
    };
    let mut request = Request::new(body);
    *request.method_mut() =
        method.and_then(|method| Method::from_bytes(method.as_bytes()).ok()).unwrap_or_default();
    *request.uri_mut() = query.and_then(|q| Uri::try_from(format!("/?{q}")).ok()).unwrap_or_default();
    *request.headers_mut() = headers;
    Arrival {
        route,
        request_id: context.request_id.clone(),
        now,
        // Lambda's deadline is in real time, whatever the time of the event is.
        deadline: now.saturating_add(context.deadline.saturating_sub(real_now)),
        request,
    }
}

/// The response in the form that API Gateway expects. Bytes that are not UTF-8 (gzip) are sent in base64.
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
    use serde_json::json;

    fn event(body: &Value, base64: bool) -> Value {
        json!({
            "version": "2.0", "routeKey": "POST /command", "rawPath": "/stage/command",
            "rawQueryString": "a=1&b=%26",
            "headers": { "authorization": "Bearer a,Bearer b", "content-type": "application/json" },
            "pathParameters": {}, "body": body, "isBase64Encoded": base64,
            "requestContext": {
                "http": { "method": "POST", "path": "/stage/command" }, "timeEpoch": 1_795_348_800_000_i64,
            },
        })
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
        assert!(matches!(arrival.route, Route::Command));
        assert_eq!(arrival.request_id, "the-request");
        assert_eq!(arrival.request.method(), http::Method::POST);
        assert_eq!(arrival.request.uri().query(), Some("a=1&b=%26"));
        // Two headers with one name come joined; the parser of tokens refuses them.
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
    fn whatever_an_event_is_it_has_an_answer() {
        let odd = [
            json!(null),
            json!("keep warm"),
            json!({ "warmer": true, "concurrency": 3 }),
            json!([1]),
            json!({}),
            json!({ "source": "aws.events" }),
            // Payload 1.0.
            json!({ "version": "1.0", "httpMethod": "POST", "path": "/command", "headers": {}, "body": "{}" }),
            json!({ "requestContext": { "http": { "method": "GET" } } }),
            json!({ "requestContext": { "http": { "method": "G E T" }, "timeEpoch": -1 }, "headers": 1 }),
            json!({ "routeKey": 1, "pathParameters": "x", "rawQueryString": {}, "isBase64Encoded": "true" }),
        ];
        assert!(is_request(&event(&json!("{}"), false)));
        for event in odd {
            assert!(!is_request(&event), "{event}");
            for clock in [Clock::System, Clock::Event] {
                let arrival = arrival(event.clone(), &context(1_000), clock);
                assert_eq!(arrival.route.handler(), None, "{event}");
                assert!(arrival.request.headers().is_empty(), "{event}");
            }
            assert!(records(event, &context(1_000), Clock::System).is_err());
        }
    }

    #[test]
    fn the_daily_schedule_is_told_from_everything_else() {
        assert!(is_upkeep(&json!({ "upkeep": true })));
        let message = json!({ "messageId": "m", "body": "{\"upkeep\":true}", "upkeep": true });
        for event in [json!(null), json!({}), json!({ "upkeep": 1 }), json!({ "Records": [message] })] {
            assert!(!is_upkeep(&event), "{event}");
        }
    }

    #[test]
    fn a_header_that_is_none_is_left_out_and_the_others_stay() {
        let mut event = event(&json!("{}"), false);
        for (name, value) in [
            ("x-control", json!("a\u{0}b")),
            ("x-line", json!("a\r\nb: c")),
            ("no name", json!("a")),
            ("x-list", json!(["a"])),
            ("x-umlaut", json!("ü")),
        ] {
            event["headers"][name] = value;
        }
        let arrival = arrival(event, &context(1_000), Clock::System);
        let mut names: Vec<_> = arrival.request.headers().keys().map(HeaderName::as_str).collect();
        names.sort_unstable();
        assert_eq!(names, ["authorization", "content-type", "x-umlaut"]);
    }

    #[test]
    fn a_message_without_its_parts_is_a_record_that_cannot_be_read() {
        let batch = json!({ "Records": [null, 1, {}, { "messageId": "m", "body": 1, "attributes": [] }] });
        let (records, ..) = records(batch, &context(1_000), Clock::System).unwrap();
        assert_eq!(records.len(), 4);
        assert!(records.iter().all(|record| record.body.is_empty() && record.sent_at == 0));
        assert_eq!(records[3].id, "m");
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
