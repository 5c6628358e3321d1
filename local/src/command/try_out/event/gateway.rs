//! HTTP requests as Lambda gets them: API Gateway's payload 2.0 of an HTTP API, with header names in lower case and forms in
//! base64.

use crate::failure::Failure;
use data_encoding::{BASE64, BASE64URL_NOPAD};
use jiff::Timestamp;
use serde_json::{Map, Value, json};

/// An HTTP request, before it becomes an event.
#[derive(Default)]
pub struct HttpRequest<'a> {
    pub method: &'a str,
    pub route: &'a str,
    pub body: Option<(&'a str, Vec<u8>)>,
    pub authorization: Option<String>,
    pub parameters: &'a [(&'a str, &'a str)],
    pub agent: Option<&'a str>,
}

impl HttpRequest<'_> {
    /// The event, at this time in Unix milliseconds.
    pub fn into_event(self, at: u64) -> Result<Value, Failure> {
        let path = self
            .parameters
            .iter()
            .fold(self.route.to_owned(), |path, (name, value)| path.replace(&format!("{{{name}}}"), value));
        let agent = self.agent.unwrap_or("mattermost-11.6.0");
        let mut headers = vec![
            ("accept", "application/json".to_owned()),
            ("accept-encoding", "gzip".to_owned()),
            ("host", "sample.execute-api.us-east-1.amazonaws.com".to_owned()),
            ("user-agent", agent.to_owned()),
            ("x-forwarded-for", "192.0.2.1".to_owned()),
            ("x-forwarded-port", "443".to_owned()),
            ("x-forwarded-proto", "https".to_owned()),
        ];
        headers.extend(self.authorization.map(|authorization| ("authorization", authorization)));
        let (body, base64) = match self.body {
            None => (None, false),
            Some((kind, body)) => {
                headers.push(("content-type", kind.to_owned()));
                headers.push(("content-length", body.len().to_string()));
                // As API Gateway does it: a body that it knows as text stays text.
                let text = kind == "application/json";
                let body =
                    if text { String::from_utf8_lossy(&body).into_owned() } else { BASE64.encode(&body) };
                (Some(body), !text)
            }
        };
        let key = format!("{} {}", self.method, self.route);
        let millis = i64::try_from(at).map_err(|e| Failure::usage(format!("--at: {e}")))?;
        let time = Timestamp::from_millisecond(millis)
            .map_err(|e| Failure::usage(format!("--at: {e}")))?
            .strftime("%d/%b/%Y:%H:%M:%S +0000")
            .to_string();
        let object = |pairs: Vec<(&str, String)>| -> Value {
            pairs
                .into_iter()
                .map(|(name, value)| (name.to_owned(), Value::from(value)))
                .collect::<Map<_, _>>()
                .into()
        };
        let parameters = self.parameters.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
        Ok(json!({
            "version": "2.0",
            "routeKey": key,
            "rawPath": path,
            "rawQueryString": "",
            "headers": object(headers),
            "requestContext": {
                "accountId": "123456789012",
                "apiId": "sample",
                "domainName": "sample.execute-api.us-east-1.amazonaws.com",
                "domainPrefix": "sample",
                "http": {
                    "method": self.method,
                    "path": path,
                    "protocol": "HTTP/1.1",
                    "sourceIp": "192.0.2.1",
                    "userAgent": agent,
                },
                "requestId": BASE64URL_NOPAD.encode(b"SampleRequest"),
                "routeKey": key,
                "stage": "$default",
                "time": time,
                "timeEpoch": at,
            },
            "pathParameters": object(parameters),
            "body": body,
            "isBase64Encoded": base64,
        }))
    }
}
