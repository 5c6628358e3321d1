//! Buttons and menus: who may click, what is sent to integrations, and what their answers do.

use crate::client::{VERSIONS, call, demo, done, refusal};
use bytes::Bytes;
use cloud_apps_standin::{Shown, Standin, StandinError, Version};
use http::{HeaderValue, Request, Response, StatusCode};
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};

/// What was sent to the integration of a test, and what it answers.
#[derive(Clone, Default)]
struct App {
    sent: Arc<Mutex<Vec<Value>>>,
    answer: Arc<Mutex<String>>,
}

impl App {
    fn answers(&self, body: impl Into<String>) {
        *self.answer.lock().unwrap() = body.into();
    }

    fn last(&self) -> Value {
        self.sent.lock().unwrap().last().cloned().unwrap()
    }
}

fn scene(version: Version) -> (Standin, String, App) {
    let (mm, admin) = demo(version);
    let app = App::default();
    app.answers("{}");
    let here = app.clone();
    mm.plug("http://app.test/", move |request| {
        here.sent.lock().unwrap().push(serde_json::from_slice(request.body()).unwrap());
        let answer = Response::new(Bytes::from(here.answer.lock().unwrap().clone()));
        async { answer }
    });
    (mm, admin, app)
}

fn card() -> Value {
    json!([{"text": "MM-1", "actions": [
        {"id": "assign", "name": "Assign to me", "type": "button",
         "integration": {"url": "http://app.test/go", "context": {"issue": "MM-1"}}},
        {"id": "pick", "name": "Status", "type": "select",
         "options": [{"text": "Done", "value": "done"}], "integration": {"url": "http://app.test/go"}},
        {"id": "who", "name": "Assignee", "type": "select", "data_source": "users",
         "integration": {"url": "http://app.test/go"}},
        {"id": "where", "name": "Channel", "type": "select", "data_source": "channels",
         "integration": {"url": "http://app.test/go"}},
        {"id": "off", "name": "Off", "disabled": true, "integration": {"url": "http://app.test/go"}},
    ]}])
}

/// Adds a post of a bot with the card; returns its id.
async fn post(mm: &Standin, more: Value) -> String {
    let token = mm.add_bot("robot", "posts cards").map(|(_, token)| token).unwrap();
    mm.join_team("robot", "demo").unwrap();
    let mut body = json!({
        "channel_id": mm.channel_id("demo", "town-square").unwrap(), "message": "card",
        "props": {"attachments": card()},
    });
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let made = done(mm, &token, "POST", "/api/v4/posts", &body).await;
    made["id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_button_sends_its_context_and_who_clicked_where() {
    for version in VERSIONS {
        let (mm, _, app) = scene(version);
        let id = post(&mm, json!({})).await;
        let seen = mm.click("alice", &id, "Assign to me").await.unwrap();
        assert_eq!((seen.status, seen.body["status"].as_str()), (200, Some("OK")));
        let mut sent = app.last();
        let trigger = sent.as_object_mut().unwrap().remove("trigger_id").unwrap();
        let trigger = data_encoding::BASE64.decode(trigger.as_str().unwrap().as_bytes()).unwrap();
        assert!(trigger.starts_with(seen.body["trigger_id"].as_str().unwrap().as_bytes()));
        assert_eq!(
            sent,
            json!({
                "user_id": mm.user("alice").unwrap().id, "user_name": "alice",
                "channel_id": mm.channel_id("demo", "town-square").unwrap(), "channel_name": "town-square",
                "team_id": mm.team_id("demo").unwrap(), "team_domain": "demo", "post_id": id,
                "type": "button", "data_source": "", "context": {"issue": "MM-1"},
            })
        );
    }
}

#[tokio::test]
async fn a_menu_sends_what_was_chosen_in_its_context() {
    for version in VERSIONS {
        let (mm, _, app) = scene(version);
        let id = post(&mm, json!({})).await;
        let bob = mm.user("bob").unwrap().id;
        let square = mm.channel_id("demo", "town-square").unwrap();
        for (menu, choice, source, value) in [
            ("Status", "Done", "", "done"),
            ("Status", "done", "", "done"),
            ("Assignee", "bob", "users", bob.as_str()),
            ("Channel", "town-square", "channels", &square),
        ] {
            mm.select("alice", &id, menu, choice).await.unwrap();
            let sent = app.last();
            assert_eq!((&sent["type"], &sent["data_source"]), (&json!("select"), &json!(source)));
            assert_eq!(sent["context"], json!({"selected_option": value}));
        }
        // If nothing is chosen, there is no context and no source.
        mm.click("alice", &id, "Assignee").await.unwrap();
        let sent = app.last();
        assert_eq!((sent.get("context"), &sent["data_source"]), (None, &json!("")));
    }
}

#[tokio::test]
async fn a_user_clicks_only_what_is_there_to_be_clicked() {
    let (mm, _, _) = scene(Version::V11);
    let id = post(&mm, json!({})).await;
    let error = mm.click("alice", &id, "Nothing").await.unwrap_err();
    assert_eq!(error.to_string(), "the stand-in has no button or menu \"Nothing\"; add it first");
    assert!(matches!(mm.click("alice", &id, "Off").await, Err(StandinError::Disabled { .. })));
    assert!(matches!(
        mm.select("alice", &id, "Status", "Lost").await,
        Err(StandinError::Unknown { what: "option", .. })
    ));
    mm.add_user("zoe").unwrap();
    assert!(matches!(
        mm.click("zoe", &id, "Assign to me").await,
        Err(StandinError::Unknown { what: "post", .. })
    ));
}

#[tokio::test]
async fn an_update_replaces_the_post_and_leaves_out_what_it_does_not_say() {
    for version in VERSIONS {
        let (mm, admin, app) = scene(version);
        let id = post(&mm, json!({})).await;
        let path = format!("/api/v4/posts/{id}");
        // Without props, the post keeps its old ones with their buttons; the text is removed.
        app.answers(r#"{"update": {}}"#);
        mm.click("alice", &id, "Assign to me").await.unwrap();
        let now = done(&mm, &admin, "GET", &path, &Value::Null).await;
        assert_eq!((&now["message"], &now["props"]["from_bot"]), (&json!(""), &json!("true")));
        // With props, the buttons are removed, and before 11.11 also the mark of the bot.
        app.answers(
            r#"{"update": {"message": "done", "props": {"a": 1}}, "ephemeral_text": "<https://a.test|see>"}"#,
        );
        let seen = mm.click("alice", &id, "Assign to me").await.unwrap();
        let [Shown::Updated(updated), Shown::OnlyYou(told)] = &seen.shown[..] else {
            panic!("{:?}", seen.shown)
        };
        assert_eq!((updated.message.as_str(), updated.attachments.len()), ("done", 0));
        assert_eq!((told.message.as_str(), &told.root_id), ("[see](https://a.test)", &id));
        let now = done(&mm, &admin, "GET", &path, &Value::Null).await;
        // Since 11.11 the mark of the bot stays.
        let marked = version >= Version::V11_11;
        assert_eq!(now["props"], if marked { json!({"a": 1, "from_bot": "true"}) } else { json!({"a": 1}) });
        let (status, body) = call(&mm, &admin, "POST", &format!("{path}/actions/assign"), &json!({})).await;
        assert_eq!((status, &body["id"]), (404, &json!("api.post.do_action.action_id.app_error")));
    }
}

#[tokio::test]
async fn an_update_keeps_in_whose_name_the_post_was_made_and_cannot_take_another() {
    for version in VERSIONS {
        let (mm, admin, app) = scene(version);
        let id = post(
            &mm,
            json!({"props": {"attachments": card(), "from_webhook": "true", "override_username": "x"}}),
        )
        .await;
        app.answers(r#"{"update": {"props": {"override_username": "evil", "override_icon_url": "http://evil.test"}}}"#);
        mm.click("alice", &id, "Assign to me").await.unwrap();
        let now = done(&mm, &admin, "GET", &format!("/api/v4/posts/{id}"), &Value::Null).await;
        // In 12 the bot could not choose another name to begin with.
        let kept = if version >= Version::V12 {
            json!({"from_bot": "true"})
        } else {
            json!({"from_webhook": "true", "override_username": "x"})
        };
        assert_eq!(now["props"], kept);
    }
}

#[tokio::test]
async fn an_ephemeral_post_is_clicked_by_its_cookie_and_updated_since_11_10() {
    for version in VERSIONS {
        let (mm, admin, app) = scene(version);
        let answer = json!({"attachments": card()}).to_string();
        mm.plug("http://cmd.test/", move |_| {
            let mut answer = Response::new(Bytes::from(answer.clone()));
            answer.headers_mut().insert("content-type", HeaderValue::from_static("application/json"));
            async { answer }
        });
        mm.add_command("demo", "card", "http://cmd.test/").unwrap();
        let seen = mm.execute("alice", "town-square", "/card").await.unwrap();
        let told = mm.last_ephemeral("alice").unwrap().unwrap();
        let action = &seen.body["attachments"][0]["actions"][0];
        let cookie = action["cookie"].as_str().unwrap();
        assert!(action.get("integration").is_none() && !cookie.contains("MM-1"));
        app.answers(r#"{"ephemeral_text": "fine"}"#);
        mm.click("alice", &told.id, "Assign to me").await.unwrap();
        assert_eq!(app.last()["context"], json!({"issue": "MM-1"}));
        assert_eq!(mm.last_ephemeral("alice").unwrap().unwrap().message, "fine");
        let update = json!({"message": "new", "props": {"attachments": card()}});
        app.answers(json!({"update": update, "ephemeral_text": "told"}).to_string());
        let seen = mm.click("alice", &told.id, "Assign to me").await.unwrap();
        if version >= Version::V11_10 {
            assert_eq!(seen.texts(), ["new", "told"]);
            // Its new buttons have new cookies.
            app.answers("{}");
            assert_eq!(mm.click("alice", &told.id, "Assign to me").await.unwrap().status, 200);
        } else {
            assert_eq!((seen.status, &seen.body["id"]), (404, &json!("app.post.get.app_error")));
        }
        // Everybody who can read the channel may use the cookie, but only for this post.
        let bob = mm.add_token("bob").unwrap();
        app.answers("{}");
        let path = format!("/api/v4/posts/{}/actions/assign", told.id);
        done(&mm, &bob, "POST", &path, &json!({"cookie": cookie})).await;
        assert_eq!(app.last()["user_name"], json!("bob"));
        let other = "/api/v4/posts/abcdefghijklmnopqrstuvwxyz/actions/assign";
        for (path, cookie, status) in [(other, cookie, 400), (&path, "AAAA", 400), (&path, "", 403)] {
            let (found, ..) = refusal(&mm, &bob, "POST", path, &json!({"cookie": cookie})).await;
            assert_eq!(found, status, "{path} {cookie}");
        }
        drop(admin);
    }
}

#[tokio::test]
async fn in_5_37_only_members_click_and_in_11_all_who_may_see_the_channel() {
    for version in VERSIONS {
        let (mm, _, _) = scene(version);
        let id = post(&mm, json!({})).await;
        mm.leave("carol", "town-square").unwrap();
        let carol = mm.add_token("carol").unwrap();
        let path = format!("/api/v4/posts/{id}/actions/assign");
        let (status, _) = call(&mm, &carol, "POST", &path, &json!({})).await;
        assert_eq!(status, if version >= Version::V11 { 200 } else { 403 });
    }
}

#[tokio::test]
async fn an_action_id_with_other_letters_is_posted_and_cannot_be_clicked_before_11_10() {
    for version in VERSIONS {
        let (mm, admin, app) = scene(version);
        let mut card = card();
        card[0]["actions"][0]["id"] = json!("a-b");
        let id = post(&mm, json!({"props": {"attachments": card}})).await;
        let request = Request::post(format!("/api/v4/posts/{id}/actions/a-b"))
            .header("authorization", format!("Bearer {admin}"))
            .body(Bytes::new());
        let answer = mm.respond(request.unwrap()).await.unwrap();
        if version >= Version::V11_10 {
            assert_eq!(answer.status(), StatusCode::OK);
            continue;
        }
        assert_eq!(answer.status(), StatusCode::NOT_FOUND);
        assert!(!answer.headers().contains_key("x-request-id"));
        assert!(app.sent.lock().unwrap().is_empty());
        assert_eq!(mm.click("alice", &id, "Assign to me").await.unwrap().status, 404);
    }
}

#[tokio::test]
async fn an_integration_that_fails_says_nothing_of_why_and_to_a_user_of_5_37_nothing_at_all() {
    for version in VERSIONS {
        let (mm, _, app) = scene(version);
        let id = post(&mm, json!({})).await;
        for wrong in ["[]", "\"text\"", "<html>", r#"{"ephemeral_text": 1}"#, r#"{"update": {"message": 1}}"#]
        {
            app.answers(wrong);
            let seen = mm.click("alice", &id, "Assign to me").await.unwrap();
            assert_eq!(seen.status, 400, "{wrong}");
            assert_eq!(seen.body["id"], json!("api.post.do_action.action_integration.app_error"));
            assert_eq!(seen.body["detailed_error"], json!(""));
            let told: &[&str] = if version >= Version::V11 { &["Action integration error."] } else { &[] };
            assert_eq!(seen.texts(), told);
        }
        // Since 5.38 an empty answer is valid.
        app.answers("");
        let seen = mm.click("alice", &id, "Assign to me").await.unwrap();
        assert_eq!(seen.status, if version >= Version::V11 { 200 } else { 400 });
        // 11 cuts an answer after a mebibyte, and then it is not JSON.
        app.answers(json!({"ephemeral_text": "x".repeat(1_200_000)}).to_string());
        let seen = mm.click("alice", &id, "Assign to me").await.unwrap();
        assert_eq!(seen.status, if version >= Version::V11 { 400 } else { 200 });
    }
}

#[tokio::test]
async fn a_button_of_a_plugin_that_is_not_there_fails() {
    for version in VERSIONS {
        let (mm, _, _) = scene(version);
        let actions = json!([{"id": "go", "name": "Go", "integration": {"url": "/plugins/nosuch/go"}}]);
        let id = post(&mm, json!({"props": {"attachments": [{"actions": actions}]}})).await;
        assert_eq!(mm.click("alice", &id, "Go").await.unwrap().status, 400);
    }
}

proptest::proptest! {
    /// The server continues, whatever a client sends, and whatever an integration answers to a click or to a webhook.
    #[test]
    fn no_click_and_no_answer_brings_the_server_down(answer: String, update: String, option: String, cookie: String) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            for version in VERSIONS {
                let (mm, admin, app) = scene(version);
                let hook = json!({
                    "team_id": mm.team_id("demo").unwrap(), "callback_urls": ["http://app.test/hook"],
                    "channel_id": mm.channel_id("demo", "town-square").unwrap(), "content_type": "application/json",
                });
                done(&mm, &admin, "POST", "/api/v4/hooks/outgoing", &hook).await;
                app.answers(answer.clone());
                let id = post(&mm, json!({})).await;
                mm.settled().await;
                let path = format!("/api/v4/posts/{id}/actions/assign");
                for body in [answer.clone(), json!({"update": {"message": update, "props": {"attachments": update}}}).to_string()] {
                    app.answers(body);
                    for click in [json!({"selected_option": option}), json!({"cookie": cookie}), json!(option)] {
                        let (status, _) = call(&mm, &admin, "POST", &path, &click).await;
                        assert!([200, 400, 404].contains(&status), "{status}");
                    }
                }
            }
        });
    }
}
