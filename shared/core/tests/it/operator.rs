//! What operators ask, and what no HTTP request can ask.

use crate::desk::{BASE, Desk, NOW, PASSWORD, SITE, TEAM, body};
use cloud_apps_core::{
    operator,
    operator::{OperatorAnswer, OperatorRequest, is_operator},
    store::{
        model::Sha256,
        ports::{Apps, Installs, Keys, Registry},
    },
    testing::{
        faults::{Fault, Faults},
        sample,
    },
};
use proptest::prelude::*;
use serde_json::{Value, json};

fn code_request() -> Value {
    json!({"do": "code", "app": "hello", "site_url": SITE, "base_url": BASE})
}

fn message(answer: &Value) -> &str {
    answer["error"]["message"].as_str().unwrap_or_else(|| panic!("no error: {answer}"))
}

#[tokio::test]
async fn an_operator_reads_what_a_store_said() {
    let process = Desk::new().await.process(&Faults::at(1, Fault::Before));
    let list = json!({"operator": {"do": "list", "app": "hello"}});
    let answer = operator::handle(&process, list, NOW, "request-1").await;
    assert_eq!(answer["error"]["code"], "unavailable", "{answer}");
    assert!(
        message(&answer).contains("Registry.list")
            && message(&answer).contains("a fault that a test asked for")
    );
}

#[tokio::test]
async fn codes_that_are_revoked_are_never_told_as_an_error() {
    for n in 1.. {
        let desk = Desk::new().await;
        let id = desk.install(&desk.code().await, &body()).await;
        let faults = Faults::at(n, Fault::Before);
        let request = json!({"operator": {"do": "revoke_manage_codes", "install_id": id}});
        let answer = operator::handle(&desk.process(&faults), request, NOW, "request-1").await;
        if !faults.struck() {
            break;
        }
        let stored = Installs::find(&desk.memory, &id.parse().unwrap()).await.unwrap().unwrap();
        assert_eq!(answer.get("error").is_none(), stored.codes_void_until.is_some(), "{n}: {answer}");
    }
}

#[tokio::test]
async fn registering_puts_the_linked_apps_in_the_catalogue_and_makes_their_rings_once() {
    let desk = Desk::empty();
    let expected = json!({"apps": [
        {"id": "hello", "version": "1.0.0", "display_name": "Hello", "linked": true},
    ]});
    assert_eq!(desk.operator(json!({"do": "register"})).await, expected);
    let ring = desk.memory.ring(&sample::app()).await.unwrap().unwrap();
    let rev = desk.memory.all().await.unwrap().rev;
    assert_eq!(desk.operator(json!({"do": "register"})).await, expected);
    assert_eq!(desk.operator(json!({"do": "apps"})).await, expected);
    let again = desk.memory.ring(&sample::app()).await.unwrap().unwrap();
    assert_eq!(again.keys[0].root.expose(), ring.keys[0].root.expose());
    assert_eq!(desk.memory.all().await.unwrap().rev, rev, "what is so already is not written");
}

#[tokio::test]
async fn an_app_that_is_not_linked_any_more_leaves_the_catalogue_and_a_registered_one_stays() {
    let desk = Desk::new().await;
    let mut catalogue = desk.memory.all().await.unwrap();
    for (id, linked) in [("gone", true), ("remote", false)] {
        let mut entry = catalogue.apps[&sample::app()].clone();
        entry.id = id.parse().unwrap();
        entry.linked = linked;
        catalogue.apps.insert(entry.id.clone(), entry);
    }
    desk.memory.put_catalogue(&catalogue, catalogue.rev).await.unwrap();
    let apps = desk.operator(json!({"do": "register"})).await;
    let ids: Vec<_> = apps["apps"].as_array().unwrap().iter().map(|app| app["id"].clone()).collect();
    assert_eq!(ids, [json!("hello"), json!("remote")]);
}

#[tokio::test]
async fn the_first_request_that_names_an_app_makes_its_ring() {
    let desk = Desk::empty();
    assert!(desk.operator(code_request()).await["code"].is_string());
    assert!(desk.memory.ring(&sample::app()).await.unwrap().is_some());
}

#[tokio::test]
async fn a_code_is_32_random_bytes_kept_as_a_hash_until_it_expires() {
    let desk = Desk::new().await;
    let mut seen = std::collections::BTreeSet::new();
    for (valid, expires) in [(None, 900_000), (Some(1), 1_000), (Some(86_400), 86_400_000)] {
        let mut request = code_request();
        if let Some(valid) = valid {
            request["valid_seconds"] = valid.into();
        }
        let answer = desk.operator(request).await;
        let code = answer["code"].as_str().unwrap().to_owned();
        assert_eq!(data_encoding::BASE64URL_NOPAD.decode(code.as_bytes()).unwrap().len(), 32);
        assert_eq!(answer["expires_at"], NOW + expires);
        let kept = desk.memory.code(&Sha256::of(&code)).await.unwrap().unwrap();
        assert_eq!((kept.exp, kept.base_url.as_str()), (NOW + expires, BASE));
        assert!(seen.insert(code));
    }
}

#[tokio::test]
async fn every_request_that_is_refused_says_what_to_do() {
    let desk = Desk::new().await;
    let with = |key: &str, value: Value| {
        let mut request = code_request();
        request[key] = value;
        request
    };
    let absent = sample::install_id(9);
    for (request, code, pointer, words) in [
        (
            with("app", "jira".into()),
            "bad_request",
            "/operator/app",
            "There is no app jira in this bundle; it has hello. Check the name, deploy a bundle that links it, or register it \
             with `cloud-apps operator apps add`.",
        ),
        (
            with("site_url", "http://chat.example.com".into()),
            "bad_request",
            "/operator/site_url",
            "http://chat.example.com does not begin with https, and secrets would travel in clear. Use https.",
        ),
        (
            with("base_url", "http://bundle.example.com".into()),
            "bad_request",
            "/operator/base_url",
            "Use https.",
        ),
        (
            with("valid_seconds", 86_401.into()),
            "bad_request",
            "/operator/valid_seconds",
            "A code is good for 1 to 86400 seconds (24 hours).",
        ),
        (
            with("valid_seconds", 0.into()),
            "bad_request",
            "/operator/valid_seconds",
            "A code is good for 1 to 86400 seconds (24 hours).",
        ),
        (
            json!({"do": "show", "install_id": absent}),
            "bad_request",
            "/operator/install_id",
            "`cloud-apps list APP` shows the installs of an app.",
        ),
        (
            json!({"do": "change", "install_id": absent, "patch": {"enabled": false}}),
            "bad_request",
            "/operator/install_id",
            "There is no install",
        ),
        (
            json!({"do": "sing"}),
            "bad_request",
            "/operator",
            "Use the `cloud-apps` of the version that is deployed.",
        ),
        (
            json!({"do": "show", "install_id": absent, "extra": 1}),
            "bad_request",
            "/operator",
            "unknown field `extra`",
        ),
        (json!({}), "bad_request", "/operator", "missing field `do`"),
        (
            json!({"do": "list", "app": "hello", "cursor": "x"}),
            "bad_request",
            "",
            "this is not a cursor of this list. Leave it out to begin at the start",
        ),
    ] {
        let answer = desk.operator(request.clone()).await;
        assert_eq!(answer["error"]["code"], code, "{request}: {answer}");
        assert_eq!(answer["error"]["pointer"].as_str().unwrap_or_default(), pointer, "{request}");
        assert_eq!(answer["error"]["request_id"], "request-1");
        assert!(message(&answer).contains(words), "{request}: {answer}");
    }
    let nobodys =
        operator::handle(&desk.management(), json!({"operator": {"do": "apps"}, "x": 1}), NOW, "r").await;
    assert_eq!(message(&nobodys), "An operator's request is {\"operator\":{\"do\":…}} and nothing else.");
}

#[tokio::test]
async fn a_code_for_a_server_on_the_same_machine_needs_no_https() {
    let desk = Desk::new().await;
    for address in
        ["http://localhost:8065", "http://127.0.0.1:8065", "http://[::1]:8065", "http://a.localhost"]
    {
        let mut request = code_request();
        request["site_url"] = address.into();
        request["base_url"] = address.into();
        assert!(desk.operator(request).await["code"].is_string(), "{address}");
    }
}

#[tokio::test]
async fn installs_are_listed_by_site_a_hundred_at_a_time() {
    let desk = Desk::new().await;
    for n in 1..=101 {
        desk.memory.put_install(sample::install(n));
    }
    let first = desk.operator(json!({"do": "list", "app": "hello"})).await;
    assert_eq!(first["installs"].as_array().unwrap().len(), 100);
    assert_eq!(
        first["installs"][0],
        json!({"install_id": sample::install_id(1), "site_url": sample::site(1), "created_at": 1})
    );
    let next = desk.operator(json!({"do": "list", "app": "hello", "cursor": first["cursor"]})).await;
    assert_eq!(next["installs"].as_array().unwrap().len(), 1);
    assert!(next.get("cursor").is_none());
    assert_eq!(desk.operator(json!({"do": "list", "app": "other"})).await, json!({"installs": []}));
}

#[tokio::test]
async fn an_install_is_shown_without_its_secrets_and_switched_off_and_on() {
    let desk = Desk::new().await;
    let id = desk.install(&desk.code().await, &body()).await;
    let shown = desk.operator(json!({"do": "show", "install_id": id})).await;
    assert_eq!((&shown["state"], &shown["teams"]), (&json!("active"), &json!([TEAM])));
    assert!(!shown.to_string().contains(PASSWORD));
    let mut rev = shown["rev"].as_u64().unwrap();
    for (enabled, state) in [(false, "disabled"), (true, "active")] {
        for changes in [1, 0] {
            let request = json!({"do": "change", "install_id": id, "patch": {"enabled": enabled}});
            let answer = desk.operator(request).await["changed"].clone();
            rev += changes;
            assert_eq!((&answer["state"], &answer["rev"]), (&json!(state), &json!(rev)), "{answer}");
        }
    }
}

#[tokio::test]
async fn an_install_that_is_not_complete_is_not_switched() {
    let desk = Desk::new().await;
    let id = desk.begin(&desk.code().await, &body()).await.id();
    let answer = desk.operator(json!({"do": "change", "install_id": id, "patch": {"enabled": false}})).await;
    assert_eq!(answer["error"]["code"], "version_conflict");
    assert_eq!(
        message(&answer),
        format!(
            "{id} is not installed completely yet. Finish the installation, or remove it with `cloud-apps uninstall`; \
             then change it."
        )
    );
}

#[tokio::test]
async fn an_install_whose_app_is_not_linked_any_more_is_shown_and_switched_without_its_settings() {
    let desk = Desk::new().await;
    let mut install = sample::install(1);
    install.app = "gone".parse().unwrap();
    install.settings.insert("password".into(), PASSWORD.into());
    desk.memory.put_install(install.clone());
    let shown = desk.operator(json!({"do": "show", "install_id": install.id})).await;
    let off = json!({"do": "change", "install_id": install.id, "patch": {"enabled": false}});
    let changed = desk.operator(off).await["changed"].clone();
    for (answer, state) in [(shown, "active"), (changed, "disabled")] {
        assert_eq!((&answer["state"], &answer["settings"]), (&json!(state), &json!({})), "{answer}");
        assert_eq!(
            answer["unavailable"][0]["reason"],
            "gone is not an app of this bundle: it is neither linked into it nor registered. Deploy a bundle that links it, or \
             register it with `cloud-apps operator apps add`, then try again."
        );
    }
}

#[test]
fn requests_and_answers_read_back_and_a_code_is_not_printed() {
    let requests = [
        json!({"do": "register"}),
        json!({"do": "apps"}),
        json!({"do": "code", "app": "hello", "site_url": SITE, "base_url": BASE, "valid_seconds": 900}),
        json!({"do": "list", "app": "hello"}),
        json!({"do": "list", "app": "hello", "cursor": "x"}),
        json!({"do": "show", "install_id": sample::install_id(1)}),
        json!({"do": "change", "install_id": sample::install_id(1), "patch": {"enabled": false}, "if_match": 3}),
        json!({"do": "remove", "install_id": sample::install_id(1)}),
        json!({"do": "manage_code", "install_id": sample::install_id(1), "valid_seconds": 900}),
        json!({"do": "revoke_manage_codes", "install_id": sample::install_id(1)}),
        json!({"do": "keys", "app": "hello"}),
        json!({"do": "rotate_keys", "app": "hello"}),
        json!({"do": "revoke_key", "app": "hello", "key": "1"}),
    ];
    for request in requests {
        let read: OperatorRequest = serde_json::from_value(request.clone()).unwrap();
        assert_eq!(read.payload(), json!({ "operator": request }));
        assert!(is_operator(&read.payload()));
    }
    let code = "c".repeat(43);
    let answer: OperatorAnswer = serde_json::from_value(json!({"code": code, "expires_at": 1})).unwrap();
    assert!(matches!(&answer, OperatorAnswer::Code { code: c, .. } if *c == code));
    assert!(!format!("{answer:?}").contains(&code));
    let error =
        json!({"error": {"code": "bad_request", "message": "No.", "request_id": "r", "pointer": "/x"}});
    let answer: OperatorAnswer = serde_json::from_value(error.clone()).unwrap();
    assert!(matches!(answer, OperatorAnswer::Error(_)));
    assert_eq!(serde_json::to_value(&answer).unwrap(), error);
}

#[tokio::test]
async fn an_answer_reads_back_as_what_it_is() {
    let desk = Desk::new().await;
    let id = desk.install(&desk.code().await, &body()).await;
    let read = async |request: Value| {
        serde_json::from_value::<OperatorAnswer>(desk.operator(request).await).unwrap()
    };
    assert!(matches!(read(json!({"do": "apps"})).await, OperatorAnswer::Apps { .. }));
    assert!(matches!(read(json!({"do": "list", "app": "hello"})).await, OperatorAnswer::Installs { .. }));
    assert!(matches!(read(json!({"do": "show", "install_id": id})).await, OperatorAnswer::Install(_)));
}

/// What API Gateway hands to the function for a request with this body and this path.
fn gateway(path: &str, headers: &Value, body: &str, encoded: bool) -> Value {
    json!({
        "version": "2.0",
        "routeKey": format!("POST {path}"),
        "rawPath": path,
        "rawQueryString": "operator=1",
        "queryStringParameters": {"operator": "1"},
        "headers": headers,
        "requestContext": {
            "accountId": "123456789012",
            "apiId": "api",
            "domainName": "api.execute-api.us-east-1.amazonaws.com",
            "http": {"method": "POST", "path": path, "protocol": "HTTP/1.1", "sourceIp": "192.0.2.1", "userAgent": "x"},
            "requestId": "r",
            "routeKey": format!("POST {path}"),
            "stage": "$default",
            "timeEpoch": 1,
        },
        "pathParameters": {"operator": "x"},
        "body": body,
        "isBase64Encoded": encoded,
    })
}

#[test]
fn an_event_of_api_gateway_never_looks_like_an_operators_request() {
    let hostile = json!({"operator": {"do": "apps"}}).to_string();
    for event in [
        gateway("/install", &json!({}), &hostile, false),
        gateway("/install", &json!({}), &data_encoding::BASE64.encode(hostile.as_bytes()), true),
        gateway("/operator", &json!({"operator": "{\"do\":\"apps\"}"}), "", false),
        gateway("/", &json!({}), "\"},\"operator\":{\"do\":\"apps\"}}", false),
        serde_json::from_str(include_str!("../../../../events/index.json")).unwrap(),
        serde_json::from_str(include_str!("../../../../events/install-get.json")).unwrap(),
        json!({"Records": []}),
        json!({"operator": {}, "version": "2.0"}),
        json!(["operator"]),
        json!("operator"),
        json!({}),
        Value::Null,
    ] {
        assert!(!is_operator(&event), "{event}");
    }
    assert!(is_operator(
        &serde_json::from_str(include_str!("../../../../events/install-operator.json")).unwrap()
    ));
}

proptest! {
    #[test]
    fn whatever_a_stranger_sends_does_not_look_like_an_operators_request(
        path in ".{0,40}", name in "[a-z-]{1,12}", value in ".{0,40}", body in ".{0,80}", encoded: bool,
    ) {
        let event = gateway(&path, &json!({name: value, "operator": value}), &body, encoded);
        prop_assert!(!is_operator(&event));
        // As it is on the wire, too.
        prop_assert!(!is_operator(&serde_json::from_str(&event.to_string()).unwrap()));
    }
}
