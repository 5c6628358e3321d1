//! V2 commands, from the request to the answer.

use crate::stage::{
    ALICE, Answered, BOB, CHANNEL, NOW, STATIC_TOKEN, Stage, TEAM, build, command_body, request,
};
use cloud_apps_core::{
    http::{Arrival, Route},
    services::Services,
    store::{
        model::{Catalogue, CatalogueEntry, State},
        ports::Registry,
    },
    testing::faults::{Fault, Faults},
};
use cloud_apps_protocol::{
    Values,
    form::Form,
    limits,
    manifest::{Permission, Preset},
};
use http::header;
use serde_json::{Value, json};
use std::sync::Arc;

/// The architecture document's own request, made valid HTTP and JSON.
const GOLDEN: &str = r#"{"command":{"namespace":"jira","function":"create_issue","raw":"/jira create issue --project=MM ...","encoded":{"project":"MM","...":"..."}},
 "security":{"token":"xxx #TODO use JWT","trigger_id":"xxx #TODO use JWT"},
 "context":{"source":{"id":"post_menu_xxx","client_or_session_id_to_send_websockets_to":"xxx","props":{}},"config":{"settingX":"value"},
  "channel":{},"post":{},"parent_post":{},"root_post":{},"team":{},"acting_user":{},"mentioned":{}}}"#;

fn golden() -> http::Request<bytes::Bytes> {
    request(
        "/",
        GOLDEN,
        &[
            (header::ACCEPT_ENCODING, "gzip"),
            (header::ACCEPT, "application/json"),
            (header::AUTHORIZATION, &format!("Token {STATIC_TOKEN}")),
            (header::USER_AGENT, "mattermost-5.xxx"),
        ],
    )
}

async fn by_static_token(stage: &Stage, body: &Value) -> Answered {
    let authorization = format!("Token {STATIC_TOKEN}");
    stage.send(request("/command", &body.to_string(), &[(header::AUTHORIZATION, &authorization)])).await
}

#[tokio::test]
async fn the_golden_request_is_answered_where_a_static_token_is_allowed() {
    let stage = Stage::new();
    let answered = stage.send(golden()).await;
    assert_eq!(answered.status, 200, "{answered:?}");
    assert_eq!(answered.text(), "Created an issue in MM.");
    assert!(answered.body["warnings"][0].as_str().unwrap().contains("..."), "{answered:?}");
    let call = &stage.calls()[0];
    assert_eq!(call.values, json!({"project": "MM"}).as_object().unwrap().clone());
    let context = &call.request.context;
    let shown = serde_json::to_value(context).unwrap();
    assert_eq!(shown["config"], json!({"site_url": stage.install.site, "version": "11.6.0"}));
    assert_eq!(shown["source"], json!({"id": "post_menu_xxx"}), "the client is the bundle's to know");
    assert!(context.acting_user.is_none() && context.post.is_none());
    assert!(call.request.security.trigger_id.is_none(), "a trigger id is not an app's");
    assert_eq!(call.request.delivery.as_ref().unwrap().id, "request-1");
    assert_eq!(stage.memory.counts().writes(), 0, "a static token spends nothing");
}

#[tokio::test]
async fn the_golden_request_is_refused_in_the_right_words_otherwise() {
    let without = Stage::with(|install| install.static_token = None);
    let answered = without.send(golden()).await;
    assert_eq!((answered.status.as_u16(), answered.code()), (401, "unauthorized"));
    let elsewhere =
        Stage::with(|install| install.granted.locations.retain(|location| location != "post_menu"));
    let answered = elsewhere.send(golden()).await;
    assert_eq!((answered.status.as_u16(), answered.code()), (403, "not_granted"));
    assert!(answered.text().contains("post_menu"), "{}", answered.text());
    assert!(without.calls().is_empty() && elsewhere.calls().is_empty());
}

#[tokio::test]
async fn a_place_that_nobody_knows_needs_the_message_boxs_grant_and_is_passed_on() {
    for (source, handed) in
        [("", "message_box"), ("zzz", "zzz"), ("post_menux", "post_menux"), ("other", "other")]
    {
        let mut body = command_body("/jira search");
        body["context"]["source"]["id"] = source.into();
        let granted = Stage::with(|install| install.granted.locations = ["message_box".into()].into());
        assert_eq!(granted.send(granted.v2("/command", &body)).await.code(), "message", "{source}");
        assert_eq!(granted.calls()[0].request.context.source.id, handed, "{source}");
        let elsewhere = Stage::with(|install| install.granted.locations = ["post_menu".into()].into());
        let answered = elsewhere.send(elsewhere.v2("/command", &body)).await;
        assert_eq!((answered.status.as_u16(), answered.code()), (403, "not_granted"), "{source}");
        assert_eq!(answered.body["error"]["location"], "message_box", "{source}");
        assert!(elsewhere.calls().is_empty(), "{source}");
    }
}

#[tokio::test]
async fn where_nothing_was_granted_nothing_runs_and_an_admin_is_told_what_to_do() {
    let stage = Stage::with(|install| install.granted.locations.clear());
    for source in ["", "zzz", "message_box", "post_menu", "dialog", "conversation", "webhook"] {
        let mut body = command_body("/jira search");
        body["context"]["source"]["id"] = source.into();
        for answered in [stage.send(stage.v2("/command", &body)).await, by_static_token(&stage, &body).await]
        {
            assert_eq!((answered.status.as_u16(), answered.code()), (403, "not_granted"), "{source}");
            assert!(answered.text().contains("an admin grants"), "{}", answered.text());
        }
    }
    let slash = stage.type_("search").await;
    assert!(slash.text().contains("anywhere") && slash.text().contains("message_box"), "{}", slash.text());
    assert!(stage.calls().is_empty());
}

#[tokio::test]
async fn a_static_token_is_good_for_its_apps_namespace_and_for_nobodys_account() {
    let stage = Stage::new();
    let mut body = command_body("/gitlab search");
    body["command"]["namespace"] = "gitlab".into();
    let answered = by_static_token(&stage, &body).await;
    assert_eq!((answered.status.as_u16(), answered.code()), (403, "forbidden"));
    assert!(answered.text().contains("/jira"), "{}", answered.text());
    for line in ["/jira as user", "/jira with account"] {
        let answered = by_static_token(&stage, &command_body(line)).await;
        assert_eq!((answered.status.as_u16(), answered.code()), (403, "forbidden"), "{line}");
    }
    assert!(stage.calls().is_empty());
}

#[tokio::test]
async fn a_line_runs_its_function_with_its_values_and_a_context_that_the_bundle_filled() {
    let stage = Stage::with(|install| {
        install.settings = json!({"site": "https://jira.example.com"}).as_object().unwrap().clone();
    });
    let mut body = command_body("/jira create issue \"Fix the build\" @bob --project=MM");
    body["context"]["app"] = json!({"id": "evil"});
    body["context"]["config"] = json!({"site_url": "https://evil.example.com", "theme": "dark"});
    body["security"] = json!({"token": "x", "trigger_id": "y"});
    body["delivery"] = json!({"id": "evil", "attempt": 9});
    let answered = stage.send(stage.v2("/command", &body)).await;
    assert_eq!(answered.body, json!({"type": "message", "text": "Created an issue in MM.", "to": "user"}));
    let call = &stage.calls()[0];
    let expected: Values =
        serde_json::from_value(json!({"project": "MM", "summary": "Fix the build", "assignee": BOB}))
            .unwrap();
    assert_eq!(call.values, expected);
    let shown = serde_json::to_value(&call.request).unwrap();
    assert_eq!(shown["context"]["app"]["install_id"], stage.install.id.as_str());
    assert_eq!(shown["context"]["app"]["version"], "1.2.0");
    assert_eq!(shown["context"]["app"]["settings"]["site"], "https://jira.example.com");
    assert_eq!(shown["context"]["config"]["site_url"], stage.install.site.as_str());
    assert_eq!(shown["context"]["config"]["version"], "11.6.0");
    assert_eq!(shown["context"]["config"].get("theme"), None);
    assert_eq!(shown["context"]["acting_user"], json!({"id": ALICE}));
    assert_eq!(shown["context"]["channel"], json!({"id": CHANNEL, "team_id": TEAM}));
    assert_eq!(shown["delivery"]["attempt"], 1);
    assert_ne!(shown["delivery"]["id"], "evil");
    assert_eq!(shown["security"], json!({}));
    assert_eq!(u64::try_from(call.deadline).unwrap(), NOW + 8_000);
}

#[tokio::test]
async fn the_subject_of_the_token_acts_where_the_body_names_nobody() {
    let stage = Stage::new();
    let mut body = command_body("/jira search");
    body["context"]["acting_user"] = json!({});
    assert_eq!(stage.send(stage.v2("/", &body)).await.status, 200);
    assert_eq!(stage.calls()[0].request.context.acting_user.as_ref().unwrap().id.as_str(), ALICE);
}

#[tokio::test]
async fn encoded_values_win_over_the_line() {
    let stage = Stage::new();
    let mut body = command_body("/jira create issue --project=OLD");
    body["command"]["function"] = "create issue".into();
    body["command"]["encoded"] = json!({"project": "NEW", "colour": "red"});
    let answered = stage.send(stage.v2("/command", &body)).await;
    assert_eq!(answered.text(), "Created an issue in NEW.");
    assert!(answered.body["warnings"][0].as_str().unwrap().contains("colour"), "{answered:?}");
    body["command"]["function"] = "".into();
    let answered = stage.send(stage.v2("/command", &body)).await;
    assert_eq!((answered.status.as_u16(), answered.code()), (400, "bad_request"));
    assert_eq!(answered.body["error"]["pointer"], "/command/function");
}

#[tokio::test]
async fn a_function_beside_a_line_must_be_the_lines_own() {
    let stage = Stage::new();
    let mut body = command_body("/jira create issue --project=MM");
    for (function, status) in [("create-issue", 200), ("search", 400), ("Create Issue", 200)] {
        body["command"]["function"] = function.into();
        let answered = stage.send(stage.v2("/command", &body)).await;
        assert_eq!(answered.status.as_u16(), status, "{function}: {answered:?}");
    }
    body["command"]["function"] = "create_issue".into();
    body["command"]["raw"] = "--project=ARGS".into();
    assert_eq!(stage.send(stage.v2("/command", &body)).await.text(), "Created an issue in ARGS.");
}

#[tokio::test]
async fn what_cannot_be_understood_is_refused_with_its_code() {
    let stage = Stage::new();
    for (line, status, code) in [
        ("/jira frobnicate", 404, "unknown_function"),
        ("/jira create issue --colour=red", 400, "bad_command_line"),
        ("/jira create issue --project", 400, "bad_command_line"),
    ] {
        let answered = stage.run(line).await;
        assert_eq!((answered.status.as_u16(), answered.code()), (status, code), "{line}: {answered:?}");
    }
    let answered = stage.run("/jira create issue --colour=red").await;
    assert_eq!(answered.body["error"]["position"], 19);
    assert!(answered.body["error"]["expected"].is_string());
    for (namespace, status, code) in
        [("gitlab", 404, "unknown_function"), ("", 400, "bad_request"), ("J!", 400, "bad_request")]
    {
        let mut body = command_body("/jira search");
        body["command"]["namespace"] = namespace.into();
        let answered = stage.send(stage.v2("/command", &body)).await;
        assert_eq!((answered.status.as_u16(), answered.code()), (status, code), "{namespace:?}");
    }
    assert!(stage.calls().is_empty());
}

#[tokio::test]
async fn a_body_that_is_no_command_is_refused_with_its_place() {
    let stage = Stage::new();
    let send = async |body: &str| {
        let token = stage.token(&stage.claims("/command", body));
        stage.send(request("/command", body, &[(header::AUTHORIZATION, &format!("Bearer {token}"))])).await
    };
    let answered = send("{\n \"command\": }").await;
    assert_eq!((answered.status.as_u16(), answered.code()), (400, "bad_json"));
    assert_eq!((&answered.body["error"]["line"], &answered.body["error"]["column"]), (&json!(2), &json!(13)));
    for (body, pointer) in [
        (r#"{"command": {"raw": 7}}"#, "/command/raw"),
        (r#"{"context": {"acting_user": {"id": "bob"}}}"#, "/context/acting_user"),
        ("[]", ""),
    ] {
        let answered = send(body).await;
        assert_eq!((answered.status.as_u16(), answered.code()), (400, "bad_request"), "{body}: {answered:?}");
        assert_eq!(answered.body["error"]["pointer"], pointer, "{body}");
    }
    let mut body = command_body("/jira search");
    body["context"]["state"] = json!({"forged": true});
    let answered = stage.send(stage.v2("/command", &body)).await;
    assert_eq!(answered.body["error"]["pointer"], "/context/state");
    assert!(stage.calls().is_empty());
}

#[tokio::test]
async fn help_is_a_message_and_runs_nothing() {
    let stage = Stage::new();
    for line in ["/jira help", "/jira create issue --help", "/jira help create issue", "/jira"] {
        let answered = stage.run(line).await;
        assert_eq!(answered.code(), "message", "{line}: {answered:?}");
        assert!(answered.text().contains("create"), "{line}: {}", answered.text());
    }
    assert!(stage.calls().is_empty());
    assert_eq!(stage.memory.counts().writes(), 0);
}

#[tokio::test]
async fn what_is_missing_opens_the_form_with_what_was_given_where_forms_can_be_shown() {
    let stage = Stage::new();
    let answered = stage.run("/jira create issue --summary=x").await;
    assert_eq!((answered.status.as_u16(), answered.code()), (200, "form"));
    let form: Form = serde_json::from_value(answered.body["form"].clone()).unwrap();
    assert_eq!((form.title.as_str(), form.submit.function.as_str()), ("Create issue", "create_issue"));
    let field = |name: &str| form.fields.iter().find(|field| field.name.as_str() == name).unwrap();
    assert!(field("project").required && field("project").default.is_none());
    assert_eq!(field("summary").default, Some("x".into()));
    let answered = stage.run("/jira create issue --project=MM --form").await;
    assert_eq!(answered.code(), "form");
    assert_eq!(answered.body["form"]["fields"][0]["default"], "MM");
    assert!(stage.calls().is_empty());
    // A form runs nothing yet, so nothing is spent.
    assert_eq!(stage.memory.counts().writes(), 0);
}

#[tokio::test]
async fn what_is_missing_is_named_with_the_usage_where_no_form_can_be_shown() {
    let stage = Stage::new();
    let answered = stage.type_("create issue --summary=x").await;
    assert!(answered.text().contains("`project`: This is required."), "{answered:?}");
    assert!(answered.text().contains("--project"), "{}", answered.text());
    let answered = stage.type_("create issue --project=MM --form").await;
    assert!(answered.text().contains("opens no forms"), "{}", answered.text());
    assert!(stage.calls().is_empty());
}

#[tokio::test]
async fn what_comes_with_a_later_version_says_so_and_is_not_run() {
    let stage = Stage::with(|install| install.granted.permissions.extend([Permission::ActAsUser]));
    for line in ["/jira later", "/jira as user", "/jira with account"] {
        let answered = stage.run(line).await;
        assert_eq!((answered.status.as_u16(), answered.code()), (404, "no_route"), "{line}: {answered:?}");
        assert!(answered.text().contains("was not run"), "{}", answered.text());
    }
    assert!(stage.calls().is_empty());
}

#[tokio::test]
async fn posting_as_the_user_needs_its_grant() {
    let answered = Stage::new().run("/jira as user").await;
    assert_eq!((answered.status.as_u16(), answered.code()), (403, "not_granted"));
    assert_eq!(answered.body["error"]["permission"], "act_as_user");
}

#[tokio::test]
async fn a_required_expansion_that_did_not_come_is_refused_and_one_that_came_is_handed_on() {
    let stage = Stage::new();
    let answered = stage.run("/jira needs").await;
    assert_eq!((answered.status.as_u16(), answered.code()), (424, "not_expanded"));
    assert_eq!(answered.body["error"]["item"], "channel");
    assert_eq!(answered.body["error"]["reason"], "unsupported");
    let mut body = command_body("/jira needs");
    body["context"]["channel"] = json!({"id": CHANNEL, "name": "town-square", "header": "secret plans"});
    assert_eq!(stage.send(stage.v2("/command", &body)).await.code(), "done");
    let context = serde_json::to_value(&stage.calls()[0].request.context).unwrap();
    assert_eq!(context["channel"], json!({"id": CHANNEL, "name": "town-square"}));
    assert_eq!(context["not_expanded"], json!({"acting_user": "unsupported"}));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_replayed_token_has_no_second_effect_and_of_sixteen_at_once_one_runs() {
    let stage = Stage::new();
    let again = || stage.v2("/command", &command_body("/jira create issue --project=MM"));
    let first = again();
    let copies: Vec<_> = (0..16).map(|_| clone(&first)).collect();
    let mut tasks = Vec::new();
    let stage = Arc::new(stage);
    for copy in copies {
        let stage = Arc::clone(&stage);
        tasks.push(tokio::spawn(async move { stage.send(copy).await }));
    }
    let mut codes = Vec::new();
    for task in tasks {
        codes.push(task.await.unwrap().code().to_owned());
    }
    codes.sort();
    assert_eq!(codes.iter().filter(|code| *code == "message").count(), 1, "{codes:?}");
    assert_eq!(codes.iter().filter(|code| *code == "duplicate").count(), 15, "{codes:?}");
    assert_eq!(stage.calls().len(), 1);
    let answered = stage.send(first).await;
    assert_eq!((answered.status.as_u16(), answered.code()), (409, "duplicate"));
}

fn clone(request: &http::Request<bytes::Bytes>) -> http::Request<bytes::Bytes> {
    let mut copy = http::Request::new(request.body().clone());
    *copy.method_mut() = request.method().clone();
    *copy.uri_mut() = request.uri().clone();
    *copy.headers_mut() = request.headers().clone();
    copy
}

#[tokio::test]
async fn a_safe_command_may_come_twice_with_one_token() {
    let stage = Stage::new();
    let request = stage.v2("/command", &command_body("/jira search"));
    assert_eq!(stage.send(clone(&request)).await.code(), "message");
    assert_eq!(stage.send(request).await.code(), "message");
    assert_eq!(stage.memory.counts().writes(), 0);
}

#[tokio::test]
async fn a_preset_of_the_admin_cannot_make_an_unsafe_command_repeatable() {
    // `search` is safe and takes no words; `search_mm` is the admin's, and creates.
    let stage = Stage::with(|install| {
        install.presets = serde_json::from_value(json!([
            {"name": "search_mm", "label": "x", "function": "create_issue", "values": {"project": "MM"}},
        ]))
        .unwrap();
    });
    let request = stage.v2("/command", &command_body("/jira search mm"));
    assert_eq!(stage.send(clone(&request)).await.text(), "Created an issue in MM.");
    assert_eq!(stage.send(request).await.code(), "duplicate");
    assert_eq!(stage.calls().len(), 1);
}

#[tokio::test]
async fn without_the_ledger_what_must_be_spent_is_unavailable_and_what_is_safe_runs() {
    let stage = Stage::new();
    let broken = build(&stage.memory).ledger_faults(Faults::at(1, Fault::Before)).services();
    let stage = Stage { services: Arc::new(broken), ..stage };
    let answered = stage.run("/jira create issue --project=MM").await;
    assert_eq!((answered.status.as_u16(), answered.code()), (503, "unavailable"));
    assert!(answered.headers.contains_key(header::RETRY_AFTER));
    assert!(stage.calls().is_empty());
    assert_eq!(stage.run("/jira search").await.code(), "message");
}

#[tokio::test]
async fn a_function_that_does_not_end_is_stopped_at_the_deadline() {
    let stage = Stage::new();
    let arrive = |request: http::Request<bytes::Bytes>| Arrival {
        route: Route::from_path(request.method(), request.uri().path()),
        request_id: "request-1".into(),
        now: NOW,
        // The platform gives up in a second, which is the margin: the function has no time at all.
        deadline: NOW + 1_000,
        request,
    };
    let v2 = stage.arrive(arrive(stage.v2("/command", &command_body("/jira hang")))).await;
    assert_eq!((v2.status.as_u16(), v2.code()), (504, "deadline"));
    assert!(v2.text().contains("took too long"), "{}", v2.text());
    let slash = stage.arrive(arrive(stage.slash(&crate::stage::form("hang")))).await;
    assert_eq!(slash.status, 200);
    assert!(slash.text().contains("took too long") && slash.text().contains("request-1"), "{}", slash.text());
    assert_eq!(stage.calls().len(), 2);
}

#[tokio::test]
async fn a_panic_is_one_sentence_and_the_request_id() {
    let stage = Stage::new();
    let v2 = stage.run("/jira panics").await;
    assert_eq!((v2.status.as_u16(), v2.code()), (502, "upstream_failed"));
    assert!(!v2.body.to_string().contains("nothing"), "the cause is the log's: {v2:?}");
    let slash = stage.type_("panics").await;
    assert_eq!(slash.status, 200);
    assert_eq!(
        slash.text(),
        "jira could not do that. If it happens again, tell an admin. (request request-1)"
    );
    assert_eq!(stage.run("/jira search").await.code(), "message", "the next request is served");
}

#[tokio::test]
async fn a_failure_is_an_error_answer_whose_cause_stays_in_the_log() {
    let stage = Stage::new();
    let answered = stage.run("/jira fails").await;
    assert_eq!((answered.status.as_u16(), answered.code()), (200, "error"));
    assert_eq!(
        answered.text(),
        "jira could not do that. If it happens again, tell an admin. (request request-1)"
    );
    let answered = stage.run("/jira refuses").await;
    assert_eq!(
        answered.body,
        json!({"type": "error", "text": "There is no such project.", "fields": {"project": "Choose another."}})
    );
}

#[tokio::test]
async fn large_answers_are_gzipped_where_that_is_accepted() {
    let stage = Stage::new();
    for (size, accept, zipped) in [
        (4_000, Some("gzip, br"), true),
        (4_000, None, false),
        (4_000, Some("gzip;q=0"), false),
        (10, Some("gzip"), false),
    ] {
        let mut body = command_body("");
        body["command"]["function"] = "say".into();
        body["command"]["encoded"] = json!({"answer": {"type": "message", "text": "x".repeat(size)}});
        let mut request = stage.v2("/command", &body);
        if let Some(accept) = accept {
            request.headers_mut().insert(header::ACCEPT_ENCODING, accept.parse().unwrap());
        }
        let answered = stage.send(request).await;
        assert_eq!(answered.headers.contains_key(header::CONTENT_ENCODING), zipped, "{size} {accept:?}");
        assert_eq!(answered.text().len(), size);
    }
}

#[tokio::test]
async fn an_answer_that_no_server_would_read_is_refused() {
    let stage = Stage::new();
    let v2 = stage.run("/jira flood").await;
    assert_eq!((v2.status.as_u16(), v2.code()), (502, "answer_too_large"));
    let slash = stage.type_("flood").await;
    assert_eq!(slash.status, 200);
    assert!(slash.text().contains("1 MiB"), "{}", slash.text());
}

#[tokio::test]
async fn a_users_token_reaches_the_app_only_where_that_was_granted() {
    use Permission::{ActAsAdmin, ActAsUser};
    for (granted, scope, reaches) in [
        (vec![], "user", false),
        (vec![ActAsUser], "user", true),
        (vec![ActAsUser], "admin", false),
        (vec![ActAsAdmin], "admin", false),
        (vec![ActAsUser, ActAsAdmin], "admin", true),
        (vec![ActAsUser], "bot", false),
    ] {
        let stage = Stage::with(|install| install.granted.permissions = granted.iter().copied().collect());
        let body = command_body("/jira search").to_string();
        let mut claims = stage.claims("/command", &body);
        claims["scope"] = scope.into();
        claims["mattermost_token"] = "usertokenusertokenusertoke".into();
        let bearer = format!("Bearer {}", stage.token(&claims));
        let answered = stage.send(request("/command", &body, &[(header::AUTHORIZATION, &bearer)])).await;
        assert_eq!(answered.status, 200, "{answered:?}");
        assert_eq!(stage.calls()[0].as_user, reaches, "{granted:?} {scope}");
    }
}

#[tokio::test]
async fn an_app_that_is_not_linked_is_verified_and_not_called() {
    let stage = Stage::new();
    let mut unlinked = world_of(&stage);
    unlinked.apps.linked.clear();
    let entry = CatalogueEntry {
        id: stage.install.app.clone(),
        version: "1.2.0".into(),
        display_name: "Jira".into(),
        icon: None,
        linked: false,
    };
    let catalogue = Catalogue { rev: 1, apps: [(entry.id.clone(), entry)].into() };
    stage.memory.put_catalogue(&catalogue, 0).await.unwrap();
    let stage = Stage { services: Arc::new(unlinked), ..stage };
    let answered = stage.run("/jira search").await;
    assert_eq!((answered.status.as_u16(), answered.code()), (502, "upstream_failed"));
    let slash = stage.type_("search").await;
    assert!(slash.text().contains("neither linked into it nor registered"), "{}", slash.text());
}

fn world_of(stage: &Stage) -> Services {
    build(&stage.memory).services()
}

#[tokio::test]
async fn every_answer_to_a_known_server_names_the_manifest_and_no_other_does() {
    let stage = Stage::new();
    let app = &stage.services.apps.linked[&stage.install.app];
    let etag = cloud_apps_core::http::etag::etag(app.manifest(), &stage.install);
    for line in ["/jira search", "/jira help", "/jira frobnicate", "/jira panics", "/jira later"] {
        let answered = stage.run(line).await;
        assert_eq!(answered.headers["cloud-apps-manifest"], etag.as_str(), "{line}");
    }
    let by_token = by_static_token(&stage, &command_body("/jira search")).await;
    assert_eq!(by_token.headers["cloud-apps-manifest"], etag.as_str());
    stage.memory.reset_counts();
    let stranger = request("/command", "{}", &[(header::AUTHORIZATION, "Bearer a.b.c")]);
    assert!(!stage.send(stranger).await.headers.contains_key("cloud-apps-manifest"));
    assert_eq!(stage.memory.counts().reads(), 0);
}

#[tokio::test]
async fn a_permalink_of_another_server_is_not_taken_for_a_post_of_this_one() {
    let stage = Stage::new();
    let post = "pppppppppppppppppppppppppp";
    for (site, good) in [(stage.install.site.as_str(), true), ("https://evil.example", false)] {
        let answered = stage.run(&format!("/jira quote --post={site}/ops/pl/{post}")).await;
        assert_eq!(answered.code() == "message", good, "{answered:?}");
        assert!(good || answered.text().contains("is of another server"), "{}", answered.text());
    }
}

#[tokio::test]
async fn a_second_look_at_an_install_runs_nothing_where_it_does_not_serve_any_more() {
    for (state, code) in [(State::Disabled, "disabled"), (State::Removing, "unauthorized")] {
        // What the first look refuses, the line or the grant, the second would not.
        for (granted, line) in [(true, "/jira search mm"), (false, "/jira search")] {
            let mut stage = Stage::with(|install| {
                if !granted {
                    install.granted.locations.clear();
                }
            });
            stage.run("/jira search").await;
            let before = stage.calls().len();
            stage.install.presets = presets();
            stage.install.granted.locations.insert("message_box".into());
            stage.install.state = state.clone();
            stage.install.rev += 1;
            stage.put(&stage.install);
            stage.now += 1_000;
            assert_eq!(stage.run(line).await.code(), code, "{line}");
            assert_eq!(stage.calls().len(), before, "{line}");
            assert_eq!(stage.memory.counts().writes(), 0, "{line}: nothing ran, so nothing is spent");
        }
    }
}

/// The admin's: `search mm` creates an issue.
fn presets() -> Vec<Preset> {
    let presets = json!([
        {"name": "search_mm", "label": "x", "function": "create_issue", "values": {"project": "MM"}},
    ]);
    serde_json::from_value(presets).unwrap()
}

#[tokio::test]
async fn a_token_that_was_refused_at_first_runs_once_when_its_line_becomes_good() {
    let mut stage = Stage::new();
    stage.now += 10_000;
    let request = stage.v2("/command", &command_body("/jira search mm"));
    for _ in 0..3 {
        assert_eq!(stage.send(clone(&request)).await.status, 400);
    }
    assert_eq!(stage.memory.counts().writes(), 0, "what was refused spends nothing");
    stage.install.presets = presets();
    stage.put(&stage.install);
    stage.now += 1_000;
    let answers = futures_util::future::join_all((0..64).map(|_| stage.send(clone(&request)))).await;
    let ran = answers.iter().filter(|answered| answered.code() == "message").count();
    let repeated = answers.iter().filter(|answered| answered.code() == "duplicate").count();
    assert_eq!((ran, repeated, stage.calls().len()), (1, 63, 1));
}

#[tokio::test]
async fn a_form_with_the_values_that_came_is_no_larger_than_a_server_reads() {
    let mut stage = Stage::new();
    stage.services = Arc::new(build(&stage.memory).app(crate::jira::importer()).services());
    for (bytes, code) in [(1_000, "form"), (limits::BODY - 1_000, "answer_too_large")] {
        let mut body = command_body("");
        body["command"]["function"] = "import".into();
        body["command"]["encoded"] = json!({"issues": "x".repeat(bytes)});
        let request = stage.v2("/command", &body);
        assert!(request.body().len() <= limits::BODY);
        let answered = stage.send(request).await;
        assert_eq!(answered.code(), code, "{bytes}");
        assert!(answered.body.to_string().len() <= limits::BODY);
    }
}
