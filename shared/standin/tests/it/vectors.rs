//! The examples of Mattermost 12 in `tests/vectors`: each is sent to a stand-in, or is what it produces.

use crate::client::{call, demo, done};
use bytes::Bytes;
use cloud_apps_standin::{Post, Standin, Version};
use http::{HeaderValue, Request, Response};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

/// Examples that no test uses, and why.
const LATER: &[(&str, &str)] = &[
    ("pr37767-action-request-dialog-submit.json", PROPOSED),
    ("pr37767-action-request-lookup.json", PROPOSED),
    ("pr37767-action-request-submit.json", PROPOSED),
    ("pr37767-action-response-lookup.json", PROPOSED),
    ("pr37767-blocks-do-response-errors.json", PROPOSED),
    ("pr37767-blocks-do-response-lookup.json", PROPOSED),
];
const PROPOSED: &str = "only an open proposal for Mattermost has it, so no server sends or answers it";

/// Examples that unit tests use, because nobody outside the stand-in sees them.
const INSIDE: &[&str] = &["cookie-plaintext.json"];

const BOT: &str = "x1f6cn9pwtyr4gkbz8ehsmj3do";
const ANN: &str = "k3yw8sxo6fd1ipn9cq5mthzr7a";
const TEAM: &str = "w9d4hs6ktbfz3mro8xpcn1ueqi";
const CHANNEL: &str = "b7n1qzr5tjfx8ekgm4dphw3uyo";
const POST: &str = "e5r8jt1ofpgb7ykzqm3hdcx9sw";

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors/mattermost-12")
}

fn text(file: &str) -> String {
    std::fs::read_to_string(folder().join(file)).unwrap()
}

fn example(file: &str) -> Value {
    serde_json::from_str(&text(file)).unwrap()
}

/// The trigger id of the examples.
fn trigger() -> Value {
    example("action-request-button.json")["trigger_id"].clone()
}

/// A server with the people, the team and the integration of the examples.
struct Scene {
    mm: Standin,
    admin: String,
    ann: String,
    bot: String,
    /// The ids of the examples, and ours.
    names: Vec<(String, String)>,
    sent: Arc<Mutex<Vec<Request<Bytes>>>>,
    answer: Arc<Mutex<String>>,
}

impl Scene {
    fn new(version: Version) -> Scene {
        let (mm, admin) = demo(version);
        let team = mm.add_team("eng").unwrap();
        let ann = mm.add_user("ann").unwrap();
        let (bot, token) = mm.add_bot("robot", "works").unwrap();
        for user in ["ann", "robot", "admin"] {
            mm.join_team(user, "eng").unwrap();
        }
        let channel = mm.channel_id("eng", "town-square").unwrap();
        let named = [(BOT, bot), (ANN, ann), (TEAM, team), (CHANNEL, channel)];
        let (sent, answer) = (Arc::new(Mutex::new(Vec::new())), Arc::new(Mutex::new("{}".to_owned())));
        let (known, says) = (sent.clone(), answer.clone());
        mm.plug("https://apps.example.com/", move |request| {
            known.lock().unwrap().push(request);
            let mut answer = Response::new(Bytes::from(says.lock().unwrap().clone()));
            answer.headers_mut().insert("content-type", HeaderValue::from_static("application/json"));
            async { answer }
        });
        Scene {
            ann: mm.add_token("ann").unwrap(),
            names: named.map(|(theirs, ours)| (theirs.to_owned(), ours)).into(),
            bot: token,
            mm,
            admin,
            sent,
            answer,
        }
    }

    /// An example with our ids.
    fn ours(&self, file: &str) -> Value {
        serde_json::from_str(&self.our_text(file)).unwrap()
    }

    fn our_text(&self, file: &str) -> String {
        self.names.iter().fold(text(file), |text, (theirs, ours)| text.replace(theirs, ours))
    }

    fn answers(&self, file: &str) {
        *self.answer.lock().unwrap() = self.our_text(file);
    }

    fn name(&mut self, theirs: &str, ours: &str) {
        self.names.insert(0, (theirs.to_owned(), ours.to_owned()));
    }

    /// Posts an example as the bot; returns the answer.
    async fn post(&mut self, file: &str) -> Value {
        let made = done(&self.mm, &self.bot, "POST", "/api/v4/posts", &self.ours(file)).await;
        self.name(POST, made["id"].as_str().unwrap());
        made
    }

    /// Clicks an action as ann's client does.
    async fn click(&self, action: &str, body: &Value) -> (u16, Value) {
        let (_, post) = &self.names[0];
        call(&self.mm, &self.ann, "POST", &format!("/api/v4/posts/{post}/actions/{action}"), body).await
    }

    /// The last request to the integration, and its body with the trigger id of the examples.
    fn last(&self) -> (Request<Bytes>, Value) {
        let request = self.sent.lock().unwrap().pop().unwrap();
        let mut body: Value = serde_json::from_slice(request.body()).unwrap();
        assert!(!body["trigger_id"].as_str().unwrap().is_empty());
        body["trigger_id"] = trigger();
        (request, body)
    }

    fn stored(&self) -> Post {
        self.mm
            .posts(&self.names.iter().find(|(theirs, _)| theirs == CHANNEL).unwrap().1)
            .unwrap()
            .pop()
            .unwrap()
    }
}

#[test]
fn every_example_is_used_or_listed_with_the_reason() {
    let source = include_str!("vectors.rs");
    for file in std::fs::read_dir(folder()).unwrap() {
        let file = file.unwrap().file_name().into_string().unwrap();
        let listed = LATER.iter().any(|(later, _)| *later == file) || INSIDE.contains(&file.as_str());
        // A file that is listed is named once, and one that is used too.
        let named = source.matches(&format!("\"{file}\"")).count();
        assert!(named >= 1, "no test uses {file}, and no list gives a reason");
        assert!(!listed || named == 1, "{file} is used and listed");
    }
    for file in LATER.iter().map(|(file, _)| file).chain(INSIDE) {
        assert!(folder().join(file).exists(), "{file} is listed and does not exist");
    }
}

#[tokio::test]
async fn a_bot_posts_blocks_and_clients_see_them_without_what_they_do() {
    for version in [Version::V11_10, Version::V12] {
        let mut scene = Scene::new(version);
        let made = scene.post("post-create-blocks.json").await;
        let path = format!("/api/v4/posts/{}", made["id"].as_str().unwrap());
        let seen = done(&scene.mm, &scene.ann, "GET", &path, &Value::Null).await;
        let wanted = scene.ours("post-stored-as-clients-see-it.json");
        for key in ["id", "user_id", "channel_id", "root_id", "message", "type", "props", "file_ids"] {
            assert_eq!((&made[key], &seen[key]), (&wanted[key], &wanted[key]), "{key}");
        }
        assert_eq!(
            json!(scene.stored().blocks()),
            wanted["props"]["mm_blocks"],
            "a client draws all of them"
        );
    }
}

#[tokio::test]
async fn a_click_on_a_button_sends_its_context_and_the_query_of_the_client() {
    let mut scene = Scene::new(Version::V12);
    scene.post("post-create-blocks.json").await;
    let (status, answer) = scene.click("promote", &example("click-api-request-button.json")).await;
    let mut wanted = example("click-api-response.json");
    wanted["trigger_id"] = answer["trigger_id"].clone();
    assert_eq!((status, &answer), (200, &wanted));
    assert_eq!(answer["trigger_id"].as_str().unwrap().len(), 26);
    let (request, body) = scene.last();
    assert_eq!(body, scene.ours("action-request-button.json"));
    // On the wire too: the query of the client replaces that of the entry, and the keys have their order.
    let http = scene.our_text("action-request-button.http.txt");
    let (head, sent) = http.split_once("\n\n").unwrap();
    assert!(
        head.starts_with(&format!("POST {} HTTP/1.1\n", request.uri().path_and_query().unwrap())),
        "{head}"
    );
    for name in ["user-agent", "accept", "content-type"] {
        let value = request.headers()[name].to_str().unwrap();
        let line = head.lines().find_map(|line| {
            let (key, value) = line.split_once(": ")?;
            key.eq_ignore_ascii_case(name).then_some(value)
        });
        assert_eq!(line, Some(value), "{name}");
    }
    let ours: Value = serde_json::from_slice(request.body()).unwrap();
    let ours = String::from_utf8(request.body().to_vec())
        .unwrap()
        .replace(ours["trigger_id"].as_str().unwrap(), trigger().as_str().unwrap());
    assert_eq!(ours, sent.trim());
    // A person's client does the same.
    let (_, post) = &scene.names[0];
    scene.mm.click("ann", post, "Promote").await.unwrap();
    let (request, body) = scene.last();
    assert_eq!(request.uri().query(), Some("v=2"));
    assert_eq!(body, scene.ours("action-request-button.json"));
}

#[tokio::test]
async fn a_choice_comes_in_the_context_and_as_that_of_a_button() {
    let mut scene = Scene::new(Version::V12);
    scene.post("post-create-blocks.json").await;
    assert_eq!(scene.click("prio", &example("click-api-request-select.json")).await.0, 200);
    assert_eq!(scene.last().1, scene.ours("action-request-select.json"));
    let (_, post) = &scene.names[0];
    scene.mm.select("ann", post, "Priority", "High").await.unwrap();
    assert_eq!(scene.last().1, scene.ours("action-request-select.json"));
}

#[tokio::test]
async fn an_action_opens_an_address_and_calls_nobody() {
    let mut scene = Scene::new(Version::V12);
    scene.post("post-create-blocks.json").await;
    let click = json!({"integration_format": "mm_block", "query": {"tab": "other"}});
    let (status, answer) = scene.click("log", &click).await;
    assert_eq!((status, answer), (200, example("click-api-response-openurl.json")));
    assert!(scene.sent.lock().unwrap().is_empty());
    let (_, post) = &scene.names[0];
    let seen = scene.mm.click("ann", post, "Log").await.unwrap();
    assert_eq!(seen.texts(), ["https://ci.example.com/builds/42?tab=log"]);
}

#[tokio::test]
async fn a_click_in_a_direct_message_names_no_team() {
    let mut scene = Scene::new(Version::V12);
    let channel = scene.mm.direct_channel("ann", "robot").unwrap();
    let slug = {
        let mut ids = [scene.mm.user("ann").unwrap().id, scene.mm.user("robot").unwrap().id];
        ids.sort();
        ids.join("__")
    };
    scene.names.retain(|(theirs, _)| theirs != CHANNEL);
    scene.name(CHANNEL, &channel);
    scene.name(&format!("{BOT}__{ANN}"), &slug);
    scene.post("post-create-blocks.json").await;
    assert_eq!(scene.click("promote", &example("click-api-request-button.json")).await.0, 200);
    assert_eq!(scene.last().1, scene.ours("action-request-dm.json"));
}

#[tokio::test]
async fn a_post_with_both_shows_its_blocks_or_its_attachments() {
    for (version, on, shows_blocks) in [
        (Version::V11, true, false),
        (Version::V11_9, true, false),
        (Version::V12, true, true),
        (Version::V12, false, false),
    ] {
        let mut scene = Scene::new(version);
        scene.mm.configure(|settings| settings.mm_blocks_enabled = on);
        scene.post("post-create-blocks-and-attachments.json").await;
        let (_, post) = &scene.names[0];
        // Only the blocks have this button.
        assert_eq!(scene.mm.click("ann", post, "Log").await.is_ok(), shows_blocks, "{version:?} {on}");
        scene.mm.click("ann", post, "Promote").await.unwrap();
        let (request, body) = scene.last();
        assert_eq!(request.uri().query(), shows_blocks.then_some("v=2"), "only blocks have a query");
        assert_eq!(body, scene.ours("action-request-button.json"));
        // A click that names the format of blocks finds none where they are switched off.
        if version >= Version::V11_10 {
            let status = scene.click("promote", &example("click-api-request-button.json")).await.0;
            assert_eq!(status, if on { 200 } else { 400 });
        }
    }
}

#[tokio::test]
async fn buttons_in_a_text_are_clicked_since_11_9() {
    for version in [Version::V11_8, Version::V11_9, Version::V12] {
        let mut scene = Scene::new(version);
        scene.post("post-create-markdown-action.json").await;
        let (_, post) = &scene.names[0];
        let clicked = scene.mm.click("ann", post, "approve").await;
        if version < Version::V11_9 {
            assert!(clicked.is_err());
            continue;
        }
        let (request, body) = scene.last();
        assert_eq!((request.uri().query(), &body["context"]["a"]), (Some("n=7"), &json!("approve")));
        let seen = scene.mm.click("ann", post, "open").await.unwrap();
        assert_eq!(seen.texts(), ["/eng/pl/e5r8jt1ofpgb7ykzqm3hdcx9sw"]);
    }
}

#[tokio::test]
async fn a_client_draws_every_type_of_block() {
    let mut scene = Scene::new(Version::V12);
    scene.post("post-create-layout-all-types.json").await;
    let wanted = &example("post-create-layout-all-types.json")["props"]["mm_blocks"];
    assert_eq!(json!(scene.stored().blocks()), *wanted);
    let (_, post) = &scene.names[0];
    let bob = scene.mm.user("bob").unwrap().id;
    scene.mm.select("ann", post, "Who", "bob").await.unwrap();
    assert_eq!(scene.last().1["context"]["selected_option"], json!(bob));
    assert!(scene.mm.click("ann", post, "Off").await.is_err(), "it is disabled");
}

#[tokio::test]
async fn actions_of_the_other_two_formats_are_clicked_too() {
    for (file, format, action) in [
        ("post-create-blockkit.json", "block", "go"),
        ("post-create-blockkit.json", "block", "pick"),
        ("post-create-adaptive-card.json", "card", "ok"),
    ] {
        let mut scene = Scene::new(Version::V12);
        scene.post(file).await;
        assert_eq!(scene.click(action, &json!({"integration_format": format})).await.0, 200);
        assert_eq!(scene.last().1["type"], "button");
        assert_eq!(scene.click("nothing", &json!({"integration_format": format})).await.0, 404);
    }
}

#[tokio::test]
async fn an_ephemeral_answer_has_its_actions_in_a_cookie() {
    let mut scene = Scene::new(Version::V12);
    scene.mm.add_command("eng", "next", "https://apps.example.com/slash").unwrap();
    scene.answers("slash-response-ephemeral-blocks.json");
    scene.mm.execute("ann", "town-square", "/next").await.unwrap();
    scene.sent.lock().unwrap().clear();
    let told = scene.mm.last_ephemeral("ann").unwrap().unwrap();
    let mut wanted = example("post-ephemeral-as-client-sees-it.json");
    let cookie = told.props["mm_blocks_actions"].clone();
    wanted["props"]["mm_blocks_actions"] = cookie.clone();
    wanted["message"] = json!("Pick one");
    assert_eq!(json!(told.props), wanted["props"]);
    assert_eq!((json!(told.message), json!(told.kind)), (wanted["message"].clone(), wanted["type"].clone()));
    scene.name(POST, &told.id);
    let mut click = example("click-api-request-ephemeral.json");
    click["cookie"] = cookie;
    *scene.answer.lock().unwrap() = "{}".to_owned();
    assert_eq!(scene.click("next", &click).await.0, 200);
    assert_eq!(scene.last().1["context"]["a"], "next");
    assert_eq!(scene.click("other", &click).await.0, 404);
    // An update takes the new text and drops the new actions, so the button is dead.
    scene.answers("action-response-update-keep-buttons.json");
    scene.mm.click("ann", &told.id, "Next").await.unwrap();
    let told = scene.mm.last_ephemeral("ann").unwrap().unwrap();
    assert_eq!(told.message, "Deploy 42: promoted");
    assert!(!told.props.contains_key("mm_blocks_actions"));
    assert!(!scene.mm.click("ann", &told.id, "Roll back").await.is_ok_and(|seen| seen.status == 200));
}

#[tokio::test]
async fn an_answer_for_everybody_shows_buttons_that_are_dead() {
    let mut scene = Scene::new(Version::V12);
    scene.mm.add_command("eng", "dead", "https://apps.example.com/slash").unwrap();
    scene.answers("slash-response-in-channel-blocks-dead.json");
    let seen = scene.mm.execute("ann", "town-square", "/dead").await.unwrap();
    // Who typed the command even learns what the button was to do.
    assert_eq!(seen.body["props"]["mm_blocks_actions"]["dead"]["type"], "external");
    let post = scene.stored();
    assert_eq!(post.blocks().len(), 1);
    scene.name(POST, &post.id);
    assert_eq!(scene.mm.click("ann", &post.id, "Dead").await.unwrap().status, 404);
}

#[tokio::test]
async fn an_incoming_webhook_posts_blocks_without_a_text_and_only_with_actions_that_are_named() {
    let mut scene = Scene::new(Version::V12);
    let hook = json!({"channel_id": scene.names[3].1});
    let hook = done(&scene.mm, &scene.admin, "POST", "/api/v4/hooks/incoming", &hook).await;
    let path = format!("/hooks/{}", hook["id"].as_str().unwrap());
    assert_eq!(call(&scene.mm, "", "POST", &path, &scene.ours("incoming-webhook-blocks.json")).await.0, 200);
    scene.name(POST, &scene.stored().id);
    let (_, post) = &scene.names[0];
    scene.mm.click("ann", post, "Retry").await.unwrap();
    assert_eq!(scene.last().1["context"]["a"], "retry");
    let unpaired = scene.ours("incoming-webhook-blocks-unpaired-400.json");
    let (status, answer) = call(&scene.mm, "", "POST", &path, &unpaired).await;
    assert_eq!((status, &answer["id"]), (400, &json!("api.context.invalid_body.app_error")));
    // Before 11.10, and where blocks are switched off, nobody looks at them.
    scene.mm.configure(|settings| settings.mm_blocks_enabled = false);
    assert_eq!(call(&scene.mm, "", "POST", &path, &unpaired).await.0, 200);
    assert_eq!(call(&scene.mm, "", "POST", &path, &scene.ours("incoming-webhook-blocks.json")).await.0, 400);
}

#[tokio::test]
async fn the_answer_to_an_outgoing_webhook_has_blocks() {
    let mut scene = Scene::new(Version::V12);
    let hook = json!({
        "team_id": scene.names[2].1, "channel_id": scene.names[3].1,
        "callback_urls": ["https://apps.example.com/hook"],
    });
    done(&scene.mm, &scene.admin, "POST", "/api/v4/hooks/outgoing", &hook).await;
    scene.answers("outgoing-webhook-response-blocks.json");
    let said = json!({"channel_id": scene.names[3].1, "message": "a ticket?"});
    let said = done(&scene.mm, &scene.ann, "POST", "/api/v4/posts", &said).await;
    scene.mm.settled().await;
    let reply = scene.stored();
    assert_eq!((reply.message.as_str(), json!(reply.root_id)), ("Found 1 ticket", said["id"].clone()));
    scene.name(POST, &reply.id);
    let seen = scene.mm.click("ann", &reply.id, "Open").await.unwrap();
    assert_eq!(seen.texts(), ["https://tickets.example.com/1"]);
}

#[tokio::test]
async fn an_update_brings_its_actions_or_kills_its_buttons() {
    for (file, alive) in [
        ("action-response-update-keep-buttons.json", true),
        ("action-response-update-buttons-dead.json", false),
    ] {
        let mut scene = Scene::new(Version::V12);
        scene.post("post-create-blocks.json").await;
        let (_, post) = scene.names[0].clone();
        scene.answers(file);
        scene.mm.click("ann", &post, "Promote").await.unwrap();
        let now = scene.stored();
        assert_eq!(now.message, "Deploy 42: promoted");
        assert_eq!(now.props["from_bot"], "true", "it is still the bot's");
        assert_eq!(now.props.contains_key("mm_blocks_actions"), alive);
        let status = scene.mm.click("ann", &post, "Roll back").await.unwrap().status;
        assert_eq!(status, if alive { 200 } else { 404 });
        assert_eq!(scene.click("promote", &json!({})).await.0, 404, "what is gone cannot be clicked");
    }
}

#[tokio::test]
async fn an_answer_tells_the_user_or_opens_an_address() {
    for version in [Version::V11, Version::V12] {
        let mut scene = Scene::new(version);
        scene.post("post-create-blocks-and-attachments.json").await;
        let (_, post) = scene.names[0].clone();
        scene.answers("action-response-ephemeral.json");
        let seen = scene.mm.click("ann", &post, "Promote").await.unwrap();
        assert_eq!(seen.texts(), ["You may not do that."]);
        scene.answers("action-response-goto.json");
        let seen = scene.mm.click("ann", &post, "Promote").await.unwrap();
        let wanted: &[&str] = if version >= Version::V12 { &["/eng/channels/town-square"] } else { &[] };
        assert_eq!(seen.texts(), wanted);
    }
}

#[tokio::test]
async fn a_dialog_with_what_12_added_is_shown_and_sent() {
    let scene = Scene::new(Version::V12);
    scene.mm.add_command("eng", "ask", "https://apps.example.com/slash").unwrap();
    scene.mm.execute("ann", "town-square", "/ask").await.unwrap();
    let asked = scene.sent.lock().unwrap().pop().unwrap();
    let mut form = url::form_urlencoded::parse(asked.body());
    let (_, trigger) = form.find(|(key, _)| key == "trigger_id").unwrap();
    let mut open = scene.ours("dialog-open-v12.json");
    open["trigger_id"] = json!(trigger);
    done(&scene.mm, "", "POST", "/api/v4/actions/dialogs/open", &open).await;
    let shown = scene.mm.dialogs_of("ann").unwrap().pop().unwrap();
    assert_eq!(shown.dialog().title.len(), 46);
    assert_eq!(shown.dialog().size, "medium");
    let names: Vec<&str> = shown.dialog().fields().iter().map(|field| field.name.as_str()).collect();
    assert_eq!(names, ["reasons", "sev", "due"], "the fields in a part that folds are fields of the dialog");
    let limits = shown.dialog().fields()[2].datetime_config.clone().unwrap();
    assert_eq!((limits.min_date.as_str(), limits.max_date.as_str()), ("today", "+3M"));
    assert_eq!(shown.dialog().fields()[0].label_position, "before");
    // The boxes that are checked at first are sent as they are.
    scene.mm.submit("ann", &shown, &json!({"due": "2026-12-01"})).await.unwrap();
    let sent: Value = serde_json::from_slice(scene.sent.lock().unwrap().pop().unwrap().body()).unwrap();
    assert_eq!(sent, scene.ours("dialog-submit-request-v12.json"));
}

#[tokio::test]
async fn what_only_a_proposal_has_is_refused_by_name_or_ignored_as_unknown_keys_are() {
    let mut scene = Scene::new(Version::V12);
    for file in [
        "pr37767-blocks-do-request-submit.json",
        "pr37767-blocks-do-request-lookup.json",
        "pr37767-blocks-do-request-dialog-submit.json",
    ] {
        let (status, answer) =
            call(&scene.mm, &scene.ann, "POST", "/api/v4/actions/blocks/do", &scene.ours(file)).await;
        assert_eq!((status, &answer["id"]), (501, &json!("standin.unknown.app_error")));
        assert_eq!(answer["message"], "unknown in 12: POST /api/v4/actions/blocks/do");
    }
    let open = scene.ours("pr37767-dialogs-open-block-dialog.json");
    let (status, answer) = call(&scene.mm, &scene.bot, "POST", "/api/v4/actions/dialogs/open", &open).await;
    assert_eq!((status, &answer["message"]), (501, &json!("unknown in 12: block_dialog")));
    // A released client draws the button of a form and none of its fields.
    scene.post("pr37767-post-create-form.json").await;
    let drawn = scene.stored().blocks();
    assert_eq!(drawn.iter().map(|block| block["type"].as_str().unwrap()).collect::<Vec<_>>(), ["button"]);
    scene.post("post-create-blocks.json").await;
    let before = scene.stored();
    for file in [
        "pr37767-action-response-dialog.json",
        "pr37767-action-response-error.json",
        "pr37767-action-response-errors.json",
        "pr37767-action-response-refresh-dialog.json",
        "pr37767-action-response-refresh-post.json",
    ] {
        scene.answers(file);
        assert_eq!(scene.click("promote", &json!({})).await.0, 200, "{file}");
        assert_eq!(scene.stored(), before, "{file}");
    }
    scene.answers("pr37767-action-response-keep-open.json");
    let (_, post) = scene.names[0].clone();
    assert_eq!(scene.mm.click("ann", &post, "Promote").await.unwrap().texts(), ["Saved."]);
}
