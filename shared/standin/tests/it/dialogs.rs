//! Dialogs, from the trigger id to what the user sees.

use crate::client::{VERSIONS, call, refusal};
use bytes::Bytes;
use cloud_apps_standin::{DialogOutcome, OpenDialog, Standin, StandinError, Version};
use http::{Request, Response, StatusCode};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

const OPEN: &str = "/api/v4/actions/dialogs/open";

/// A server with `/ask`. Its integration opens a dialog with the last trigger id when a test says so, and gives the
/// answers to the dialog that the test sets.
struct Scene {
    mm: Standin,
    trigger: Arc<Mutex<String>>,
    sent: Arc<Mutex<Vec<Value>>>,
    answer: Arc<Mutex<(u16, String)>>,
}

impl Scene {
    async fn new(version: Version) -> Scene {
        let mm = Standin::seeded(version, 3);
        mm.demo().unwrap();
        mm.set_clock(|| 1_000_000);
        mm.add_command("demo", "ask", "http://app.test/slash").unwrap();
        let (trigger, sent) = (Arc::<Mutex<String>>::default(), Arc::<Mutex<Vec<Value>>>::default());
        let answer = Arc::new(Mutex::new((200, "{}".to_owned())));
        let scene =
            Scene { mm: mm.clone(), trigger: trigger.clone(), sent: sent.clone(), answer: answer.clone() };
        mm.plug("http://app.test/", move |request: Request<Bytes>| {
            if request.uri().path() == "/slash" {
                let mut form = url::form_urlencoded::parse(request.body());
                *trigger.lock().unwrap() = form.find(|(key, _)| key == "trigger_id").unwrap().1.into_owned();
                return std::future::ready(Response::new(Bytes::new()));
            }
            sent.lock().unwrap().push(serde_json::from_slice(request.body()).unwrap());
            let (status, body) = answer.lock().unwrap().clone();
            let mut answer = Response::new(Bytes::from(body));
            *answer.status_mut() = StatusCode::from_u16(status).unwrap();
            std::future::ready(answer)
        });
        scene.ask().await;
        scene
    }

    async fn ask(&self) {
        assert_eq!(self.mm.execute("alice", "town-square", "/ask").await.unwrap().status, 200);
    }

    fn body(&self, dialog: &Value) -> Value {
        json!({"trigger_id": *self.trigger.lock().unwrap(), "url": "http://app.test/dialog", "dialog": dialog})
    }

    /// Opens a dialog for alice; returns it as she sees it.
    async fn open(&self, dialog: &Value) -> OpenDialog {
        assert_eq!(
            call(&self.mm, "", "POST", OPEN, &self.body(dialog)).await,
            (200, json!({"status": "OK"}))
        );
        self.mm.dialogs_of("alice").unwrap().pop().unwrap()
    }

    fn answers(&self, status: u16, body: &Value) {
        *self.answer.lock().unwrap() = (status, body.to_string());
    }

    fn last(&self) -> Value {
        self.sent.lock().unwrap().last().cloned().unwrap_or_default()
    }

    async fn send(&self, dialog: &OpenDialog, values: Value) -> DialogOutcome {
        self.mm.submit("alice", dialog, &values).await.unwrap()
    }
}

fn issue() -> Value {
    json!({
        "title": "Issue", "callback_id": "issue", "state": "s1", "notify_on_cancel": true,
        "source_url": "http://app.test/refresh",
        "elements": [
            {"display_name": "Summary", "name": "summary", "type": "text", "min_length": 2, "max_length": 20},
            {"display_name": "Points", "name": "points", "type": "text", "subtype": "number", "optional": true},
            {"display_name": "Text", "name": "text", "type": "textarea", "optional": true},
            {"display_name": "Kind", "name": "kind", "type": "select", "default": "bug", "refresh": true,
             "options": [{"text": "Bug", "value": "bug"}, {"text": "Task", "value": "task"}]},
            {"display_name": "Who", "name": "who", "type": "select", "data_source": "users", "optional": true},
            {"display_name": "Public", "name": "public", "type": "bool", "optional": true},
        ],
    })
}

fn corrected(fields: &[(&str, &str)]) -> DialogOutcome {
    let fields = fields.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned()));
    DialogOutcome::Corrected { error: String::new(), fields: fields.collect::<BTreeMap<_, _>>() }
}

#[tokio::test]
async fn a_trigger_id_lives_for_three_seconds_in_5_37_and_for_thirty_in_11() {
    for (version, life, text) in [(Version::V5_37, 3_000, "3 seconds"), (Version::V11, 30_000, "30s")] {
        let scene = Scene::new(version).await;
        scene.mm.set_clock(move || 1_000_000 + life);
        scene.open(&issue()).await;
        scene.mm.set_clock(move || 1_000_001 + life);
        let (status, id, message) = refusal(&scene.mm, "", "POST", OPEN, &scene.body(&issue())).await;
        assert_eq!((status, id.as_str()), (400, "interactive_message.decode_trigger_id.expired"));
        assert!(message.ends_with(&format!("live for a maximum of {text}.")), "{message}");
    }
}

#[tokio::test]
async fn what_is_no_trigger_id_opens_nothing() {
    for version in VERSIONS {
        let scene = Scene::new(version).await;
        let mut body = scene.body(&issue());
        body["trigger_id"] = json!("bad");
        let (status, id, message) = refusal(&scene.mm, "", "POST", OPEN, &body).await;
        assert_eq!(
            (status, id.as_str()),
            (400, "interactive_message.decode_trigger_id.base64_decode_failed")
        );
        assert_eq!(message, "Failed to decode base64 for trigger ID for interactive dialog.");
        body["dialog"] = json!([]);
        assert_eq!(
            refusal(&scene.mm, "", "POST", OPEN, &body).await.2,
            "Invalid or missing dialog in request body."
        );
    }
}

#[tokio::test]
async fn a_client_shows_only_what_was_opened_with_the_trigger_id_it_was_told_last() {
    let scene = Scene::new(Version::V11).await;
    scene.open(&issue()).await;
    assert!(scene.mm.dialogs_of("bob").unwrap().is_empty());
    let old = scene.body(&issue());
    scene.ask().await;
    assert!(scene.mm.dialogs_of("alice").unwrap().is_empty());
    assert_eq!(call(&scene.mm, "", "POST", OPEN, &old).await.0, 200);
    assert!(scene.mm.dialogs_of("alice").unwrap().is_empty());
    scene.open(&issue()).await;
    scene.open(&issue()).await;
    assert_eq!(scene.mm.dialogs_of("alice").unwrap().len(), 2);
}

#[tokio::test]
async fn a_command_that_fails_leaves_its_dialog_unseen() {
    let scene = Scene::new(Version::V11).await;
    let mm = scene.mm.clone();
    let trigger = scene.trigger.clone();
    scene.mm.plug("http://app.test/slash", move |request: Request<Bytes>| {
        let mut form = url::form_urlencoded::parse(request.body());
        *trigger.lock().unwrap() = form.find(|(key, _)| key == "trigger_id").unwrap().1.into_owned();
        let (mm, trigger) = (mm.clone(), trigger.lock().unwrap().clone());
        async move {
            let body =
                json!({"trigger_id": trigger, "url": "http://app.test/dialog", "dialog": {"title": "Never"}});
            assert_eq!(call(&mm, "", "POST", OPEN, &body).await.0, 200);
            let mut answer = Response::new(Bytes::new());
            *answer.status_mut() = StatusCode::BAD_GATEWAY;
            answer
        }
    });
    assert_eq!(scene.mm.execute("alice", "town-square", "/ask").await.unwrap().status, 500);
    assert!(scene.mm.dialogs_of("alice").unwrap().is_empty());
}

#[tokio::test]
async fn empty_fields_are_null_in_5_37_and_left_out_in_11() {
    for version in VERSIONS {
        let scene = Scene::new(version).await;
        let dialog = scene.open(&issue()).await;
        let values = json!({"summary": "broken", "points": "5", "who": "bob"});
        assert_eq!(scene.send(&dialog, values).await, DialogOutcome::Closed);
        let bob = scene.mm.user("bob").unwrap().id;
        let mut submission =
            json!({"summary": "broken", "points": 5, "kind": "bug", "who": bob, "public": false});
        if version == Version::V5_37 {
            submission["text"] = Value::Null;
        }
        let expected = json!({
            "type": "dialog_submission", "callback_id": "issue", "state": "s1",
            "user_id": scene.mm.user("alice").unwrap().id, "team_id": scene.mm.team_id("demo").unwrap(),
            "channel_id": scene.mm.channel_id("demo", "town-square").unwrap(), "submission": submission,
            "cancelled": false,
        });
        assert_eq!(scene.last(), expected);
        assert!(scene.mm.dialogs_of("alice").unwrap().is_empty());
    }
}

#[tokio::test]
async fn the_client_itself_finds_what_is_missing_or_too_short_and_sends_nothing() {
    for version in VERSIONS {
        let scene = Scene::new(version).await;
        let dialog = scene.open(&issue()).await;
        let required = corrected(&[("summary", "This field is required.")]);
        assert_eq!(scene.send(&dialog, json!({})).await, required);
        let both = json!({"summary": "a", "points": "many"});
        let wrong = [("points", "Must be a number."), ("summary", "Minimum input length is 2.")];
        assert_eq!(scene.send(&dialog, both).await, corrected(&wrong));
        assert_eq!(scene.last(), Value::Null);
    }
}

#[tokio::test]
async fn nobody_enters_what_a_client_does_not_let_him() {
    let scene = Scene::new(Version::V11).await;
    let dialog = scene.open(&issue()).await;
    for values in
        [json!({"summary": "x".repeat(21)}), json!({"public": "yes"}), json!({"kind": ["bug", "task"]})]
    {
        let error = scene.mm.submit("alice", &dialog, &values).await.unwrap_err();
        assert!(matches!(error, StandinError::Impossible { .. }), "{error}");
    }
    for values in [json!({"nosuch": "a"}), json!({"kind": "epic"}), json!({"who": "nobody"})] {
        let error = scene.mm.submit("alice", &dialog, &values).await.unwrap_err();
        assert!(matches!(error, StandinError::Unknown { .. }), "{error}");
    }
    let error = scene.mm.submit("bob", &dialog, &json!({})).await.unwrap_err();
    assert_eq!(error.to_string(), "the stand-in has no open dialog \"Issue\"; add it first");
}

#[tokio::test]
async fn a_dialog_stays_with_the_errors_of_the_integration() {
    for version in VERSIONS {
        let scene = Scene::new(version).await;
        let dialog = scene.open(&issue()).await;
        scene.answers(200, &json!({"errors": {"summary": "Taken"}}));
        let sent = scene.send(&dialog, json!({"summary": "broken"})).await;
        assert_eq!(sent, corrected(&[("summary", "Taken")]));
        scene.answers(200, &json!({"error": "Down"}));
        let sent = scene.send(&dialog, json!({"summary": "broken"})).await;
        assert_eq!(sent, DialogOutcome::Corrected { error: "Down".to_owned(), fields: BTreeMap::new() });
        scene.answers(500, &json!({}));
        let sent = scene.send(&dialog, json!({"summary": "broken"})).await;
        assert_eq!(sent, DialogOutcome::Failed("Action integration error.".to_owned()));
        assert_eq!(scene.mm.dialogs_of("alice").unwrap(), [dialog]);
    }
}

#[tokio::test]
async fn closing_is_told_where_the_dialog_says_so_and_the_answer_does_not_matter() {
    for version in VERSIONS {
        let scene = Scene::new(version).await;
        scene.answers(500, &json!({}));
        let dialog = scene.open(&issue()).await;
        scene.mm.cancel("alice", &dialog).await.unwrap();
        assert_eq!((&scene.last()["cancelled"], &scene.last()["submission"]), (&json!(true), &json!({})));
        assert!(scene.mm.dialogs_of("alice").unwrap().is_empty());
        let quiet = scene.open(&json!({"title": "Sure?"})).await;
        scene.mm.cancel("alice", &quiet).await.unwrap();
        assert_eq!(scene.sent.lock().unwrap().len(), 1);
    }
}

#[tokio::test]
async fn steps_keep_the_first_ones_names_and_bring_its_values_along() {
    let scene = Scene::new(Version::V11).await;
    let dialog = scene.open(&issue()).await;
    let step = json!({
        "title": "Why", "callback_id": "other", "state": "s2", "source_url": "http://app.test/other",
        "elements": [{"display_name": "Why", "name": "why", "type": "textarea"}],
    });
    scene.answers(200, &json!({"type": "form", "form": step}));
    let DialogOutcome::Next(next) = scene.send(&dialog, json!({"summary": "broken"})).await else { panic!() };
    assert_eq!(scene.mm.dialogs_of("alice").unwrap(), [(*next).clone()]);
    assert_eq!((next.dialog().title.as_str(), next.dialog().callback_id.as_str()), ("Why", "issue"));
    assert_eq!(next.dialog().source_url, "http://app.test/refresh");
    scene.answers(200, &json!({"type": "ok"}));
    assert_eq!(scene.send(&next, json!({"why": "because"})).await, DialogOutcome::Closed);
    let sent = scene.last();
    assert_eq!((&sent["state"], &sent["callback_id"]), (&json!("s2"), &json!("issue")));
    let all = json!({"summary": "broken", "kind": "bug", "public": false, "why": "because"});
    assert_eq!(sent["submission"], all);
}

#[tokio::test]
async fn version_5_37_knows_no_steps_so_the_dialog_closes() {
    let scene = Scene::new(Version::V5_37).await;
    let dialog = scene.open(&issue()).await;
    scene.answers(200, &json!({"type": "form", "form": {"title": "Next"}}));
    assert_eq!(scene.send(&dialog, json!({"summary": "broken"})).await, DialogOutcome::Closed);
}

#[tokio::test]
async fn a_refresh_asks_for_a_new_form_and_before_11_7_a_cleared_field_keeps_its_value() {
    for version in [Version::V11, Version::V12] {
        let scene = Scene::new(version).await;
        let dialog = scene.open(&issue()).await;
        let mut form = issue();
        form["state"] = json!("s2");
        scene.answers(200, &json!({"type": "form", "form": form}));
        let values = json!({"summary": "broken", "kind": "Task"});
        let outcome = scene.mm.refresh("alice", &dialog, "kind", &values).await.unwrap();
        let sent = scene.last();
        assert_eq!((&sent["type"], &sent["state"]), (&json!("refresh"), &json!("s1")));
        let says_empty = version >= Version::V11_7;
        let mut submission = json!({"summary": "broken", "kind": "task", "public": false});
        if says_empty {
            let more = json!({"selected_field": "kind", "points": "", "text": "", "who": ""});
            submission.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        }
        assert_eq!(sent["submission"], submission);
        let DialogOutcome::Next(next) = outcome else { panic!() };
        scene.mm.refresh("alice", &next, "kind", &json!({"summary": null})).await.unwrap();
        assert_eq!(scene.last()["submission"]["summary"], if says_empty { "" } else { "broken" });
        assert_eq!(scene.last()["state"], "s2");
        scene.answers(200, &json!({}));
        let next = scene.mm.dialogs_of("alice").unwrap().pop().unwrap();
        let outcome = scene.mm.refresh("alice", &next, "kind", &json!({})).await.unwrap();
        assert!(matches!(outcome, DialogOutcome::Failed(_)), "{outcome:?}");
        let error = scene.mm.refresh("alice", &next, "summary", &json!({})).await.unwrap_err();
        assert!(error.to_string().contains("summary"), "{error}");
    }
}

#[tokio::test]
async fn a_lookup_tells_the_other_values_unconverted() {
    let scene = Scene::new(Version::V11).await;
    let mut dialog = issue();
    dialog["elements"].as_array_mut().unwrap().extend([
        json!({"display_name": "Epic", "name": "epic", "type": "select", "data_source": "dynamic",
               "data_source_url": "http://app.test/lookup", "optional": true}),
        json!({"display_name": "Labels", "name": "labels", "type": "select", "multiselect": true, "default": "a",
               "options": [{"text": "A", "value": "a"}], "optional": true}),
    ]);
    let dialog = scene.open(&dialog).await;
    scene.answers(200, &json!({"items": [{"text": "One", "value": "1"}]}));
    let items =
        scene.mm.lookup("alice", &dialog, "epic", "on", &json!({"summary": "x"})).await.unwrap().unwrap();
    assert_eq!((items[0].text.as_str(), items[0].value.as_str()), ("One", "1"));
    assert_eq!(scene.last()["type"], "dialog_lookup");
    let sent = json!({
        "summary": "x", "kind": {"label": "Bug", "value": "bug"}, "public": false, "labels": [],
        "selected_field": "epic", "query": "on",
    });
    assert_eq!(scene.last()["submission"], sent);
    scene.answers(500, &json!({}));
    let refused = scene.mm.lookup("alice", &dialog, "epic", "", &json!({})).await.unwrap();
    assert_eq!(refused, Err("Action integration error.".to_owned()));
    assert!(scene.last()["submission"].get("query").is_none());
}

#[tokio::test]
async fn version_5_37_drops_what_it_does_not_know_of_a_dialog_and_looks_nothing_up() {
    let scene = Scene::new(Version::V5_37).await;
    let dialog = scene.open(&issue()).await;
    assert_eq!(dialog.dialog().source_url, "");
    assert!(!dialog.dialog().fields()[3].refresh);
    let token = scene.mm.add_token("alice").unwrap();
    scene.mm.configure(|settings| settings.enable_user_access_tokens = true);
    let body = json!({"url": "http://app.test/lookup"});
    let (status, answer) = call(&scene.mm, &token, "POST", "/api/v4/actions/dialogs/lookup", &body).await;
    assert_eq!((status, &answer["id"]), (404, &json!("api.context.404.app_error")));
}

/// A dialog with boxes to check and a part that folds.
fn boxes() -> Value {
    let choices = |names: &[&str]| -> Value {
        names.iter().map(|name| json!({"text": name.to_uppercase(), "value": name})).collect()
    };
    json!({"title": "Boxes", "size": "large", "elements": [
        {"display_name": "Reasons", "name": "reasons", "type": "checkbox_group", "optional": true, "options": choices(&["a", "b"])},
        {"display_name": "More", "name": "more", "type": "collapsible", "optional": true, "collapsible_config": {"elements": [
            {"display_name": "When", "name": "when", "type": "checkbox_matrix", "optional": true,
             "matrix_config": {"row_selection": "single", "rows": choices(&["r"]), "columns": choices(&["x", "y"])}},
        ]}},
    ]})
}

#[tokio::test]
async fn boxes_are_sent_as_lists_also_when_none_is_checked() {
    let scene = Scene::new(Version::V12).await;
    let dialog = scene.open(&boxes()).await;
    for wrong in [
        json!({"reasons": ["c"]}),
        json!({"when": ["r:x,y"]}),
        json!({"when": ["s:x"]}),
        json!({"when": ["r:z"]}),
    ] {
        assert!(scene.mm.submit("alice", &dialog, &wrong).await.is_err(), "{wrong}");
    }
    assert_eq!(scene.send(&dialog, json!({})).await, DialogOutcome::Closed);
    assert_eq!(scene.last()["submission"], json!({"reasons": [], "when": []}));
    let dialog = scene.open(&boxes()).await;
    scene.send(&dialog, json!({"reasons": ["B", "a"], "when": ["r:y"]})).await;
    assert_eq!(scene.last()["submission"], json!({"reasons": ["b", "a"], "when": ["r:y"]}));
}

#[tokio::test]
async fn before_12_a_dialog_has_no_size_and_its_new_keys_are_dropped() {
    for version in [Version::V11_11, Version::V12] {
        let scene = Scene::new(version).await;
        let rich = version >= Version::V12;
        let mut dialog = boxes();
        dialog["elements"].as_array_mut().unwrap().push(json!({
            "display_name": "Day", "name": "day", "type": "date", "min_date": "today", "time_interval": 30,
            "datetime_config": {"min_date": "today", "allow_manual_time_entry": true, "manual_time_entry": true},
        }));
        let seen = scene.open(&dialog).await;
        assert_eq!(seen.dialog().size, if rich { "large" } else { "" });
        let elements = seen.dialog().elements.as_ref().unwrap();
        assert_eq!(elements[1].collapsible_config.is_some(), rich);
        // The old keys for dates only count where the new place does not.
        let (day, config) = (&elements[2], elements[2].datetime_config.as_ref().unwrap());
        assert_eq!((day.min_date.is_empty(), day.time_interval), (rich, if rich { 0 } else { 30 }));
        assert_eq!((config.min_date.as_str(), config.manual_time_entry), ("today", true));
        assert_eq!(config.allow_manual_time_entry, !rich);
        dialog["size"] = json!("huge");
        let (status, _) = call(&scene.mm, "", "POST", OPEN, &scene.body(&dialog)).await;
        assert_eq!(status, if rich { 400 } else { 200 });
    }
}

#[tokio::test]
async fn the_team_of_a_dialog_is_that_of_its_channel_since_11_10() {
    for version in [Version::V11, Version::V12] {
        let scene = Scene::new(version).await;
        scene.mm.direct_channel("alice", "bob").unwrap();
        let direct = scene.mm.direct_channel("alice", "bob").unwrap();
        scene.mm.execute("alice", &direct, "/ask").await.unwrap();
        let dialog = scene.open(&json!({"title": "Sure?"})).await;
        assert_eq!(scene.send(&dialog, json!({})).await, DialogOutcome::Closed);
        let team = if version >= Version::V11_10 { String::new() } else { scene.mm.team_id("demo").unwrap() };
        assert_eq!(scene.last()["team_id"], json!(team));
    }
}
