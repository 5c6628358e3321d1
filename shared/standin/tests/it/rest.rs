//! The REST API beyond what was recorded.

use crate::client::{self, call};
use cloud_apps_standin::{ChannelKind, Standin, Version};
use serde_json::{Value, json};

fn demo() -> (Standin, String) {
    client::demo(Version::V11)
}

#[tokio::test]
async fn what_is_not_served_is_refused_by_name() {
    let (mm, admin) = demo();
    for (method, path) in [
        ("GET", "/api/v4/emoji"),
        ("POST", "/api/v4/actions/blocks/do"),
        ("PATCH", "/api/v4/users/me"),
        ("GET", "/login"),
        ("GET", "/api/v4/users/me/"),
    ] {
        let (status, body) = call(&mm, &admin, method, path, &Value::Null).await;
        assert_eq!(status, 501);
        assert_eq!(body["id"], "standin.not_served.app_error");
        assert_eq!(body["message"], format!("the stand-in does not serve {method} {path}"));
        assert_eq!(body["status_code"], 501);
    }
}

#[tokio::test]
async fn the_server_tells_its_version_to_everybody() {
    for version in Version::ALL {
        let mm = Standin::seeded(version, 1);
        let config = call(&mm, "", "GET", "/api/v4/config/client?format=old", &Value::Null).await.1;
        assert_eq!(
            (&config["Version"], &config["BuildNumber"]),
            (&json!(version.number()), &json!(version.number()))
        );
    }
}

#[tokio::test]
async fn a_private_channel_is_seen_by_its_members_only() {
    let (mm, admin) = demo();
    let secret = mm.add_channel("demo", "secret", ChannelKind::Private).unwrap();
    mm.join("alice", "secret").unwrap();
    let alice = mm.add_token("alice").unwrap();
    let bob = mm.add_token("bob").unwrap();
    let path = format!("/api/v4/channels/{secret}");
    let statuses = [
        call(&mm, &alice, "GET", &path, &Value::Null).await.0,
        call(&mm, &bob, "GET", &path, &Value::Null).await.0,
        call(&mm, &admin, "GET", &path, &Value::Null).await.0,
        call(&mm, &bob, "GET", &format!("{path}/members"), &Value::Null).await.0,
    ];
    assert_eq!(statuses, [200, 403, 200, 403]);
    let bob_id = mm.user("bob").unwrap().id;
    let body = json!({"user_id": bob_id});
    assert_eq!(call(&mm, &alice, "POST", &format!("{path}/members"), &body).await.0, 201);
    let member = format!("{path}/members/{bob_id}");
    assert_eq!(call(&mm, &bob, "GET", &member, &Value::Null).await.0, 200);
    assert_eq!(call(&mm, &alice, "DELETE", &member, &Value::Null).await.0, 200);
    assert_eq!(call(&mm, &alice, "GET", &member, &Value::Null).await.0, 404);
}

#[tokio::test]
async fn a_direct_channel_is_made_once_whoever_asks() {
    let (mm, _) = demo();
    let (alice, bob) = (mm.user("alice").unwrap().id, mm.user("bob").unwrap().id);
    let (as_alice, as_bob) = (mm.add_token("alice").unwrap(), mm.add_token("bob").unwrap());
    let one = call(&mm, &as_alice, "POST", "/api/v4/channels/direct", &json!([alice, bob])).await.1;
    let other = call(&mm, &as_bob, "POST", "/api/v4/channels/direct", &json!([bob, alice])).await.1;
    assert_eq!(one["id"], other["id"]);
    let carol = mm.add_token("carol").unwrap();
    assert_eq!(call(&mm, &carol, "POST", "/api/v4/channels/direct", &json!([alice, bob])).await.0, 403);
}

#[tokio::test]
async fn the_same_trigger_may_be_used_in_another_team_but_not_twice_in_one() {
    let (mm, admin) = demo();
    let other = mm.add_team("other").unwrap();
    let demo = mm.team_id("demo").unwrap();
    let body = |team: &str| json!({"team_id": team, "trigger": "hi", "method": "P", "url": "http://a.test/"});
    let mut statuses = Vec::new();
    for team in [&demo, &demo, &other] {
        statuses.push(call(&mm, &admin, "POST", "/api/v4/commands", &body(team)).await.0);
    }
    assert_eq!(statuses, [201, 400, 201]);
}

#[tokio::test]
async fn a_new_token_of_a_command_replaces_the_old_one() {
    let (mm, admin) = demo();
    let (id, old) = mm.add_command("demo", "hi", "http://a.test/").unwrap();
    let path = format!("/api/v4/commands/{id}");
    let new = call(&mm, &admin, "PUT", &format!("{path}/regen_token"), &Value::Null).await.1;
    let now = call(&mm, &admin, "GET", &path, &Value::Null).await.1;
    assert_eq!(now["token"], new["token"]);
    assert_ne!(now["token"], old.as_str());
}

#[tokio::test]
async fn a_team_admin_manages_commands_and_others_do_not_even_see_them() {
    let (mm, _) = demo();
    let (id, _) = mm.add_command("demo", "hi", "http://a.test/").unwrap();
    let bob = mm.add_token("bob").unwrap();
    let path = format!("/api/v4/commands/{id}");
    assert_eq!(call(&mm, &bob, "DELETE", &path, &Value::Null).await.0, 404);
    mm.make_team_admin("bob", "demo").unwrap();
    assert_eq!(call(&mm, &bob, "DELETE", &path, &Value::Null).await.0, 200);
}

#[tokio::test]
async fn what_the_stand_in_shows_of_itself_holds_no_token() {
    let (mm, admin) = demo();
    let (_, bot) = mm.add_bot("hello", "greets").unwrap();
    let (_, command) = mm.add_command("demo", "hi", "http://a.test/").unwrap();
    call(&mm, &bot, "POST", "/hooks/commands/abcdefghijklmnopqrstuvwxyz", &json!({"text": "x"})).await;
    let channel = mm.channel_id("demo", "town-square").unwrap();
    let (_, hook) =
        call(&mm, &admin, "POST", "/api/v4/hooks/incoming", &json!({"channel_id": channel})).await;
    let hook = hook["id"].as_str().unwrap().to_owned();
    call(&mm, &admin, "GET", &format!("/api/v4/hooks/incoming/{hook}"), &Value::Null).await;
    call(&mm, "", "POST", &format!("/hooks/{hook}"), &json!({"text": "x"})).await;
    let shown = format!("{mm:?} {:?}", mm.calls());
    for secret in [admin, bot, command, hook, "abcdefghijklmnopqrstuvwxyz".to_owned()] {
        assert!(!shown.contains(&secret));
    }
}

#[test]
fn the_same_seed_gives_the_same_tokens_and_no_seed_never_does() {
    let token = |mm: Standin| {
        mm.add_user("alice").unwrap();
        mm.add_token("alice").unwrap()
    };
    assert_eq!(token(Standin::seeded(Version::V11, 9)), token(Standin::seeded(Version::V11, 9)));
    assert_ne!(token(Standin::new(Version::V11)), token(Standin::new(Version::V11)));
}

#[test]
fn helpers_say_what_is_unknown_or_taken() {
    let (mm, _) = demo();
    let unknown = mm.join("dave", "town-square").unwrap_err().to_string();
    assert_eq!(unknown, "the stand-in has no user \"dave\"; add it first");
    let taken = mm.add_user("alice").unwrap_err().to_string();
    assert_eq!(taken, "the stand-in already has a user \"alice\"; choose another name");
}
