//! Every kind of answer in every dialect: golden files, and what no answer may ever hold.

use crate::{
    log_line::Log,
    stage::{Stage, command_body},
};
use proptest::prelude::*;
use serde_json::{Value, json};
use std::fmt::Write;

/// What an app may answer, one of each kind and more.
fn answers() -> Vec<(&'static str, Value)> {
    let actions = json!([{
        "text": "MM-1", "title": "MM-1", "title_link": "https://jira.example.com/MM-1",
        "fields": [{"title": "Votes", "value": 7, "short": true}],
        "actions": [{"type": "button", "label": "Assign to me", "function": "assign",
            "integration": {"url": "https://evil.example.com", "context": {"secret": "x"}}}],
        "integration": {"url": "https://evil.example.com"},
    }]);
    let form = json!({"title": "Create", "submit": {"function": "create_issue"}, "fields": []});
    vec![
        ("a message", json!({"type": "message", "text": "**Hi**"})),
        ("an empty message", json!({"type": "message", "text": ""})),
        ("a message that shouts", json!({"type": "message", "text": "@all @channel @here"})),
        ("a message that may notify", json!({"type": "message", "text": "@all", "notify": true})),
        (
            "a message with attachments and actions",
            json!({"type": "message", "text": "Found", "attachments": actions}),
        ),
        ("a message that replaces", json!({"type": "message", "text": "Done", "replace": true})),
        ("a form", json!({"type": "form", "form": form})),
        (
            "a form that remembers something",
            json!({"type": "form", "form": {"title": "Create", "submit": {"function": "create_issue"}, "fields": [],
                "state": {"step": 2}}}),
        ),
        ("a conversation", json!({"type": "ask", "form": form})),
        (
            "a message with scripts for links",
            json!({"type": "message", "text": "Found", "attachments": [{"title": "MM-1",
                "title_link": "javascript:alert(1)", "author_link": " java\nscript:alert(1)",
                "image_url": "data:image/svg+xml,<svg/>", "thumb_url": "https://jira.example.com/MM-1.png"}]}),
        ),
        (
            "a message with blocks",
            json!({"type": "message", "text": "Build 12 is @all green", "blocks": [
                {"type": "facts", "items": [{"title": "Branch", "text": "main", "short": true}]},
                {"type": "container", "accent": "good", "content": [{"type": "text", "text": "@here: 4 min"}]}]}),
        ),
        (
            "a message with blocks that cannot be shown",
            json!({"type": "message", "text": "Build 12", "blocks": [{"type": "container", "content": []},
                {"type": "image", "url": "https://ci.example.com/12.png", "alt_text": ""}]}),
        ),
        ("a place to go", json!({"type": "navigate", "url": "https://jira.example.com/MM-1"})),
        ("a script to run", json!({"type": "navigate", "url": "javascript:alert(1)"})),
        ("work that goes on", json!({"type": "accepted", "text": "Exporting…"})),
        ("work that goes on, without words", json!({"type": "accepted"})),
        (
            "an error",
            json!({"type": "error", "text": "No.", "fields": {"project": "Closed.", "summary": "Too long."}}),
        ),
        ("nothing", json!({"type": "done"})),
        ("nothing, with warnings", json!({"type": "done", "warnings": ["Two were left out."]})),
        ("no answer of the protocol", json!({"type": "dance"})),
    ]
}

async fn both(stage: &Stage, answer: &Value) -> (Value, Value) {
    let mut body = command_body("");
    body["command"]["function"] = "say".into();
    body["command"]["encoded"] = json!({"answer": answer});
    let v2 = stage.send(stage.v2("/command", &body)).await;
    assert_eq!(v2.status, 200, "{answer}: {v2:?}");
    // On a line JSON is a quoted word.
    let quoted = answer.to_string().replace('\\', "\\\\").replace('"', "\\\"");
    let slash = stage.type_(&format!("say --answer=\"{quoted}\"")).await;
    assert_eq!(slash.status, 200, "{answer}: {slash:?}");
    (v2.body, slash.body)
}

#[tokio::test]
async fn every_answer_looks_in_every_dialect_as_the_golden_file_says() {
    let stage = Stage::new();
    let mut golden = String::new();
    for (name, answer) in answers() {
        let (v2, slash) = both(&stage, &answer).await;
        writeln!(golden, "# {name}\n\napp    {answer}\nv2     {v2}\nslash  {slash}\n").unwrap();
    }
    expect_test::expect_file!["../golden/answers.txt"].assert_eq(&golden);
}

#[tokio::test]
async fn every_refusal_of_a_line_reads_in_every_dialect_as_the_golden_file_says() {
    let stage = Stage::new();
    let mut golden = String::new();
    for line in [
        "frobnicate",
        "creat issue",
        "create issue --colour=red",
        "create issue --project",
        "create issue",
        "needs",
        "later",
        "as user",
        "with account",
        "panics",
        "fails",
        "refuses",
    ] {
        let v2 = stage.run(&format!("/jira {line}")).await;
        let slash = stage.type_(line).await;
        writeln!(
            golden,
            "# /jira {line}\n\nv2     {} {}\nslash  {}\n",
            v2.status.as_u16(),
            v2.body,
            slash.body
        )
        .unwrap();
    }
    expect_test::expect_file!["../golden/refusals.txt"].assert_eq(&golden);
}

#[tokio::test]
async fn a_long_ephemeral_message_is_cut_with_a_note() {
    let stage = Stage::new();
    let slash = stage.type_("long").await.body;
    let shown = slash["text"].as_str().unwrap();
    assert_eq!(shown.chars().count(), 16_383);
    assert!(shown.ends_with("_The rest was too long to show._"), "{}", &shown[shown.len() - 60..]);
}

#[tokio::test]
async fn warnings_never_push_the_text_out() {
    let stage = Stage::new();
    let long = "w ".repeat(400 * 1024);
    let many: Vec<_> = (0..40_000).map(|n| format!("{n} @all")).collect();
    for warnings in [json!([long]), json!(many)] {
        let answer = json!({"type": "message", "text": "This is what counts.", "warnings": warnings});
        let mut body = command_body("");
        body["command"]["function"] = "say".into();
        body["command"]["encoded"] = json!({"answer": answer});
        let v2 = stage.send(stage.v2("/command", &body)).await.body;
        assert_eq!(v2["text"], "This is what counts.");
        assert!(v2.to_string().len() < 4_000 && !v2.to_string().contains("@all"), "{v2}");
    }
    let warnings: Vec<_> = (0..40).map(|n| "w".repeat(250) + &n.to_string()).collect();
    let answer = json!({"type": "message", "text": "This is what counts.", "warnings": warnings});
    let slash = stage.type_(&format!("say --answer='{answer}'")).await;
    assert!(slash.text().starts_with("This is what counts.\n\n_w"), "{}", slash.text());
    assert!(slash.text().ends_with("\n_There are 30 more warnings._"), "{}", slash.text());
}

#[tokio::test]
async fn what_is_no_address_is_told_to_the_apps_author() {
    let stage = Stage::new();
    let log = Log::begin();
    let answer =
        json!({"type": "message", "text": "x", "attachments": [{"text": "x", "title_link": "javascript:x"}]});
    stage.type_(&format!("say --answer='{answer}'")).await;
    let warning = "title_link of the answer's attachments is no address that may be followed: left out";
    assert_eq!(log.lines()[0]["warning"], warning);
}

/// Whether the key stands anywhere in the value.
fn holds(value: &Value, key: &str) -> bool {
    match value {
        Value::Object(map) => map.iter().any(|(name, value)| name == key || holds(value, key)),
        Value::Array(values) => values.iter().any(|value| holds(value, key)),
        _ => false,
    }
}

/// Any JSON, rich in the keys that matter.
fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i32>().prop_map(Value::from),
        "[ -~]{0,12}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        let key = prop_oneof![
            Just("integration".to_owned()),
            Just("actions".into()),
            Just("attachments".into()),
            Just("fields".into()),
            Just("text".into()),
            Just("value".into()),
            Just("title".into()),
            "[a-z_]{1,8}",
        ];
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((key, inner), 0..4)
                .prop_map(|pairs| Value::Object(pairs.into_iter().collect())),
        ]
    })
}

/// An attachment with any JSON where it may stand.
fn any_attachment() -> impl Strategy<Value = Value> {
    let text = || "[ -~]{0,12}";
    let more = || prop::collection::vec(("[a-z_]{1,8}|integration|props|context", any_json()), 0..3);
    let actions = prop::collection::vec(any_json(), 0..3);
    (text(), text(), actions, more(), more()).prop_map(|(title, value, actions, more, of_field)| {
        let object = |pairs: Vec<(String, Value)>| pairs.into_iter().collect::<serde_json::Map<_, _>>();
        let (mut attachment, mut field) = (object(more), object(of_field));
        field.insert("title".into(), title.clone().into());
        field.insert("value".into(), value.into());
        field.remove("short");
        attachment.insert("title".into(), title.into());
        attachment.insert("fields".into(), json!([field]));
        attachment.insert("actions".into(), actions.into());
        Value::Object(attachment)
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn no_slash_answer_ever_holds_an_integration(
        kind in prop_oneof!["message", "error", "accepted", "navigate", "form", "ask", "done"],
        attachments in prop::collection::vec(any_attachment(), 0..4), more in any_json(), text in "[ -~]{0,20}",
    ) {
        let stage = Stage::new();
        let answer = json!({
            "type": kind, "text": text, "url": "https://example.com", "attachments": attachments, "fields": {},
            "form": {"title": "x", "submit": {"function": "x"}, "fields": []}, "more": more, "actions": more,
            "integration": more,
        });
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        let quoted = answer.to_string().replace('\\', "\\\\").replace('"', "\\\"");
        let slash = runtime.block_on(stage.type_(&format!("say --answer=\"{quoted}\"")));
        prop_assert_eq!(slash.status.as_u16(), 200);
        prop_assert_eq!(stage.calls().len(), 1, "the app answered: {}", slash.body);
        for key in ["integration", "actions", "props", "context"] {
            prop_assert!(!holds(&slash.body, key), "{}", slash.body);
        }
    }
}
