//! Failures that a test orders: what a network, a proxy or an overloaded server does to an app.

use bytes::Bytes;
use http::header::{CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderValue, Response, StatusCode};

/// What happens to a REST call in place of its answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Nothing is done, and this status is answered: in Mattermost's error shape, but 429 as its rate limiter
    /// writes it (`limit exceeded`, as text).
    Status(u16),
    /// Nothing is done, and a proxy's HTML page is answered.
    Html(u16),
    /// Nothing is done, and no answer ever comes.
    Hang,
    /// Nothing is done, and the connection ends.
    Cut,
    /// The call is done, and the connection ends before the answer: what a retry must survive.
    CutAfter,
}

/// The orders, and how many calls have come.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    received: usize,
    ordered: Vec<(usize, Fault)>,
}

impl Faults {
    /// `nth` counts from the next call, which is 1.
    pub(crate) fn order(&mut self, nth: usize, fault: Fault) {
        self.ordered.push((self.received + nth, fault));
    }

    /// Counts a call, and tells what shall happen to it.
    pub(crate) fn next(&mut self) -> Option<Fault> {
        self.received += 1;
        let at = self.ordered.iter().position(|(nth, _)| *nth == self.received)?;
        Some(self.ordered.swap_remove(at).1)
    }
}

/// The page of a proxy in front of a server that is away.
pub(crate) fn html(status: u16) -> Response<Bytes> {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_GATEWAY);
    let title = format!("{} {}", status.as_u16(), status.canonical_reason().unwrap_or("Error"));
    let page = format!(
        "<html>\r\n<head><title>{title}</title></head>\r\n<body>\r\n<center><h1>{title}</h1></center>\r\n</body>\r\n</html>\r\n"
    );
    answer(status, "text/html", page)
}

/// What the rate limiter says: `app/ratelimit.go`.
pub(crate) fn too_many() -> Response<Bytes> {
    let mut response =
        answer(StatusCode::TOO_MANY_REQUESTS, "text/plain; charset=utf-8", "limit exceeded\n".to_owned());
    let headers = response.headers_mut();
    headers.insert(RETRY_AFTER, HeaderValue::from_static("1"));
    headers.insert("x-ratelimit-limit", HeaderValue::from_static("101"));
    headers.insert("x-ratelimit-remaining", HeaderValue::from_static("0"));
    headers.insert("x-ratelimit-reset", HeaderValue::from_static("1"));
    response
}

fn answer(status: StatusCode, kind: &'static str, body: String) -> Response<Bytes> {
    let mut response = Response::new(Bytes::from(body));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    response
}
