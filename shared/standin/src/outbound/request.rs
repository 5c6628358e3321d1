//! Requests as the server sends them to integrations.

use bytes::Bytes;
use http::header::{ACCEPT, ACCEPT_ENCODING, CONTENT_TYPE, USER_AGENT};
use http::{Method, Request};

/// A request without a body.
pub(crate) fn get(url: &str) -> Result<Request<Bytes>, http::Error> {
    common(Method::GET, url).body(Bytes::new())
}

/// A request with a body.
pub(crate) fn post(url: &str, kind: &'static str, body: Bytes) -> Result<Request<Bytes>, http::Error> {
    common(Method::POST, url).header(CONTENT_TYPE, kind).body(body)
}

fn common(method: Method, url: &str) -> http::request::Builder {
    Request::builder()
        .method(method)
        .uri(url)
        .header(USER_AGENT, "Mattermost-Bot/1.1")
        .header(ACCEPT, "application/json")
        .header(ACCEPT_ENCODING, "gzip")
}
