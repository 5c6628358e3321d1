//! Late answers to slash commands. How often and how long they work is tested in `commands.rs`.

use crate::client::{VERSIONS, demo, done};
use bytes::Bytes;
use cloud_apps_standin::{Standin, Version};
use http::{Request, Response};
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};

/// A server on which alice typed `/later` in a thread.
struct Scene {
    mm: Standin,
    admin: String,
    command: String,
    root: String,
    path: String,
}

async fn scene(version: Version) -> Scene {
    let (mm, admin) = demo(version);
    let (command, _) = mm.add_command("demo", "later", "http://app.test/later").unwrap();
    let url = Arc::new(Mutex::new(String::new()));
    let known = url.clone();
    mm.plug("http://app.test/", move |request: Request<Bytes>| {
        let form = url::form_urlencoded::parse(request.body()).into_owned();
        for (_, url) in form.filter(|(key, _)| key == "response_url") {
            *known.lock().unwrap() = url;
        }
        async { Response::new(Bytes::new()) }
    });
    let alice = mm.add_token("alice").unwrap();
    let channel = mm.channel_id("demo", "town-square").unwrap();
    let root = json!({"channel_id": channel, "message": "root"});
    let root = done(&mm, &alice, "POST", "/api/v4/posts", &root).await["id"].as_str().unwrap().to_owned();
    let line = json!({"channel_id": channel, "command": "/later", "root_id": root});
    done(&mm, &alice, "POST", "/api/v4/commands/execute", &line).await;
    let url = url.lock().unwrap().clone();
    let path = url.split_once("/hooks/").map(|(_, id)| format!("/hooks/{id}")).unwrap();
    Scene { mm, admin, command, root, path }
}

impl Scene {
    /// Sends a late answer; returns the status, and the id and text of an error.
    async fn answer(&self, kind: &str, body: impl Into<Bytes>) -> (u16, String, String) {
        let request = Request::post(&self.path).header("content-type", kind).body(body.into()).unwrap();
        let answer = self.mm.respond(request).await.unwrap();
        let body: Value = serde_json::from_slice(answer.body()).unwrap_or_default();
        let text = |key: &str| body[key].as_str().unwrap_or_default().to_owned();
        (answer.status().as_u16(), text("id"), text("message"))
    }

    async fn json(&self, body: Value) -> u16 {
        self.answer("application/json", body.to_string()).await.0
    }
}

#[tokio::test]
async fn a_late_answer_stands_in_the_thread_in_the_name_of_who_typed_the_command() {
    for version in VERSIONS {
        let scene = scene(version).await;
        assert_eq!(scene.json(json!({"text": "for all", "response_type": "in_channel"})).await, 200);
        let post = scene.mm.posts("town-square").unwrap().pop().unwrap();
        assert_eq!((post.message.as_str(), &post.root_id), ("for all", &scene.root));
        assert_eq!(post.user_id, scene.mm.user("alice").unwrap().id);
        assert_eq!(scene.json(json!({"text": "for her", "goto_location": "https://a.test"})).await, 200);
        let told = scene.mm.last_ephemeral("alice").unwrap().unwrap();
        assert_eq!((told.message.as_str(), &told.root_id), ("for her", &scene.root));
        assert!(scene.mm.last_ephemeral("bob").unwrap().is_none());
    }
}

#[tokio::test]
async fn a_late_answer_of_another_type_than_json_is_its_text() {
    for version in VERSIONS {
        let scene = scene(version).await;
        assert_eq!(scene.answer("text/plain", r#"{"text": "x"}"#).await.0, 200);
        assert_eq!(scene.mm.last_ephemeral("alice").unwrap().unwrap().message, r#"{"text": "x"}"#);
    }
}

#[tokio::test]
async fn a_late_answer_may_be_several_posts_and_a_card_with_buttons_that_work() {
    for version in VERSIONS {
        let scene = scene(version).await;
        let card =
            json!([{"actions": [{"id": "go", "name": "Go", "integration": {"url": "http://app.test/go"}}]}]);
        let extra = json!([{"text": "second", "response_type": "in_channel"}]);
        let body = json!({"response_type": "in_channel", "attachments": card, "extra_responses": extra});
        assert_eq!(scene.json(body).await, 200);
        let posts = scene.mm.posts("town-square").unwrap();
        let [_, card, second] = &posts[..] else { panic!("{posts:?}") };
        assert_eq!(second.message, "second");
        let clicked = scene.mm.click("alice", &card.id, "Go").await.unwrap();
        // The integration answers nothing, which 5.37 takes as a failure.
        assert_eq!(clicked.status, if version >= Version::V11 { 200 } else { 400 });
    }
}

#[tokio::test]
async fn outgoing_webhooks_hear_late_answers_to_the_channel() {
    for version in VERSIONS {
        let scene = scene(version).await;
        let heard = Arc::new(Mutex::new(Vec::new()));
        let list = heard.clone();
        scene.mm.plug("http://hook.test/", move |request: Request<Bytes>| {
            let body: Value = serde_json::from_slice(request.body()).unwrap();
            list.lock().unwrap().push(body["text"].as_str().unwrap().to_owned());
            async { Response::new(Bytes::new()) }
        });
        let hook = json!({
            "team_id": scene.mm.team_id("demo").unwrap(), "display_name": "events",
            "channel_id": scene.mm.channel_id("demo", "town-square").unwrap(),
            "callback_urls": ["http://hook.test/"], "content_type": "application/json",
        });
        done(&scene.mm, &scene.admin, "POST", "/api/v4/hooks/outgoing", &hook).await;
        scene.json(json!({"text": "for her"})).await;
        scene.json(json!({"text": "for all", "response_type": "in_channel"})).await;
        scene.mm.settled().await;
        assert_eq!(*heard.lock().unwrap(), ["for all"]);
    }
}

#[tokio::test]
async fn five_says_what_is_wrong_and_eleven_only_that_something_is() {
    for version in VERSIONS {
        let mut scene = scene(version).await;
        let id = scene.path.rsplit('/').next().unwrap().to_owned();
        let general = "web.command_webhook.general.app_error";
        let wrapped = |status: u16, id: &str, known: &str, text: &str| match version {
            Version::V5_37 => (status, known.to_owned(), text.to_owned()),
            _ => (status, general.to_owned(), format!("Failed to handle command webhook {id}.")),
        };
        let parse = "web.command_webhook.parse.app_error".to_owned();
        let text = format!("Unable to parse incoming data for webhook {id}.");
        assert_eq!(scene.answer("application/json", "{bad").await, (400, parse, text));
        for _ in 0..5 {
            assert_eq!(scene.json(json!({"text": "late"})).await, 200);
        }
        let used = wrapped(400, &id, "app.command_webhook.try_use.invalid", "Invalid webhook.");
        assert_eq!(scene.answer("text/plain", "late").await, used);
        let other = "abcdefghijklmnopqrstuvwxyz";
        scene.path = format!("/hooks/commands/{other}");
        let gone = wrapped(404, other, "app.command_webhook.get.missing", "Unable to get the webhook.");
        assert_eq!(scene.answer("text/plain", "late").await, gone);
    }
}

#[tokio::test]
async fn the_late_answers_of_a_deleted_command_go_nowhere() {
    for version in VERSIONS {
        let scene = scene(version).await;
        let path = format!("/api/v4/commands/{}", scene.command);
        done(&scene.mm, &scene.admin, "DELETE", &path, &Value::Null).await;
        let (status, id, _) = scene.answer("text/plain", "late").await;
        let known = match version {
            Version::V5_37 => "web.command_webhook.command.app_error",
            _ => "web.command_webhook.general.app_error",
        };
        assert_eq!((status, id.as_str()), (400, known));
    }
}
