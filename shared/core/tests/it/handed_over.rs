//! What of a request reaches an app: an explicit list, whatever a caller sends.

use crate::{
    jira,
    stage::{ALICE, BOB, CHANNEL, Stage, TEAM, build, command_body, form},
};
use cloud_app::http::{Outbound, Policy};
use expect_test::expect_file;
use serde_json::{Value, json};
use std::sync::Arc;

fn stage() -> Stage {
    let stage = Stage::with(|install| install.settings.clone_from(json!({"site": "x"}).as_object().unwrap()));
    let build = build(&stage.memory).app(jira::curious());
    let services = build.http(Outbound::new(Policy::default())).services();
    Stage { services: Arc::new(services), ..stage }
}

/// Every key that the protocol has, and beside each one that it has not.
fn everything() -> Value {
    let user = |id: &str, name: &str| {
        json!({
            "id": id, "username": name, "first_name": "A", "last_name": "B", "nickname": "C", "position": "D",
            "locale": "de", "time_zone": "Europe/Berlin", "is_bot": false, "roles": "system_user", "email": "a@example.com",
            "create_at": 1, "delete_at": 0, "auth_data": "foreign", "notify_props": {"foreign": true}, "password": "foreign",
        })
    };
    let channel = json!({
        "id": CHANNEL, "team_id": TEAM, "type": "O", "name": "town-square", "display_name": "Town Square", "header": "H",
        "purpose": "P", "creator_id": "", "create_at": 1, "delete_at": 0, "props": {"foreign": true}, "scheme_id": "foreign",
    });
    let post = json!({
        "id": BOB, "channel_id": CHANNEL, "user_id": ALICE, "root_id": "", "message": "M", "create_at": 1, "type": "",
        "props": {"shown": true}, "file_ids": [], "edit_at": 0, "metadata": {"foreign": true}, "pending_post_id": "foreign",
    });
    json!({
        "command": {"namespace": "jira", "function": "mirror", "raw": "/jira mirror Hi", "encoded": {"text": "Hi"},
            "foreign": true},
        "security": {"trigger_id": "foreign", "token": "foreign", "user_token": "foreign", "bot_token": "foreign"},
        "context": {
            "source": {"id": "post_menu_create", "client_id": "foreign", "props": {"the_client": "says so"}, "foreign": true},
            "config": {"site_url": "https://foreign.example.com", "version": "foreign", "setting": "foreign"},
            "app": {"id": "foreign", "install_id": "foreign", "bot": {"token": "foreign"}, "settings": {"foreign": true}},
            "locale": "de", "time_zone": "Europe/Berlin",
            "acting_user": user(ALICE, "alice"), "channel": channel,
            "team": {"id": TEAM, "name": "ops", "display_name": "Ops", "type": "O", "description": "D",
                "invite_id": "foreign", "email": "foreign"},
            "post": post, "parent_post": post, "root_post": post,
            "mentioned": {"users": {"bob": user(BOB, "bob")}, "channels": {"town-square": channel}, "foreign": true},
            "state": {}, "not_expanded": {"user": "forbidden"}, "foreign": true,
        },
        "delivery": {"id": "foreign", "attempt": 9, "reply": "foreign"},
        "foreign": true,
    })
}

/// The one request that the app was handed, with the stage's own install under a fixed name.
fn handed(stage: &Stage) -> String {
    let [call] = &stage.calls()[..] else { panic!("called once") };
    let mut request = call.request.clone();
    request.delivery.as_mut().unwrap().id = "delivery".into();
    let text = serde_json::to_string_pretty(&request).unwrap() + "\n";
    let text =
        text.replace(stage.install.id.as_str(), "install").replace(stage.install.bot.id.as_str(), "bot");
    text.replace(stage.install.site.as_str(), "https://site")
}

#[tokio::test]
async fn an_app_is_handed_the_keys_of_the_protocol_and_no_other() {
    let stage = stage();
    let answered = stage.send(stage.v2("/command", &everything())).await;
    assert_eq!(answered.code(), "done", "{answered:?}");
    let handed = handed(&stage);
    assert!(!handed.contains("foreign"), "{handed}");
    expect_file![concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/handed-over.json")].assert_eq(&handed);
}

#[tokio::test]
async fn ids_and_names_that_are_none_are_refused_where_a_server_sends_them() {
    for (pointer, value) in [
        ("/context/mentioned/users", json!({"bob](https://evil.example)": {"id": BOB}})),
        ("/context/mentioned/users", json!({"@channel": {"id": BOB}})),
        ("/context/mentioned/users", json!({"Bob": {"id": BOB}})),
        ("/context/mentioned/users", json!({"bob": {"id": "../users"}})),
        ("/context/mentioned/users", json!({"bob": {"id": BOB, "username": "**bob**"}})),
        ("/context/mentioned/channels", json!({"town square": {"id": CHANNEL}})),
        ("/context/mentioned", json!([{"id": BOB, "username": "# bob"}])),
        ("/context/acting_user/username", json!("alice [x](y)")),
        ("/context/acting_user/username", json!({"an": "object"})),
        ("/context/channel/name", json!("town-square`")),
        ("/context/channel/team_id", json!("ops")),
        ("/context/team/name", json!("ops/../x")),
        ("/context/post/user_id", json!("@alice")),
        ("/context/root_post/root_id", json!("x")),
    ] {
        let stage = stage();
        let mut body = everything();
        *body.pointer_mut(pointer).unwrap() = value.clone();
        let answered = stage.send(stage.v2("/command", &body)).await;
        assert_eq!((answered.status.as_u16(), answered.code()), (400, "bad_request"), "{pointer} {value}");
        let named = answered.body["error"]["pointer"].as_str().unwrap();
        assert!(pointer.starts_with(named) && named.len() > "/context".len(), "{pointer}: {named}");
        assert!(stage.calls().is_empty());
    }
}

#[tokio::test]
async fn prose_is_handed_over_as_it_was_typed_in_both_dialects() {
    let stage = stage();
    let prose = [
        "Coffee is ready — come now",
        r"^foo\.bar$",
        r"¯\_(ツ)_/¯",
        "the ’90s",
        "'tis late",
        "\"Hello\" she said\r\n\r\n> `--text x` 👩\u{200d}👧",
    ];
    for (at, text) in prose.into_iter().enumerate() {
        assert_eq!(stage.type_(&format!("mirror {text}")).await.status, 200, "{text}");
        let v2 = stage.v2("/command", &command_body(&format!("/jira mirror {text}")));
        assert_eq!(stage.send(v2).await.status, 200, "{text}");
        for call in &stage.calls()[2 * at..] {
            assert_eq!(call.values["text"], text);
        }
    }
}

#[tokio::test]
async fn names_and_ids_that_are_none_are_left_out_of_what_a_slash_command_mentions() {
    let stage = stage();
    let mut form = form("mirror Hi");
    form.retain(|(key, _)| !key.starts_with("user_mentions"));
    for (name, id) in
        [("bob", BOB), ("[x](https://evil.example)", ALICE), ("@all", ALICE), ("alice", "no id")]
    {
        form.extend([("user_mentions", name), ("user_mentions_ids", id)]);
    }
    for (name, id) in [("town-square", CHANNEL), ("~a b", CHANNEL), ("off-topic", "../x")] {
        form.extend([("channel_mentions", name), ("channel_mentions_ids", id)]);
    }
    assert_eq!(stage.send(stage.slash(&form)).await.status, 200);
    let mentioned = serde_json::to_value(&stage.calls()[0].request.context.mentioned).unwrap();
    assert_eq!(
        mentioned,
        json!({"users": {"bob": {"id": BOB}}, "channels": {"town-square": {"id": CHANNEL}}})
    );
}
