//! What is read from outside costs. Before a credential verifies, no body makes the bundle take more than a small multiple
//! of its size, whatever its form, and all are answered alike. What a known sender or an app wrote is read into values, and
//! their number is bounded.
//!
//! This is a program of its own, because its allocator counts for the whole process.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, dead_code)]

#[path = "it/build.rs"]
mod build;
#[path = "it/jira.rs"]
mod jira;
#[path = "it/stage.rs"]
mod stage;

use cloud_apps_core::{
    apps::read_answer,
    http::{Handler, MAX_BODY, route::ROUTES},
};
use cloud_apps_protocol::{CommandRequest, json};
use http::{HeaderValue, Method, Request, Response, header};
use peak_alloc::PeakAlloc;
use stage::Stage;
use std::sync::{Mutex, PoisonError};

#[global_allocator]
static ALLOCATOR: PeakAlloc = PeakAlloc;

/// One test at a time: the allocator counts for all.
static ALONE: Mutex<()> = Mutex::new(());

/// How many times its own size a body may take while it is refused.
const MOST: usize = 6;

/// What the largest body of a known sender, or an app's answer, may take: a function of 128 MB has it twice.
const READ: usize = 40 * 1024 * 1024;

/// A text as often as it fits into the largest body, between a beginning and an end.
fn filled(begin: &str, text: &str, end: &str) -> String {
    let times = (MAX_BODY - begin.len() - end.len()) / text.len();
    format!("{begin}{}{end}", text.repeat(times))
}

/// Bodies that are made to cost, each with its media type.
fn bodies() -> Vec<(&'static str, String)> {
    const JSON: &str = "application/json";
    const FORM: &str = "application/x-www-form-urlencoded";
    vec![
        (JSON, filled("", "[", "")),
        (JSON, filled("", "{\"a\":", "")),
        (JSON, filled("{\"context\":{\"a\":[", "{},", "{}]}}")),
        (JSON, filled("{\"context\":{\"a\":[", "[],", "[]]}}")),
        (JSON, filled("{\"state\":[", "0,", "0]}")),
        (JSON, filled("{\"state\":{", "\"a\":{},", "\"a\":{}}}")),
        (JSON, filled("{\"a\":{},\"context\":{\"a\":[", "\"\\u0041\",", "\"\"]}}")),
        (JSON, filled("{\"context\":{\"seal\":\"s1.", "\\u0041", "\"},\"state\":\"x\"}")),
        (JSON, filled("{\"state\":\"", "\\n", "\",\"context\":{\"seal\":\"x\"}}")),
        (JSON, filled("{\"", "\\n", "\":0}")),
        (JSON, filled("{\"token\":\"", "x", "\"}")),
        (FORM, filled("", "a&", "")),
        (FORM, filled("", "a=b&", "")),
        (FORM, filled("token=", "%41", "")),
        (FORM, filled("token=", "+", "&team_id=x")),
        (FORM, filled("", "user_mentions=&", "")),
        (FORM, (0..MAX_BODY / 7).map(|n| format!("{n:06x}&")).collect::<Vec<_>>().concat()),
    ]
}

/// Each route that takes a body, with a path of the stage's install.
fn paths(stage: &Stage) -> Vec<String> {
    let bodied =
        ROUTES.iter().filter(|entry| entry.method == Method::POST && entry.handler != Handler::Install);
    bodied
        .filter(|entry| !entry.pattern.contains("/upstream/"))
        .map(|entry| entry.pattern.replace("{install}", stage.install.id.as_str()).replace(['{', '}'], ""))
        .collect()
}

#[test]
fn a_body_without_a_credential_costs_a_small_multiple_of_its_size() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let stage = Stage::new();
    let bodies = bodies();
    assert!(bodies.iter().all(|(_, body)| (MAX_BODY - 16..=MAX_BODY).contains(&body.len())));
    // The first request of all makes what every later one finds made.
    runtime.block_on(stage.type_("search"));
    let mut sent = 0;
    for path in paths(&stage) {
        for (media, body) in &bodies {
            let mut request =
                Request::post(&path).body(bytes::Bytes::copy_from_slice(body.as_bytes())).unwrap();
            request.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(media));
            let before = ALLOCATOR.current_usage();
            ALLOCATOR.reset_peak_usage();
            let answered = runtime.block_on(stage.send(request));
            let peak = ALLOCATOR.peak_usage().saturating_sub(before);
            let status = answered.status.as_u16();
            assert!(matches!(status, 401 | 415), "{path}: {status} {}", &body[..40]);
            if status == 401 {
                assert_eq!(answered.code(), "unauthorized", "{path}");
                sent += 1;
            }
            assert!(peak <= MOST * MAX_BODY, "{path} takes {peak} bytes for {}…", &body[..40]);
        }
    }
    assert!(sent > 60, "{sent}");
    assert_eq!(stage.calls().len(), 1, "the first request alone ran anything");
}

/// As many small things as fit, and as many as are read.
fn filled_with(begin: &str, text: &str, end: &str) -> [String; 2] {
    let some = format!("{begin}{}{end}", text.repeat(49_000 / text.matches([',', ':', '{', '[']).count()));
    [filled(begin, text, end), some]
}

#[test]
fn what_is_read_into_values_has_a_bound_of_its_own() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let mut read = 0;
    for small in ["{\"\":0},", "[],", "0,", "{\"a\":{}},", "\"\","] {
        let places = [
            ("{\"type\":\"message\",\"attachments\":[", "0]}"),
            ("{\"type\":\"message\",\"attachments\":[{\"fields\":[", "0]}]}"),
            ("{\"type\":\"done\",\"more\":[", "0]}"),
            ("{\"command\":{\"encoded\":{\"a\":[", "0]}}}"),
            ("{\"context\":{\"post\":{\"props\":{\"a\":[", "0]}}}}"),
        ];
        for body in places.iter().flat_map(|(begin, end)| filled_with(begin, small, end)) {
            let answer = Response::builder().header(header::CONTENT_TYPE, "application/json");
            let answer = answer.body(bytes::Bytes::copy_from_slice(body.as_bytes())).unwrap();
            let before = ALLOCATOR.current_usage();
            ALLOCATOR.reset_peak_usage();
            read += usize::from(read_answer(&answer).is_ok());
            read += usize::from(json::read::<CommandRequest>(body.as_bytes()).is_ok());
            let peak = ALLOCATOR.peak_usage().saturating_sub(before);
            assert!(peak <= READ, "{peak} bytes are taken for {}…", &body[..60]);
        }
    }
    assert!(read >= 20, "{read}");
}
