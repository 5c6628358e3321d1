//! Buttons and menus: what a click runs, and what becomes of its post.

use crate::board;
use cloud_app_testkit::{CHANNEL, Kit, arrival};
use cloud_apps_standin::{Executed, Post, Shown, Version};
use http::Request;
use serde_json::{Value, json};

const VERSIONS: [Version; 4] = [Version::V5_37, Version::V11, Version::V11_10, Version::V12];

async fn kit(version: Version) -> Kit {
    Kit::on(version, board::app()).await
}

/// The newest post of the channel.
fn newest(kit: &Kit) -> Post {
    kit.mattermost.posts(CHANNEL).unwrap().pop().unwrap()
}

async fn shown(kit: &Kit) -> Post {
    let seen = kit.slash("alice", "/board show MM-1").await;
    let post = newest(kit);
    assert_eq!(post.message, "Task MM-1", "{seen:?}");
    post
}

async fn click(kit: &Kit, user: &str, post: &Post, label: &str) -> Executed {
    kit.mattermost.click(user, &post.id, label).await.unwrap()
}

fn text(executed: &Executed) -> String {
    executed.texts().join("\n")
}

/// What a click would send that a client or a server has changed.
async fn forged(kit: &Kit, post: &Post, label: &str, change: impl FnOnce(&mut Value)) -> Value {
    let actions = post.attachments.iter().flat_map(|attachment| attachment.actions.iter().flatten());
    let action = actions.into_iter().find(|action| action.name == label).unwrap();
    let integration = action.integration.as_ref().unwrap();
    let bob = kit.mattermost.user("bob").unwrap().id;
    let mut body = json!({"user_id": bob, "user_name": "bob", "channel_id": post.channel_id, "team_id": "",
        "post_id": post.id, "trigger_id": "", "type": action.kind, "context": integration["context"]});
    change(&mut body);
    let request = Request::post(integration["url"].as_str().unwrap())
        .header("content-type", "application/json")
        .body(body.to_string().into())
        .unwrap();
    let answer = kit.bundle.handle(arrival(request)).await;
    assert_eq!(answer.status(), 200, "{answer:?}");
    serde_json::from_slice(answer.body()).unwrap()
}

#[tokio::test]
async fn a_button_runs_its_function_and_changes_its_post() {
    for version in VERSIONS {
        let kit = kit(version).await;
        let post = shown(&kit).await;
        let clicked = click(&kit, "bob", &post, "Assign to me").await;
        assert_eq!(clicked.status, 200, "{version:?}: {clicked:?}");
        let after = newest(&kit);
        assert_eq!(after.id, post.id, "the post is changed, and no other is made: {version:?}");
        assert_eq!(after.attachments[0].text, "@bob has it.", "{version:?}");
        assert_eq!(after.props["from_bot"], json!("true"), "{version:?}");
        // The buttons of the changed post work.
        let again = click(&kit, "alice", &after, "Assign to me").await;
        assert_eq!(newest(&kit).attachments[0].text, "@alice has it.", "{version:?}: {again:?}");
    }
}

#[tokio::test]
async fn a_menu_brings_what_was_chosen_and_nothing_that_was_not_offered() {
    for version in VERSIONS {
        let kit = kit(version).await;
        let post = shown(&kit).await;
        let chosen = kit.mattermost.select("bob", &post.id, "Status", "done").await.unwrap();
        assert_eq!(text(&chosen), "MM-1 is done.", "{version:?}");
        let forged =
            forged(&kit, &post, "Status", |body| body["context"]["selected_option"] = json!("stolen")).await;
        let text = forged["ephemeral_text"].as_str().unwrap();
        assert!(text.contains("\"stolen\" is none of the options"), "{version:?}: {forged}");
    }
}

#[tokio::test]
async fn presets_and_checkboxes_are_buttons_too() {
    let kit = kit(Version::V11).await;
    let post = shown(&kit).await;
    assert_eq!(text(&click(&kit, "bob", &post, "☐ on").await), "watched MM-1: true");
    assert_eq!(text(&click(&kit, "bob", &post, "Finish").await), " is done.");
    assert!(kit.mattermost.click("bob", &post.id, "Never").await.is_err(), "it is disabled");
}

#[tokio::test]
async fn the_first_click_counts_and_others_read_whose_it_was() {
    let kit = kit(Version::V12).await;
    let post = shown(&kit).await;
    // What the app refuses was not done, so it does not count.
    assert_eq!(text(&click(&kit, "carol", &post, "Take once").await), "Carol may not.");
    assert_eq!(text(&click(&kit, "bob", &post, "Take once").await), "MM-1 is yours.");
    assert_eq!(text(&click(&kit, "alice", &post, "Take once").await), "Already done by @bob.");
}

#[tokio::test]
async fn a_click_goes_to_an_address_where_the_server_can() {
    for (version, goes) in [(Version::V5_37, false), (Version::V11, false), (Version::V12, true)] {
        let kit = kit(version).await;
        let post = shown(&kit).await;
        let clicked = click(&kit, "bob", &post, "Go").await;
        let went = clicked.shown.iter().any(|shown| matches!(shown, Shown::Goto(_)));
        assert_eq!(went, goes, "{version:?}: {clicked:?}");
        assert!(text(&clicked).contains("https://jira.example.com/MM-1"), "{version:?}: {clicked:?}");
    }
}

#[tokio::test]
async fn a_message_for_one_user_with_buttons_is_never_in_the_answer_of_the_command() {
    for version in VERSIONS {
        let kit = kit(version).await;
        let seen = kit.mattermost.execute("alice", CHANNEL, "/board mine MM-1").await.unwrap();
        let body = seen.body.to_string();
        for secret in ["integration", "mm_blocks_actions", "s1.board", "bundle.test"] {
            assert!(!body.contains(secret), "{secret} in {body}");
        }
        let Some(Shown::OnlyYou(post)) = seen.shown.first() else { panic!("{version:?}: {seen:?}") };
        assert_eq!(post.message, "Your task MM-1");
        // An ephemeral post can be changed from 11.10; before, the user gets the message again, as a direct message.
        let clicked = click(&kit, "alice", post, "Assign to me").await;
        assert_eq!(clicked.status, 200, "{version:?}: {clicked:?}");
        assert!(!text(&clicked).is_empty() || version >= Version::V11_10, "{version:?}: {clicked:?}");
    }
}

/// The status of the answer to this body at this address.
async fn status(kit: &Kit, url: &str, body: &Value) -> u16 {
    let request = Request::post(url).header("content-type", "application/json").body(body.to_string().into());
    kit.bundle.handle(arrival(request.unwrap())).await.status().as_u16()
}

#[tokio::test]
async fn a_seal_is_good_at_its_own_place_only_and_as_it_was_made() {
    let kit = kit(Version::V12).await;
    let post = shown(&kit).await;
    let actions = post.attachments.iter().flat_map(|attachment| attachment.actions.iter().flatten());
    let integration =
        actions.into_iter().find(|action| action.name == "Take once").unwrap().integration.clone();
    let (url, context) = {
        let integration = integration.unwrap();
        (integration["url"].as_str().unwrap().to_owned(), integration["context"].clone())
    };
    let bob = kit.mattermost.user("bob").unwrap().id;
    let body = |context: &Value| json!({"user_id": bob, "user_name": "bob", "channel_id": post.channel_id, "post_id": post.id, "context": context});
    let (name, seal) = context.as_object().unwrap().iter().find(|(_, value)| value.is_string()).unwrap();
    let seal = seal.as_str().unwrap();
    let (install, last) = (url.rsplit('/').nth(1).unwrap(), seal.chars().last().unwrap());
    let elsewhere = url.replace(install, &install.chars().rev().collect::<String>());
    let flipped = format!("{}{}", &seal[..seal.len() - 1], if last == 'A' { 'Q' } else { 'A' });
    for (url, seal) in
        [(elsewhere.as_str(), seal), (url.as_str(), &seal[..seal.len() - 4]), (&url, &flipped), (&url, "")]
    {
        assert_eq!(status(&kit, url, &body(&json!({ name: seal }))).await, 401);
    }
    let dialog = url.replace("/action", "/dialog");
    assert_ne!(
        status(&kit, &dialog, &json!({"type": "dialog_submission", "state": seal, "user_id": bob})).await,
        200
    );
    // None of that took the click, and of several at once one counts.
    let click_it = || forged(&kit, &post, "Take once", |_| ());
    let (one, two, three) = tokio::join!(click_it(), click_it(), click_it());
    let answers = [one, two, three];
    let done = |answer: &&Value| {
        answer["ephemeral_text"].as_str().unwrap_or_default().contains("Already done by @bob")
    };
    assert_eq!(answers.iter().filter(done).count(), 2, "{answers:?}");
}
