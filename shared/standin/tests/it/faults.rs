//! Failures that a test orders.

use bytes::Bytes;
use cloud_apps_standin::{ConnectionCut, Fault, Standin, Version};
use http::{HeaderValue, Method, Request, Response, StatusCode};
use serde_json::json;

struct Site {
    mm: Standin,
    token: String,
    channel: String,
}

fn site() -> Site {
    let mm = Standin::seeded(Version::V11, 3);
    mm.demo().unwrap();
    let token = mm.add_token("alice").unwrap();
    let channel = mm.channel_id("demo", "town-square").unwrap();
    Site { mm, token, channel }
}

impl Site {
    fn request(&self) -> Request<Bytes> {
        Request::post("/api/v4/posts")
            .header("authorization", format!("Bearer {}", self.token))
            .body(Bytes::from(json!({"channel_id": self.channel, "message": "m"}).to_string()))
            .unwrap()
    }

    async fn post(&self) -> Result<Response<Bytes>, ConnectionCut> {
        self.mm.respond(self.request()).await
    }

    fn said(&self) -> usize {
        self.mm.posts("town-square").unwrap().len()
    }
}

#[tokio::test]
async fn the_nth_call_from_now_fails_and_no_other() {
    let site = site();
    site.post().await.unwrap();
    site.mm.fault(2, Fault::Status(500));
    let mut statuses = Vec::new();
    for _ in 0..3 {
        statuses.push(site.post().await.unwrap().status().as_u16());
    }
    assert_eq!((statuses, site.said()), (vec![201, 500, 201], 3));
}

#[tokio::test]
async fn a_failed_call_does_nothing_unless_only_its_answer_is_lost() {
    let faults = [(Fault::Cut, 0), (Fault::Status(503), 0), (Fault::Html(502), 0), (Fault::CutAfter, 1)];
    for (fault, done) in faults {
        let site = site();
        site.mm.fault(1, fault);
        let answer = site.post().await;
        assert_eq!(site.said(), done, "{fault:?}");
        assert_eq!(answer.is_err(), matches!(fault, Fault::Cut | Fault::CutAfter), "{fault:?}");
        assert_eq!(site.mm.calls()[0].status, answer.ok().map(|answer| answer.status().as_u16()));
    }
}

#[tokio::test]
async fn the_rate_limiter_and_a_proxy_answer_no_json() {
    let site = site();
    site.mm.fault(1, Fault::Status(429));
    site.mm.fault(2, Fault::Html(502));
    let limited = site.post().await.unwrap();
    assert_eq!(limited.status(), StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(limited.headers()["retry-after"], "1");
    assert_eq!(limited.body().as_ref(), b"limit exceeded\n");
    let proxy = site.post().await.unwrap();
    assert_eq!(proxy.headers()["content-type"], "text/html");
    assert!(proxy.body().starts_with(b"<html>"));
}

#[tokio::test]
async fn a_hanging_call_never_answers_and_does_nothing() {
    let site = site();
    site.mm.fault(1, Fault::Hang);
    let mut call = std::pin::pin!(site.post());
    // After one poll it has done all that it will ever do.
    let first = std::future::poll_fn(|cx| std::task::Poll::Ready(call.as_mut().poll(cx).is_pending())).await;
    assert!(first);
    assert_eq!((site.said(), site.mm.calls()[0].status), (0, None));
}

#[tokio::test]
async fn a_failure_can_be_ordered_for_the_nth_call_of_a_kind() {
    let site = site();
    site.mm.fault_on(Method::POST, "/api/v4/posts", 2, Fault::Html(502));
    site.mm.fault_on(Method::GET, "/api/v4/channels/{channel_id}", 1, Fault::TooMany(7));
    let get = || {
        Request::get(format!("/api/v4/channels/{}", site.channel))
            .header("authorization", format!("Bearer {}", site.token))
            .body(Bytes::new())
            .unwrap()
    };
    assert_eq!(site.post().await.unwrap().status(), 201);
    let limited = site.mm.respond(get()).await.unwrap();
    assert_eq!((limited.status().as_u16(), &limited.headers()["retry-after"]), (429, &HeaderValue::from(7)));
    assert_eq!(site.mm.respond(get()).await.unwrap().status(), 200);
    assert_eq!(site.post().await.unwrap().status(), 502);
    assert_eq!(site.post().await.unwrap().status(), 201);
}

#[tokio::test]
async fn a_server_can_go_away_and_come_back() {
    let site = site();
    site.mm.fault_from(2, Fault::Cut);
    assert!(site.post().await.is_ok());
    assert!(site.post().await.is_err() && site.post().await.is_err());
    site.mm.clear_faults();
    assert!(site.post().await.is_ok());
    assert_eq!(site.said(), 2);
}

#[tokio::test]
async fn a_call_whose_answer_never_comes_has_been_done() {
    let site = site();
    site.mm.fault(1, Fault::HangAfter);
    let mut call = std::pin::pin!(site.post());
    std::future::poll_fn(|cx| std::task::Poll::Ready(call.as_mut().poll(cx).is_pending())).await;
    assert_eq!((site.said(), site.mm.calls()[0].status), (1, None));
}

#[tokio::test]
async fn the_calls_tell_what_was_asked_by_whom_and_what_became_of_it() {
    let site = site();
    site.mm.fault(2, Fault::CutAfter);
    site.post().await.unwrap();
    site.post().await.unwrap_err();
    let anonymous = Request::get("/api/v4/users/me").body(Bytes::new()).unwrap();
    site.mm.respond(anonymous).await.unwrap();
    let calls = site.mm.calls();
    let told: Vec<String> = calls.iter().map(ToString::to_string).collect();
    assert_eq!(
        told,
        [
            "201 POST /api/v4/posts by alice",
            "no answer POST /api/v4/posts by alice, CutAfter as ordered",
            "401 GET /api/v4/users/me by nobody",
        ]
    );
    assert_eq!(calls[2].route, "/api/v4/users/{user_id}");
}

/// The crash tests of an installer do this: each call of a run fails in turn, and then the run is repeated.
#[tokio::test]
async fn every_call_of_a_run_can_be_made_to_fail_in_turn() {
    let run = async |site: &Site| {
        for _ in 0..3 {
            site.post().await?;
        }
        Ok::<(), ConnectionCut>(())
    };
    let whole = site();
    run(&whole).await.unwrap();
    for nth in 1..=whole.mm.calls().len() {
        for (fault, done) in [(Fault::Cut, nth - 1), (Fault::CutAfter, nth)] {
            let site = site();
            site.mm.fault(nth, fault);
            run(&site).await.unwrap_err();
            assert_eq!(site.said(), done, "{fault:?} of call {nth}");
            assert_eq!(fault.takes_effect(), fault == Fault::CutAfter);
        }
    }
}
