//! The log: one wide JSON line per request, and no secret in any.

use crate::stage::{ALICE, NOW, SLASH_TOKEN, STATIC_TOKEN, Stage, command_body, form, request};
use cloud_apps_core::{
    http::{Arrival, Route},
    jobs::Record,
};
use http::header;
use serde_json::Value;
use std::{cell::RefCell, io::Write, sync::Once};

thread_local! {
    /// What was logged on this thread. A test runs on one; the subscriber is one for all, because whether a line is
    /// wanted is cached for the process.
    static LOGGED: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

struct ThisThread;

impl Write for ThisThread {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        LOGGED.with_borrow_mut(|logged| logged.extend_from_slice(bytes));
        Ok(bytes.len())
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// What this test logs from here on.
pub struct Log;

impl Log {
    pub fn begin() -> Self {
        static ONCE: Once = Once::new();
        ONCE.call_once(|| {
            let subscriber = tracing_subscriber::fmt().json().flatten_event(true).with_writer(|| ThisThread);
            tracing::subscriber::set_global_default(subscriber.finish()).unwrap();
        });
        LOGGED.take();
        Self
    }

    #[allow(clippy::unused_self)] // Only who has begun may read.
    pub fn text(&self) -> String {
        String::from_utf8(LOGGED.with_borrow(Clone::clone)).unwrap()
    }

    pub fn lines(&self) -> Vec<Value> {
        self.text().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

#[tokio::test]
async fn a_panic_of_an_app_is_logged_without_what_it_repeats() {
    let stage = Stage::new();
    let log = Log::begin();
    assert_eq!(stage.run("/jira panics").await.code(), "upstream_failed");
    let log = log.text();
    assert!(log.contains("the function panicked") && !log.contains("CANARY"), "{log}");
}

#[tokio::test]
async fn a_request_is_one_line_that_says_what_happened() {
    let stage = Stage::new();
    let log = Log::begin();
    let mut request = stage.v2("/command", &command_body("/jira create issue --project=MM"));
    let trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    request.headers_mut().insert("traceparent", trace.parse().unwrap());
    stage.send(request).await;
    stage.type_("fails").await;
    stage.run("/jira frobnicate").await;
    let lines = log.lines();
    assert_eq!(lines.len(), 3, "{lines:#?}");
    let line = &lines[0];
    assert_eq!(line["route"], "command");
    assert_eq!(line["app"], "jira");
    assert_eq!(line["install"], stage.install.id.as_str());
    assert_eq!(line["user"], ALICE);
    assert_eq!(line["function"], "create_issue");
    assert_eq!(line["outcome"], "message");
    assert_eq!(line["status"], 200);
    assert_eq!(line["request_id"], "request-1");
    assert_eq!(line["trace"], "0af7651916cd43dd8448eb211c80319c");
    assert!(line["ms"].is_u64() && line["upstream_ms"].is_u64() && line["cold"].is_boolean());
    assert!(line["delivery_id"].is_string());
    let made = lines[1]["trace"].as_str().unwrap();
    assert!(
        made.len() == 32 && made.bytes().all(|b| b.is_ascii_hexdigit()),
        "a trace is made where none came"
    );
    assert_eq!(lines[1]["outcome"], "error");
    assert!(lines[1]["error"].as_str().unwrap().contains("invalid digit"), "{}", lines[1]);
    assert_eq!((&lines[2]["outcome"], &lines[2]["code"]), (&"refused".into(), &"unknown_function".into()));
}

#[tokio::test]
async fn no_line_holds_a_credential_a_body_or_a_path() {
    let stage = Stage::new();
    let log = Log::begin();
    let mut body = command_body("/jira create issue --project=CANARYVALUE");
    body["security"] = serde_json::json!({"trigger_id": "CANARYTRIGGER"});
    let text = body.to_string();
    let mut claims = stage.claims("/command", &text);
    claims["mattermost_token"] = "CANARYMATTERMOSTTOKEN".into();
    let token = stage.token(&claims);
    let bearer = format!("Bearer {token}");
    stage.send(request("/command", &text, &[(header::AUTHORIZATION, &bearer)])).await;
    stage.send(request("/command", &text, &[(header::AUTHORIZATION, &bearer)])).await;
    stage.send(request("/command", "CANARYBODY", &[(header::AUTHORIZATION, &bearer)])).await;
    let opaque = format!("Token {STATIC_TOKEN}");
    stage.send(request("/command", "{\"CANARYBODY\"", &[(header::AUTHORIZATION, &opaque)])).await;
    stage.type_("create issue --project=CANARYVALUE").await;
    let mut wrong = form("CANARYVALUE");
    wrong.retain(|(key, _)| *key != "token");
    wrong.push(("token", "canarytokencanarytokencana"));
    stage.send(stage.slash(&wrong)).await;
    let text = log.text();
    assert_eq!(text.lines().count(), 6);
    for secret in
        [&token, SLASH_TOKEN, STATIC_TOKEN, "CANARY", "canary", "isepw4368fr8pb3xm4wus8rbho", "/hooks"]
    {
        assert!(!text.contains(secret), "{secret} stands in {text}");
    }
}

#[tokio::test]
async fn a_line_names_a_user_by_an_id_and_never_by_a_text_of_the_sender() {
    let stage = Stage::new();
    let log = Log::begin();
    let body = command_body("/jira search").to_string();
    for sub in [
        "canary@example.com",
        "canary\n{\"route\":\"forged\"}",
        "\u{1b}[31mcanary\u{202e}",
        &"canary".repeat(300),
    ] {
        let mut claims = stage.claims("/command", &body);
        claims["sub"] = sub.into();
        let bearer = format!("Bearer {}", stage.token(&claims));
        let answered = stage.send(request("/command", &body, &[(header::AUTHORIZATION, &bearer)])).await;
        assert_eq!(answered.status, 401);
    }
    for line in log.lines() {
        assert_eq!((&line["code"], &line["user"]), (&"bad_token".into(), &Value::Null), "{line}");
    }
    assert!(log.lines().len() == 4 && !log.text().contains("canary"), "{}", log.text());
}

#[tokio::test]
async fn a_line_stays_short_however_long_an_apps_error_is() {
    let stage = Stage::new();
    let log = Log::begin();
    stage.run(&format!("/jira say --answer='{}'", serde_json::json!({"type": "x".repeat(15_000)}))).await;
    let line = &log.lines()[0];
    assert!(line["error"].as_str().unwrap().starts_with("unknown variant"), "{line}");
    assert!(log.text().len() < 6_000);
}

#[test]
fn what_arrives_does_not_show_its_credentials_when_it_is_debugged() {
    let stage = Stage::new();
    let arrival = Arrival {
        route: Route::Slash { install: stage.install.id.to_string() },
        request_id: "request-1".into(),
        now: NOW,
        deadline: NOW,
        request: stage.slash(&form("search")),
    };
    assert_eq!(
        format!("{arrival:?}"),
        format!("Arrival {{ route: \"slash\", request_id: \"request-1\", now: {NOW}, .. }}")
    );
    let record = Record { id: "message-1".into(), body: "secret".into(), sent_at: 0 };
    assert_eq!(format!("{record:?}"), "Record { id: \"message-1\", .. }");
}
