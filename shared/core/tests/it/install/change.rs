//! Changing an install: one thing at a time, completely or not at all, by callers who may.

use super::{bad_manage_code, managed, ok, problems, serving};
use crate::desk::{
    ACCESS_TOKEN, BASE, Behaviour, COMMAND, Desk, NEXT_TOKEN, NOW, OTHERS_TOKEN, PASSWORD, SLASH_TOKEN, TEAM,
    body, refusal, request, rotation,
};
use cloud_apps_core::{
    store::{
        model::{Sha256, State},
        ports::Registry,
    },
    testing::{faults::Faults, sample},
};
use http::{Method, StatusCode, header};
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use std::sync::Arc;
use tokio::sync::Notify;

const DAY: u64 = 24 * 3_600_000;
const OTHER_TEAM: &str = "eznx9z5nn7r1iq7p5pnkpgzjo2";

#[tokio::test]
async fn a_request_names_exactly_one_change() {
    let desk = Desk::new().await;
    let (id, code) = managed(&desk).await;
    for (body, said) in [
        (json!({}), "names no change. Send exactly one of settings, presets, enabled"),
        (json!([]), "The body is not a JSON object."),
        (json!({"enabled": true, "rebase": BASE}), "names enabled, rebase. Send one at a time."),
        (json!({"enabled": "yes"}), "enabled is neither true nor false"),
        (
            json!({"rotate": "everything"}),
            "rotate must be one of shared_secret, bot_token, static_token, webhook:PATH",
        ),
        (json!({"settings": []}), "settings is not an object"),
    ] {
        let refused = desk.patch(&id, &code, &body).await;
        assert_eq!((refused.status, refused.code()), (StatusCode::BAD_REQUEST, "bad_request"), "{body}");
        assert!(refused.message().contains(said), "{}", refused.message());
    }
    for (address, said) in [
        (json!(1), "rebase is not text: send the bundle's address"),
        (json!("bundle.example.com"), "rebase is not an address"),
        (json!("http://bundle.example.com"), "secrets would travel in clear. Use https."),
    ] {
        let refused = desk.refused_change(&id, &json!({"rebase": address})).await;
        assert!(refused.contains(said), "{refused}");
    }
    assert_eq!(desk.stored(&id).await.unwrap().rev, 3);
}

#[tokio::test]
async fn settings_replace_what_they_name_and_a_password_is_never_shown() {
    let desk = Desk::new().await;
    let (id, code) = managed(&desk).await;
    let changed =
        ok(desk.patch(&id, &code, &json!({"settings": {"retries": 7, "password": "another one"}})).await);
    assert_eq!(changed["settings"], json!({"site": "https://jira.example.com", "retries": 7}));
    let [.., call] = &desk.calls()[..] else { panic!("the app is asked") };
    assert_eq!((call.function.as_str(), call.password.as_deref()), ("on_configure", Some("another one")));
    assert!(!desk.memory.dump().contains("another one"));

    let unset = ok(desk.patch(&id, &code, &json!({"settings": {"retries": null, "password": null}})).await);
    assert_eq!(
        unset["settings"],
        json!({"site": "https://jira.example.com", "retries": 3}),
        "the default again"
    );
    assert_eq!(desk.calls().last().unwrap().password, None);

    let (rev, calls) = (unset["rev"].clone(), desk.calls().len());
    let same = ok(desk.patch(&id, &code, &json!({"settings": {"retries": 3}})).await);
    assert_eq!((&same["rev"], desk.calls().len()), (&rev, calls), "nothing differs: nobody is asked");
}

#[tokio::test]
async fn a_password_goes_to_no_other_address_than_it_was_given_for() {
    let desk = Desk::new().await;
    let (id, code) = managed(&desk).await;
    let (calls, evil) = (desk.calls().len(), "https://evil.example.com");
    for settings in [json!({"site": evil}), json!({"site": evil, "retries": 7})] {
        let refused = desk.patch(&id, &code, &json!({ "settings": settings })).await;
        let said = problems(&refused);
        assert_eq!(
            said,
            [
                "/settings/password was given for the current site: give it again together with the new site, or null \
              to unset it"
            ]
        );
    }
    assert_eq!((desk.stored(&id).await.unwrap().rev, desk.calls().len()), (3, calls), "nobody is asked");

    // The same address is no change, and who knows the password may take it along.
    let same = json!({"settings": {"site": "https://jira.example.com", "retries": 7}});
    ok(desk.patch(&id, &code, &same).await);
    assert_eq!(desk.calls().last().unwrap().password.as_deref(), Some(PASSWORD));
    ok(desk.patch(&id, &code, &json!({"settings": {"site": evil, "password": "of evil"}})).await);
    assert_eq!(desk.calls().last().unwrap().password.as_deref(), Some("of evil"));
    ok(desk.patch(&id, &code, &json!({"settings": {"site": BASE, "password": null}})).await);
    assert_eq!(desk.calls().last().unwrap().password, None);
    ok(desk.patch(&id, &code, &json!({"settings": {"site": evil}})).await);
}

#[tokio::test]
async fn everything_that_is_wrong_with_settings_is_said_at_once_and_nothing_changes() {
    let desk = Desk::new().await;
    let (id, code) = managed(&desk).await;
    let calls = desk.calls().len();
    let wrong = json!({"settings": {"site": null, "retries": "many", "colour": "red", "password": PASSWORD.repeat(2)}});
    let said = problems(&desk.patch(&id, &code, &wrong).await);
    assert_eq!(said.len(), 4, "{said:?}");
    for pointer in [
        "/settings/site is required",
        "/settings/retries",
        "/settings/colour is no setting of hello",
        "/settings/password",
    ] {
        assert!(said.iter().any(|problem| problem.starts_with(pointer)), "{pointer}: {said:?}");
    }
    let unknown = desk.patch(&id, &code, &json!({"settings": {"colour": null}})).await;
    assert!(unknown.message().contains("it has: site, password, retries"), "{}", unknown.message());
    assert_eq!((desk.stored(&id).await.unwrap().rev, desk.calls().len()), (3, calls));
}

#[tokio::test]
async fn settings_that_the_app_refuses_are_not_kept_and_its_words_stand_at_the_field() {
    let desk = Desk::new().await;
    let (id, code) = managed(&desk).await;
    desk.behave(refusal("Nobody answers there."));
    let refused = desk.patch(&id, &code, &json!({"settings": {"retries": 9}})).await;
    assert_eq!((refused.status, refused.code()), (StatusCode::UNPROCESSABLE_ENTITY, "install_refused"));
    assert_eq!(
        refused.message(),
        "hello refused the settings, and nothing was changed: Nobody answers there."
    );
    desk.behave(Behaviour::Panics);
    let broken = desk.patch(&id, &code, &json!({"settings": {"retries": 9}})).await;
    assert!(
        broken.message().contains("could not take the settings, and nothing was changed"),
        "{}",
        broken.message()
    );
    assert_eq!(desk.stored(&id).await.unwrap().rev, 3);
}

#[tokio::test]
async fn of_two_that_configure_at_once_one_asks_the_app_and_the_other_reads_when_to_ask_again() {
    let desk = Desk::new().await;
    let (id, code) = managed(&desk).await;
    let (began, go_on) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    desk.behave(Behaviour::Waits(Arc::clone(&began), Arc::clone(&go_on)));
    let calls = desk.calls().len();
    let configure = |retries: u32| json!({"settings": { "retries": retries }});
    let (one, two) = (configure(5), configure(6));
    let (first, second) = tokio::join!(desk.patch(&id, &code, &one), async {
        began.notified().await;
        let second = desk.patch(&id, &code, &two).await;
        go_on.notify_one();
        second
    });
    assert_eq!(ok(first)["settings"]["retries"], 5);
    assert_eq!((second.status, second.code()), (StatusCode::SERVICE_UNAVAILABLE, "unavailable"));
    assert!(second.message().contains("Ask again in 30 s"), "{}", second.message());
    assert_eq!(
        (&second.headers[header::RETRY_AFTER], desk.calls().len()),
        (&"30".parse().unwrap(), calls + 1)
    );
    desk.behave(Behaviour::Agrees);
    assert_eq!(ok(desk.patch(&id, &code, &two).await)["settings"]["retries"], 6);
}

#[tokio::test]
async fn presets_are_held_to_the_rules_of_the_manifest() {
    let desk = Desk::new().await;
    let (id, code) = managed(&desk).await;
    let preset = |name: &str, function: &str| json!({"name": name, "label": "Greet", "function": function, "locations": ["message_box"]});
    let good = json!({"presets": [preset("hi", "greet")]});
    let changed = ok(desk.patch(&id, &code, &good).await);
    assert_eq!(changed["presets"][0]["name"], "hi");
    assert_eq!(desk.stored(&id).await.unwrap().presets.len(), 1);
    let mut elsewhere = preset("menu", "greet");
    elsewhere["locations"] = json!(["post_menu"]);
    let wrong = json!({"presets": [
        preset("greet", "greet"), preset("help", "greet"), preset("x", "sing"), preset("hi", "greet"),
        preset("hi", "greet"), elsewhere,
    ]});
    let said = problems(&desk.patch(&id, &code, &wrong).await);
    for pointer in [
        "/presets/0/name",
        "/presets/1/name",
        "/presets/2/function",
        "/presets/4/name",
        "/presets/5/locations",
    ] {
        assert!(said.iter().any(|problem| problem.starts_with(pointer)), "{pointer}: {said:#?}");
    }
    let shapeless = problems(&desk.patch(&id, &code, &json!({"presets": [{"name": "hi"}, 7]})).await);
    assert!(shapeless[0].contains("send name, label, function, values and locations"), "{shapeless:?}");
    let misplaced =
        [json!({"kind": "s3cret"}), json!({"name": "s3cret!"}), json!({"name": "hi", "s3cret": 1})];
    for (what, entry) in
        [("presets", &misplaced[1]), ("presets", &misplaced[2]), ("unregister", &misplaced[0])]
    {
        let said = problems(&desk.patch(&id, &code, &json!({ what: [entry] })).await);
        assert!(!said[0].contains("s3cret"), "{said:?}");
    }
    let many: Vec<Value> = (0..101).map(|n| preset(&format!("p{n}"), "greet")).collect();
    assert!(problems(&desk.patch(&id, &code, &json!({ "presets": many })).await)[0].contains("101 entries"));
    assert_eq!(desk.stored(&id).await.unwrap().presets.len(), 1, "what is refused changes nothing");
    ok(desk.patch(&id, &code, &json!({"presets": []})).await);
    assert!(desk.stored(&id).await.unwrap().presets.is_empty());
}

#[tokio::test]
async fn a_bots_token_is_replaced_by_one_that_the_server_knows_as_the_bots() {
    let desk = Desk::new().await;
    let (id, code) = managed(&desk).await;
    let rotate = |token: &str| json!({"rotate": "bot_token", "access_token": token});
    for (token, said) in [
        (OTHERS_TOKEN, "This is a token of @alice, and the bot of this install is @hello"),
        ("nobodys", "does not know this token. Make one for @hello"),
        ("with a space", "access_token is not an access token"),
    ] {
        let refused = desk.patch(&id, &code, &rotate(token)).await;
        assert_eq!(refused.code(), "bad_request");
        assert!(refused.message().contains(said), "{}", refused.message());
    }
    let missing = desk.patch(&id, &code, &json!({"rotate": "bot_token"})).await;
    assert_eq!(missing.body["error"]["pointer"], "/access_token");
    assert_eq!(desk.stored(&id).await.unwrap().rev, 3);
    ok(desk.patch(&id, &code, &rotate(NEXT_TOKEN)).await);
    let install = desk.stored(&id).await.unwrap();
    let held = desk.process(&Faults::none()).services.keys.open_bot_token(&install, NOW).await.unwrap();
    assert_eq!(held.token.expose_secret(), NEXT_TOKEN);
    assert!(!desk.memory.dump().contains(NEXT_TOKEN) && !desk.memory.dump().contains(ACCESS_TOKEN));
}

#[tokio::test]
async fn the_end_of_a_bots_token_is_kept_shown_and_replaced_with_the_token() {
    const TOKEN: &str = "hkyq1ihh3b4jrfzhd4xm6wpfoa";
    let desk = Desk::new().await;
    let mut begun = body();
    begun["bot"]["token_id"] = TOKEN.into();
    begun["bot"]["expires_at"] = (NOW + 30 * 86_400_000).into();
    let id = desk.install(&desk.code().await, &begun).await;
    let shown = desk.operator(json!({"do": "show", "install_id": id})).await;
    assert_eq!(shown["bot_token_expires_at"], NOW + 30 * 86_400_000);
    assert_eq!(desk.stored(&id).await.unwrap().bot_token_id.unwrap().as_str(), TOKEN);

    let rotate = |more: Value| {
        let mut patch = json!({"rotate": "bot_token", "access_token": NEXT_TOKEN});
        patch.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        patch
    };
    let changed = desk.change(&id, &rotate(json!({"token_id": TOKEN, "expires_at": NOW + 1}))).await;
    assert_eq!(changed["bot_token_expires_at"], NOW + 1);
    // Mattermost writes 0 for a token that does not end.
    for never in [json!({"expires_at": 0}), json!({"expires_at": null}), json!({})] {
        let changed = desk.change(&id, &rotate(never)).await;
        assert_eq!(changed.get("bot_token_expires_at"), None);
        assert_eq!(desk.stored(&id).await.unwrap().bot_token_id, None);
    }
    for (wrong, said) in [
        (json!({"expires_at": "tomorrow"}), "/expires_at is not a time in Unix milliseconds"),
        (json!({"expires_at": -1}), "/expires_at is not a time in Unix milliseconds"),
        (json!({"token_id": "../me"}), "/token_id"),
    ] {
        let refused = desk.refused_change(&id, &rotate(wrong)).await;
        assert!(refused.contains(said), "{refused}");
    }
}

#[tokio::test]
async fn a_static_token_is_replaced_and_only_where_there_is_one() {
    let desk = Desk::new().await;
    let (id, ..) = serving(&desk).await;
    let before = desk.stored(&id).await.unwrap().static_token;
    let first = desk.change(&id, &json!({"rotate": "static_token"})).await["static_token"].clone();
    let second = desk.change(&id, &json!({"rotate": "static_token"})).await["static_token"].clone();
    let kept = desk.stored(&id).await.unwrap().static_token;
    assert!(first != second && kept != before);
    assert_eq!(kept, Some(Sha256::of(second.as_str().unwrap())));
    let mut without = desk.stored(&id).await.unwrap();
    without.static_token = None;
    desk.memory.put_install(without);
    let refused = desk.refused_change(&id, &json!({"rotate": "static_token"})).await;
    assert!(refused.contains("asked for when the app is installed"), "{refused}");
    let webhook = desk.refused_change(&id, &json!({"rotate": "webhook:jira"})).await;
    assert!(webhook.contains("no webhook of that path; it has: none"), "{webhook}");
}

#[tokio::test]
async fn a_vendors_webhook_has_another_secret_after_each_rotation() {
    let desk = Desk::new().await;
    let (id, ..) = serving(&desk).await;
    let mut install = desk.stored(&id).await.unwrap();
    install.granted.webhooks.insert("tickets".into());
    desk.memory.put_install(install);
    let rotate = json!({"rotate": "webhook:tickets"});
    let secret = |changed: &Value| changed["webhook_secret"].as_str().unwrap().to_owned();
    let first = secret(&desk.change(&id, &rotate).await);
    let second = secret(&desk.change(&id, &rotate).await);
    assert_ne!(first, second);
    let kept = &desk.stored(&id).await.unwrap().webhooks["tickets"];
    assert_eq!((kept.generation, kept.previous_until), (2, NOW + DAY));
    assert!(!desk.memory.dump().contains(&first) && !desk.memory.dump().contains(&second));
    let other = desk.refused_change(&id, &json!({"rotate": "webhook:sales"})).await;
    assert!(other.contains("it has: tickets"), "{other}");
}

#[tokio::test]
async fn an_unmodified_servers_install_has_no_shared_secret_to_rotate() {
    let desk = Desk::new().await;
    let (id, ..) = serving(&desk).await;
    let mut install = desk.stored(&id).await.unwrap();
    install.generation.0 = 0;
    desk.memory.put_install(install);
    let refused = desk.refused_change(&id, &rotation(1)).await;
    assert!(refused.contains("its server does not speak V2"), "{refused}");
}

#[tokio::test]
async fn commands_of_further_teams_come_and_go() {
    let desk = Desk::new().await;
    let (id, code) = managed(&desk).await;
    let token = "hr75w5inzfn75kzmgg8cozbgm2";
    let entry = json!({"kind": "slash_command", "team_id": OTHER_TEAM, "id": COMMAND, "trigger": "hello", "token": token});
    let registered = ok(desk.patch(&id, &code, &json!({"register": [entry]})).await);
    assert_eq!(registered["teams"], json!([OTHER_TEAM, TEAM]));
    assert_eq!(registered["registered"].as_array().unwrap().len(), 2);
    assert!(!registered.to_string().contains(token) && !desk.memory.dump().contains(token));
    let again = ok(desk.patch(&id, &code, &json!({"register": [entry]})).await);
    assert_eq!(again["rev"], registered["rev"], "what is so already is not written");

    let gone = json!({"kind": "slash_command", "team_id": OTHER_TEAM, "id": COMMAND, "trigger": "hello"});
    let unregistered = ok(desk.patch(&id, &code, &json!({"unregister": [gone]})).await);
    assert_eq!(unregistered["teams"], json!([TEAM]));
    ok(desk.patch(&id, &code, &json!({"unregister": [gone]})).await);

    let wrong = json!({"register": [{"kind": "slash_command", "team_id": "x", "id": COMMAND, "trigger": "jira", "token": SLASH_TOKEN}]});
    let said = problems(&desk.patch(&id, &code, &wrong).await);
    assert!(said.len() == 2 && said.iter().all(|problem| problem.starts_with("/register/0/")), "{said:?}");
    let bot = json!({"unregister": [{"kind": "bot", "id": "ft1du16ho78a8ed76wcngpuswe", "username": "hello"}, {"kind": "sun"}]});
    let said = problems(&desk.patch(&id, &code, &bot).await);
    assert!(said[0].contains("remove the install instead") && said.len() == 2, "{said:?}");
    let many: Vec<Value> = std::iter::repeat_n(gone, 91).collect();
    let said = problems(&desk.patch(&id, &code, &json!({ "unregister": many })).await);
    assert!(said[0].contains("has 91 entries, and 90 fit in one request"), "{said:?}");
}

#[tokio::test]
async fn an_install_without_its_command_needs_sync() {
    let desk = Desk::new().await;
    let (id, code) = managed(&desk).await;
    let mut install = desk.stored(&id).await.unwrap();
    install.generation.0 = 0;
    desk.memory.put_install(install);
    let gone = json!({"kind": "slash_command", "team_id": TEAM, "id": COMMAND, "trigger": "hello"});
    let changed = ok(desk.patch(&id, &code, &json!({"unregister": [gone]})).await);
    let waits = changed["unavailable"].as_array().unwrap();
    assert!(
        waits.iter().any(|u| u["name"] == "/hello" && u["reason"] == "needs sync: run `cloud-apps sync`"),
        "{waits:?}"
    );
    assert!(
        desk.memory.teams(&id.parse().unwrap()).await.unwrap().is_empty(),
        "no empty team is left behind"
    );
}

#[tokio::test]
async fn an_install_moves_with_the_bundle() {
    let desk = Desk::new().await;
    let (id, ..) = serving(&desk).await;
    let moved = desk.change(&id, &json!({"rebase": "https://new.example.com/"})).await;
    assert_eq!(moved["endpoints"]["slash"], format!("https://new.example.com/hooks/{id}/slash"));
}

#[tokio::test]
async fn a_change_builds_on_the_revision_that_it_names() {
    let desk = Desk::new().await;
    let (id, code) = managed(&desk).await;
    let path = format!("/install/{id}");
    let shown = desk.send(request(Method::GET, &path, None, Some(&code))).await;
    let etag = shown.headers[header::ETAG].to_str().unwrap().to_owned();
    let with = |tag: &str, enabled: bool| {
        let mut request = request(Method::PATCH, &path, Some(&json!({ "enabled": enabled })), Some(&code));
        request.headers_mut().insert(header::IF_MATCH, tag.parse().unwrap());
        request
    };
    let changed = ok(desk.send(with(&etag, false)).await);
    for stale in [etag.as_str(), "\"3\"", "3"] {
        let refused = desk.send(with(stale, true)).await;
        assert_eq!((refused.status, refused.code()), (StatusCode::CONFLICT, "version_conflict"), "{stale}");
        assert!(refused.message().contains("it is at revision 4 now"), "{}", refused.message());
    }
    assert_eq!(changed["rev"], 4);
    ok(desk.send(with("\"4\"", true)).await);
    let operator = json!({"do": "change", "install_id": id, "patch": {"enabled": false}, "if_match": 4});
    assert_eq!(desk.operator(operator).await["error"]["code"], "version_conflict");
}

#[tokio::test]
async fn of_sixteen_changes_of_one_revision_one_is_made_and_the_others_read_that_it_was() {
    let desk = std::sync::Arc::new(Desk::new().await);
    let (id, code) = managed(&desk).await;
    let answered = super::sixteen(|n| {
        let (desk, id, code) = (desk.clone(), id.clone(), code.clone());
        async move {
            let mut request = request(
                Method::PATCH,
                &format!("/install/{id}"),
                Some(&json!({"settings": {"retries": n}})),
                Some(&code),
            );
            request.headers_mut().insert(header::IF_MATCH, "3".parse().unwrap());
            desk.send(request).await
        }
    })
    .await;
    assert_eq!(answered.iter().filter(|a| a.status == StatusCode::OK).count(), 1);
    assert!(answered.iter().filter(|a| a.status != StatusCode::OK).all(|a| a.code() == "version_conflict"));
}

#[tokio::test]
async fn a_manage_code_is_good_for_its_install_until_it_expires_or_is_revoked() {
    let mut desk = Desk::new().await;
    let (id, code) = managed(&desk).await;
    let path = format!("/install/{id}");
    let get = |path: &str, code: &str| request(Method::GET, path, None, Some(code));
    assert_eq!(ok(desk.send(get(&path, &code)).await)["state"], "active");
    bad_manage_code(&desk.send(get(&format!("/install/{}", sample::install_id(9)), &code)).await);
    bad_manage_code(&desk.send(get(&path, &"B".repeat(43))).await);
    bad_manage_code(&desk.send(get(&path, "short")).await);
    let install_code = desk.code_for("https://other.example.com").await;
    bad_manage_code(&desk.send(get(&path, &install_code)).await);
    for method in [Method::PATCH, Method::DELETE] {
        bad_manage_code(
            &desk.send(request(method, &path, Some(&json!({"enabled": false})), Some("short"))).await,
        );
    }
    desk.operator(json!({"do": "revoke_manage_codes", "install_id": id})).await;
    bad_manage_code(&desk.patch(&id, &code, &json!({"enabled": false})).await);
    desk.now += 1;
    let next = desk.manage_code(&id).await;
    ok(desk.send(get(&path, &next)).await);
    desk.now += 15 * 60_000;
    bad_manage_code(&desk.send(get(&path, &next)).await);
    let long = desk.operator(json!({"do": "manage_code", "install_id": id, "valid_seconds": 86_401})).await;
    assert!(long["error"]["message"].as_str().unwrap().contains("1 to 86400 seconds"), "{long}");
    assert!(!desk.memory.dump().contains(&next));
}

#[tokio::test]
async fn a_servers_token_changes_an_install_once() {
    let desk = Desk::new().await;
    let (id, kid, secret) = serving(&desk).await;
    let path = format!("/install/{id}");
    let send = || desk.signed(Method::PATCH, &path, r#"{"enabled":false}"#, &kid, &secret, "admin");
    let first = send();
    ok(desk.send(first.clone()).await);
    let refused = desk.send(first).await;
    assert_eq!((refused.status, refused.code()), (StatusCode::CONFLICT, "duplicate"));
    for scope in ["user", "bot"] {
        let refused =
            desk.send(desk.signed(Method::PATCH, &path, r#"{"enabled":true}"#, &kid, &secret, scope)).await;
        assert_eq!((refused.status, refused.code()), (StatusCode::FORBIDDEN, "forbidden"));
    }
    assert_eq!(desk.stored(&id).await.unwrap().rev, 4);
}

#[tokio::test]
async fn a_team_that_cannot_be_read_keeps_back_no_secret_and_no_change() {
    let desk = Desk::new().await;
    let id = desk.install(&desk.code().await, &body()).await;
    desk.memory.spoil_teams(id.parse().unwrap());
    for (patch, handed_over) in [
        (rotation(1), Some("shared_secret")),
        // Its answer was lost.
        (rotation(1), Some("shared_secret")),
        (json!({"rotate": "static_token"}), Some("static_token")),
        (json!({"enabled": false}), None),
    ] {
        let changed = desk.change(&id, &patch).await;
        if let Some(secret) = handed_over {
            assert!(changed[secret].is_string(), "{patch}: {changed}");
        }
        let reason = changed["unavailable"][0]["reason"].as_str().unwrap_or_default();
        assert!(reason.contains("cannot be read"), "{patch}: {changed}");
    }
    assert_eq!(desk.stored(&id).await.unwrap().state, State::Disabled);
}
