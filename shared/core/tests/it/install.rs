//! How an app comes to a server: the two steps, what they check, and what everybody reads who is refused.

use crate::log_line::Log;
use crate::office::{
    ACCESS_TOKEN, ADMIN, Answered, BASE, BOT, Behaviour, COMMAND, Call, Desk, NOW, PASSWORD, SITE,
    SLASH_TOKEN, TEAM, body, refusal, registered, request,
};
use cloud_apps_core::{
    conformance::sample,
    model::{Install, InstallCode, Sha256, State},
    ports::{Installs, Registry},
    refusal::Refusal,
    world::{Random, SystemRandom},
};
use cloud_apps_protocol::{
    Generation, KeyId,
    answer::Kind,
    token::{Direction, Kid},
};
use http::{Method, StatusCode, header};
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use std::sync::Arc;
use tokio::sync::Notify;

fn changed(pointer: &str, value: Value) -> Value {
    let mut body = body();
    *body.pointer_mut(pointer).unwrap_or_else(|| panic!("{pointer}")) = value;
    body
}

fn unauthorized(answered: &Answered) {
    refused_alike(answered, &Refusal::unauthorized().message);
}

/// What every code is answered that is not good.
fn bad_code(answered: &Answered) {
    refused_alike(
        answered,
        "This needs an install code that is good here: for this app, not expired, not used up. Ask the operator of \
         the bundle for a new one (`cloud-apps operator code`), and send it as Authorization: Bearer.",
    );
}

/// To the byte, so that nobody can tell two flaws apart.
fn refused_alike(answered: &Answered, message: &str) {
    assert_eq!(answered.status, StatusCode::UNAUTHORIZED, "{answered:?}");
    let error = json!({"code": "unauthorized", "message": message, "request_id": "request-1"});
    assert_eq!(answered.body, json!({ "error": error }));
}

#[tokio::test]
async fn the_index_says_which_protocol_and_which_bundle() {
    let answered = Desk::empty().send(request(Method::GET, "/", None, None)).await;
    assert_eq!(answered.status, StatusCode::OK);
    assert_eq!(answered.body, json!({"protocol": [2], "bundle": env!("CARGO_PKG_VERSION")}));
}

#[tokio::test]
async fn a_code_a_server_and_a_bot_make_a_pending_install() {
    let desk = Desk::new().await;
    let code = desk.code().await;
    let begun = desk.begin(&code, &body()).await;
    assert_eq!(begun.status, StatusCode::CREATED, "{begun:?}");
    assert_eq!(begun.headers[header::CACHE_CONTROL], "no-store");
    let id = begun.id();
    let install = desk.stored(&id).await.unwrap();
    assert_eq!(begun.body["kid"], format!("hello.1.{id}.1"));
    assert_eq!(
        begun.body["endpoints"],
        json!({
            "command": format!("{BASE}/command"),
            "autocomplete": format!("{BASE}/autocomplete"),
            "event": format!("{BASE}/event"),
            "slash": format!("{BASE}/hooks/{id}/slash"),
            "action": format!("{BASE}/hooks/{id}/action"),
            "dialog": format!("{BASE}/hooks/{id}/dialog"),
            "webhook": format!("{BASE}/hooks/{id}/webhook"),
            "complete": format!("{BASE}/install/{id}/complete"),
        })
    );
    assert_eq!(
        begun.body["register"],
        json!([{
            "kind": "slash_command",
            "trigger": "hello",
            "per": "team",
            "auto_complete_desc": "Greets people.",
            "auto_complete_hint": "[greet | help]",
        }])
    );
    let token = begun.body["static_token"].as_str().unwrap();
    assert!(token.len() == 26 && token.bytes().all(|b| matches!(b, b'a'..=b'z' | b'2'..=b'7')), "{token}");

    assert!(matches!(install.state, State::Pending { .. }));
    assert_eq!((install.rev, install.generation), (1, Generation(1)));
    assert_eq!(install.static_token, Some(Sha256::of(token)));
    assert_eq!(install.settings["retries"], 3, "a default is set");
    assert_eq!((install.base_url.as_str(), install.server_version.as_str()), (BASE, "11.6.0"));
    let stored = serde_json::to_string(&install).unwrap();
    for secret in [ACCESS_TOKEN, token, begun.body["shared_secret"].as_str().unwrap(), &code] {
        assert!(!stored.contains(secret), "kept in clear: {stored}");
    }
    assert!(desk.calls().is_empty(), "the app learns of an install when it is completed");
}

#[tokio::test]
async fn a_server_that_does_not_speak_v2_gets_no_secret() {
    let desk = Desk::new().await;
    let mut plain = body();
    plain["v2"] = false.into();
    plain["static_token"] = false.into();
    let begun = desk.begin(&desk.code().await, &plain).await;
    for key in ["kid", "shared_secret", "static_token"] {
        assert!(begun.body.get(key).is_none(), "{key}");
    }
    assert_eq!(desk.stored(&begun.id()).await.unwrap().generation, Generation(0));
}

#[tokio::test]
async fn an_install_lists_what_this_server_does_not_give_and_why() {
    let desk = Desk::new().await;
    let mut all = body();
    all["granted"] = json!({
        "permissions": ["act_as_bot"],
        "locations": ["message_box", "post_menu", "dialog"],
        "events": ["user_joined_channel"],
    });
    let reasons = |answered: &Answered| -> Vec<(String, String)> {
        let list = answered.body["unavailable"].as_array().unwrap();
        list.iter()
            .map(|u| (u["name"].as_str().unwrap().into(), u["reason"].as_str().unwrap().into()))
            .collect()
    };
    let v2 = reasons(&desk.begin(&desk.code().await, &all).await);
    assert_eq!(
        v2,
        [
            ("welcome".to_owned(), "events are not delivered by this version of the bundle".to_owned()),
            (
                "dialog".to_owned(),
                "buttons, dialogs and conversations are not served by this version of the bundle".to_owned()
            ),
        ]
    );
    let desk = Desk::new().await;
    all["v2"] = false.into();
    let plain = reasons(&desk.begin(&desk.code().await, &all).await);
    assert_eq!(plain.len(), 3);
    assert!(plain[0].1.contains("unmodified Mattermost") && plain[0].1.contains("plugin"), "{plain:?}");
    assert_eq!(plain[2].0, "post_menu");
    assert!(plain[2].1.contains("run the command in the message box"), "{plain:?}");
}

#[tokio::test]
async fn the_same_code_gets_the_same_answer_again_and_nothing_is_written() {
    let desk = Desk::new().await;
    let code = desk.code().await;
    let first = desk.begin(&code, &body()).await;
    desk.memory.reset_counts();
    let again = desk.begin(&code, &body()).await;
    assert_eq!((again.status, &again.body), (first.status, &first.body));
    assert_eq!(desk.memory.counts().writes(), 0);
}

#[tokio::test]
async fn the_same_code_with_another_body_replaces_what_is_pending_and_keeps_the_id() {
    let desk = Desk::new().await;
    let code = desk.code().await;
    let first = desk.begin(&code, &body()).await;
    let mut other = changed("/bot/access_token", "another".into());
    other["static_token"] = false.into();
    other["settings"]["site"] = "https://other.example.com".into();
    let second = desk.begin(&code, &other).await;
    assert_eq!(second.id(), first.id());
    assert_eq!(second.body["shared_secret"], first.body["shared_secret"]);
    assert!(second.body.get("static_token").is_none());
    let install = desk.stored(&first.id()).await.unwrap();
    assert_eq!((install.rev, &install.settings["site"]), (2, &json!("https://other.example.com")));
    let old = Sha256::of(first.body["static_token"].as_str().unwrap());
    assert_eq!(desk.memory.find_static_token(&old).await.unwrap(), None);
    let token = desk.office().world.keys.open_bot_token(&install, NOW).await.unwrap();
    assert_eq!(token.token.expose_secret(), "another");
}

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
    let [Call { install, delivery, settings, acting_user }] = &desk.calls()[..] else { panic!("one call") };
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

/// Every flaw of a code, and the answer to it.
async fn flawed(desk: &mut Desk) -> Vec<(&'static str, Answered, u64)> {
    let mut answers = Vec::new();
    let expired = desk.code().await;
    desk.now += 15 * 60_000;
    let spent = desk.code_for("https://spent.example.com").await;
    let mut elsewhere = body();
    elsewhere["server"]["site_url"] = "https://spent.example.com".into();
    desk.install(&spent, &elsewhere).await;
    let good = desk.code().await;
    let mut other = body();
    other["app_id"] = "other".into();
    let random: &dyn Random = &SystemRandom;
    let unknown = cloud_apps_core::install::codes::generate(random).to_string();
    let jwt = "a.b.c";
    for (flaw, code, body) in [
        ("none", None, body()),
        ("too short", Some("abc"), body()),
        ("a JWT", Some(jwt), body()),
        ("unknown", Some(unknown.as_str()), body()),
        ("expired", Some(expired.as_str()), body()),
        ("spent", Some(spent.as_str()), elsewhere),
        ("for another app", Some(good.as_str()), other),
        ("unknown, with a body that is none", Some(unknown.as_str()), json!([])),
    ] {
        desk.memory.reset_counts();
        let answered = desk.send(request(Method::POST, "/install", Some(&body), code)).await;
        answers.push((flaw, answered, desk.memory.counts().reads()));
        assert_eq!(desk.memory.counts().writes(), 0, "{flaw}");
    }
    answers
}

#[tokio::test]
async fn a_code_that_is_not_good_is_refused_in_the_same_words_whatever_is_wrong_with_it() {
    let mut desk = Desk::new().await;
    for (flaw, answered, reads) in flawed(&mut desk).await {
        bad_code(&answered);
        let looked_up = !matches!(flaw, "none" | "too short" | "a JWT");
        assert_eq!(reads, u64::from(looked_up), "{flaw}: the same work");
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
async fn everything_that_is_wrong_with_a_request_is_said_at_once_with_its_place() {
    let desk = Desk::new().await;
    let wrong = json!({
        "app_id": "hello",
        "server": {"site_url": "https://else.example.com", "version": "eleven"},
        "bot": {"user_id": "hello", "username": "@hello", "access_token": "not a token"},
        "installed_by": 7,
        "v2": "yes",
        "granted": {"permissions": ["act_as_admin"], "locations": ["message_box", "main_menu"], "events": "all"},
        "settings": {"site": "no url", "retries": "many", "colour": "red"},
    });
    let refused = desk.begin(&desk.code().await, &wrong).await;
    assert_eq!((refused.status, refused.code()), (StatusCode::BAD_REQUEST, "bad_request"));
    let problems = refused.body["error"]["problems"].as_array().unwrap();
    let said: Vec<String> = problems
        .iter()
        .map(|p| format!("{} {}", p["pointer"].as_str().unwrap(), p["message"].as_str().unwrap()))
        .collect();
    let expected = [
        "/server/site_url is https://else.example.com, and this code is for https://chat.example.com: ask the operator \
         for one for https://else.example.com",
        "/server/version is not a version of Mattermost, such as 11.6.0: send what its api/v4/config/client says",
        "/bot/user_id \"hello\" is not a Mattermost id (26 characters of a-z and 0-9)",
        "/bot/username is not the name of a bot account: a-z, 0-9, '.', '-' and '_', without @",
        "/bot/access_token is not an access token: make one for the bot and send it without spaces",
        "/installed_by is not text",
        "/v2 is neither true nor false",
        "/granted/permissions/0 (\"act_as_admin\") is none of the permissions that hello asks for: act_as_bot",
        "/granted/locations/1 (\"main_menu\") is none of the locations that hello asks for: dialog, message_box, \
         post_menu",
        "/granted/events is not a list",
        "/settings/colour is no setting of hello: site, password, retries",
        "/settings/site \"no url\" is not a URL: write https://…",
        "/settings/retries \"many\" is not a number",
    ];
    assert_eq!(said, expected);
    assert_eq!(refused.body["error"]["pointer"], "/server/site_url");
    assert!(refused.message().starts_with("13 things are wrong with this request: /server/site_url is"));
    assert!(refused.message().ends_with("Mend it and send it again."), "{}", refused.message());
    assert_eq!(desk.memory.kept(), 0);
}

#[tokio::test]
async fn a_required_setting_and_a_missing_key_are_named() {
    let desk = Desk::new().await;
    let refused = desk.begin(&desk.code().await, &json!({"app_id": "hello"})).await;
    for sentence in
        ["/server/version is missing", "/bot/access_token is missing", "/settings/site is required"]
    {
        assert!(refused.message().contains(sentence), "{}", refused.message());
    }
}

#[tokio::test]
async fn a_password_that_is_not_taken_is_not_repeated() {
    let desk = Desk::new().await;
    for password in [json!(PASSWORD.repeat(2)), json!([PASSWORD])] {
        let refused = desk.begin(&desk.code().await, &changed("/settings/password", password)).await;
        assert_eq!(
            refused.message(),
            "Something is wrong with this request: /settings/password is not what this setting takes (it is a \
             password, so it is not shown). Mend it and send it again."
        );
    }
}

#[tokio::test]
async fn settings_over_16_kib_are_refused() {
    let desk = Desk::new().await;
    let refused = desk.begin(&desk.code().await, &changed("/settings/site", "x".repeat(17_000).into())).await;
    assert!(refused.message().contains("/settings has more than the 16384 bytes"), "{}", refused.message());
}

#[tokio::test]
async fn a_body_that_is_not_json_is_refused_with_its_line_and_column() {
    let desk = Desk::new().await;
    let mut broken = request(Method::POST, "/install", None, Some(&desk.code().await));
    *broken.body_mut() = "{\n\"app_id\": }".into();
    let refused = desk.send(broken).await;
    assert_eq!((refused.status, refused.code()), (StatusCode::BAD_REQUEST, "bad_json"));
    assert_eq!((&refused.body["error"]["line"], &refused.body["error"]["column"]), (&json!(2), &json!(11)));
}

#[tokio::test]
async fn whatever_stands_in_a_request_it_is_answered_in_the_protocols_words() {
    let strange = [
        json!(null),
        json!(true),
        json!(-1),
        json!(1e308),
        json!(""),
        json!("\u{0}"),
        json!("ä".repeat(3_000)),
        json!([]),
        json!([[{}]]),
        json!({"": {"": 1}}),
    ];
    let pointers = [
        "",
        "/app_id",
        "/server",
        "/server/site_url",
        "/server/version",
        "/bot",
        "/bot/user_id",
        "/bot/username",
        "/bot/access_token",
        "/installed_by",
        "/v2",
        "/static_token",
        "/granted",
        "/granted/permissions",
        "/granted/locations",
        "/granted/locations/0",
        "/settings",
        "/settings/site",
        "/settings/password",
    ];
    for value in &strange {
        let desk = Desk::new().await;
        let code = desk.code().await;
        for pointer in pointers {
            let answered = desk.begin(&code, &changed(pointer, value.clone())).await;
            let word = answered.code();
            // What is absent may be left out; whose code it is, is not told.
            let expected = match answered.status {
                StatusCode::CREATED => "(none)",
                StatusCode::UNAUTHORIZED => "unauthorized",
                _ => "bad_request",
            };
            assert_eq!(word, expected, "{pointer}: {value}");
        }
        let id = desk.begin(&code, &body()).await.id();
        for pointer in ["", "/registered/0/trigger", "/registered/0/token", "/registered/0", "/registered"] {
            if pointer.is_empty() && value.is_object() {
                continue;
            }
            let mut body = registered();
            *body.pointer_mut(pointer).unwrap() = value.clone();
            let answered = desk.complete(&code, &id, &body).await;
            // Nothing to register is no mistake: teams may come later.
            let nothing = answered.status == StatusCode::OK && pointer == "/registered";
            assert!(nothing || answered.code() == "bad_request", "{pointer}: {value}: {answered:?}");
        }
    }
}

#[tokio::test]
async fn an_app_that_cannot_do_without_an_event_is_not_installed_where_it_would_not_come() {
    let mut desk = Desk::new().await;
    desk.demanding = true;
    desk.behave(Behaviour::Agrees);
    let refused = desk.begin(&desk.code().await, &body()).await;
    assert!(
        refused.message().contains(
            "/granted/events does not have \"user_joined_channel\", and hello cannot do without: grant it"
        ),
        "{}",
        refused.message()
    );
    let mut granted = body();
    granted["granted"]["events"] = json!(["user_joined_channel"]);
    let refused = desk.begin(&desk.code().await, &granted).await;
    assert_eq!((refused.status, refused.code()), (StatusCode::UNPROCESSABLE_ENTITY, "install_refused"));
    assert_eq!(
        refused.message(),
        "hello cannot do without the event user_joined_channel, and it would not get it: events are not delivered by \
         this version of the bundle. Nothing was installed."
    );
    assert_eq!(desk.memory.kept(), 0);
}

#[tokio::test]
async fn an_app_is_on_a_site_once_and_the_second_reads_since_when_and_what_to_do() {
    let desk = Desk::new().await;
    let id = desk.install(&desk.code().await, &body()).await;
    let refused = desk.begin(&desk.code().await, &body()).await;
    assert_eq!((refused.status, refused.code()), (StatusCode::CONFLICT, "already_installed"));
    assert_eq!(
        refused.message(),
        format!(
            "hello is installed on {SITE} since 2026-11-22 21:39 UTC. It goes on working as it is. An operator sees it \
             with `cloud-apps operator show {id}`; this version of the bundle cannot remove it to make room."
        )
    );
    assert_eq!(refused.body["error"]["since"], NOW);
    desk.operator(json!({"do": "disable", "install_id": id})).await;
    let refused = desk.begin(&desk.code().await, &body()).await;
    assert!(
        refused.message().ends_with(&format!("`cloud-apps operator enable {id}`.")),
        "{}",
        refused.message()
    );
}

#[tokio::test]
async fn an_install_that_another_code_began_is_waited_for_and_then_replaced() {
    let mut desk = Desk::new().await;
    let first = desk.begin(&desk.code().await, &body()).await.id();
    desk.now += 60_000;
    let code = desk.code().await;
    let refused = desk.begin(&code, &body()).await;
    assert_eq!(refused.code(), "already_installed");
    assert_eq!(
        refused.message(),
        format!(
            "An installation of hello on {SITE} was begun on 2026-11-22 21:39 UTC with another code and is not \
             finished. Finish it with that code, or try again after 2026-11-22 21:54 UTC, when that code has expired."
        )
    );
    desk.now = NOW + 15 * 60_000;
    let id = desk.install(&code, &body()).await;
    assert_ne!(id, first);
    assert_eq!(desk.stored(&first).await, None);
}

#[tokio::test]
async fn an_app_without_a_key_ring_is_not_installed() {
    let desk = Desk::empty();
    let code = "A".repeat(43);
    let kept = InstallCode {
        sha256: Sha256::of(&code),
        app: "hello".parse().unwrap(),
        site: SITE.parse().unwrap(),
        base_url: BASE.into(),
        exp: NOW + 1,
        install: None,
        spent: false,
    };
    desk.memory.put_code(&kept).await.unwrap();
    let refused = desk.begin(&code, &body()).await;
    assert_eq!(refused.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(
        refused.message(),
        "hello has no key ring. An operator makes one with `cloud-apps operator register`; then try again."
    );
}

#[tokio::test]
async fn an_app_that_is_not_linked_any_more_is_not_installed() {
    let desk = Desk::new().await;
    let code = "A".repeat(43);
    let kept = InstallCode {
        sha256: Sha256::of(&code),
        app: "gone".parse().unwrap(),
        site: SITE.parse().unwrap(),
        base_url: BASE.into(),
        exp: NOW + 1,
        install: None,
        spent: false,
    };
    desk.memory.put_code(&kept).await.unwrap();
    let refused = desk.begin(&code, &changed("/app_id", "gone".into())).await;
    assert_eq!((refused.status, refused.code()), (StatusCode::BAD_GATEWAY, "upstream_failed"));
    assert_eq!(
        refused.message(),
        "gone is not linked into this bundle, and other upstreams are not called by this version. Deploy a bundle \
         that links it, then try again."
    );
}

#[tokio::test]
async fn a_revoked_key_gives_way_to_the_current_one_while_nothing_is_active() {
    let desk = Desk::new().await;
    let code = desk.code().await;
    let first = desk.begin(&code, &body()).await;
    let mut ring = sample::ring(&"hello".parse().unwrap(), 7);
    let mut second = ring.keys[0].clone();
    second.id = KeyId::new("2").unwrap();
    ring.keys[0].revoked = true;
    ring.keys.push(second);
    desk.memory.put_ring(ring);
    // Another process, for this one has the old ring in its cache.
    desk.behave(Behaviour::Agrees);
    let again = desk.begin(&code, &body()).await;
    assert_eq!(again.id(), first.id());
    assert_eq!(again.body["kid"], format!("hello.2.{}.1", first.id()));
    assert_ne!(again.body["shared_secret"], first.body["shared_secret"]);
    assert_eq!(desk.complete(&code, &first.id(), &registered()).await.status, StatusCode::OK);
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
        {"kind": "outgoing_webhook"},
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
            "/registered/3/kind is nothing that this install asked to register: register what the answer to POST \
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
    let refused = Answered::from(cloud_apps_core::install::handle(&desk.office(), late).await);
    assert_eq!((refused.status, refused.code()), (StatusCode::GATEWAY_TIMEOUT, "deadline"));
    assert_eq!(
        refused.message(),
        "hello took too long to set itself up and was stopped. Nothing was installed; try again."
    );
    assert_eq!(desk.memory.kept(), 0);
}

/// An active install, its kid and its secret.
async fn serving(desk: &Desk) -> (String, String, String) {
    let code = desk.code().await;
    let begun = desk.begin(&code, &body()).await;
    desk.complete(&code, &begun.id(), &registered()).await;
    let text = |key: &str| begun.body[key].as_str().unwrap().to_owned();
    (begun.id(), text("kid"), text("shared_secret"))
}

#[tokio::test]
async fn a_server_reads_its_install_without_its_passwords() {
    let desk = Desk::new().await;
    let (id, kid, secret) = serving(&desk).await;
    let path = format!("/install/{id}");
    for scope in ["user", "bot", "admin"] {
        let shown = desk.send(desk.signed(Method::GET, &path, "", &kid, &secret, scope)).await;
        assert_eq!(shown.status, StatusCode::OK, "{shown:?}");
        let view = &shown.body;
        assert_eq!(view["settings"], json!({"site": "https://jira.example.com", "retries": 3}));
        assert_eq!((&view["state"], &view["rev"]), (&json!("active"), &json!(3)));
        assert_eq!(view["commands"][0]["function"], "greet");
        assert_eq!(view["teams"], json!([TEAM]));
        assert_eq!(view["bot"], json!({"id": BOT, "username": "hello"}));
        let text = view.to_string();
        for secret in [PASSWORD, ACCESS_TOKEN, SLASH_TOKEN, &secret] {
            assert!(!text.contains(secret), "{text}");
        }
    }
}

#[tokio::test]
async fn a_server_that_knows_its_install_already_gets_nothing_new() {
    let desk = Desk::new().await;
    let (id, kid, secret) = serving(&desk).await;
    let path = format!("/install/{id}");
    let signed = || desk.signed(Method::GET, &path, "", &kid, &secret, "bot");
    let shown = desk.send(signed()).await;
    let etag = shown.headers[header::ETAG].clone();
    assert_eq!(shown.headers["cloud-apps-manifest"], etag);
    for (tags, status) in [
        (etag.to_str().unwrap().to_owned(), StatusCode::NOT_MODIFIED),
        (format!("\"other\", W/{}", etag.to_str().unwrap()), StatusCode::NOT_MODIFIED),
        ("*".to_owned(), StatusCode::NOT_MODIFIED),
        ("\"other\"".to_owned(), StatusCode::OK),
    ] {
        let mut request = signed();
        request.headers_mut().insert(header::IF_NONE_MATCH, tags.parse().unwrap());
        let answered = desk.send(request).await;
        assert_eq!(answered.status, status, "{tags}");
        assert_eq!(answered.headers[header::ETAG], etag);
        assert_eq!(answered.body.is_null(), status == StatusCode::NOT_MODIFIED);
    }
    // A change of the install is another tag.
    for switch in ["disable", "enable"] {
        desk.operator(json!({"do": switch, "install_id": id})).await;
    }
    assert_ne!(desk.send(signed()).await.headers[header::ETAG], etag);
}

#[tokio::test]
async fn an_install_is_shown_to_its_own_server_only() {
    let desk = Desk::new().await;
    let (id, kid, secret) = serving(&desk).await;
    let path = format!("/install/{id}");
    let other = format!("/install/{}", sample::install_id(9));
    unauthorized(&desk.send(request(Method::GET, &path, None, None)).await);
    unauthorized(&desk.send(request(Method::GET, &path, None, Some(&"A".repeat(43)))).await);
    unauthorized(&desk.send(desk.signed(Method::GET, &other, "", &kid, &secret, "admin")).await);
    let forged = "A".repeat(43);
    desk.memory.reset_counts();
    unauthorized(&desk.send(desk.signed(Method::GET, &path, "", &kid, &forged, "admin")).await);
    assert_eq!(desk.memory.counts().reads(), 0);
}

#[tokio::test]
async fn a_pending_install_serves_nothing() {
    let desk = Desk::new().await;
    let begun = desk.begin(&desk.code().await, &body()).await;
    let text = |key: &str| begun.body[key].as_str().unwrap();
    let path = format!("/install/{}", begun.id());
    let signed = desk.signed(Method::GET, &path, "", text("kid"), text("shared_secret"), "admin");
    let refused = desk.send(signed).await;
    assert_eq!((refused.status, refused.code()), (StatusCode::FORBIDDEN, "disabled"));
    assert!(refused.message().contains("Finish the installation"), "{}", refused.message());
}

#[tokio::test]
async fn changing_an_install_takes_an_admin_and_a_later_version() {
    let desk = Desk::new().await;
    let (id, kid, secret) = serving(&desk).await;
    let path = format!("/install/{id}");
    for method in [Method::PATCH, Method::DELETE] {
        let user = desk.signed(method.clone(), &path, "{}", &kid, &secret, "user");
        let refused = desk.send(user).await;
        assert_eq!((refused.status, refused.code()), (StatusCode::FORBIDDEN, "forbidden"));
        assert_eq!(
            refused.message(),
            "Only an admin of the server changes an install: send a token with the scope admin."
        );
        let admin = desk.signed(method, &path, "{}", &kid, &secret, "admin");
        let refused = desk.send(admin).await;
        assert_eq!((refused.status, refused.code()), (StatusCode::NOT_FOUND, "no_route"));
        assert_eq!(
            refused.message(),
            "Changing and removing an install are not served by this version of the bundle. Nothing was changed."
        );
        unauthorized(&desk.send(request(Method::DELETE, &path, None, None)).await);
    }
    assert_eq!(desk.stored(&id).await.unwrap().rev, 3);
}

#[tokio::test]
async fn what_this_version_does_not_serve_says_so() {
    let desk = Desk::new().await;
    for (method, path, message) in [
        (
            Method::GET,
            "/apps",
            "The public catalogue of apps is not served by this version of the bundle. An operator sees it with `cloud-apps operator apps`.",
        ),
        (
            Method::GET,
            "/oauth2/hello/connect",
            "Accounts of users elsewhere are not served by this version of the bundle. Nothing was connected.",
        ),
        (
            Method::GET,
            "/oauth2/hello/callback",
            "Accounts of users elsewhere are not served by this version of the bundle. Nothing was connected.",
        ),
        (Method::GET, "/nothing", "Nothing is served at this path and method."),
    ] {
        let refused = desk.send(request(method, path, None, None)).await;
        assert_eq!((refused.status, refused.code()), (StatusCode::NOT_FOUND, "no_route"), "{path}");
        assert_eq!(refused.message(), message);
    }
    let kid: Kid = format!("hello.1.{}.1", sample::install_id(1)).parse().unwrap();
    let token = cloud_apps_protocol::token::sign(
        Direction::App,
        &kid,
        &cloud_apps_protocol::secret::Secret::new([1; 32]),
        &json!({}),
    );
    for token in [None, Some(token.as_str())] {
        unauthorized(&desk.send(request(Method::PUT, "/app/subscriptions/x", Some(&json!({})), token)).await);
    }
}

#[tokio::test]
async fn a_body_that_is_encoded_or_no_json_is_refused_before_anything_is_read() {
    let desk = Desk::new().await;
    let code = desk.code().await;
    desk.memory.reset_counts();
    let mut form = request(Method::POST, "/install", Some(&body()), Some(&code));
    form.headers_mut().insert(header::CONTENT_TYPE, "text/plain".parse().unwrap());
    let refused = desk.send(form).await;
    assert_eq!(
        (refused.code(), refused.message()),
        ("unsupported_media_type", "Send this with Content-Type: application/json.")
    );
    let mut huge = request(Method::POST, "/install", None, Some(&code));
    *huge.body_mut() = vec![b' '; 1024 * 1024 + 1].into();
    assert_eq!(desk.send(huge).await.code(), "too_large");
    assert_eq!(desk.memory.counts().reads(), 0);
}

#[tokio::test]
async fn the_shared_secret_is_what_both_sides_derive() {
    let desk = Desk::new().await;
    let (id, _, secret) = serving(&desk).await;
    let install: Install = desk.stored(&id).await.unwrap();
    let root = desk.office().world.keys.root(&install.app, &install.key, NOW).await.unwrap().unwrap();
    let derived = root.shared(&install.app, &install.id, install.generation);
    assert_eq!(derived.to_base64url().as_str(), secret);
}

#[tokio::test]
async fn nothing_that_is_logged_holds_a_secret() {
    let desk = Desk::new().await;
    let log = Log::begin();
    let code = desk.code().await;
    let begun = desk.begin(&code, &body()).await;
    desk.begin(&code, &changed("/settings/password", json!([PASSWORD]))).await;
    let wrong = json!({"registered": [{"kind": "slash_command", "token": SLASH_TOKEN}]});
    desk.complete(&code, &begun.id(), &wrong).await;
    desk.behave(Behaviour::Fails(None));
    desk.complete(&code, &begun.id(), &registered()).await;
    desk.behave(Behaviour::Agrees);
    let (id, _, secret) = serving(&desk).await;
    desk.operator(json!({"do": "show", "install_id": id})).await;
    desk.operator(json!({"do": "sing"})).await;

    let text = log.text();
    let derived = begun.body["static_token"].as_str().unwrap();
    for secret in [code.as_str(), ACCESS_TOKEN, SLASH_TOKEN, PASSWORD, derived, &secret] {
        assert!(!text.contains(secret), "{text}");
    }
    let lines = log.lines();
    let of = |route: &str| lines.iter().filter(|line| line["route"] == route).collect::<Vec<_>>();
    let operators = of("operator");
    assert_eq!((&operators[0]["function"], &operators[0]["outcome"]), (&json!("code"), &json!("done")));
    assert_eq!(operators.last().unwrap()["code"], "bad_request");
    let (first, refused) = (of("install")[0], of("complete")[1]);
    assert_eq!((&first["outcome"], &first["install"]), (&json!("pending"), &json!(begun.id())));
    assert_eq!((&refused["code"], &refused["function"]), (&json!("install_refused"), &json!("on_install")));
    assert_eq!(refused["error"], "the cause, for the log");
    assert_eq!(of("complete").last().unwrap()["outcome"], "active");
}

/// Sixteen at once, on several threads.
async fn sixteen<T: Send + 'static, F: Future<Output = T> + Send + 'static>(
    one: impl Fn(usize) -> F,
) -> Vec<T> {
    let running: Vec<_> = (0..16).map(|n| tokio::spawn(one(n))).collect();
    let mut done = Vec::new();
    for one in running {
        done.push(one.await.unwrap());
    }
    done
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_sixteen_that_begin_with_one_code_all_get_the_same_install() {
    let desk = Arc::new(Desk::new().await);
    let code = desk.code().await;
    let begun = sixteen(|_| {
        let (desk, code) = (desk.clone(), code.clone());
        async move { desk.begin(&code, &body()).await }
    })
    .await;
    for answered in &begun {
        assert_eq!((answered.status, &answered.body), (StatusCode::CREATED, &begun[0].body));
    }
    assert_eq!(desk.memory.kept(), 3, "an install, its site, its static token");

    let id = begun[0].id();
    let completed = sixteen(|_| {
        let (desk, code, id) = (desk.clone(), code.clone(), id.clone());
        async move { desk.complete(&code, &id, &registered()).await }
    })
    .await;
    assert_eq!(desk.calls().len(), 1, "one runs");
    let done = completed.iter().filter(|answered| answered.status == StatusCode::OK).count();
    let busy = completed.iter().filter(|answered| answered.code() == "unavailable").count();
    assert!(done >= 1 && done + busy == 16, "{completed:?}");
    assert!(
        completed.iter().all(|a| a.code() != "unavailable" || a.headers.contains_key(header::RETRY_AFTER))
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_sixteen_codes_for_one_site_one_begins() {
    let desk = Arc::new(Desk::new().await);
    let begun = sixteen(|_| {
        let desk = desk.clone();
        async move { desk.begin(&desk.code().await, &body()).await }
    })
    .await;
    let made = begun.iter().filter(|answered| answered.status == StatusCode::CREATED).count();
    let taken = begun.iter().filter(|answered| answered.code() == "already_installed").count();
    assert_eq!((made, taken, desk.memory.kept()), (1, 15, 3), "{begun:?}");
}
