//! What a request of a stranger costs: before a credential verifies, no body makes the bundle take more than a small
//! multiple of its size, whatever its form, and all are answered alike.
//!
//! This is a program of its own, because its allocator counts for the whole process.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, dead_code)]

#[path = "it/jira.rs"]
mod jira;
#[path = "it/stage.rs"]
mod stage;

use cloud_apps_core::{
    edge::MAX_BODY,
    route::{Function, ROUTES},
};
use http::{HeaderValue, Method, Request, header};
use peak_alloc::PeakAlloc;
use stage::Stage;

#[global_allocator]
static ALLOCATOR: PeakAlloc = PeakAlloc;

/// How many times its own size a body may take while it is refused.
const MOST: usize = 6;

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
        ROUTES.iter().filter(|entry| entry.method == Method::POST && entry.function != Function::Install);
    bodied
        .filter(|entry| !entry.pattern.contains("/upstream/"))
        .map(|entry| entry.pattern.replace("{install}", stage.install.id.as_str()).replace(['{', '}'], ""))
        .collect()
}

#[test]
fn a_body_without_a_credential_costs_a_small_multiple_of_its_size() {
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
