//! Slash commands beyond what was recorded.

use bytes::Bytes;
use cloud_apps_standin::{ChannelKind, Shown, Standin, Version};
use data_encoding::BASE64;
use http::{Request, Response, StatusCode};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

const MINUTE: u64 = 60_000;

/// A stand-in with the demo and `/hello`, whose integration answers `answer` and keeps the forms that it got.
struct Demo {
    mm: Standin,
    forms: Arc<Mutex<Vec<HashMap<String, String>>>>,
}

fn demo(version: Version, answer: Value) -> Demo {
    let mm = Standin::seeded(version, 7);
    mm.demo().unwrap();
    mm.add_command("demo", "hello", "http://app.test/slash").unwrap();
    let forms = Arc::new(Mutex::new(Vec::new()));
    let kept = forms.clone();
    mm.plug("http://app.test/", move |request: Request<Bytes>| {
        let form = url::form_urlencoded::parse(request.body()).into_owned().collect();
        kept.lock().unwrap().push(form);
        std::future::ready(json_answer(&answer))
    });
    Demo { mm, forms }
}

fn json_answer(body: &Value) -> Response<Bytes> {
    let mut answer = Response::new(Bytes::from(body.to_string()));
    answer.headers_mut().insert("content-type", http::HeaderValue::from_static("application/json"));
    answer
}

impl Demo {
    fn field(&self, key: &str) -> String {
        self.forms.lock().unwrap().last().unwrap().get(key).cloned().unwrap_or_default()
    }

    /// Sends a late answer; returns the status.
    async fn later(&self, body: &Value) -> StatusCode {
        let request = Request::post(self.field("response_url"))
            .header("content-type", "application/json")
            .body(Bytes::from(body.to_string()))
            .unwrap();
        self.mm.respond(request).await.unwrap().status()
    }
}

#[tokio::test]
async fn the_user_sees_the_answer_and_so_does_the_channel_if_it_is_meant_for_it() {
    let demo =
        demo(Version::V11, json!({"response_type": "in_channel", "text": "hi", "goto_location": "/x"}));
    let seen = demo.mm.execute("alice", "town-square", "/hello greet @bob").await.unwrap();
    assert_eq!(seen.status, 200);
    assert!(
        matches!(&seen.shown[..], [Shown::Posted(post), Shown::Goto(to)] if post.message == "hi" && to == "/x")
    );
    assert_eq!(demo.mm.posts("town-square").unwrap().len(), 1);
    assert_eq!(demo.mm.last_ephemeral("alice").unwrap().map(|post| post.message), None);
    assert_eq!(demo.field("user_mentions"), "bob");
    assert_eq!(demo.field("user_mentions_ids"), demo.mm.user("bob").unwrap().id);
}

#[tokio::test]
async fn an_ephemeral_answer_is_seen_by_one_user_and_stored_nowhere() {
    let demo = demo(Version::V5_37, json!({"text": "only you"}));
    let seen = demo.mm.execute("alice", "town-square", "/hello").await.unwrap();
    assert!(matches!(&seen.shown[..], [Shown::OnlyYou(post)] if post.message == "only you"));
    assert!(demo.mm.posts("town-square").unwrap().is_empty());
    assert_eq!(demo.mm.last_ephemeral("alice").unwrap().unwrap().message, "only you");
    assert!(demo.mm.last_ephemeral("bob").unwrap().is_none());
}

#[tokio::test]
async fn an_integration_may_call_back_while_it_answers() {
    let mm = Standin::seeded(Version::V11, 7);
    mm.demo().unwrap();
    let (_, token) = mm.add_bot("hello", "greets").unwrap();
    mm.join_team("hello", "demo").unwrap();
    mm.add_command("demo", "hello", "http://app.test/slash").unwrap();
    let (server, channel) = (mm.clone(), mm.channel_id("demo", "town-square").unwrap());
    mm.plug("http://app.test/", move |_| {
        let (server, token, channel) = (server.clone(), token.clone(), channel.clone());
        async move {
            let post = json!({"channel_id": channel, "message": "from the bot"});
            let request = Request::post("/api/v4/posts")
                .header("authorization", format!("Bearer {token}"))
                .body(Bytes::from(post.to_string()))
                .unwrap();
            assert_eq!(server.respond(request).await.unwrap().status(), StatusCode::CREATED);
            json_answer(&json!({"text": "done"}))
        }
    });
    let seen = mm.execute("alice", "town-square", "/hello").await.unwrap();
    assert_eq!(seen.texts(), ["from the bot", "done"]);
    let calls = mm.calls();
    assert_eq!((calls.len(), calls[0].who.as_deref(), calls[0].status), (1, Some("hello"), Some(201)));
}

#[tokio::test]
async fn a_late_answer_works_five_times_within_thirty_minutes() {
    let demo = demo(Version::V11, json!({}));
    let now = Arc::new(AtomicU64::new(1_000 * MINUTE));
    let clock = now.clone();
    demo.mm.set_clock(move || clock.load(Ordering::SeqCst));
    demo.mm.execute("alice", "town-square", "/hello").await.unwrap();
    now.fetch_add(30 * MINUTE - 1, Ordering::SeqCst);
    for _ in 0..5 {
        assert_eq!(demo.later(&json!({"text": "late"})).await, StatusCode::OK);
    }
    assert_eq!(demo.later(&json!({"text": "late"})).await, StatusCode::BAD_REQUEST);

    demo.mm.execute("alice", "town-square", "/hello").await.unwrap();
    now.fetch_add(30 * MINUTE, Ordering::SeqCst);
    assert_eq!(demo.later(&json!({"text": "late"})).await, StatusCode::NOT_FOUND);
    assert_eq!(demo.mm.last_ephemeral("alice").unwrap().unwrap().message, "late");
}

#[tokio::test]
async fn a_use_counts_even_if_the_late_answer_cannot_be_posted() {
    let demo = demo(Version::V11, json!({}));
    let secret = demo.mm.add_channel("demo", "secret", ChannelKind::Private).unwrap();
    demo.mm.execute("alice", "town-square", "/hello").await.unwrap();
    for _ in 0..5 {
        let elsewhere = json!({"text": "late", "response_type": "in_channel", "channel_id": secret});
        assert_eq!(demo.later(&elsewhere).await, StatusCode::INTERNAL_SERVER_ERROR);
    }
    assert_eq!(demo.later(&json!({"text": "late"})).await, StatusCode::BAD_REQUEST);
    assert!(demo.mm.posts(&secret).unwrap().is_empty());
}

#[tokio::test]
async fn the_trigger_id_names_the_user_and_the_time_and_begins_with_what_the_client_is_told() {
    let demo = demo(Version::V11, json!({}));
    demo.mm.set_clock(|| 42);
    let seen = demo.mm.execute("alice", "town-square", "/hello").await.unwrap();
    let trigger = BASE64.decode(demo.field("trigger_id").as_bytes()).unwrap();
    let trigger = String::from_utf8(trigger).unwrap();
    let parts: Vec<&str> = trigger.split(':').collect();
    assert_eq!(parts.len(), 4);
    assert_eq!(parts[0], seen.body["trigger_id"]);
    assert_eq!(parts[1], demo.mm.user("alice").unwrap().id);
    assert_eq!(parts[2], "42");
}

#[tokio::test]
async fn only_11_tells_the_thread() {
    for (version, known) in [(Version::V5_37, false), (Version::V11, true)] {
        let demo = demo(version, json!({}));
        demo.mm.execute("alice", "town-square", "/hello").await.unwrap();
        assert_eq!(demo.forms.lock().unwrap()[0].contains_key("root_id"), known);
    }
}

#[tokio::test]
async fn five_sends_late_answers_to_the_host_that_the_client_used_and_eleven_to_its_own() {
    for (version, site) in [(Version::V5_37, "http://inner:8065"), (Version::V11, "https://mm.example")] {
        let demo = demo(version, json!({}));
        demo.mm.set_site_url("https://mm.example/");
        let body = json!({
            "channel_id": demo.mm.channel_id("demo", "town-square").unwrap(), "command": "/hello",
        });
        let request = Request::post("/api/v4/commands/execute")
            .header("host", "inner:8065")
            .header("authorization", format!("Bearer {}", demo.mm.add_token("alice").unwrap()))
            .body(Bytes::from(body.to_string()))
            .unwrap();
        assert_eq!(demo.mm.respond(request).await.unwrap().status(), StatusCode::OK);
        let url = demo.field("response_url");
        assert!(url.starts_with(&format!("{site}/hooks/commands/")), "{url}");
    }
}

#[tokio::test]
async fn names_are_overridden_only_where_the_server_allows_it() {
    for allowed in [false, true] {
        let demo =
            demo(Version::V11, json!({"response_type": "in_channel", "text": "t", "username": "robot"}));
        demo.mm.allow_overrides(allowed);
        demo.mm.execute("alice", "town-square", "/hello").await.unwrap();
        let post = &demo.mm.posts("town-square").unwrap()[0];
        assert_eq!(post.props.get("override_username"), allowed.then(|| json!("robot")).as_ref());
        assert_eq!(post.user_id, demo.mm.user("alice").unwrap().id);
    }
}

#[tokio::test]
async fn slack_markup_becomes_markdown_unless_the_answer_says_otherwise() {
    let bob = |mm: &Standin| mm.user("bob").unwrap().id;
    let id = bob(&demo(Version::V11, json!({})).mm);
    let text = format!("<!here> <@{id}> <https://example.com|site>");
    for (skip, shown) in [(false, "@here @bob [site](https://example.com)"), (true, text.as_str())] {
        let demo = demo(Version::V11, json!({"text": text, "skip_slack_parsing": skip}));
        let seen = demo.mm.execute("alice", "town-square", "/hello").await.unwrap();
        assert_eq!(seen.texts(), [shown]);
    }
}

#[tokio::test]
async fn in_cards_links_become_markdown_whatever_the_answer_says_and_values_become_texts() {
    let field = json!({"title": "Points", "value": 1_500_000});
    let card = json!([{"text": "@here <https://a.test|a> <!here>", "fields": [field]}]);
    for (skip, text, value) in [
        (false, "@here [a](https://a.test) @here", json!("1.5e+06")),
        (true, "@here [a](https://a.test) <!here>", json!(1_500_000)),
    ] {
        let demo = demo(Version::V11, json!({"attachments": card, "skip_slack_parsing": skip}));
        let seen = demo.mm.execute("alice", "town-square", "/hello").await.unwrap();
        let [Shown::OnlyYou(post)] = &seen.shown[..] else { panic!("{:?}", seen.shown) };
        let shown = &post.attachments[0];
        assert_eq!((shown.text.as_str(), &shown.fields.as_ref().unwrap()[0].value), (text, &value));
    }
}

#[tokio::test]
async fn one_extra_answer_that_fails_does_not_stop_the_others() {
    let answer = json!({
        "text": "one",
        "extra_responses": [{"text": "no", "type": "system_x", "response_type": "in_channel"}, {"text": "three"}],
    });
    let demo = demo(Version::V11, answer);
    let seen = demo.mm.execute("alice", "town-square", "/hello").await.unwrap();
    assert_eq!(seen.status, 500);
    assert_eq!(seen.body["id"], "api.command.execute_command.create_post_failed.app_error");
    assert_eq!(&seen.texts()[..2], ["one", "three"]);
}

#[tokio::test]
async fn a_packed_answer_is_unpacked() {
    let demo = demo(Version::V11, json!({}));
    demo.mm.plug("http://app.test/", |_| {
        let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        std::io::Write::write_all(&mut packer, br#"{"text":"packed"}"#).unwrap();
        let mut answer = json_answer(&json!({}));
        *answer.body_mut() = packer.finish().unwrap().into();
        answer.headers_mut().insert("content-encoding", http::HeaderValue::from_static("gzip"));
        std::future::ready(answer)
    });
    assert_eq!(demo.mm.execute("alice", "town-square", "/hello").await.unwrap().texts(), ["packed"]);
}

#[tokio::test]
async fn a_built_in_command_is_refused_by_name() {
    let demo = demo(Version::V11, json!({}));
    let seen = demo.mm.execute("alice", "town-square", "/away").await.unwrap();
    assert_eq!(
        (seen.status, seen.texts()[0]),
        (501, "the stand-in does not serve the built-in command /away")
    );
}

#[tokio::test]
async fn endless_redirects_end() {
    let demo = demo(Version::V11, json!({}));
    demo.mm.plug("http://app.test/", |_| {
        let mut answer = Response::new(Bytes::new());
        *answer.status_mut() = StatusCode::FOUND;
        answer.headers_mut().insert("location", http::HeaderValue::from_static("/again"));
        std::future::ready(answer)
    });
    let seen = demo.mm.execute("alice", "town-square", "/hello").await.unwrap();
    assert_eq!((seen.status, seen.texts()[0]), (500, "Command with a trigger of 'hello' failed."));
}

proptest::proptest! {
    /// The client gets an answer of the API, whatever its user types and an integration answers.
    #[test]
    fn no_line_and_no_answer_brings_the_server_down(line: String, kind in "application/json|text/plain|", body: Vec<u8>) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let demo = demo(Version::V11, json!({}));
            demo.mm.plug("http://app.test/", move |_| {
                let mut answer = Response::new(Bytes::from(body.clone()));
                answer.headers_mut().insert("content-type", http::HeaderValue::from_str(&kind).unwrap());
                std::future::ready(answer)
            });
            for line in [line.clone(), format!("/{line}"), format!("/hello {line}")] {
                let seen = demo.mm.execute("alice", "town-square", &line).await.unwrap();
                assert!([200, 400, 404, 500, 501].contains(&seen.status), "{}", seen.status);
            }
        });
    }
}
