//! `complete`: what makes an install serve, what it checks, and what the app may refuse.

use super::bad_code;
use crate::desk::{
    ACCESS_TOKEN, ADMIN, Answered, BOT, Behaviour, COMMAND, Call, Desk, PASSWORD, SITE, SLASH_TOKEN, TEAM,
    body, refusal, registered, request,
};
use cloud_apps_core::{
    store::{
        model::{Sha256, State},
        ports::{Keys, Registry},
    },
    testing::sample,
};
use cloud_apps_protocol::answer::Kind;
use http::{Method, StatusCode, header};
use serde_json::{Value, json};
use std::sync::Arc;
use tokio::sync::Notify;

#[tokio::test]
async fn completing_makes_it_serve_and_says_what_to_try() {
    let desk = Desk::new().await;
    let code = desk.code().await;
    let id = desk.begin(&code, &body()).await.id();
    let done = desk.complete(&code, &id, &registered()).await;
    assert_eq!(done.status, StatusCode::OK, "{done:?}");
    assert_eq!(
        done.body,
        json!({
            "install_id": id,
            "app_id": "hello",
            "site_url": SITE,
            "state": "active",
            "try": ["/hello help"],
            "unavailable": [],
        })
    );
    assert_eq!(desk.stored(&id).await.unwrap().state, State::Active);
    let teams = desk.memory.teams(&id.parse().unwrap()).await.unwrap();
    assert_eq!(teams[0].0.as_str(), TEAM);
    assert_eq!(teams[0].1.commands["hello"].token_sha256, Sha256::of(SLASH_TOKEN));
    assert_eq!(teams[0].1.commands["hello"].id, COMMAND);
    let [Call { install, delivery, settings, acting_user, .. }] = &desk.calls()[..] else {
        panic!("one call")
    };
    assert_eq!((install.as_str(), acting_user.as_str()), (id.as_str(), ADMIN));
    assert!(delivery.len() == 32 && delivery.bytes().all(|b| b.is_ascii_hexdigit()), "{delivery}");
    assert_eq!(settings["site"], "https://jira.example.com");
    assert!(settings.get("password").is_none(), "a function reads passwords through Cx only");
}

#[tokio::test]
async fn completing_again_gets_the_same_answer_and_calls_nobody() {
    let mut desk = Desk::new().await;
    let code = desk.code().await;
    let id = desk.begin(&code, &body()).await.id();
    let first = desk.complete(&code, &id, &registered()).await;
    desk.memory.reset_counts();
    // Also after the code has expired: an installer that lost the answer may come late.
    for _ in 0..2 {
        let again = desk.complete(&code, &id, &registered()).await;
        assert_eq!((again.status, &again.body), (StatusCode::OK, &first.body));
        desk.now += 3_600_000;
    }
    assert_eq!((desk.memory.counts().writes(), desk.calls().len()), (0, 1));
    bad_code(&desk.begin(&code, &body()).await);
}

#[tokio::test]
async fn of_two_that_complete_at_once_one_runs_and_the_other_reads_when_to_ask_again() {
    let desk = Desk::new().await;
    let (began, go_on) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    desk.behave(Behaviour::Waits(began.clone(), go_on.clone()));
    let code = desk.code().await;
    let id = desk.begin(&code, &body()).await.id();
    let registered = registered();
    let second = async {
        began.notified().await;
        let busy = desk.complete(&code, &id, &registered).await;
        let restarted = desk.begin(&code, &body()).await;
        go_on.notify_one();
        (busy, restarted)
    };
    let (done, (busy, restarted)) = tokio::join!(desk.complete(&code, &id, &registered), second);
    assert_eq!(done.status, StatusCode::OK, "{done:?}");
    for busy in [busy, restarted] {
        assert_eq!((busy.status, busy.code()), (StatusCode::SERVICE_UNAVAILABLE, "unavailable"));
        assert_eq!(busy.headers[header::RETRY_AFTER], "30");
        assert_eq!(
            busy.message(),
            "This installation is being completed by another request. Ask again in 30 s."
        );
    }
    assert_eq!(desk.calls().len(), 1);
}

#[tokio::test]
async fn what_an_earlier_attempt_registered_and_this_one_does_not_verifies_nobody() {
    let mut desk = Desk::new().await;
    let (began, go_on) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    desk.behave(Behaviour::Waits(began.clone(), go_on));
    let code = desk.code().await;
    let id = desk.begin(&code, &body()).await.id();
    let elsewhere = json!({"registered": [
        {"kind": "slash_command", "team_id": COMMAND, "id": COMMAND, "trigger": "hello", "token": BOT},
    ]});
    tokio::select! {
        _ = desk.complete(&code, &id, &elsewhere) => panic!("it waits"),
        () = began.notified() => {}
    }
    desk.behave(Behaviour::Agrees);
    desk.now += 31_000;
    assert_eq!(desk.complete(&code, &id, &registered()).await.status, StatusCode::OK);
    for (team, registered) in desk.memory.teams(&id.parse().unwrap()).await.unwrap() {
        assert_eq!(registered.commands.is_empty(), team.as_str() == COMMAND, "{team}");
    }
}

#[tokio::test]
async fn completing_takes_the_code_that_began() {
    let mut desk = Desk::new().await;
    let code = desk.code().await;
    let id = desk.begin(&code, &body()).await.id();
    let other = desk.code_for("https://other.example.com").await;
    for (code, id) in
        [(other.as_str(), id.as_str()), (&code, "not-an-id"), (&code, sample::install_id(9).as_str())]
    {
        bad_code(&desk.complete(code, id, &registered()).await);
    }
    desk.now += 15 * 60_000;
    bad_code(&desk.complete(&code, &id, &registered()).await);
    assert!(desk.calls().is_empty());
}

#[tokio::test]
async fn everything_that_is_wrong_with_what_was_registered_is_said_at_once() {
    let desk = Desk::new().await;
    let code = desk.code().await;
    let id = desk.begin(&code, &body()).await.id();
    let entry = registered()["registered"][0].clone();
    let with = |key: &str, value: Value| {
        let mut entry = entry.clone();
        entry[key] = value;
        entry
    };
    let wrong = json!({"registered": [
        with("team_id", "ops".into()),
        with("token", format!("{SLASH_TOKEN}x").into()),
        with("trigger", "jira".into()),
        {"kind": "oauth_app"},
        {},
        entry,
        entry,
    ]});
    let refused = desk.complete(&code, &id, &wrong).await;
    assert_eq!((refused.status, refused.code()), (StatusCode::BAD_REQUEST, "bad_request"));
    let problems = refused.body["error"]["problems"].as_array().unwrap();
    let said: Vec<String> = problems
        .iter()
        .map(|p| format!("{} {}", p["pointer"].as_str().unwrap(), p["message"].as_str().unwrap()))
        .collect();
    assert_eq!(
        said,
        [
            "/registered/0/team_id \"ops\" is not a Mattermost id (26 characters of a-z and 0-9)".to_owned(),
            "/registered/1/token is not the token of a slash command (26 characters of a-z and 0-9): send the one \
             that Mattermost showed when the command was made"
                .to_owned(),
            "/registered/2/trigger is not the trigger that this install asked to register: register what the answer \
             to POST /install lists"
                .to_owned(),
            "/registered/3/kind is not something that this install asked to register: register what the answer to POST \
             /install lists"
                .to_owned(),
            "/registered/4/kind is missing".to_owned(),
            format!("/registered/6 repeats /hello of team {TEAM}: send each command once"),
        ]
    );
    let many = json!({"registered": vec![entry; 91]});
    let refused = desk.complete(&code, &id, &many).await;
    assert!(
        refused.message().contains("/registered has 91 entries, and 90 fit in one request: send fewer teams"),
        "{}",
        refused.message()
    );
    let install = desk.stored(&id).await.unwrap();
    assert_eq!((install.rev, desk.calls().len()), (1, 0), "a request that is wrong changes nothing");
}

#[tokio::test]
async fn an_app_that_refuses_is_not_installed_and_its_words_are_read() {
    let fields = [("site".to_owned(), "Nobody answers there.".to_owned())].into();
    let at_field = Kind::Error { text: "Jira does not answer.".into(), fields };
    let cases = [
        (
            refusal("Set a site first."),
            "install_refused",
            "hello refused the installation, and nothing was installed: Set a site first.",
        ),
        (
            Behaviour::Refuses(at_field.into()),
            "install_refused",
            "hello refused the installation, and nothing was installed: Jira does not answer.",
        ),
        (
            Behaviour::Fails(Some("Not today.")),
            "install_refused",
            "hello refused the installation, and nothing was installed: Not today.",
        ),
        (
            Behaviour::Fails(None),
            "install_refused",
            "hello refused the installation, and nothing was installed: it gave no reason. Its operator finds the cause in the log, under this request's id.",
        ),
        (
            Behaviour::Panics,
            "upstream_failed",
            "hello could not set itself up, and nothing was installed. Its operator finds the cause in the log, under this request's id.",
        ),
        (
            Behaviour::PanicsAtOnce,
            "upstream_failed",
            "hello could not set itself up, and nothing was installed. Its operator finds the cause in the log, under this request's id.",
        ),
    ];
    for (behaviour, code_word, message) in cases {
        let desk = Desk::new().await;
        desk.behave(behaviour);
        let code = desk.code().await;
        let id = desk.begin(&code, &body()).await.id();
        let refused = desk.complete(&code, &id, &registered()).await;
        assert_eq!((refused.code(), refused.message()), (code_word, message));
        if message.contains("Jira") {
            assert_eq!(refused.body["error"]["fields"]["site"], "Nobody answers there.");
        }
        assert_eq!(desk.memory.kept(), 0, "{message}");
        bad_code(&desk.complete(&code, &id, &registered()).await);
        desk.behave(Behaviour::Agrees);
        assert_ne!(desk.install(&code, &body()).await, id, "the code is good for another try");
    }
}

#[tokio::test]
async fn an_app_that_takes_too_long_is_stopped_and_nothing_is_left() {
    let desk = Desk::new().await;
    desk.behave(Behaviour::Hangs);
    let code = desk.code().await;
    let id = desk.begin(&code, &body()).await.id();
    let path = format!("/install/{id}/complete");
    let mut late = desk.arrival(request(Method::POST, &path, Some(&registered()), Some(&code)));
    late.deadline = desk.now + 2_000;
    let refused = Answered::from(cloud_apps_core::functions::install::handle(&desk.management(), late).await);
    assert_eq!((refused.status, refused.code()), (StatusCode::GATEWAY_TIMEOUT, "deadline"));
    assert_eq!(
        refused.message(),
        "hello took too long to set itself up and was stopped; nothing was installed. Try again if that is not enough."
    );
    assert_eq!(desk.memory.kept(), 0);
}

#[tokio::test]
async fn a_password_reaches_the_app_and_stands_in_no_table() {
    let desk = Desk::new().await;
    let code = desk.code().await;
    let begun = desk.begin(&code, &body()).await;
    assert!(!desk.memory.dump().contains(PASSWORD), "pending");
    desk.complete(&code, &begun.id(), &registered()).await;
    let dump = desk.memory.dump();
    for secret in [PASSWORD, ACCESS_TOKEN, SLASH_TOKEN, begun.body["static_token"].as_str().unwrap(), &code] {
        assert!(!dump.contains(secret), "{dump}");
    }
    assert!(dump.contains("https://jira.example.com") && dump.contains("\"password\": \"k1.1."), "{dump}");
    let call = &desk.calls()[0];
    assert_eq!(call.password.as_deref(), Some(PASSWORD));
    assert!(!call.settings.contains_key("password"), "the request holds none");

    desk.memory.reset_counts();
    assert_eq!(desk.slash(&begun.id(), SLASH_TOKEN).await.body["text"], "Hello!");
    assert_eq!(desk.memory.counts().secrets(), 0, "the ring is known");
}

#[tokio::test]
async fn a_password_that_cannot_be_opened_now_costs_a_repeated_request_and_not_the_install() {
    let desk = Desk::new().await;
    let code = desk.code().await;
    let id = desk.begin(&code, &body()).await.id();
    let ring = Keys::ring(&desk.memory, &"hello".parse().unwrap()).await.unwrap().unwrap();
    let mut revoked = ring.clone();
    revoked.keys[0].revoked = true;
    for (ring, status) in [(revoked, 500), (ring, 200)] {
        desk.memory.put_ring(ring);
        desk.behave(Behaviour::Agrees);
        let answered = desk.complete(&code, &id, &registered()).await;
        assert_eq!(answered.status.as_u16(), status, "{answered:?}");
        assert_eq!(desk.calls().len(), usize::from(status == 200));
    }
}
