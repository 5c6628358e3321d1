//! Slash commands of an unmodified server, from the form to the answer.

use crate::stage::{ALICE, BOB, CHANNEL, Stage, TEAM, command_body, form, request};
use http::{Method, header};
use serde_json::json;

#[tokio::test]
async fn a_form_becomes_the_same_command_as_v2_has() {
    let stage = Stage::new();
    let mut form = form("create_issue --project=MM \"Fix the build\" @bob ~town-square");
    form.push(("channel_mentions", "town-square"));
    form.push(("channel_mentions_ids", CHANNEL));
    let answered = stage.send(stage.slash(&form)).await;
    assert_eq!(
        answered.body,
        json!({"response_type": "ephemeral", "text": "Created an issue in MM.", "skip_slack_parsing": true})
    );
    let call = &stage.calls()[0];
    assert_eq!(
        serde_json::Value::from(call.values.clone()),
        json!({"project": "MM", "summary": "Fix the build", "assignee": BOB, "channel": CHANNEL})
    );
    let shown = serde_json::to_value(&call.request).unwrap();
    assert_eq!(shown["context"]["source"]["id"], "message_box");
    assert_eq!(shown["context"]["acting_user"], json!({"id": ALICE}));
    assert_eq!(shown["context"]["channel"], json!({"id": CHANNEL, "team_id": TEAM}));
    assert_eq!(shown["context"]["team"], json!({"id": TEAM}));
    assert_eq!(shown["context"]["mentioned"]["users"]["bob"], json!({"id": BOB}));
    assert_eq!(shown["delivery"]["id"].as_str().unwrap().len(), 32);
    for secret in ["isepw4368fr8pb3xm4wus8rbho", "dHJpZ2dlcg", crate::stage::SLASH_TOKEN] {
        assert!(!shown.to_string().contains(secret), "an app is handed no credential: {secret}");
    }
}

#[tokio::test]
async fn whoever_the_server_found_is_meant_whatever_stands_beside_the_name() {
    let stage = Stage::new();
    for (at, word) in ["@bob-", "@bob。", "(@Bob)", "@bob\u{200b}"].into_iter().enumerate() {
        let line = format!("create issue --project=MM x {word}");
        assert_eq!(stage.type_(&line).await.text(), "Created an issue in MM.", "{word}");
        let v2 = stage.v2("/command", &command_body(&format!("/jira {line}")));
        assert_eq!(stage.send(v2).await.text(), "Created an issue in MM.", "{word}");
        for call in &stage.calls()[2 * at..] {
            assert_eq!(call.values["assignee"], BOB, "{word}");
        }
    }
}

#[tokio::test]
async fn a_preset_that_lacks_something_is_answered_with_its_own_usage() {
    let stage = Stage::with(|install| {
        let preset = json!({
            "name": "bug", "label": "A bug.", "function": "create_issue", "values": {"summary": "A bug"},
            "locations": ["message_box"],
        });
        install.presets = serde_json::from_value(json!([preset])).unwrap();
    });
    let answered = stage.type_("bug").await;
    assert!(answered.text().contains("Usage: `/jira bug "), "{}", answered.text());
    assert!(!answered.text().contains("Usage: `/jira create"), "{}", answered.text());
}

#[tokio::test]
async fn an_empty_word_is_named() {
    let answered = Stage::new().type_("\"\"").await;
    assert!(answered.text().starts_with("`\"\"` is no command (at character 7)."), "{}", answered.text());
}

#[tokio::test]
async fn a_thread_and_a_direct_message_are_told_apart() {
    let stage = Stage::new();
    let mut form = form("search");
    form.retain(|(key, _)| *key != "root_id" && *key != "channel_name");
    let name = format!("{ALICE}__{BOB}");
    form.push(("root_id", BOB));
    form.push(("channel_name", &name));
    assert_eq!(stage.send(stage.slash(&form)).await.status, 200);
    let shown = serde_json::to_value(&stage.calls()[0].request.context).unwrap();
    assert_eq!(shown["root_post"], json!({"id": BOB, "channel_id": CHANNEL}));
    assert_eq!(shown["channel"], json!({"id": CHANNEL}), "a direct message has no team");
    assert_eq!(shown["team"], json!({"id": TEAM}), "the team is the one shown");
    let mut group = crate::stage::form("search");
    group.retain(|(key, _)| *key != "channel_name");
    group.push(("channel_name", "6de365bf954dfccefec3e5ad7aac197015b43fca"));
    stage.send(stage.slash(&group)).await;
    let shown = serde_json::to_value(&stage.calls()[1].request.context).unwrap();
    assert_eq!(shown["channel"], json!({"id": CHANNEL}), "a group message has no team");
}

#[tokio::test]
async fn a_key_that_stands_in_a_form_twice_runs_nothing() {
    for (key, value) in [("token", crate::stage::SLASH_TOKEN), ("team_id", TEAM), ("command", "/jira")] {
        let stage = Stage::new();
        let mut form = form("search");
        form.push((key, value));
        assert_eq!(stage.send(stage.slash(&form)).await.status, 401, "{key}");
        assert!(stage.calls().is_empty() && stage.memory.counts().reads() == 0, "{key}");
    }
    for (key, value) in [("user_id", BOB), ("channel_id", CHANNEL), ("text", "search"), ("trigger_id", "x")] {
        let stage = Stage::new();
        let mut form = form("search");
        form.push((key, value));
        let answered = stage.send(stage.slash(&form)).await;
        assert_eq!(answered.text(), format!("Mattermost sent {key} twice. Nothing was run."));
        assert!(stage.calls().is_empty(), "{key}");
    }
}

#[tokio::test]
async fn the_same_trigger_id_is_the_same_delivery() {
    let stage = Stage::new();
    for _ in 0..2 {
        stage.type_("search").await;
    }
    let mut other = form("search");
    other.retain(|(key, _)| *key != "trigger_id");
    other.push(("trigger_id", "b3RoZXI="));
    stage.send(stage.slash(&other)).await;
    let ids: Vec<_> = stage.calls().into_iter().map(|call| call.request.delivery.unwrap().id).collect();
    assert_eq!(ids[0], ids[1]);
    assert_ne!(ids[0], ids[2]);
}

#[tokio::test]
async fn everything_but_a_failed_authentication_is_a_200_with_a_sentence() {
    let stage = Stage::new();
    for (text, says) in [
        ("frobnicate", "frobnicate"),
        ("create issue --colour=red", "colour"),
        ("create issue", "project"),
        ("needs", "channel"),
        ("later", "not served by this version"),
        ("panics", "request-1"),
        ("fails", "request-1"),
        ("refuses", "* `project`: Choose another."),
        ("help", "create"),
    ] {
        let answered = stage.type_(text).await;
        assert_eq!(answered.status, 200, "{text}");
        assert_eq!(answered.body["response_type"], "ephemeral", "{text}");
        assert!(answered.text().contains(says), "{text}: {}", answered.text());
    }
    let stage = Stage::with(|install| install.granted.locations.clear());
    assert!(stage.type_("search").await.text().contains("message_box"));
}

#[tokio::test]
async fn another_scheme_than_token_is_not_ours() {
    let stage = Stage::new();
    for value in
        ["Bearer outgoing-oauth", "Token hr75w5inzfn75kzmgg8cozbgmy", "token hr75w5inzfn75kzmgg8cozbgmy"]
    {
        let mut request = stage.slash(&form("search"));
        request.headers_mut().insert(header::AUTHORIZATION, value.parse().unwrap());
        assert_eq!(stage.send(request).await.text(), "Nothing found.", "{value}");
    }
}

#[tokio::test]
async fn a_get_runs_nothing_and_says_what_to_set() {
    let stage = Stage::new();
    let mut get = request(&format!("/hooks/{}/slash?token=x", stage.install.id), "", &[]);
    *get.method_mut() = Method::GET;
    let answered = stage.send(get).await;
    assert_eq!(answered.status, 200);
    assert_eq!(answered.text(), "Set this command's request method to POST.");
    assert!(stage.calls().is_empty());
    assert_eq!(stage.memory.counts().reads(), 0);
}
