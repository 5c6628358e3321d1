//! Failures that a test orders.

use bytes::Bytes;
use cloud_apps_standin::{ConnectionCut, Fault, Standin, Version};
use http::{Request, Response, StatusCode};
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
    // Polled once, it has done all that it ever will.
    let first = std::future::poll_fn(|cx| std::task::Poll::Ready(call.as_mut().poll(cx).is_pending())).await;
    assert!(first);
    assert_eq!((site.said(), site.mm.calls()[0].status), (0, None));
}
