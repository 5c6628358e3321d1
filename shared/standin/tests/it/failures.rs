//! What a user sees when an integration fails: with commands, clicks, dialogs and lookups. Version 11 was recorded
//! (`conformance/failures.rs`); this tests 5.37 with the same table, and its differences.

use crate::client::{VERSIONS, demo, done};
use bytes::Bytes;
use cloud_apps_standin::{DialogOutcome, Executed, OpenDialog, Shown, Standin, Version};
use http::{HeaderValue, Request, Response};
use serde_json::json;
use std::sync::{Arc, Mutex};
use std::time::Duration;

const JSON: Option<&str> = Some("application/json");
const HTML: Option<&str> = Some("text/html");
const FAILED: &str = "Command with a trigger of 'x' failed.";
const NO_ACTION: &str = "Action integration error.";
const NO_SUBMISSION: &str = "Encountered an error decoding JSON response from interactive dialog submission.";
const NO_LOOKUP: &str = "Encountered an error decoding JSON response from interactive dialog lookup.";
/// Answers that commands and clicks can read.
const TOLD: &str = r#"{"text": "told", "ephemeral_text": "told", "unknown": 1}"#;

/// A status and what the user sees; an empty text means that the user sees nothing.
type Seen = (u16, &'static str);

/// The result of a click, in 5.37 and 11.
const BROKEN: [Seen; 2] = [(400, ""), (400, NO_ACTION)];

/// What the integration answers, and what its users see: with a command, a click in 5.37 and 11, a submitted dialog in
/// 5.37 and 11, and a lookup in 11.
struct Row {
    status: u16,
    kind: Option<&'static str>,
    body: &'static str,
    command: Seen,
    click: [Seen; 2],
    dialog: [&'static str; 2],
    lookup: &'static str,
}

/// Answers with a status other than 200.
const fn status(status: u16, text: &'static str) -> Row {
    let dialog = [NO_ACTION, NO_ACTION];
    Row { status, kind: JSON, body: TOLD, command: (500, text), click: BROKEN, dialog, lookup: NO_ACTION }
}

/// Answers that clicks and dialogs cannot read. For dialogs, 5.37 ignores this.
const fn unread(kind: Option<&'static str>, body: &'static str, command: Seen) -> Row {
    Row { status: 200, kind, body, command, click: BROKEN, dialog: ["", NO_SUBMISSION], lookup: NO_LOOKUP }
}

/// Answers that clicks and dialogs can read.
const fn read(kind: Option<&'static str>, body: &'static str, command: Seen, click: [Seen; 2]) -> Row {
    Row { status: 200, kind, body, command, click, dialog: ["", ""], lookup: "" }
}

const NOTHING: Seen = (200, "");
const SAID: [Seen; 2] = [(200, "told"), (200, "told")];

const TABLE: &[Row] = &[
    status(201, "Command with a trigger of 'x' returned response 201 Created."),
    status(204, "Command with a trigger of 'x' returned response 204 No Content."),
    status(401, "Command with a trigger of 'x' returned response 401 Unauthorized."),
    status(404, "Command with a trigger of 'x' returned response 404 Not Found."),
    status(429, "Command with a trigger of 'x' returned response 429 Too Many Requests."),
    status(500, "Command with a trigger of 'x' returned response 500 Internal Server Error."),
    status(502, "Command with a trigger of 'x' returned response 502 Bad Gateway."),
    status(503, "Command with a trigger of 'x' returned response 503 Service Unavailable."),
    unread(JSON, "{bad", (500, FAILED)),
    unread(JSON, "[]", (500, FAILED)),
    unread(JSON, "\"text\"", (500, FAILED)),
    unread(HTML, "<b>hello</b>", (200, "<b>hello</b>")),
    // Known keys with another type. A lookup does not know any of these keys.
    Row { lookup: "", ..unread(JSON, r#"{"text": 1, "ephemeral_text": 1, "error": 1}"#, (500, FAILED)) },
    read(JSON, "null", NOTHING, [NOTHING, NOTHING]),
    read(JSON, "{}", NOTHING, [NOTHING, NOTHING]),
    // Since 5.38 an empty answer to a click is valid.
    read(JSON, "", (500, FAILED), [BROKEN[0], NOTHING]),
    read(None, "", NOTHING, [BROKEN[0], NOTHING]),
    read(HTML, TOLD, (200, TOLD), SAID),
    read(None, TOLD, (200, TOLD), SAID),
    read(Some("application/json; charset=utf-8"), TOLD, (200, "told"), SAID),
];

/// Adds `/x`, a button and a dialog that is open for alice, all with this address; returns the post and the dialog.
async fn scene(version: Version, url: &str) -> (Standin, String, OpenDialog) {
    let (mm, _) = demo(version);
    mm.add_command("demo", "x", url).unwrap();
    let alice = mm.add_token("alice").unwrap();
    let body = json!({
        "channel_id": mm.channel_id("demo", "town-square").unwrap(), "message": "card",
        "props": {"attachments": [{"actions": [{"id": "x", "name": "X", "integration": {"url": url}}]}]},
    });
    let post = done(&mm, &alice, "POST", "/api/v4/posts", &body).await;
    let trigger: Arc<Mutex<String>> = Arc::default();
    let known = trigger.clone();
    mm.plug("http://ask.test/", move |request: Request<Bytes>| {
        let mut form = url::form_urlencoded::parse(request.body());
        *known.lock().unwrap() = form.find(|(key, _)| key == "trigger_id").unwrap().1.into_owned();
        async { Response::new(Bytes::new()) }
    });
    mm.add_command("demo", "ask", "http://ask.test/").unwrap();
    mm.execute("alice", "town-square", "/ask").await.unwrap();
    let epic = json!({
        "display_name": "Epic", "name": "epic", "type": "select", "data_source": "dynamic",
        "data_source_url": url, "optional": true,
    });
    let dialog = json!({
        "trigger_id": *trigger.lock().unwrap(), "url": url, "dialog": {"title": "X", "elements": [epic]},
    });
    done(&mm, "", "POST", "/api/v4/actions/dialogs/open", &dialog).await;
    let dialog = mm.dialogs_of("alice").unwrap().pop().unwrap();
    (mm, post["id"].as_str().unwrap().to_owned(), dialog)
}

/// What alice sees when she submits the dialog; empty if it closes.
async fn sent(mm: &Standin, dialog: &OpenDialog) -> String {
    match mm.submit("alice", dialog, &json!({})).await.unwrap() {
        DialogOutcome::Closed => String::new(),
        DialogOutcome::Failed(text) => text,
        other => format!("{other:?}"),
    }
}

/// What alice sees when she opens the field; empty if there are no options.
async fn looked_up(mm: &Standin, dialog: &OpenDialog) -> String {
    let looked = mm.lookup("alice", dialog, "epic", "", &json!({})).await.unwrap();
    looked.map_or_else(|text| text, |options| options.into_iter().map(|option| option.text).collect())
}

fn seen(what: &Executed) -> (u16, String) {
    assert!(what.shown.len() <= 1, "{:?}", what.shown);
    // No client gets the cause.
    assert!(what.body.get("detailed_error").is_none_or(|cause| cause == ""));
    (what.status, what.texts().concat())
}

#[tokio::test]
async fn whatever_an_integration_answers_the_user_sees_what_a_server_shows() {
    for version in VERSIONS {
        let at = usize::from(version >= Version::V11);
        for Row { status, kind, body, command, click, dialog: submitted, lookup } in TABLE {
            let (mm, post, dialog) = scene(version, "http://app.test/x").await;
            mm.plug("http://app.test/", move |_| {
                let mut answer = Response::new(Bytes::from(*body));
                *answer.status_mut() = (*status).try_into().unwrap();
                if let Some(kind) = kind {
                    answer.headers_mut().insert("content-type", HeaderValue::from_static(kind));
                }
                async { answer }
            });
            let row = format!("{status} {kind:?} {body} in {}", version.number());
            if version >= Version::V11 {
                assert_eq!(looked_up(&mm, &dialog).await, *lookup, "lookup: {row}");
            }
            assert_eq!(sent(&mm, &dialog).await, submitted[at], "dialog: {row}");
            let clicked = mm.click("alice", &post, "X").await.unwrap();
            // Since 11.10 a client learns that the integration is too busy, or that it fails.
            let code = match *status {
                429 | 503 if version >= Version::V11_10 => *status,
                500.. if version >= Version::V11_10 => 502,
                _ => click[at].0,
            };
            assert_eq!(seen(&clicked), (code, click[at].1.to_owned()), "click: {row}");
            let typed = mm.execute("alice", "town-square", "/x").await.unwrap();
            assert_eq!(seen(&typed), (command.0, command.1.to_owned()), "command: {row}");
        }
    }
}

#[tokio::test]
async fn an_integration_that_cannot_be_reached_or_is_too_slow_is_told_like_one_that_answers_nonsense() {
    for version in VERSIONS {
        for url in
            ["http://app.test/slow", "http://127.0.0.1:1/", "http://127.0.0.2:9000/", "http://x.invalid/"]
        {
            let (mm, post, dialog) = scene(version, url).await;
            if url.ends_with("slow") {
                mm.plug("http://app.test/", |_| std::future::pending());
                mm.set_outgoing_timeout(Duration::ZERO);
            }
            if version >= Version::V11 {
                assert_eq!(looked_up(&mm, &dialog).await, NO_ACTION, "{url}");
            }
            assert_eq!(sent(&mm, &dialog).await, NO_ACTION, "{url}");
            let typed = mm.execute("alice", "town-square", "/x").await.unwrap();
            assert_eq!(seen(&typed), (500, FAILED.to_owned()), "{url}");
            let clicked = mm.click("alice", &post, "X").await.unwrap();
            let told = if version >= Version::V11 { NO_ACTION } else { "" };
            assert_eq!(seen(&clicked), (400, told.to_owned()), "{url}");
        }
    }
}

#[tokio::test]
async fn of_a_text_that_is_too_long_a_command_shows_a_mebibyte() {
    for version in VERSIONS {
        let (mm, ..) = scene(version, "http://app.test/x").await;
        mm.plug("http://app.test/", |_| async { Response::new(Bytes::from("x".repeat(1_200_000))) });
        let typed = mm.execute("alice", "town-square", "/x").await.unwrap();
        assert!(matches!(&typed.shown[..], [Shown::OnlyYou(post)] if post.message.len() == 1024 * 1024));
    }
}

#[tokio::test]
async fn what_is_no_command_and_an_archived_channel_are_refused() {
    for version in VERSIONS {
        let (mm, ..) = scene(version, "http://app.test/x").await;
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
        let told = if version >= Version::V11 {
            (400, "Can not run command in deleted channel.")
        } else {
            (200, "told")
        };
        assert_eq!(seen(&typed), (told.0, told.1.to_owned()));
    }
}

#[tokio::test]
async fn commands_work_in_direct_channels_and_groups() {
    for version in VERSIONS {
        let (mm, ..) = scene(version, "http://app.test/x").await;
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
