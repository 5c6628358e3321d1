//! A service that means harm, or is broken: nobody learns what it wrote, nothing it says is followed, and it costs no
//! more than its time.

use super::*;
use crate::log_line::Log;
use async_trait::async_trait;
use cloud_app::http::Names;
use cloud_app::http::{Outbound, Policy};
use cloud_apps_protocol::limits;
use std::{io, net::IpAddr};

const JSON: &str = "application/json";

fn replies(status: u16, media: &str, body: impl Into<Vec<u8>>) -> Does {
    Does::Replies(status, vec![("content-type", media.to_owned())], body.into())
}

/// What a person reads when the app's own fault it is.
const FAILED: &str = "remote could not do that. If it happens again, tell an admin.";
const REFUSED: &str =
    "remote did not accept the call, so nothing was done. Tell an admin: its secret may be an old one.";
const BAD: &str = "remote answered with something that this bundle cannot show. Tell an admin.";
const LARGE: &str = "remote answered with more than a server reads (1 MiB).";

#[tokio::test]
async fn every_bad_answer_is_one_sentence_for_the_user_and_a_cause_in_the_log() {
    let (yard, _, home) = Yard::installed().await;
    // What it was given comes back, in every way.
    let echo = format!("{BOT_TOKEN} {USER_TOKEN} {PASSWORD}");
    let error = json!({"error": echo}).to_string();
    let fields: Vec<Value> = (0..5_000).map(|n| json!({"name": format!("f{n}"), "type": "text"})).collect();
    let options: Vec<Value> = (0..201).map(|n| json!({"value": n.to_string(), "label": "x"})).collect();
    let form = |fields: Value| {
        json!({"type": "form", "form": {"title": "x", "submit": {"function": "look"}, "fields": fields}})
            .to_string()
    };
    let location = vec![("location", "http://169.254.169.254/latest".to_owned())];
    let gzip = vec![("content-type", JSON.to_owned()), ("content-encoding", "gzip".to_owned())];
    let bomb = {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        std::io::Write::write_all(&mut encoder, &vec![b' '; 64 << 20]).unwrap();
        encoder.finish().unwrap()
    };
    let deep = format!(
        "{{\"type\":\"message\",\"text\":\"\",\"attachments\":{}{}}}",
        "[".repeat(20_000),
        "]".repeat(20_000)
    );
    let many_values = format!(r#"{{"type":"message","attachments":[{}{{}}]}}"#, r#"{"":0},"#.repeat(130_000));
    let headers = format!("HTTP/1.1 200 OK\r\nx: {}\r\n\r\n", "x".repeat(1 << 20));
    let many = format!("HTTP/1.1 200 OK\r\n{}\r\n", "x: y\r\n".repeat(10_000));
    let table = [
        (replies(204, JSON, ""), "upstream_failed", FAILED, "it answered 204"),
        (
            Does::Replies(302, location.clone(), echo.clone().into()),
            "upstream_failed",
            FAILED,
            "redirects are not followed",
        ),
        (Does::Replies(307, location, echo.clone().into()), "upstream_failed", FAILED, "it answered 307"),
        (replies(401, JSON, error.clone()), "upstream_refused", REFUSED, "the upstream answered 401"),
        (replies(403, JSON, error.clone()), "upstream_refused", REFUSED, "the upstream answered 403"),
        (replies(404, JSON, error.clone()), "upstream_failed", FAILED, "it does not have the function"),
        (replies(500, JSON, error.clone()), "upstream_failed", FAILED, "it answered 500"),
        (replies(503, "text/html", echo.clone()), "upstream_failed", FAILED, "it answered 503"),
        (replies(201, JSON, r#"{"type":"done"}"#), "upstream_failed", FAILED, "it answered 201"),
        (replies(200, "text/html", echo.clone()), "upstream_failed", FAILED, "is not marked as JSON"),
        (replies(200, "", r#"{"type":"done"}"#), "upstream_failed", FAILED, "is not marked as JSON"),
        (replies(200, JSON, echo.clone()), "upstream_failed", FAILED, "The body is not JSON"),
        (replies(200, JSON, ""), "upstream_failed", FAILED, "The body is not JSON"),
        (replies(200, JSON, deep), "upstream_failed", FAILED, "recursion limit"),
        (replies(200, JSON, many_values), "bad_answer", BAD, "more than 50000 values"),
        (replies(200, JSON, format!("[{error}]")), "bad_answer", BAD, "is not one of the protocol"),
        (replies(200, JSON, error.clone()), "bad_answer", BAD, "missing field `type`"),
        (
            replies(200, JSON, json!({"type": echo}).to_string()),
            "bad_answer",
            BAD,
            "is not one of the protocol",
        ),
        (
            replies(200, JSON, r#"{"type":"message","text":7}"#),
            "bad_answer",
            BAD,
            "is not one of the protocol",
        ),
        (
            replies(200, JSON, json!({"type": "error", "text": {"is": echo}}).to_string()),
            "bad_answer",
            BAD,
            "is not one",
        ),
        (replies(200, JSON, form(fields.into())), "bad_answer", BAD, "its form has 5000 fields"),
        (
            replies(200, JSON, form(json!([{"name": "a", "type": "select", "options": options}]))),
            "bad_answer",
            BAD,
            "more than 200 options",
        ),
        (replies(200, JSON, vec![b' '; 2 * limits::BODY]), "answer_too_large", LARGE, "more than 1 MiB"),
        (Does::Replies(200, gzip, bomb), "upstream_failed", FAILED, "its answer is compressed"),
        (Does::Writes(headers.into()), "upstream_failed", FAILED, "its service gave no answer"),
        (Does::Writes(many.into()), "upstream_failed", FAILED, "its service gave no answer"),
        (Does::Writes(echo.clone().into()), "upstream_failed", FAILED, "its service gave no answer"),
    ];
    for (does, code, sentence, cause) in table {
        yard.service.does(does);
        let log = Log::begin();
        let answered = yard.run(&home, "/remote look").await;
        assert_eq!((answered.code(), answered.message()), (code, sentence), "{cause}");
        assert_eq!(answered.status, 502);
        let seen = yard.slash(&home, "look").await;
        assert_eq!(seen.body["text"], format!("{sentence} (request request-1)"));
        let logged = log.text();
        assert!(logged.contains(cause), "{cause}: {logged}");
        assert_eq!(log.lines()[0]["code"], code);
        for secret in [BOT_TOKEN, USER_TOKEN, PASSWORD] {
            assert!(!logged.contains(secret), "{logged}");
            assert!(!answered.body.to_string().contains(secret) && !seen.body.to_string().contains(secret));
        }
    }
}

#[tokio::test]
async fn a_service_that_keeps_the_bundle_waiting_has_its_time_and_no_more() {
    let (yard, _, home) = Yard::installed().await;
    for does in [Does::Hangs, Does::Trickles, Does::Writes(b"HTTP/1.1 200 OK\r\nx-slow: ".to_vec())] {
        yard.service.does(does);
        let mut arrival = arrival(yard.v2(&home, "/remote look", "user"), yard.now());
        arrival.deadline = yard.now() + 1_200;
        let answered = Answered::from(yard.bundle.handle(arrival).await);
        assert_eq!((answered.status.as_u16(), answered.code()), (504, "deadline"));
        assert_eq!(
            answered.message(),
            "remote took too long and was stopped. A part of it may be done: look before you try again."
        );
    }
}

#[tokio::test]
async fn a_mention_of_everybody_is_quiet_and_what_is_too_long_is_cut() {
    let (yard, _, home) = Yard::installed().await;
    let long = "x".repeat(20_000);
    yard.service
        .does(Does::Answers(json!({"type": "message", "text": format!("@all @channel @here {long}")})));
    let answered = yard.run(&home, "/remote look").await;
    let text = answered.body["text"].as_str().unwrap();
    assert!(text.starts_with("@\u{200b}all @\u{200b}channel @\u{200b}here"), "{}", &text[..60]);
    assert_eq!(text.chars().count(), 16_383);
    yard.service.does(Does::Answers(json!({"type": "navigate", "url": "javascript:alert(1)"})));
    assert_eq!(yard.run(&home, "/remote look").await.body["type"], "error");
}

/// Names that point where a test says; each look-up takes the next answer.
struct Told(Mutex<Vec<IpAddr>>);

#[async_trait]
impl Names for Told {
    async fn look_up(&self, _: &str) -> io::Result<Vec<IpAddr>> {
        Ok(vec![self.0.lock().unwrap().remove(0)])
    }
}

#[tokio::test]
async fn a_name_that_leads_inside_is_not_called_whenever_it_was_pointed_there() {
    // As on AWS: nothing but public addresses.
    for inside in ["169.254.169.254", "127.0.0.1", "10.0.0.1", "::1", "fd00::1"] {
        let names = Arc::new(Told(Mutex::new(vec![inside.parse().unwrap()])));
        let yard = Yard::with(|build| build.http(Outbound::with_names(Policy::default(), names))).await;
        let mut harmless = manifest(&json!({"type": "http", "url": "https://app.example.com"}));
        harmless["lifecycle"] = json!({});
        yard.add(&harmless).await;
        let home = yard.install(&[]).await;
        let log = Log::begin();
        let answered = yard.run(&home, "/remote look").await;
        assert_eq!((answered.code(), answered.message()), ("upstream_failed", FAILED), "{inside}");
        assert!(
            log.text().contains(&format!("app.example.com is not called: {inside} is")),
            "{}",
            log.text()
        );
    }
}
