//! Whatever comes, a well-formed answer goes back and nothing panics.

use crate::stage::{NOW, STATIC_TOKEN, Stage, command_body, form};
use bytes::Bytes;
use cloud_apps_core::http::{Arrival, Route, route::ROUTES};
use http::{HeaderName, HeaderValue, Request, header};
use proptest::prelude::*;

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap()
}

/// Any route, with the stage's install for its first parameter or not.
fn request_to(
    stage: &Stage,
    route: usize,
    own: bool,
    media: usize,
    authorization: &[u8],
    body: Vec<u8>,
) -> Arrival {
    let entry = &ROUTES[route % ROUTES.len()];
    let install = if own { stage.install.id.as_str() } else { "x" };
    let path = entry.pattern.replace("{install}", install).replace(['{', '}'], "");
    let mut request = Request::new(Bytes::from(body));
    *request.method_mut() = entry.method.clone();
    let media = ["application/json", "application/x-www-form-urlencoded"][media % 2];
    request.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(media));
    if let Ok(value) = HeaderValue::from_bytes(authorization) {
        request.headers_mut().insert(HeaderName::from_static("authorization"), value);
    }
    let route = Route::from_path(&entry.method, &path);
    Arrival { route, request_id: "request-1".into(), now: NOW, deadline: NOW + 29_000, request }
}

#[tokio::test]
async fn no_clock_is_too_early_or_too_late() {
    for now in [0, 1, i64::MAX as u64 - 1, i64::MAX as u64, u64::MAX - 1, u64::MAX] {
        for route in 0..ROUTES.len() {
            let mut stage = Stage::new();
            let body = command_body("/jira quote --due=tomorrow").to_string().into_bytes();
            stage.now = now;
            for deadline in [0, now, u64::MAX] {
                let authorization = format!("Token {STATIC_TOKEN}");
                let mut arrival = request_to(&stage, route, true, 0, authorization.as_bytes(), body.clone());
                (arrival.now, arrival.deadline) = (now, deadline);
                assert_ne!(stage.arrive(arrival).await.status.as_u16(), 500, "{now} {deadline}");
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_to_any_route_get_a_well_formed_answer(
        route in any::<usize>(), own in any::<bool>(), media in any::<usize>(),
        authorization in prop::collection::vec(any::<u8>(), 0..80),
        body in prop::collection::vec(any::<u8>(), 0..300),
    ) {
        let stage = Stage::new();
        let arrival = request_to(&stage, route, own, media, &authorization, body);
        let answered = runtime().block_on(stage.arrive(arrival));
        prop_assert!(answered.status.as_u16() < 500 || answered.code() == "no_route");
        prop_assert!(stage.calls().is_empty());
    }

    #[test]
    fn any_line_of_a_known_sender_gets_a_well_formed_answer(line in ".{0,120}", namespace in "(jira|.{0,10})") {
        let stage = Stage::new();
        let mut body = command_body(&line);
        body["command"]["namespace"] = namespace.into();
        let answered = runtime().block_on(stage.send(stage.v2("/command", &body)));
        prop_assert!(answered.status.as_u16() < 500, "{answered:?}");
    }

    #[test]
    fn any_text_typed_gets_a_200(text in ".{0,120}", root in ".{0,30}", channel in ".{0,30}") {
        let stage = Stage::new();
        let mut form = form(&text);
        form.retain(|(key, _)| *key != "root_id" && *key != "channel_name");
        form.push(("root_id", &root));
        form.push(("channel_name", &channel));
        let answered = runtime().block_on(stage.send(stage.slash(&form)));
        prop_assert_eq!(answered.status.as_u16(), 200);
    }
}
