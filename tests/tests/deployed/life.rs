//! The end of the two installs: they are configured, get new credentials while people type, move to another version,
//! are switched off and on, and are removed; then nothing is left. These are the last tests of the stack.

use crate::{
    Outcome, Stage,
    server::{Answer, CHANNEL, Server, send},
    stored::items,
    test,
};
use aws_sdk_dynamodb::types::AttributeValue;
use cloud_apps_core::random::{Random, SystemRandom};
use cloud_apps_protocol::{
    secret::Secret,
    token::{self, Direction, Kid, Scope},
};
use futures_util::future::try_join_all;
use libtest_mimic::Trial;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use stack_tests::canary;
use std::{
    error::Error,
    sync::{Arc, Mutex},
};

/// How many lines each of the four clients types while a secret is replaced.
const LINES: usize = 10;

pub fn tests(stage: &Arc<Stage>) -> Vec<Trial> {
    vec![
        test(stage, "settings and presets are the admin's, and the next command has them", configured),
        test(stage, "a shared secret is replaced while four clients type, and none fails", rotated),
        test(stage, "a bot's token is replaced, and commands go on as the bot", bot_token),
        test(stage, "an install moves to the version of the bundle", upgraded),
        test(stage, "an install that is switched off is refused at once where nothing is cached", switched),
        test(stage, "a removed install leaves nothing, and its end is told again", removed),
    ]
}

async fn change(stage: &Stage, server: &Server, patch: Value) -> Result<Value, Box<dyn Error>> {
    let request = json!({ "do": "change", "install_id": server.install.id, "patch": patch });
    let answer = stage.stack.operate(request).await?;
    let changed = answer.get("changed").ok_or_else(|| format!("it was not changed: {}", answer["error"]))?;
    Ok(changed.clone())
}

async fn typed(server: &Server, line: &str) -> Result<String, Box<dyn Error>> {
    Ok(server.mattermost.execute("alice", CHANNEL, line).await?.texts().concat())
}

async fn configured(stage: Arc<Stage>) -> Outcome {
    for server in [&stage.today, &stage.old] {
        let changed = change(&stage, server, json!({ "settings": { "language": "fr" } })).await?;
        assert_eq!(changed["settings"]["language"], "fr");
        assert_eq!(typed(server, "/hello greet @bob").await?, "Bonjour @bob !");
        assert_eq!(typed(server, "/hello shout @bob").await?, "BONJOUR @bob !");
        let preset = json!({
            "name": "hallo", "label": "In German", "function": "greet", "values": { "language": "de" },
            "locations": ["message_box"],
        });
        change(&stage, server, json!({ "presets": [preset] })).await?;
        assert_eq!(typed(server, "/hello hallo @bob").await?, "Hallo, @bob!");
    }
    Ok(())
}

/// A V2 request with a secret that the server got later.
async fn signed_with(
    stage: &Stage,
    (kid, secret): &(Kid, Secret),
    (method, path): (Method, &str),
    body: &Value,
    scope: Scope,
) -> Result<Answer, Box<dyn Error>> {
    let server = &stage.today;
    let user = server.user(if scope == Scope::Admin { "admin" } else { "alice" });
    let body = serde_json::to_vec(body)?;
    let claims = server.claims(&method, path, &body, &user, scope);
    let token = token::sign(Direction::Server, kid, secret, &claims);
    canary(&token)?;
    send(&stage.stack, method, path, &token, body).await
}

/// A rotation that was not requested before.
fn rotation() -> Value {
    let random: &dyn Random = &SystemRandom;
    json!({ "rotate": "shared_secret", "rotation": random.rotation_id().as_str() })
}

async fn rotated(stage: Arc<Stage>) -> Outcome {
    let server = &stage.today;
    let first = server.install.kid.clone().zip(server.install.secret.clone()).ok_or("it has no V2")?;
    let held = Mutex::new(first.clone());
    let current = || held.lock().map(|held| held.clone()).map_err(|_| "a client panicked");
    let client = async |_| -> Result<(), Box<dyn Error>> {
        for _ in 0..LINES {
            let command = server.command("/hello whoami");
            let answer =
                signed_with(&stage, &current()?, (Method::POST, "/command"), &command, Scope::User).await?;
            assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
            assert!(
                answer.body["text"].as_str().is_some_and(|text| text.contains("@alice")),
                "{}",
                answer.body
            );
        }
        Ok(())
    };
    let path = format!("/install/{}", server.install.id);
    let asked = async |with: &(Kid, Secret), body: &Value| {
        signed_with(&stage, with, (Method::PATCH, &path), body, Scope::Admin).await
    };
    let rotate = async {
        for _ in 0..2 {
            let body = rotation();
            let before = current()?;
            let answer = asked(&before, &body).await?;
            assert_eq!(answer.status, StatusCode::OK, "{}", answer.body["error"]);
            // If the answer was lost, the same rotation returns it again, and another rotation returns nothing.
            let again = asked(&before, &body).await?;
            assert_eq!(again.body["shared_secret"], answer.body["shared_secret"], "{}", again.body["error"]);
            let refused = asked(&before, &rotation()).await?;
            assert_eq!(refused.status, StatusCode::UNAUTHORIZED, "{}", refused.body["error"]);
            let secret = answer.body["shared_secret"].as_str().ok_or("no shared_secret")?;
            canary(secret)?;
            let kid = answer.body["kid"].as_str().ok_or("no kid")?.parse().map_err(|e| format!("{e:?}"))?;
            let next = (kid, Secret::from_base64url(secret).ok_or("no secret")?);
            *held.lock().map_err(|_| "a client panicked")? = next;
        }
        Ok::<_, Box<dyn Error>>(())
    };
    let clients = try_join_all((0..4).map(client));
    let (typed, replaced) = futures_util::future::join(clients, rotate).await;
    typed?;
    replaced?;
    // After two rotations, the first secret no longer works.
    let command = server.command("/hello whoami");
    let late = signed_with(&stage, &first, (Method::POST, "/command"), &command, Scope::User).await?;
    assert_eq!(late.status, StatusCode::UNAUTHORIZED, "{}", late.body);
    Ok(())
}

async fn bot_token(stage: Arc<Stage>) -> Outcome {
    for server in [&stage.today, &stage.old] {
        let next = server.mattermost.add_token("hello")?;
        canary(&next)?;
        change(&stage, server, json!({ "rotate": "bot_token", "access_token": next })).await?;
        assert!(typed(server, "/hello whoami").await?.starts_with("You are @alice"));
        let foreign = server.mattermost.add_token("alice")?;
        canary(&foreign)?;
        let refused = change(&stage, server, json!({ "rotate": "bot_token", "access_token": foreign })).await;
        let said = refused.err().ok_or("a token of alice's is none of the bot's")?.to_string();
        assert!(said.contains("This is a token of @alice"), "{said}");
    }
    Ok(())
}

/// Changes the stored install as if an older version of the app had been installed.
async fn make_older(stage: &Stage, install: &str) -> Result<(), Box<dyn Error>> {
    let tables = aws_sdk_dynamodb::Client::new(&stage.stack.sdk().await);
    let table = stage.stack.output("InstallsTableName");
    let key = [("pk", format!("INSTALL#{install}")), ("sk", "INSTALL".to_owned())];
    let key = key.map(|(name, value)| (name.to_owned(), AttributeValue::S(value)));
    let item = tables.get_item().table_name(table).set_key(Some(key.into())).send().await?.item;
    let mut item = item.ok_or("no install")?;
    let document = item["document"].as_s().map_err(|_| "no document")?;
    let mut document: Value = serde_json::from_str(document)?;
    document["version"] = "0.0.1".into();
    item.insert("document".to_owned(), AttributeValue::S(document.to_string()));
    tables.put_item().table_name(table).set_item(Some(item)).send().await?;
    Ok(())
}

async fn upgraded(stage: Arc<Stage>) -> Outcome {
    for server in [&stage.today, &stage.old] {
        make_older(&stage, &server.install.id).await?;
        let shown = stage.stack.operate(json!({ "do": "show", "install_id": server.install.id })).await?;
        assert_eq!(shown["version"], "0.0.1");
        let offered = &shown["offered"];
        let upgrade = json!({ "version": offered["version"], "granted": offered["requests"] });
        let changed = change(&stage, server, json!({ "upgrade": upgrade })).await?;
        assert_eq!((&changed["version"], changed.get("offered")), (&offered["version"], None));
    }
    Ok(())
}

async fn switched(stage: Arc<Stage>) -> Outcome {
    for server in [&stage.today, &stage.old] {
        change(&stage, server, json!({ "enabled": false })).await?;
        let off = typed(server, "/hello greet @bob").await?;
        assert!(off.contains("hello is switched off on this server"), "{off}");
        change(&stage, server, json!({ "enabled": true })).await?;
        assert_eq!(typed(server, "/hello greet @bob").await?, "Bonjour @bob !");
    }
    Ok(())
}

async fn removed(stage: Arc<Stage>) -> Outcome {
    for server in [&stage.today, &stage.old] {
        let request = json!({ "do": "remove", "install_id": server.install.id });
        let removed = stage.stack.operate(request.clone()).await?;
        assert_eq!(removed["removed"]["state"], "removed", "{removed}");
        let left = removed["removed"]["leftovers"].as_array().ok_or("no leftovers")?;
        assert_eq!(left.len(), server.install.slash_tokens.len() + 1, "the commands, and the bot: {left:?}");
        assert_eq!(stage.stack.operate(request).await?, removed, "the same again");
        let refused = typed(server, "/hello greet @bob").await;
        assert!(refused.is_err() || !refused?.contains("Bonjour"), "it serves nobody");
    }
    let mut kinds: Vec<String> = items(&stage, "InstallsTableName")
        .await?
        .iter()
        .map(|item| item["sk"].split('#').next().unwrap_or_default().to_owned())
        .collect();
    kinds.sort();
    assert_eq!(
        kinds,
        ["APPS", "MANIFEST"],
        "the catalogue, the manifest of the linked app, and nothing of any install"
    );
    assert!(items(&stage, "DataTableName").await?.is_empty());
    Ok(())
}
