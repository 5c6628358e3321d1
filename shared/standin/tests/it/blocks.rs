//! Who may bring actions for blocks, how they change, and which props a post cannot bring.

use crate::client::{call, demo, done, refusal};
use bytes::Bytes;
use cloud_apps_standin::{Post, Standin, Version};
use http::{HeaderValue, Request, Response};
use serde_json::{Value, json};

/// A server with a bot in the town square; the token of the bot.
fn site(version: Version) -> (Standin, String) {
    let (mm, _) = demo(version);
    let (_, bot) = mm.add_bot("robot", "works").unwrap();
    mm.join_team("robot", "demo").unwrap();
    mm.plug("http://app.test/", |_| async { Response::new(Bytes::from("{}")) });
    (mm, bot)
}

fn action() -> Value {
    json!({"type": "external", "url": "http://app.test/do"})
}

fn button(id: &str) -> Value {
    json!({"type": "button", "text": id, "action_id": id})
}

/// The props of a post with buttons that have these actions.
fn props(ids: &[&str]) -> Value {
    let buttons: Value = ids.iter().map(|id| button(id)).collect();
    let actions: serde_json::Map<String, Value> = ids.iter().map(|id| ((*id).to_owned(), action())).collect();
    json!({"mm_blocks": buttons, "mm_blocks_actions": actions})
}

async fn post(mm: &Standin, token: &str, props: &Value) -> String {
    let body = json!({"channel_id": square(mm), "message": "m", "props": props});
    done(mm, token, "POST", "/api/v4/posts", &body).await["id"].as_str().unwrap().to_owned()
}

fn square(mm: &Standin) -> String {
    mm.channel_id("demo", "town-square").unwrap()
}

fn stored(mm: &Standin) -> Post {
    mm.posts("town-square").unwrap().pop().unwrap()
}

/// The ids of the actions that the last post has.
fn actions(mm: &Standin) -> Vec<String> {
    let post = stored(mm);
    post.props
        .get("mm_blocks_actions")
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
        .map(|(id, _)| id.clone())
        .collect()
}

/// Logs in as a person does.
async fn session(mm: &Standin, user: &str) -> String {
    mm.set_password(user, "secret").unwrap();
    let body = json!({"login_id": user, "password": "secret"});
    let request = Request::post("/api/v4/users/login").body(Bytes::from(body.to_string())).unwrap();
    let answer = mm.respond(request).await.unwrap();
    answer.headers()["token"].to_str().unwrap().to_owned()
}

#[tokio::test]
async fn an_integration_brings_actions_and_a_person_in_a_client_does_not() {
    for version in [Version::V11, Version::V12] {
        let (mm, bot) = site(version);
        let (alice, token) = (session(&mm, "alice").await, mm.add_token("alice").unwrap());
        for (token, kept) in [(&bot, true), (&token, true), (&alice, version < Version::V11_9)] {
            let id = post(&mm, token, &props(&["go"])).await;
            assert_eq!(!actions(&mm).is_empty(), kept);
            // A server that does not know them shows them to everybody.
            let seen = done(&mm, &alice, "GET", &format!("/api/v4/posts/{id}"), &Value::Null).await;
            assert_eq!(seen["props"].get("mm_blocks_actions").is_some(), version < Version::V11_9);
            assert_eq!(seen["props"]["mm_blocks"], json!([button("go")]));
        }
    }
}

#[tokio::test]
async fn a_server_that_learns_of_actions_hides_them() {
    let (mm, bot) = site(Version::V11);
    let id = post(&mm, &bot, &props(&["go"])).await;
    let path = format!("/api/v4/posts/{id}");
    for (version, hidden) in [(Version::V11_9, true), (Version::V12, true), (Version::V11, false)] {
        mm.set_version(version);
        let seen = done(&mm, &bot, "GET", &path, &Value::Null).await;
        assert_eq!(seen["props"].get("mm_blocks_actions").is_none(), hidden, "{version:?}");
    }
}

#[tokio::test]
async fn only_the_author_changes_the_actions_and_an_update_that_says_nothing_keeps_them() {
    let (mm, bot) = site(Version::V12);
    let admin = mm.add_token("admin").unwrap();
    let id = post(&mm, &bot, &props(&["one", "two"])).await;
    let patch = async |token: &str, body: Value| {
        done(&mm, token, "PUT", &format!("/api/v4/posts/{id}/patch"), &body).await;
        actions(&mm)
    };
    assert_eq!(patch(&bot, json!({"message": "x"})).await, ["one", "two"]);
    // What is no longer named is gone, and what somebody else brings is not taken.
    let one = json!([button("one")]);
    assert_eq!(patch(&bot, json!({"props": {"mm_blocks": one}})).await, ["one"]);
    assert_eq!(patch(&admin, json!({"props": props(&["one", "three"])})).await, ["one"]);
    assert_eq!(patch(&bot, json!({"props": props(&["three"])})).await, ["three"]);
    assert_eq!(patch(&bot, json!({"props": {}})).await, Vec::<String>::new());
    // In 11.9 a bot could not change them at all.
    mm.set_version(Version::V11_9);
    let id = post(&mm, &bot, &props(&["one"])).await;
    done(&mm, &bot, "PUT", &format!("/api/v4/posts/{id}/patch"), &json!({"props": props(&["two"])})).await;
    assert_eq!(actions(&mm), Vec::<String>::new());
}

#[tokio::test]
async fn the_answer_to_a_click_brings_actions_only_where_there_were_some_and_only_right_ones() {
    let (mm, bot) = site(Version::V12);
    let attachments =
        json!([{"actions": [{"id": "old", "name": "Old", "integration": {"url": "http://app.test/do"}}]}]);
    let answers = |update: &Value| {
        let body = json!({"update": {"message": "m", "props": update}}).to_string();
        mm.plug("http://app.test/", move |_| {
            let answer = Response::new(Bytes::from(body.clone()));
            async { answer }
        });
    };
    let id = post(&mm, &bot, &json!({"attachments": attachments})).await;
    answers(&props(&["new"]));
    mm.click("alice", &id, "Old").await.unwrap();
    assert_eq!(actions(&mm), Vec::<String>::new());
    let id = post(&mm, &bot, &props(&["one", "two"])).await;
    let mut wrong = props(&["one"]);
    wrong["mm_blocks_actions"]["unused"] = action();
    answers(&wrong);
    mm.click("alice", &id, "one").await.unwrap();
    assert_eq!(actions(&mm), ["one"], "the old ones stay, without what is not named");
}

#[tokio::test]
async fn a_query_and_a_body_have_limits() {
    let (mm, bot) = site(Version::V12);
    let id = post(&mm, &bot, &props(&["go"])).await;
    let path = format!("/api/v4/posts/{id}/actions/go");
    for query in [json!({"k": "v".repeat(2_049)}), json!({"k".repeat(129): "v"})] {
        let (status, error, _) = refusal(&mm, &bot, "POST", &path, &json!({"query": query})).await;
        assert_eq!((status, error.as_str()), (400, "api.post.do_action.query.app_error"));
    }
    let many: serde_json::Map<String, Value> = (0..51).map(|at| (at.to_string(), json!("v"))).collect();
    assert_eq!(call(&mm, &bot, "POST", &path, &json!({"query": many})).await.0, 400);
    let twice = Request::post(&path)
        .header("authorization", format!("Bearer {bot}"))
        .body(Bytes::from_static(b"{} {}"))
        .unwrap();
    assert_eq!(mm.respond(twice).await.unwrap().status(), 400);
    assert_eq!(call(&mm, &bot, "POST", &path, &json!({"integration_format": "apps_binding"})).await.0, 400);
    assert_eq!(call(&mm, &bot, "POST", &path, &Value::Null).await.0, 200);
}

#[tokio::test]
async fn a_cookie_works_for_its_post_only() {
    let (mm, _) = site(Version::V12);
    let admin = mm.add_token("admin").unwrap();
    let body = json!({
        "user_id": mm.user("alice").unwrap().id,
        "post": {"channel_id": square(&mm), "message": "m", "props": props(&["go"])},
    });
    let made = done(&mm, &admin, "POST", "/api/v4/posts/ephemeral", &body).await;
    let cookie = &made["props"]["mm_blocks_actions"];
    assert!(cookie.is_string());
    let alice = mm.add_token("alice").unwrap();
    let other = "/api/v4/posts/abcdefghijklmnopqrstuvwxyz/actions/go";
    assert_eq!(call(&mm, &alice, "POST", other, &json!({"cookie": cookie})).await.0, 400);
    let own = format!("/api/v4/posts/{}/actions/go", made["id"].as_str().unwrap());
    assert_eq!(call(&mm, &alice, "POST", &own, &json!({"cookie": cookie})).await.0, 200);
}

#[tokio::test]
async fn in_12_nobody_says_himself_in_whose_name_a_post_was_made() {
    for version in [Version::V11_11, Version::V12] {
        let (mm, bot) = site(version);
        mm.allow_overrides(true);
        let alice = mm.add_token("alice").unwrap();
        let said =
            json!({"override_username": "boss", "from_webhook": "true", "from_plugin": "true", "mine": 1});
        let id = post(&mm, &alice, &said).await;
        let free = version < Version::V12;
        assert_eq!(stored(&mm).props.contains_key("override_username"), free);
        assert_eq!(stored(&mm).props["mine"], 1);
        done(&mm, &alice, "PUT", &format!("/api/v4/posts/{id}/patch"), &json!({"props": said})).await;
        assert_eq!(stored(&mm).props.contains_key("from_webhook"), free);
        // The server itself says it of a bot, also after an update, and of a slash command.
        let id = post(&mm, &bot, &said).await;
        assert_eq!(stored(&mm).props["from_bot"], "true");
        done(&mm, &bot, "PUT", &format!("/api/v4/posts/{id}/patch"), &json!({"props": {}})).await;
        assert_eq!(stored(&mm).props.contains_key("from_bot"), !free);
        mm.plug("http://app.test/", |_| async {
            let mut answer = Response::new(Bytes::from(
                json!({"response_type": "in_channel", "text": "t", "username": "hello"}).to_string(),
            ));
            answer.headers_mut().insert("content-type", HeaderValue::from_static("application/json"));
            answer
        });
        mm.add_command("demo", "hello", "http://app.test/slash").unwrap();
        mm.execute("alice", "town-square", "/hello").await.unwrap();
        assert_eq!(stored(&mm).props["override_username"], "hello");
    }
}

#[tokio::test]
async fn only_an_integration_posts_silently() {
    for version in [Version::V11_9, Version::V12] {
        let (mm, bot) = site(version);
        let alice = mm.add_token("alice").unwrap();
        let body = json!({"channel_id": square(&mm), "message": "m"});
        let (path, refused) = ("/api/v4/posts?silent=true", version >= Version::V11_10);
        assert_eq!(call(&mm, &bot, "POST", path, &body).await.0, 201);
        let (status, answer) = call(&mm, &alice, "POST", path, &body).await;
        assert_eq!(status, if refused { 403 } else { 201 });
        let id = json!("api.post.create_post.silent_notification.app_error");
        assert!(!refused || answer["id"] == id, "{answer}");
    }
}

#[tokio::test]
async fn an_incoming_webhook_posts_into_a_thread_since_11_8() {
    for version in [Version::V11_7, Version::V11_8] {
        let (mm, bot) = site(version);
        let admin = mm.add_token("admin").unwrap();
        let hook =
            done(&mm, &admin, "POST", "/api/v4/hooks/incoming", &json!({"channel_id": square(&mm)})).await;
        let root = post(&mm, &bot, &json!({})).await;
        let body = json!({"text": "in the thread", "root_id": root});
        call(&mm, "", "POST", &format!("/hooks/{}", hook["id"].as_str().unwrap()), &body).await;
        assert_eq!(stored(&mm).root_id, if version >= Version::V11_8 { root } else { String::new() });
    }
}
