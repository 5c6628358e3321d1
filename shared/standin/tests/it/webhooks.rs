//! Outgoing webhooks: what triggers them, what they send, and what their answers do.

use crate::client::{VERSIONS, demo, done};
use bytes::Bytes;
use cloud_apps_standin::{ChannelKind, Post, Standin, Version};
use http::{Request, Response};
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};

/// A server with an integration that gets all webhooks and always gives the same answer.
struct Scene {
    mm: Standin,
    admin: String,
    sent: Arc<Mutex<Vec<Request<Bytes>>>>,
}

impl Scene {
    fn new(version: Version, answer: &'static str) -> Scene {
        let (mm, admin) = demo(version);
        let sent: Arc<Mutex<Vec<Request<Bytes>>>> = Arc::default();
        let list = sent.clone();
        mm.plug("http://app.test/", move |request| {
            list.lock().unwrap().push(request);
            async move { Response::new(Bytes::from(answer)) }
        });
        Scene { mm, admin, sent }
    }

    /// Adds a webhook of the team; `more` adds keys.
    async fn hook(&self, more: Value) -> String {
        let mut hook = json!({
            "team_id": self.mm.team_id("demo").unwrap(), "display_name": "events",
            "callback_urls": ["http://app.test/hook"], "content_type": "application/json",
        });
        hook.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let made = done(&self.mm, &self.admin, "POST", "/api/v4/hooks/outgoing", &hook).await;
        made["id"].as_str().unwrap().to_owned()
    }

    fn channel(&self, name: &str) -> String {
        self.mm.channel_id("demo", name).unwrap()
    }

    /// Posts a message, and waits until all webhooks are delivered.
    async fn say(&self, user: &str, channel: &str, text: &str) -> String {
        let token = self.mm.add_token(user).unwrap();
        let post = json!({"channel_id": channel, "message": text});
        let post = done(&self.mm, &token, "POST", "/api/v4/posts", &post).await;
        self.mm.settled().await;
        post["id"].as_str().unwrap().to_owned()
    }

    fn texts(&self) -> Vec<String> {
        let sent = self.sent.lock().unwrap();
        let bodies = sent.iter().map(|one| serde_json::from_slice::<Value>(one.body()).unwrap_or_default());
        bodies.map(|body| body["text"].as_str().unwrap_or_default().to_owned()).collect()
    }

    fn last(&self, channel: &str) -> Post {
        self.mm.posts(channel).unwrap().pop().unwrap()
    }
}

#[tokio::test]
async fn a_webhook_of_a_channel_hears_all_that_is_said_there_and_nowhere_else() {
    for version in VERSIONS {
        let scene = Scene::new(version, "{}");
        let square = scene.channel("town-square");
        scene.hook(json!({"channel_id": square})).await;
        scene.say("alice", &square, "one").await;
        scene.say("bob", &scene.channel("off-topic"), "two").await;
        scene.say("bob", &square, "three").await;
        assert_eq!(scene.texts(), ["one", "three"]);
    }
}

#[tokio::test]
async fn private_and_direct_channels_are_never_heard() {
    for version in VERSIONS {
        let scene = Scene::new(version, "{}");
        scene.hook(json!({"trigger_words": ["word"]})).await;
        let secret = scene.mm.add_channel("demo", "secret", ChannelKind::Private).unwrap();
        scene.mm.join("alice", "secret").unwrap();
        let direct = scene.mm.direct_channel("alice", "bob").unwrap();
        scene.say("alice", &secret, "word").await;
        scene.say("alice", &direct, "word").await;
        assert_eq!(scene.texts(), [""; 0]);
    }
}

#[tokio::test]
async fn a_trigger_word_is_the_first_word_or_its_beginning() {
    for version in VERSIONS {
        let scene = Scene::new(version, "{}");
        let square = scene.channel("town-square");
        scene.hook(json!({"trigger_words": ["build", "deploy"], "trigger_when": 0})).await;
        scene
            .hook(json!({"trigger_words": ["re"], "trigger_when": 1, "callback_urls": ["http://app.test/b"]}))
            .await;
        for text in
            ["build it", "  deploy\nnow", "builds", "Build it", "please build", "release 2", "a re", ""]
        {
            if !text.is_empty() {
                scene.say("alice", &square, text).await;
            }
        }
        assert_eq!(scene.texts(), ["build it", "  deploy\nnow", "release 2"]);
        let sent = scene.sent.lock().unwrap();
        let words = sent.iter().map(|one| serde_json::from_slice::<Value>(one.body()).unwrap());
        let words: Vec<_> = words.map(|body| body["trigger_word"].as_str().unwrap().to_owned()).collect();
        assert_eq!(words, ["build", "deploy", "re"]);
    }
}

#[tokio::test]
async fn with_several_callback_urls_5_37_sends_one_body_and_11_sends_all() {
    for version in VERSIONS {
        let scene = Scene::new(version, "{}");
        let square = scene.channel("town-square");
        let urls = ["http://app.test/a", "http://app.test/b", "http://app.test/c"];
        scene.hook(json!({"channel_id": square, "callback_urls": urls})).await;
        scene.say("alice", &square, "hello").await;
        let sent = scene.sent.lock().unwrap();
        let mut full: Vec<&str> = Vec::new();
        full.extend(sent.iter().filter(|one| !one.body().is_empty()).map(|one| one.uri().path()));
        full.sort_unstable();
        assert_eq!(sent.len(), 3);
        assert_eq!(full, if version >= Version::V11 { &["/a", "/b", "/c"][..] } else { &["/a"] });
    }
}

#[tokio::test]
async fn two_webhooks_without_words_deliver_everything_twice() {
    for version in VERSIONS {
        let scene = Scene::new(version, "{}");
        let square = scene.channel("town-square");
        for _ in 0..2 {
            scene.hook(json!({"channel_id": square})).await;
        }
        scene.say("alice", &square, "hello").await;
        assert_eq!(scene.texts(), ["hello", "hello"]);
    }
}

#[tokio::test]
async fn the_answer_is_posted_whatever_its_status_by_the_maker_and_fires_nothing() {
    for version in VERSIONS {
        let scene = Scene::new(version, "");
        let square = scene.channel("town-square");
        scene.mm.allow_overrides(true);
        let heard = Arc::new(Mutex::new(0));
        let count = heard.clone();
        scene.mm.plug("http://app.test/hook", move |_| {
            *count.lock().unwrap() += 1;
            let body = r#"{"text": "heard <https://a.test|you>", "username": "hooky", "props": {"a": 1, "from_webhook": "no"}}"#;
            let mut answer = Response::new(Bytes::from(body));
            *answer.status_mut() = http::StatusCode::INTERNAL_SERVER_ERROR;
            async { answer }
        });
        scene.hook(json!({"channel_id": square})).await;
        scene.say("alice", &square, "hello").await;
        let post = scene.last("town-square");
        assert_eq!(post.message, "heard [you](https://a.test)");
        assert_eq!(post.user_id, scene.mm.user("admin").unwrap().id);
        assert_eq!(post.root_id, "");
        assert_eq!(
            Value::Object(post.props),
            json!({"from_webhook": "true", "override_username": "hooky", "webhook_display_name": "events", "a": 1})
        );
        assert_eq!(*heard.lock().unwrap(), 1);
    }
}

#[tokio::test]
async fn a_comment_stands_in_the_thread_and_its_card_has_no_integration_for_readers() {
    for version in VERSIONS {
        let answer = r#"{"response_type": "comment", "attachments": [{"text": "card", "actions": [
            {"id": "go", "name": "Go", "integration": {"url": "http://app.test/go", "context": {"k": "secret"}}}]}]}"#;
        let scene = Scene::new(version, answer);
        let square = scene.channel("town-square");
        scene.hook(json!({"channel_id": square})).await;
        let root = scene.say("alice", &square, "hello").await;
        let post = scene.last("town-square");
        assert_eq!((post.root_id.as_str(), post.kind.as_str()), (root.as_str(), "slack_attachment"));
        let read =
            done(&scene.mm, &scene.admin, "GET", &format!("/api/v4/posts/{}", post.id), &Value::Null).await;
        let action = &read["props"]["attachments"][0]["actions"][0];
        assert_eq!((&action["id"], action.get("integration")), (&json!("go"), None), "{action}");
    }
}

#[tokio::test]
async fn an_empty_text_is_posted_and_no_text_is_not() {
    for version in VERSIONS {
        for (answer, posts) in
            [("", 1), ("{}", 1), ("null", 1), ("[1]", 1), ("{\"text\": 1}", 1), ("{\"text\":\"\"}", 2)]
        {
            let scene = Scene::new(version, answer);
            let square = scene.channel("town-square");
            scene.hook(json!({"channel_id": square})).await;
            scene.say("alice", &square, "hello").await;
            assert_eq!(scene.mm.posts("town-square").unwrap().len(), posts, "{answer}");
        }
    }
}

#[tokio::test]
async fn answers_of_commands_are_heard_and_posts_of_incoming_webhooks_are_not() {
    for version in VERSIONS {
        let scene = Scene::new(version, r#"{"response_type": "in_channel"}"#);
        let square = scene.channel("town-square");
        scene.hook(json!({"channel_id": square})).await;
        scene.mm.plug("http://cmd.test/", |_| async {
            let mut answer = Response::new(Bytes::from(r#"{"response_type": "in_channel", "text": "done"}"#));
            answer.headers_mut().insert("content-type", http::HeaderValue::from_static("application/json"));
            answer
        });
        scene.mm.add_command("demo", "do", "http://cmd.test/").unwrap();
        scene.mm.execute("alice", "town-square", "/do").await.unwrap();
        scene.mm.settled().await;
        let body = json!({"channel_id": square, "display_name": "in"});
        let hook = done(&scene.mm, &scene.admin, "POST", "/api/v4/hooks/incoming", &body).await;
        let path = format!("/hooks/{}", hook["id"].as_str().unwrap());
        let said = Request::post(&path).body(Bytes::from(r#"{"text": "from outside"}"#)).unwrap();
        assert_eq!(scene.mm.respond(said).await.unwrap().status(), 200);
        scene.mm.settled().await;
        assert_eq!(scene.texts(), ["done"]);
    }
}

#[tokio::test]
async fn nothing_is_sent_while_outgoing_webhooks_are_off_or_once_the_webhook_is_deleted() {
    for version in VERSIONS {
        let scene = Scene::new(version, "{}");
        let square = scene.channel("town-square");
        let id = scene.hook(json!({"channel_id": square})).await;
        scene.mm.configure(|settings| settings.enable_outgoing_webhooks = false);
        scene.say("alice", &square, "off").await;
        scene.mm.configure(|settings| settings.enable_outgoing_webhooks = true);
        scene.say("alice", &square, "on").await;
        done(&scene.mm, &scene.admin, "DELETE", &format!("/api/v4/hooks/outgoing/{id}"), &Value::Null).await;
        scene.say("alice", &square, "gone").await;
        assert_eq!(scene.texts(), ["on"]);
    }
}

#[tokio::test]
async fn a_text_too_long_for_one_post_becomes_several() {
    for version in VERSIONS {
        let scene = Scene::new(version, "");
        let square = scene.channel("town-square");
        let longest = scene.mm.settings().max_post_size;
        scene.mm.plug("http://app.test/hook", move |_| async move {
            Response::new(Bytes::from(json!({"text": "ä".repeat(longest + 1)}).to_string()))
        });
        scene.hook(json!({"channel_id": square})).await;
        scene.say("alice", &square, "hello").await;
        let lengths: Vec<usize> =
            scene.mm.posts("town-square").unwrap().iter().map(|post| post.message.chars().count()).collect();
        assert_eq!(lengths, [5, longest, 1]);
    }
}
