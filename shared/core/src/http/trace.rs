//! The trace of a request (W3C Trace Context, <https://www.w3.org/TR/trace-context/>), by which all log lines of one click can
//! be found. It comes from the header `traceparent`; if there is none, it is made here.

use crate::{http::Arrival, store::model::Sha256};

/// The trace id: 32 characters of hex. Without a valid `traceparent` it is derived from the request's id, so that it can be
/// found for every request id.
pub fn trace_id(arrival: &Arrival) -> String {
    arrival.header("traceparent").and_then(of_parent).unwrap_or_else(|| of_request(&arrival.request_id))
}

/// The trace id of a request without `traceparent`.
pub fn of_request(request_id: &str) -> String {
    let mut id = Sha256::of(request_id).as_str().to_owned();
    id.truncate(32);
    id
}

/// The trace id in a `traceparent`, which is `version-trace-parent-flags`. Later versions than 00 may have more parts.
fn of_parent(header: &str) -> Option<String> {
    let mut parts = header.split('-');
    let mut next = |length: usize| parts.next().filter(|part| part.len() == length && is_hex(part));
    let (version, trace, parent, _flags) = (next(2)?, next(32)?, next(16)?, next(2)?);
    let zero = |id: &str| id.bytes().all(|b| b == b'0');
    let whole = version != "00" || parts.next().is_none();
    (version != "ff" && whole && !zero(trace) && !zero(parent)).then(|| trace.to_owned())
}

fn is_hex(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_traceparent_is_read_as_the_recommendation_says() {
        let trace = "0af7651916cd43dd8448eb211c80319c";
        let parent = "b7ad6b7169203331";
        for (header, good) in [
            (format!("00-{trace}-{parent}-01"), true),
            (format!("01-{trace}-{parent}-01-more"), true),
            (format!("00-{trace}-{parent}-01-more"), false),
            (format!("ff-{trace}-{parent}-01"), false),
            (format!("00-{trace}-{parent}"), false),
            (format!("00-{}-{parent}-01", trace.to_uppercase()), false),
            (format!("00-{}-{parent}-01", "0".repeat(32)), false),
            (format!("00-{trace}-{}-01", "0".repeat(16)), false),
            (format!("00-{trace}\n-{parent}-01"), false),
            (trace.to_owned(), false),
            (String::new(), false),
        ] {
            assert_eq!(of_parent(&header), good.then(|| trace.to_owned()), "{header:?}");
        }
    }
}
