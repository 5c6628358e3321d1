//! What a user sees when an integration misbehaves, where he typed a command and where he clicked a button. With
//! version 11 it was recorded (`conformance/failures.rs`); this holds 5.37 to the same table, and to where it differs.

use crate::client::{BOTH, demo, done};
use bytes::Bytes;
use cloud_apps_standin::{Executed, Shown, Standin, Version};
use http::{HeaderValue, Response};
use serde_json::json;
use std::time::Duration;

const JSON: Option<&str> = Some("application/json");
const HTML: Option<&str> = Some("text/html");
const FAILED: &str = "Command with a trigger of 'x' failed.";
const NO_ACTION: &str = "Action integration error.";
/// Read by commands and by clicks.
const TOLD: &str = r#"{"text": "told", "ephemeral_text": "told", "unknown": 1}"#;

/// A status and what the user sees; the empty text stands for nothing.
type Seen = (u16, &'static str);

/// What the integration answers, and what comes of it: of a command, of a click in 11, of a click in 5.37.
type Row = (u16, Option<&'static str>, &'static str, Seen, Seen, Seen);

const BROKEN: (Seen, Seen, Seen) = ((500, FAILED), (400, NO_ACTION), (400, ""));

const fn row(kind: Option<&'static str>, body: &'static str, seen: (Seen, Seen, Seen)) -> Row {
    (200, kind, body, seen.0, seen.1, seen.2)
}

const fn status(status: u16, text: &'static str) -> Row {
    (status, JSON, TOLD, (500, text), BROKEN.1, BROKEN.2)
}

const TABLE: &[Row] = &[
    status(201, "Command with a trigger of 'x' returned response 201 Created."),
    status(204, "Command with a trigger of 'x' returned response 204 No Content."),
    status(401, "Command with a trigger of 'x' returned response 401 Unauthorized."),
    status(404, "Command with a trigger of 'x' returned response 404 Not Found."),
    status(429, "Command with a trigger of 'x' returned response 429 Too Many Requests."),
    status(500, "Command with a trigger of 'x' returned response 500 Internal Server Error."),
    status(502, "Command with a trigger of 'x' returned response 502 Bad Gateway."),
    status(503, "Command with a trigger of 'x' returned response 503 Service Unavailable."),
    row(JSON, "{bad", BROKEN),
    row(JSON, "[]", BROKEN),
    row(JSON, "\"text\"", BROKEN),
    row(JSON, r#"{"text": 1, "ephemeral_text": 1}"#, BROKEN),
    row(JSON, "null", ((200, ""), (200, ""), (200, ""))),
    row(JSON, "{}", ((200, ""), (200, ""), (200, ""))),
    row(JSON, "", ((500, FAILED), (200, ""), (400, ""))),
    row(None, "", ((200, ""), (200, ""), (400, ""))),
    row(HTML, "<b>hello</b>", ((200, "<b>hello</b>"), (400, NO_ACTION), (400, ""))),
    row(HTML, TOLD, ((200, TOLD), (200, "told"), (200, "told"))),
    row(None, TOLD, ((200, TOLD), (200, "told"), (200, "told"))),
    row(Some("application/json; charset=utf-8"), TOLD, ((200, "told"), (200, "told"), (200, "told"))),
];

/// A server with `/x` and a button, both at this address.
async fn scene(version: Version, url: &str) -> (Standin, String) {
    let (mm, _) = demo(version);
    mm.add_command("demo", "x", url).unwrap();
    let alice = mm.add_token("alice").unwrap();
    let body = json!({
        "channel_id": mm.channel_id("demo", "town-square").unwrap(), "message": "card",
        "props": {"attachments": [{"actions": [{"id": "x", "name": "X", "integration": {"url": url}}]}]},
    });
    let post = done(&mm, &alice, "POST", "/api/v4/posts", &body).await;
    (mm, post["id"].as_str().unwrap().to_owned())
}

fn seen(what: &Executed) -> (u16, String) {
    assert!(what.shown.len() <= 1, "{:?}", what.shown);
    // The cause never reaches a client.
    assert!(what.body.get("detailed_error").is_none_or(|cause| cause == ""));
    (what.status, what.texts().concat())
}

#[tokio::test]
async fn whatever_an_integration_answers_the_user_sees_what_a_server_shows() {
    for version in BOTH {
        for (status, kind, body, command, in_11, in_5_37) in TABLE {
            let (mm, post) = scene(version, "http://app.test/x").await;
            mm.plug("http://app.test/", move |_| {
                let mut answer = Response::new(Bytes::from(*body));
                *answer.status_mut() = (*status).try_into().unwrap();
                if let Some(kind) = kind {
                    answer.headers_mut().insert("content-type", HeaderValue::from_static(kind));
                }
                async { answer }
            });
            let row = format!("{status} {kind:?} {body} in {}", version.number());
            let typed = mm.execute("alice", "town-square", "/x").await.unwrap();
            assert_eq!(seen(&typed), (command.0, command.1.to_owned()), "command: {row}");
            let clicked = mm.click("alice", &post, "X").await.unwrap();
            let action = if version == Version::V11 { in_11 } else { in_5_37 };
            assert_eq!(seen(&clicked), (action.0, action.1.to_owned()), "click: {row}");
        }
    }
}

#[tokio::test]
async fn an_integration_that_cannot_be_reached_or_is_too_slow_is_told_like_one_that_answers_nonsense() {
    for version in BOTH {
        for url in
            ["http://app.test/slow", "http://127.0.0.1:1/", "http://127.0.0.2:9000/", "http://x.invalid/"]
        {
            let (mm, post) = scene(version, url).await;
            if url.ends_with("slow") {
                mm.plug("http://app.test/", |_| std::future::pending());
                mm.set_outgoing_timeout(Duration::ZERO);
            }
            let typed = mm.execute("alice", "town-square", "/x").await.unwrap();
            assert_eq!(seen(&typed), (500, FAILED.to_owned()), "{url}");
            let clicked = mm.click("alice", &post, "X").await.unwrap();
            let told = if version == Version::V11 { NO_ACTION } else { "" };
            assert_eq!(seen(&clicked), (400, told.to_owned()), "{url}");
        }
    }
}

#[tokio::test]
async fn of_a_text_that_is_too_long_a_command_shows_a_mebibyte() {
    for version in BOTH {
        let (mm, _) = scene(version, "http://app.test/x").await;
        mm.plug("http://app.test/", |_| async { Response::new(Bytes::from("x".repeat(1_200_000))) });
        let typed = mm.execute("alice", "town-square", "/x").await.unwrap();
        assert!(matches!(&typed.shown[..], [Shown::OnlyYou(post)] if post.message.len() == 1024 * 1024));
    }
}

#[tokio::test]
async fn what_is_no_command_and_an_archived_channel_are_refused() {
    for version in BOTH {
        let (mm, _) = scene(version, "http://app.test/x").await;
        mm.plug("http://app.test/", |_| async { Response::new(Bytes::from("told")) });
        for line in ["", "/", "x", " /x"] {
            let typed = mm.execute("alice", "town-square", line).await.unwrap();
            assert_eq!(seen(&typed), (400, "No command trigger found.".to_owned()), "{line:?}");
        }
        let id = mm.add_channel("demo", "old", cloud_apps_standin::ChannelKind::Public).unwrap();
        mm.join("alice", "old").unwrap();
        let admin = mm.add_token("admin").unwrap();
        done(&mm, &admin, "DELETE", &format!("/api/v4/channels/{id}"), &serde_json::Value::Null).await;
        let typed = mm.execute("alice", "old", "/x").await.unwrap();
        let told = if version == Version::V11 {
            (400, "Can not run command in deleted channel.")
        } else {
            (200, "told")
        };
        assert_eq!(seen(&typed), (told.0, told.1.to_owned()));
    }
}

#[tokio::test]
async fn commands_work_in_direct_channels_and_groups() {
    for version in BOTH {
        let (mm, _) = scene(version, "http://app.test/x").await;
        mm.plug("http://app.test/", |_| async { Response::new(Bytes::from("told")) });
        let direct = mm.direct_channel("alice", "bob").unwrap();
        let alice = mm.add_token("alice").unwrap();
        let three: Vec<String> =
            ["alice", "bob", "carol"].iter().map(|name| mm.user(name).unwrap().id).collect();
        let group = done(&mm, &alice, "POST", "/api/v4/channels/group", &json!(three)).await;
        for channel in [direct.as_str(), group["id"].as_str().unwrap()] {
            let typed = mm.execute("alice", channel, "/x").await.unwrap();
            assert_eq!(seen(&typed), (200, "told".to_owned()));
        }
    }
}
