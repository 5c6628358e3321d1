//! `POST /install`: what it makes, what it checks, and what everybody reads who is refused.

use super::{bad_code, changed, serving, sixteen};
use crate::desk::{
    ACCESS_TOKEN, ADMIN, Answered, BASE, Behaviour, Desk, NOW, PASSWORD, SITE, body, registered, request,
};
use cloud_apps_core::{
    random::{Random, SystemRandom},
    store::{
        model::{InstallCode, Sha256, State},
        ports::{Installs, Registry},
    },
    testing::sample,
};
use cloud_apps_protocol::{Generation, KeyId};
use http::{Method, StatusCode, header};
use secrecy::ExposeSecret;
use serde_json::json;
use std::sync::Arc;

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
                "dialogs and conversations are not served by this version of the bundle".to_owned()
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
    let token = desk.management().services.keys.open_bot_token(&install, NOW).await.unwrap();
    assert_eq!(token.token.expose_secret(), "another");
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
    assert!(refused.message().ends_with("Fix it and send it again."), "{}", refused.message());
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
             password, so it is not shown). Fix it and send it again."
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
            "hello was installed on {SITE} by user {ADMIN} on 2026-11-22 21:39 UTC and works. Remove it with `cloud-apps \
             uninstall {id}` to make room; where the server was rebuilt, ask the operator for a code with `--replace`."
        )
    );
    assert_eq!(refused.body["error"]["since"], NOW);
    desk.operator(json!({"do": "change", "install_id": id, "patch": {"enabled": false}})).await;
    let refused = desk.begin(&desk.code().await, &body()).await;
    assert!(refused.message().contains(&format!("`cloud-apps enable {id}`")), "{}", refused.message());
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
            "An installation of hello on {SITE} was begun by user {ADMIN} on 2026-11-22 21:39 UTC with another code and is not \
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
        replace: false,
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
        replace: false,
    };
    desk.memory.put_code(&kept).await.unwrap();
    let refused = desk.begin(&code, &changed("/app_id", "gone".into())).await;
    assert_eq!((refused.status, refused.code()), (StatusCode::BAD_GATEWAY, "upstream_failed"));
    assert_eq!(
        refused.message(),
        "gone is not an app of this bundle: it is neither linked into it nor registered. Deploy a bundle that links it, or \
         register it with `cloud-apps operator apps add`, then try again."
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
    // Another process, because this one has the old ring in its cache.
    desk.behave(Behaviour::Agrees);
    let again = desk.begin(&code, &body()).await;
    assert_eq!(again.id(), first.id());
    assert_eq!(again.body["kid"], format!("hello.2.{}.1", first.id()));
    assert_ne!(again.body["shared_secret"], first.body["shared_secret"]);
    assert_eq!(desk.complete(&code, &first.id(), &registered()).await.status, StatusCode::OK);
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

#[tokio::test]
async fn a_flood_of_problems_is_counted_and_the_first_are_told() {
    let desk = Desk::new().await;
    let flood = changed("/granted/permissions", json!(vec![0; 40_000]));
    let refused = desk.begin(&desk.code().await, &flood).await;
    assert_eq!((refused.status, refused.code()), (StatusCode::BAD_REQUEST, "bad_request"));
    let message = refused.message();
    assert!(
        message.starts_with("40000 things are wrong with this request, of which these are the first 50: ")
    );
    assert_eq!(refused.body["error"]["problems"].as_array().unwrap().len(), 50);
    assert!(message.len() < 10_000, "{}", message.len());
}

/// How many jobs were queued.
fn queued(desk: &Desk) -> u64 {
    desk.memory.counts().writes.get("Queue.send").copied().unwrap_or_default()
}

#[tokio::test]
async fn two_hundred_refused_installations_queue_nothing() {
    let desk = Desk::new().await;
    let site = "https://pending.example.com";
    let mut elsewhere = body();
    elsewhere["server"]["site_url"] = site.into();
    desk.begin(&desk.code_for(site).await, &elsewhere).await;
    serving(&desk).await;
    assert_eq!(queued(&desk), 2, "each has its watch");
    let (taken, begun) = (desk.code().await, desk.code_for(site).await);
    for _ in 0..50 {
        for (code, body, status) in [
            (&taken, body(), StatusCode::CONFLICT),
            (&begun, elsewhere.clone(), StatusCode::CONFLICT),
            (&taken, changed("/settings/site", json!("no url")), StatusCode::BAD_REQUEST),
            (&"B".repeat(43), body(), StatusCode::UNAUTHORIZED),
        ] {
            assert_eq!(desk.begin(code, &body).await.status, status);
        }
    }
    assert_eq!(queued(&desk), 2, "nothing else needs to be looked after");
}
