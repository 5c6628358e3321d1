//! `cloud-apps operator --stack NAME`: the real command, which invokes the install function.

use crate::{
    Outcome, Stage,
    server::{CHANNEL, answer},
    test,
    upkeep::operator,
};
use cloud_apps_protocol::token::Scope;
use libtest_mimic::Trial;
use reqwest::{Method, StatusCode};
use serde_json::json;
use stack_tests::canary;
use std::sync::Arc;

pub fn tests(stage: &Arc<Stage>) -> Vec<Trial> {
    vec![
        test(stage, "the linked apps are registered however often it is asked", registered),
        test(stage, "an app's installs are listed, and each is shown without its secrets", shown),
        test(stage, "who holds a manage code reads the install until it is revoked", managed),
        test(stage, "a disabled install is refused everywhere until it is enabled", switched_off),
        test(stage, "what cannot be done is said with what to do, by exit code 1", failures),
        test(stage, "no HTTP request is taken for an operator's", never_by_http),
    ]
}

async fn registered(stage: Arc<Stage>) -> Outcome {
    let first = stage.stack.operator(&["register"])?;
    assert_eq!(first["apps"][0]["id"], "hello");
    assert_eq!(stage.stack.operator(&["register"])?, first);
    Ok(())
}

async fn shown(stage: Arc<Stage>) -> Outcome {
    let listed = stage.stack.operator(&["list", "hello"])?;
    let listed = listed.as_array().ok_or("no list")?;
    let mut found: Vec<_> =
        listed.iter().map(|i| (i["install_id"].as_str(), i["site_url"].as_str())).collect();
    let mut expected: Vec<_> =
        [&stage.today, &stage.old].map(|s| (Some(s.install.id.as_str()), Some(s.site()))).to_vec();
    found.sort_unstable();
    expected.sort_unstable();
    assert_eq!(found, expected);
    for server in [&stage.today, &stage.old] {
        let view = stage.stack.operator(&["show", &server.install.id])?;
        assert_eq!((&view["state"], &view["site_url"]), (&"active".into(), &server.site().into()));
        assert_eq!(view["bot"]["username"], "hello");
        let text = view.to_string();
        for secret in server.install.slash_tokens.values().chain([&server.install.bot_token]) {
            assert!(!text.contains(secret.as_str()), "a secret is shown");
        }
    }
    Ok(())
}

async fn managed(stage: Arc<Stage>) -> Outcome {
    let (stack, id) = (&stage.stack, &stage.today.install.id);
    let made = operator(&stage, json!({ "do": "manage_code", "install_id": id })).await?;
    let code = made["code"].as_str().ok_or("no code")?.to_owned();
    canary(&code)?;
    let read = async || {
        let request = stack.http.get(format!("{}/install/{id}", stack.url())).bearer_auth(&code);
        answer(request).await
    };
    let seen = read().await?;
    assert_eq!((seen.status, &seen.body["install_id"]), (StatusCode::OK, &json!(id)), "{}", seen.body);
    operator(&stage, json!({ "do": "revoke_manage_codes", "install_id": id })).await?;
    assert_eq!(read().await?.status, StatusCode::UNAUTHORIZED);
    Ok(())
}

async fn switched_off(stage: Arc<Stage>) -> Outcome {
    let (stack, server) = (&stage.stack, &stage.today);
    let alice = server.user("alice");
    let body = server.command("/hello greet @bob");
    assert_eq!(stack.operator(&["disable", &server.install.id])?["state"], "disabled");
    assert_eq!(stack.operator(&["disable", &server.install.id])?["state"], "disabled");
    let refused = server.signed(stack, Method::POST, "/command", &body, (&alice, Scope::User)).await?;
    assert_eq!((refused.status, &refused.body["error"]["code"]), (StatusCode::FORBIDDEN, &"disabled".into()));
    let seen = server.mattermost.execute("alice", CHANNEL, "/hello greet @bob").await?;
    assert!(!seen.texts().join("\n").contains("Hello, @bob"), "{:?}", seen.shown);
    // The other tenant does not notice.
    let other = stage.old.mattermost.execute("alice", CHANNEL, "/hello greet @bob").await?;
    assert_eq!(other.texts(), ["Hello, @bob!"]);

    assert_eq!(stack.operator(&["enable", &server.install.id])?["state"], "active");
    let answered = server.signed(stack, Method::POST, "/command", &body, (&alice, Scope::User)).await?;
    assert_eq!(answered.status, StatusCode::OK, "{}", answered.body);
    let seen = server.mattermost.execute("alice", CHANNEL, "/hello greet @bob").await?;
    assert_eq!(seen.texts(), ["Hello, @bob!"]);
    Ok(())
}

async fn failures(stage: Arc<Stage>) -> Outcome {
    let nobody = "a".repeat(26);
    for (arguments, words) in [
        (vec!["show", &nobody], "cloud-apps list"),
        (
            vec![
                "code",
                "jirra",
                "--site",
                "https://chat.example.com",
                "--base-url",
                "https://bundle.example.com",
            ],
            "hello",
        ),
    ] {
        let said = stage.stack.try_operator(&arguments)?;
        assert_eq!((said.code, said.out.as_str()), (Some(1), ""), "{}", said.err);
        assert!(said.err.contains(words), "{words} is missing in: {}", said.err);
    }
    Ok(())
}

async fn never_by_http(stage: Arc<Stage>) -> Outcome {
    let request = json!({ "operator": { "do": "list", "app": "hello" } });
    for path in ["/install", "/install/operator/complete", "/command", "/"] {
        let sent =
            answer(stage.stack.http.post(format!("{}{path}", stage.stack.url())).json(&request)).await?;
        assert_eq!(sent.status, StatusCode::UNAUTHORIZED, "{path}: {}", sent.body);
        assert!(sent.body.get("installs").is_none());
    }
    Ok(())
}
