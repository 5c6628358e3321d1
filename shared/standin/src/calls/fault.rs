//! Failures that a test orders: what an app meets when the network, a proxy or the server fails.

use bytes::Bytes;
use http::header::{CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderValue, Method, Response, StatusCode};

/// What happens to a REST call in place of its answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// The call has no effect and gets this status, with the body of a Mattermost error. 429 gets the answer of
    /// Mattermost's rate limiter instead: the text `limit exceeded`, and to try again after a second.
    Status(u16),
    /// The call has no effect, and the rate limiter asks to try again after so many seconds.
    TooMany(u32),
    /// The call has no effect and gets this status, with the HTML page of a proxy.
    Html(u16),
    /// The call has no effect, and no answer ever comes.
    Hang,
    /// The call has no effect, and the connection ends.
    Cut,
    /// The call takes effect, and the connection ends before the answer. A retry must survive this.
    CutAfter,
    /// The call takes effect, and no answer ever comes.
    HangAfter,
}

impl Fault {
    /// Whether the call takes effect although no answer comes.
    pub fn takes_effect(self) -> bool {
        matches!(self, Fault::CutAfter | Fault::HangAfter)
    }
}

/// A fault that was ordered, and the calls that it is for.
#[derive(Debug)]
struct Order {
    /// `None` for all methods.
    method: Option<Method>,
    /// Words between slashes, where a word in braces stands for any word; empty for all paths.
    pattern: String,
    /// How many calls that fit still succeed before the fault comes.
    passing: usize,
    /// Whether all later calls fail too.
    lasting: bool,
    fault: Fault,
}

impl Order {
    fn fits(&self, method: &Method, path: &str) -> bool {
        let any = |word: &str| word == "*" || (word.starts_with('{') && word.ends_with('}'));
        let same_method = self.method.as_ref().is_none_or(|wanted| wanted == method);
        let mut words = path.split('/');
        let same_path = self.pattern.is_empty()
            || (self
                .pattern
                .split('/')
                .all(|wanted| words.next().is_some_and(|word| any(wanted) || word == wanted))
                && words.next().is_none());
        same_method && same_path
    }
}

/// The faults that wait for their calls.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    orders: Vec<Order>,
}

impl Faults {
    /// Orders a fault. `nth` counts only the calls that fit; the next one is 1.
    pub(crate) fn order(
        &mut self,
        method: Option<Method>,
        pattern: &str,
        nth: usize,
        lasting: bool,
        fault: Fault,
    ) {
        let (pattern, passing) = (pattern.to_owned(), nth.saturating_sub(1));
        self.orders.push(Order { method, pattern, passing, lasting, fault });
    }

    pub(crate) fn clear(&mut self) {
        self.orders.clear();
    }

    /// The fault for a call, if one is due. Every order that the call fits counts it; the first that is due is taken.
    pub(crate) fn next(&mut self, method: &Method, path: &str) -> Option<Fault> {
        let mut due = None;
        self.orders.retain_mut(|order| {
            if !order.fits(method, path) {
                return true;
            }
            if order.passing > 0 {
                order.passing -= 1;
                return true;
            }
            due = due.or(Some(order.fault));
            order.lasting
        });
        due
    }
}

/// The page of a proxy whose server does not answer.
pub(crate) fn html_page(status: u16) -> Response<Bytes> {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_GATEWAY);
    let title = format!("{} {}", status.as_u16(), status.canonical_reason().unwrap_or("Error"));
    let page = format!(
        "<html>\r\n<head><title>{title}</title></head>\r\n<body>\r\n<center><h1>{title}</h1></center>\r\n</body>\r\n</html>\r\n"
    );
    answer(status, "text/html", page)
}

/// The answer of the rate limiter: `app/ratelimit.go`.
pub(crate) fn too_many_requests(seconds: u32) -> Response<Bytes> {
    let mut response =
        answer(StatusCode::TOO_MANY_REQUESTS, "text/plain; charset=utf-8", "limit exceeded\n".to_owned());
    let headers = response.headers_mut();
    headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
    headers.insert("x-ratelimit-limit", HeaderValue::from_static("101"));
    headers.insert("x-ratelimit-remaining", HeaderValue::from_static("0"));
    headers.insert("x-ratelimit-reset", HeaderValue::from(seconds));
    response
}

fn answer(status: StatusCode, kind: &'static str, body: String) -> Response<Bytes> {
    let mut response = Response::new(Bytes::from(body));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_counts_only_the_calls_that_fit() {
        let mut faults = Faults::default();
        faults.order(Some(Method::POST), "/api/v4/teams/{team_id}/members", 2, false, Fault::Cut);
        for (method, path, due) in [
            (Method::POST, "/api/v4/teams/a/members", None),
            (Method::GET, "/api/v4/teams/a/members", None),
            (Method::POST, "/api/v4/teams/a/members/b", None),
            (Method::POST, "/api/v4/teams/a", None),
            (Method::POST, "/api/v4/teams/b/members", Some(Fault::Cut)),
            (Method::POST, "/api/v4/teams/b/members", None),
        ] {
            assert_eq!(faults.next(&method, path), due, "{method} {path}");
        }
    }

    #[test]
    fn a_lasting_order_holds_until_the_orders_are_cleared() {
        let mut faults = Faults::default();
        faults.order(None, "", 2, true, Fault::Hang);
        let mut next = || faults.next(&Method::GET, "/");
        assert_eq!([next(), next(), next()], [None, Some(Fault::Hang), Some(Fault::Hang)]);
        faults.clear();
        assert_eq!(faults.next(&Method::GET, "/"), None);
    }
}
