//! What a server asks of its own install, what this version does not serve, and what is logged of it all.

use super::{bad_manage_code, changed, serving, unauthorized};
use crate::desk::{
    ACCESS_TOKEN, BOT, Behaviour, Desk, NEXT_TOKEN, NOW, OTHERS_TOKEN, PASSWORD, SITE, SLASH_TOKEN, TEAM,
    body, registered, request, rotation,
};
use crate::log_line::Log;
use cloud_apps_core::{
    operator::{OperatorAnswer, OperatorRequest},
    store::model::Install,
    testing::sample,
};
use cloud_apps_protocol::token::{Direction, Kid};
use http::{Method, StatusCode, header};
use serde_json::json;
use std::fmt::Write as _;

#[tokio::test]
async fn the_index_says_which_protocol_and_which_bundle() {
    let answered = Desk::empty().send(request(Method::GET, "/", None, None)).await;
    assert_eq!(answered.status, StatusCode::OK);
    assert_eq!(answered.body, json!({"protocol": [2], "bundle": env!("CARGO_PKG_VERSION")}));
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
    desk.operator(json!({"do": "change", "install_id": id, "patch": {"enabled": false}})).await;
    assert_ne!(desk.send(signed()).await.headers[header::ETAG], etag);
}

#[tokio::test]
async fn an_install_is_shown_to_its_own_server_only() {
    let desk = Desk::new().await;
    let (id, kid, secret) = serving(&desk).await;
    let path = format!("/install/{id}");
    let other = format!("/install/{}", sample::install_id(9));
    unauthorized(&desk.send(request(Method::GET, &path, None, None)).await);
    bad_manage_code(&desk.send(request(Method::GET, &path, None, Some(&"A".repeat(43)))).await);
    unauthorized(&desk.send(desk.signed(Method::GET, &other, "", &kid, &secret, "admin")).await);
    let forged = "A".repeat(43);
    desk.memory.reset_counts();
    unauthorized(&desk.send(desk.signed(Method::GET, &path, "", &kid, &forged, "admin")).await);
    assert_eq!(desk.memory.counts().reads(), 0);
}

#[tokio::test]
async fn a_server_sees_that_its_install_is_switched_off() {
    let desk = Desk::new().await;
    let (id, kid, secret) = serving(&desk).await;
    desk.operator(json!({"do": "change", "install_id": id, "patch": {"enabled": false}})).await;
    let path = format!("/install/{id}");
    let shown = desk.send(desk.signed(Method::GET, &path, "", &kid, &secret, "bot")).await;
    assert_eq!((shown.status, &shown.body["state"]), (StatusCode::OK, &json!("disabled")), "{shown:?}");
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
async fn changing_an_install_takes_an_admin() {
    let desk = Desk::new().await;
    let (id, kid, secret) = serving(&desk).await;
    let path = format!("/install/{id}");
    for method in [Method::PATCH, Method::DELETE] {
        let user = desk.signed(method, &path, "{}", &kid, &secret, "user");
        let refused = desk.send(user).await;
        assert_eq!((refused.status, refused.code()), (StatusCode::FORBIDDEN, "forbidden"));
        assert_eq!(
            refused.message(),
            "Only an admin of the server changes an install: send a token with the scope admin."
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
async fn the_shared_secret_is_what_both_sides_derive() {
    let desk = Desk::new().await;
    let (id, _, secret) = serving(&desk).await;
    let install: Install = desk.stored(&id).await.unwrap();
    let root = desk.management().services.keys.root(&install.app, &install.key, NOW).await.unwrap().unwrap();
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

/// Every credential that an install has in its life, on whatever way it came or went.
#[tokio::test]
async fn no_credential_of_a_life_is_logged_kept_printed_or_repeated() {
    let desk = Desk::new().await;
    let log = Log::begin();
    let (id, kid, first) = serving(&desk).await;
    let code = desk.manage_code(&id).await;
    let mut install = desk.stored(&id).await.unwrap();
    install.granted.webhooks.insert("tickets".into());
    desk.memory.put_install(install);
    let mut secrets = [
        code.as_str(),
        &first,
        ACCESS_TOKEN,
        NEXT_TOKEN,
        OTHERS_TOKEN,
        SLASH_TOKEN,
        PASSWORD,
        "a-new-password",
    ]
    .map(str::to_owned)
    .to_vec();
    secrets.push(rotation(1)["rotation"].as_str().unwrap().to_owned());
    let mut printed = String::new();
    for patch in [
        rotation(1),
        json!({"rotate": "static_token"}),
        json!({"rotate": "webhook:tickets"}),
        json!({"rotate": "bot_token", "access_token": NEXT_TOKEN}),
        json!({"rotate": "bot_token", "access_token": OTHERS_TOKEN}),
        json!({"rotate": OTHERS_TOKEN}),
        json!({"settings": {"password": "a-new-password"}}),
        json!({"settings": {"password": [OTHERS_TOKEN], "site": null}}),
        json!({"settings": OTHERS_TOKEN, "enabled": true}),
        json!({"register": [{"kind": "slash_command", "token": OTHERS_TOKEN}]}),
        json!({"unregister": [{"kind": "slash_command", "token": OTHERS_TOKEN}]}),
    ] {
        let request = json!({"do": "change", "install_id": id, "patch": patch});
        let read: OperatorRequest = serde_json::from_value(request.clone()).unwrap();
        write!(printed, "{read:?}").unwrap();
        let answer = desk.operator(request).await;
        let read: OperatorAnswer = serde_json::from_value(answer.clone()).unwrap();
        write!(printed, "{read:?}").unwrap();
        if answer.get("error").is_some() {
            printed += &answer.to_string();
        }
        let handed_over = ["shared_secret", "static_token", "webhook_secret"];
        secrets
            .extend(handed_over.iter().filter_map(|key| answer["changed"][key].as_str().map(str::to_owned)));
    }
    assert_eq!(secrets.len(), 12, "each was rotated");
    desk.behave(Behaviour::Fails(None));
    let refused = desk.patch(&id, &code, &json!({"settings": {"password": "another-password"}})).await;
    secrets.push("another-password".into());
    printed += &refused.body.to_string();
    let path = format!("/install/{id}");
    desk.send(desk.signed(Method::GET, &path, "", &kid, &first, "bot")).await;
    for ring in [json!({"do": "rotate_keys", "app": "hello"}), json!({"do": "keys", "app": "hello"})] {
        printed += &desk.operator(ring).await.to_string();
    }
    printed += &desk.memory.dump();
    printed += &desk.delete(&id, &code).await.body.to_string();
    printed += &desk.memory.dump();
    printed += &log.text();
    for (n, secret) in secrets.iter().enumerate() {
        assert!(!printed.contains(secret), "number {n} is told");
    }
}

/// What an admin's program reads of a server.
fn said() -> serde_json::Value {
    json!({"site_url": SITE, "version": "12.0.0", "mm_blocks": true, "max_post_size": 16_383,
        "integration_timeout": 30, "version_id": "12.0.0.12.0.0.3b7b.false"})
}

#[tokio::test]
async fn what_the_installer_and_later_an_admin_read_of_the_server_is_kept_and_shown() {
    let desk = Desk::new().await;
    let mut first = body();
    first["server"] = said();
    let code = desk.code().await;
    let id = desk.begin(&code, &first).await.id();
    let again = desk.begin(&code, &first).await;
    assert_eq!(
        (again.id(), desk.stored(&id).await.unwrap().rev),
        (id.clone(), 1),
        "the same again is no change"
    );
    desk.complete(&code, &id, &registered()).await;
    let manage = desk.manage_code(&id).await;
    let path = format!("/install/{id}");
    let view = async || desk.send(request(Method::GET, &path, None, Some(&manage))).await.body;
    let mut expected = said();
    expected["looked_at"] = NOW.into();
    assert_eq!(view().await["server"], expected);
    let rev = desk.stored(&id).await.unwrap().rev;

    // Only an admin can read the timeout. Who cannot leaves it out, and it stays.
    let less = json!({"server": {"site_url": SITE, "version": "12.0.0", "mm_blocks": false}});
    let changed = desk.patch(&id, &manage, &less).await;
    expected["mm_blocks"] = false.into();
    assert_eq!((changed.status, &changed.body["server"]), (StatusCode::OK, &expected), "{changed:?}");
    assert_eq!(desk.patch(&id, &manage, &less).await.body["rev"], rev + 1, "the same again is no change");
    let next = json!({"server": {"site_url": SITE, "version": "12.1.0"}});
    let changed = desk.patch(&id, &manage, &next).await;
    assert_eq!(changed.body["server"]["version"], "12.1.0", "{changed:?}");
    assert_eq!(desk.stored(&id).await.unwrap().server_version, "12.1.0");
}

#[tokio::test]
async fn what_no_server_says_of_itself_is_refused_with_its_place() {
    let desk = Desk::new().await;
    let (id, code) = super::managed(&desk).await;
    let rev = desk.stored(&id).await.unwrap().rev;
    for (key, value, problem) in [
        ("version", json!("new"), "/server/version is not a version of Mattermost"),
        (
            "site_url",
            json!("https://elsewhere.example.com"),
            "/server/site_url is not https://chat.example.com",
        ),
        ("mm_blocks", json!("true"), "/server/mm_blocks is neither true nor false"),
        ("max_post_size", json!(0), "/server/max_post_size is not a positive number"),
        ("integration_timeout", json!("30"), "/server/integration_timeout is not a positive number"),
        ("version_id", json!("x".repeat(201)), "/server/version_id is not the text"),
        ("version_id", json!("a b"), "/server/version_id is not the text"),
    ] {
        let mut server = said();
        server[key] = value;
        let refused = desk.patch(&id, &code, &json!({ "server": server })).await;
        let found = super::problems(&refused);
        assert!(found.len() == 1 && found[0].starts_with(problem), "{key}: {found:?}");
        let mut first = body();
        first["server"] = server;
        let refused = desk.begin(&desk.code().await, &first).await;
        assert!(refused.status.is_client_error(), "{key}: {refused:?}");
    }
    assert_eq!(desk.stored(&id).await.unwrap().rev, rev);
}
