//! Apps that are Lambda functions. They get the same headers and body in an API Gateway v2 proxy event, so that any web
//! framework for Lambda can answer it unchanged
//! (<https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html>).

use super::{answer::Reply, lambdas::Lambdas, no_answer::NoAnswer, signed_request::SignedRequest};
use crate::store::ports::{InvokeError, StoreError};
use cloud_apps_protocol::{json::is_object, limits};
use serde::{
    Deserialize, Deserializer,
    de::{IgnoredAny, MapAccess, Visitor},
};
use serde_json::{Map, Value, json};
use std::{fmt, time::Duration};

/// How many bytes of a payload are read: enough for an answer of 1 MiB in base64 or escaped, and its headers.
const MAX_PAYLOAD: usize = 3 * limits::BODY;

pub(super) async fn invoke(
    lambdas: Option<&Lambdas>,
    function: &str,
    signed: &SignedRequest,
    left: Duration,
) -> Result<Reply, NoAnswer> {
    let lambdas = lambdas.ok_or_else(|| {
        NoAnswer::failed(
            "this bundle does not run on AWS, and apps in Lambda functions are called from there only",
        )
    })?;
    let invoked = lambdas.invoke(function, event(signed), left).await.map_err(|error| match error {
        InvokeError::TimedOut => NoAnswer::TookTooLong,
        error @ InvokeError::Busy => {
            NoAnswer::Store(StoreError::Busy { what: "Functions.invoke", source: error.into() })
        }
        error => NoAnswer::because("its Lambda function was not run", error),
    })?;
    // The payload of a failed function has the function's own text, which may have a token.
    if invoked.failed {
        return Err(NoAnswer::failed("its Lambda function failed (FunctionError): its log has the reason"));
    }
    if invoked.payload.len() > MAX_PAYLOAD {
        return Err(NoAnswer::TooLarge);
    }
    reply(invoked.payload)
}

/// The event. Header names are in lower case, as API Gateway sends them.
fn event(signed: &SignedRequest) -> Vec<u8> {
    let path = format!("/{}", signed.function);
    let headers: Map<String, Value> = signed
        .headers
        .iter()
        .filter_map(|(name, value)| Some((name.as_str().to_owned(), value.to_str().ok()?.into())))
        .collect();
    json!({
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": path,
        "rawQueryString": "",
        "headers": headers,
        "requestContext": {
            "accountId": "anonymous",
            "apiId": "cloud-apps",
            "domainName": "cloud-apps.internal",
            "domainPrefix": "cloud-apps",
            "http": {
                "method": "POST",
                "path": path,
                "protocol": "HTTP/1.1",
                "sourceIp": "127.0.0.1",
                "userAgent": concat!("cloud-apps/", env!("CARGO_PKG_VERSION")),
            },
            "requestId": signed.request_id,
            "routeKey": "$default",
            "stage": "$default",
            "time": common_log_time(signed.now),
            "timeEpoch": signed.now,
        },
        "body": String::from_utf8_lossy(&signed.body),
        "isBase64Encoded": false,
    })
    .to_string()
    .into_bytes()
}

/// `22/Nov/2026:12:00:00 +0000`.
fn common_log_time(now: u64) -> String {
    let at = i64::try_from(now).ok().and_then(|at| jiff::Timestamp::from_millisecond(at).ok());
    at.unwrap_or(jiff::Timestamp::MAX).strftime("%d/%b/%Y:%H:%M:%S +0000").to_string()
}

/// The response of a proxy integration. Only these parts are read, because a payload of 3 MiB as a tree of values would take
/// fifty times its size.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Response {
    status_code: u16,
    #[serde(default)]
    headers: Option<Headers>,
    #[serde(default)]
    body: Option<String>,
    #[serde(default)]
    is_base64_encoded: bool,
}

/// The headers that are read. Empty: there is no such header.
#[derive(Default)]
struct Headers {
    media: String,
    encoding: String,
}

impl<'de> Deserialize<'de> for Headers {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Object;
        impl<'de> Visitor<'de> for Object {
            type Value = Headers;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Headers, A::Error> {
                let mut headers = Headers::default();
                while let Some(name) = map.next_key::<String>()? {
                    if name.eq_ignore_ascii_case("content-type") {
                        headers.media = map.next_value()?;
                    } else if name.eq_ignore_ascii_case("content-encoding") {
                        headers.encoding = map.next_value()?;
                    } else {
                        map.next_value::<IgnoredAny>()?;
                    }
                }
                Ok(headers)
            }
        }
        deserializer.deserialize_map(Object)
    }
}

/// Reads the payload as API Gateway does. Without a `statusCode`, the payload is the body of a 200.
fn reply(payload: Vec<u8>) -> Result<Reply, NoAnswer> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Marked {
        status_code: Option<IgnoredAny>,
    }
    let none = |_| NoAnswer::failed("its Lambda function did not answer as an HTTP API's integration does");
    let media = || "application/json".to_owned();
    let marked = if is_object(&payload) {
        serde_json::from_slice::<Marked>(&payload).map_err(none)?.status_code.is_some()
    } else {
        serde_json::from_slice::<IgnoredAny>(&payload).map_err(none)?;
        false
    };
    if !marked {
        return Ok(Reply { status: 200, media: media(), encoding: String::new(), body: payload.into() });
    }
    let Response { status_code, headers, body, is_base64_encoded } =
        serde_json::from_slice(&payload).map_err(none)?;
    drop(payload);
    let headers = headers.unwrap_or_default();
    let body = body.unwrap_or_default();
    let body = if is_base64_encoded {
        let bad = |_| NoAnswer::failed("its Lambda function says that its answer is base64, and it is not");
        data_encoding::BASE64.decode(body.as_bytes()).map_err(bad)?
    } else {
        body.into_bytes()
    };
    // API Gateway takes an answer without a media type as JSON.
    let media = if headers.media.is_empty() { media() } else { headers.media };
    Ok(Reply { status: status_code, media, encoding: headers.encoding, body: body.into() })
}
