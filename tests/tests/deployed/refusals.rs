//! Requests that are refused, and requests that are authenticated but not served yet. The tests of the core try every
//! flaw of every credential; here one of each kind goes through the deployed stack.

use crate::{
    Outcome, Stage,
    server::{Answer, post_form, send},
    test,
};
use cloud_apps_protocol::{
    secret::Secret,
    token::{self, Direction, Kid, Scope},
};
use futures_util::future::join_all;
use libtest_mimic::Trial;
use reqwest::{Method, StatusCode, header};
use serde_json::json;
use std::sync::Arc;

pub fn tests(stage: &Arc<Stage>) -> Vec<Trial> {
    vec![
        test(stage, "a slash command with a token that is not this install's and team's is refused", slash),
        test(
            stage,
            "a signed request by another secret, for another server or of another body is refused",
            signed,
        ),
        test(stage, "a signed request for an app that nobody knows is refused by every function", nobodys),
        test(stage, "a signed command works once", replayed),
        test(stage, "of sixteen copies of a signed command that come at once one runs", raced),
        test(stage, "a slash command by GET runs nothing, and its admin reads what to change", by_get),
        test(stage, "a static token that was taken back opens nothing", withdrawn),
        test(stage, "a verified query is told that queries are not served", query),
        test(stage, "a verified event is told that events are not served", event),
        test(stage, "an outgoing webhook that nobody registered is refused", webhook),
        test(stage, "what no route serves is not found", nowhere),
    ]
}

fn refused(answer: &Answer, status: StatusCode, code: &str) {
    assert_eq!((answer.status, &answer.body["error"]["code"]), (status, &code.into()), "{}", answer.body);
    assert!(answer.body["error"]["request_id"].is_string());
}

async fn slash(stage: Arc<Stage>) -> Outcome {
    let (today, old) = (&stage.today, &stage.old);
    let of = |team: &str| today.install.slash_tokens[team].clone();
    let another = old.install.slash_tokens["demo"].clone();
    let nobody = "w".repeat(26);
    let unknown = "a".repeat(26);
    let attempts = [
        (today.install.id.as_str(), "demo", of("second")),
        (&today.install.id, "second", of("demo")),
        (&today.install.id, "demo", another),
        (&today.install.id, "demo", nobody),
        (&today.install.id, "demo", String::new()),
        (&unknown, "demo", of("demo")),
        ("no-install", "demo", of("demo")),
    ];
    for (install, team, token) in attempts {
        let answer = post_form(&stage.stack, install, &today.form(team, &token, "whoami")).await?;
        refused(&answer, StatusCode::UNAUTHORIZED, "unauthorized");
    }
    // The same form with the right token is accepted, so it was the token that was refused.
    let form = today.form("demo", &of("demo"), "greet @bob");
    assert_eq!(post_form(&stage.stack, &today.install.id, &form).await?.status, StatusCode::OK);
    Ok(())
}

async fn signed(stage: Arc<Stage>) -> Outcome {
    let (stack, server) = (&stage.stack, &stage.today);
    let body = serde_json::to_vec(&server.command("/hello whoami"))?;
    let alice = server.user("alice");
    let claims = server.claims(&Method::POST, "/command", &body, &alice, Scope::User);
    let kid = server.install.kid.as_ref().ok_or("no kid")?;
    let forged = token::sign(Direction::Server, kid, &Secret::new([7; 32]), &claims);
    refused(
        &send(stack, Method::POST, "/command", &forged, body.clone()).await?,
        StatusCode::UNAUTHORIZED,
        "unauthorized",
    );

    let mut elsewhere = claims.clone();
    stage.old.site().clone_into(&mut elsewhere.iss);
    let token = server.token(&elsewhere)?;
    refused(
        &send(stack, Method::POST, "/command", &token, body.clone()).await?,
        StatusCode::UNAUTHORIZED,
        "wrong_audience",
    );

    let token = server.token(&claims)?;
    let other = serde_json::to_vec(&server.command("/hello time"))?;
    refused(
        &send(stack, Method::POST, "/command", &token, other).await?,
        StatusCode::UNAUTHORIZED,
        "body_mismatch",
    );
    Ok(())
}

/// Each function looks whether the app was registered in the meantime.
async fn nobodys(stage: Arc<Stage>) -> Outcome {
    let (stack, server) = (&stage.stack, &stage.today);
    let body = b"{}".to_vec();
    let kid = server.install.kid.as_ref().ok_or("no kid")?;
    let kid = Kid { app: "nobodys".parse().map_err(|_| "an app")?, ..kid.clone() };
    for path in ["/command", "/autocomplete", "/event"] {
        let claims = server.claims(&Method::POST, path, &body, &server.user("alice"), Scope::User);
        let token = token::sign(Direction::Server, &kid, &Secret::new([7; 32]), &claims);
        let answer = send(stack, Method::POST, path, &token, body.clone()).await?;
        refused(&answer, StatusCode::UNAUTHORIZED, "unauthorized");
    }
    Ok(())
}

async fn replayed(stage: Arc<Stage>) -> Outcome {
    let (stack, server) = (&stage.stack, &stage.today);
    let body = serde_json::to_vec(&server.command("/hello greet @bob"))?;
    let token =
        server.token(&server.claims(&Method::POST, "/command", &body, &server.user("alice"), Scope::User))?;
    let first = send(stack, Method::POST, "/command", &token, body.clone()).await?;
    assert_eq!(first.status, StatusCode::OK, "{}", first.body);
    refused(&send(stack, Method::POST, "/command", &token, body).await?, StatusCode::CONFLICT, "duplicate");
    Ok(())
}

async fn raced(stage: Arc<Stage>) -> Outcome {
    let (stack, server) = (&stage.stack, &stage.today);
    let body = serde_json::to_vec(&server.command("/hello greet @bob"))?;
    let token =
        server.token(&server.claims(&Method::POST, "/command", &body, &server.user("alice"), Scope::User))?;
    let copies = (0..16).map(|_| send(stack, Method::POST, "/command", &token, body.clone()));
    let mut answered = 0;
    for copy in join_all(copies).await {
        let copy = copy?;
        if copy.status == StatusCode::OK {
            answered += 1;
        } else {
            refused(&copy, StatusCode::CONFLICT, "duplicate");
        }
    }
    assert_eq!(answered, 1);
    Ok(())
}

async fn by_get(stage: Arc<Stage>) -> Outcome {
    let (stack, server) = (&stage.stack, &stage.today);
    let url = format!("{}/hooks/{}/slash", stack.url(), server.install.id);
    let form = server.form("demo", &server.install.slash_tokens["demo"], "whoami");
    let answer = crate::server::answer(stack.http.get(reqwest::Url::parse_with_params(&url, form)?)).await?;
    assert_eq!((answer.status, &answer.body["response_type"]), (StatusCode::OK, &"ephemeral".into()));
    assert_eq!(answer.body["text"], "Set this command's request method to POST.");
    Ok(())
}

async fn withdrawn(stage: Arc<Stage>) -> Outcome {
    let token = stage.today.install.withdrawn.as_deref().ok_or("it never had one")?;
    let body = serde_json::to_vec(&stage.today.command("/hello greet @bob"))?;
    let answer = send(&stage.stack, Method::POST, "/command", token, body).await?;
    refused(&answer, StatusCode::UNAUTHORIZED, "unauthorized");
    Ok(())
}

async fn query(stage: Arc<Stage>) -> Outcome {
    let (stack, server) = (&stage.stack, &stage.today);
    let alice = server.user("alice");
    let body = json!({ "query": { "kind": "suggest", "input": "/hello gr", "cursor": 9 },
        "context": { "acting_user": { "id": alice } } });
    let answer = server.signed(stack, Method::POST, "/autocomplete", &body, (&alice, Scope::User)).await?;
    refused(&answer, StatusCode::NOT_FOUND, "no_route");
    let answer = send(stack, Method::POST, "/autocomplete", "a.b.c", serde_json::to_vec(&body)?).await?;
    refused(&answer, StatusCode::UNAUTHORIZED, "unauthorized");
    Ok(())
}

async fn event(stage: Arc<Stage>) -> Outcome {
    let (stack, server) = (&stage.stack, &stage.today);
    let bot = server.user("hello");
    let body = json!({ "events": [] });
    let answer = server.signed(stack, Method::POST, "/event", &body, (&bot, Scope::Bot)).await?;
    refused(&answer, StatusCode::NOT_FOUND, "no_route");
    let answer = server.signed(stack, Method::POST, "/event", &body, (&bot, Scope::User)).await?;
    refused(&answer, StatusCode::FORBIDDEN, "forbidden");
    Ok(())
}

async fn webhook(stage: Arc<Stage>) -> Outcome {
    let (stack, server) = (&stage.stack, &stage.today);
    // The token of a slash command is not valid for a webhook.
    let token = &server.install.slash_tokens["demo"];
    let body = json!({
        "token": token,
        "team_id": server.mattermost.team_id("demo")?,
        "channel_id": server.mattermost.channel_id("demo", crate::server::CHANNEL)?,
        "post_id": "p".repeat(26),
    });
    let url = format!("{}/hooks/{}/webhook", stack.url(), server.install.id);
    let answer = crate::server::answer(stack.http.post(url).json(&body)).await?;
    refused(&answer, StatusCode::UNAUTHORIZED, "unauthorized");
    Ok(())
}

async fn nowhere(stage: Arc<Stage>) -> Outcome {
    for path in ["/operator", "/install/", "/hooks", "/command/extra"] {
        let response = stage.stack.http.get(format!("{}{path}", stage.stack.url())).send().await?;
        assert_eq!(response.status(), StatusCode::NOT_FOUND, "{path}");
    }
    // The catalogue exists, but it is not public.
    let answer = crate::server::answer(stage.stack.http.get(format!("{}/apps", stage.stack.url()))).await?;
    refused(&answer, StatusCode::UNAUTHORIZED, "unauthorized");
    assert_eq!(
        answer.headers.get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok()),
        Some("application/json")
    );
    Ok(())
}
