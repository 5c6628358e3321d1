//! The installation, and what a server may know about its install.

use crate::{
    Outcome, Stage,
    server::{answer, send},
    test,
};
use cloud_apps_protocol::token::Scope;
use flate2::read::GzDecoder;
use libtest_mimic::Trial;
use reqwest::{Method, StatusCode, header};
use serde_json::{Value, json};
use std::sync::Arc;

pub fn tests(stage: &Arc<Stage>) -> Vec<Trial> {
    vec![
        test(stage, "the bundle says which protocol it speaks", index),
        test(stage, "an install that is complete answers the same again", completed_again),
        test(stage, "a spent code begins no other install", spent_code),
        test(stage, "an app is installed once on a server", installed_once),
        test(stage, "a server reads its install, and is told when it knows it already", view),
        test(stage, "a long answer is compressed where the request accepts it", compressed),
        test(stage, "a server reads no install of another", foreign_view),
    ]
}

async fn index(stage: Arc<Stage>) -> Outcome {
    let answer = answer(stage.stack.http.get(format!("{}/", stage.stack.url()))).await?;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(answer.body, json!({ "protocol": [2], "bundle": env!("CARGO_PKG_VERSION") }));
    assert!(answer.headers.contains_key("x-request-id"));
    Ok(())
}

async fn completed_again(stage: Arc<Stage>) -> Outcome {
    for server in [&stage.today, &stage.old] {
        let install = &server.install;
        assert_eq!(install.completion["state"], "active");
        assert_eq!(install.completion["site_url"], server.site());
        let path = format!("/install/{}/complete", install.id);
        let again = server.coded(&stage.stack, &path, &install.code, &json!({ "registered": [] })).await?;
        assert_eq!((again.status, &again.body), (StatusCode::OK, &install.completion));
    }
    Ok(())
}

async fn spent_code(stage: Arc<Stage>) -> Outcome {
    let server = &stage.today;
    let body = request(server.site(), &server.user("hello"), &server.user("admin"));
    let answer = server.coded(&stage.stack, "/install", &server.install.code, &body).await?;
    assert_eq!(
        (answer.status, &answer.body["error"]["code"]),
        (StatusCode::UNAUTHORIZED, &"unauthorized".into())
    );
    Ok(())
}

async fn installed_once(stage: Arc<Stage>) -> Outcome {
    let server = &stage.today;
    let code = stage.stack.code(server.site())?;
    let body = request(server.site(), &server.user("hello"), &server.user("admin"));
    let answer = server.coded(&stage.stack, "/install", &code, &body).await?;
    assert_eq!(
        (answer.status, &answer.body["error"]["code"]),
        (StatusCode::CONFLICT, &"already_installed".into())
    );
    assert_eq!(answer.body["error"]["install_id"], server.install.id.as_str());
    Ok(())
}

fn request(site: &str, bot: &str, admin: &str) -> Value {
    json!({
        "app_id": "hello",
        "server": { "site_url": site, "version": "11.6.0" },
        "bot": { "user_id": bot, "username": "hello", "access_token": "a-token-that-nothing-comes-of" },
        "installed_by": admin,
    })
}

async fn view(stage: Arc<Stage>) -> Outcome {
    let (stack, server) = (&stage.stack, &stage.today);
    let path = format!("/install/{}", server.install.id);
    let admin = server.user("admin");
    let seen = server.signed(stack, Method::GET, &path, &Value::Null, (&admin, Scope::Admin)).await?;
    assert_eq!(seen.status, StatusCode::OK, "{}", seen.body);
    assert_eq!((&seen.body["state"], &seen.body["app_id"]), (&"active".into(), &"hello".into()));
    assert_eq!(seen.body["teams"].as_array().map(Vec::len), Some(2));
    let functions: Vec<_> = seen.body["commands"].as_array().ok_or("no commands")?.iter().collect();
    assert!(functions.iter().any(|command| command["function"] == "greet"), "{functions:?}");
    let etag = seen.headers.get(header::ETAG).ok_or("no ETag")?;

    let claims = server.claims(&Method::GET, &path, b"", &admin, Scope::Admin);
    let request = stack.http.get(format!("{}{path}", stack.url())).bearer_auth(server.token(&claims)?);
    let known = answer(request.header(header::IF_NONE_MATCH, etag)).await?;
    assert_eq!((known.status, known.body), (StatusCode::NOT_MODIFIED, Value::Null));
    Ok(())
}

async fn compressed(stage: Arc<Stage>) -> Outcome {
    let (stack, server) = (&stage.stack, &stage.today);
    let path = format!("/install/{}", server.install.id);
    let claims = server.claims(&Method::GET, &path, b"", &server.user("admin"), Scope::Admin);
    let request = stack.http.get(format!("{}{path}", stack.url())).bearer_auth(server.token(&claims)?);
    let response = request.header(header::ACCEPT_ENCODING, "gzip").send().await?;
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(
        response.headers().get(header::CONTENT_ENCODING).map(header::HeaderValue::as_bytes),
        Some(&b"gzip"[..])
    );
    let body: Value = serde_json::from_reader(GzDecoder::new(&*response.bytes().await?))?;
    assert_eq!(body["install_id"], server.install.id.as_str());
    Ok(())
}

async fn foreign_view(stage: Arc<Stage>) -> Outcome {
    let path = format!("/install/{}", stage.old.install.id);
    let claims = stage.today.claims(&Method::GET, &path, b"", &stage.today.user("admin"), Scope::Admin);
    let token = stage.today.token(&claims)?;
    let answer = send(&stage.stack, Method::GET, &path, &token, Vec::new()).await?;
    assert_eq!(
        (answer.status, &answer.body["error"]["code"]),
        (StatusCode::UNAUTHORIZED, &"unauthorized".into())
    );
    Ok(())
}
