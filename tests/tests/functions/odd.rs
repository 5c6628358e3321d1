//! Malformed events: such as API Gateway never sends, and such as it might send.

use crate::stage::{ROLES, SECRETS, Stage, event, read, without};
use cloud_apps_aws::Role;
use cloud_apps_core::http::route::ROUTES;
use serde_json::{Value, json};

/// Checks that an answer has API Gateway's shape and a status below 500.
async fn answered(running: &mut bench::runtime::Running, event: &Value) -> Result<i64, String> {
    let shown: String = event.to_string().chars().take(300).collect();
    let (_, answer) =
        running.invoke(event.to_string().into_bytes()).await.map_err(|e| format!("{shown}: {e}"))?;
    let answer: Value = serde_json::from_slice(&answer).map_err(|e| format!("{shown}: {e}"))?;
    match answer["statusCode"].as_i64() {
        Some(status) if (200..500).contains(&status) => Ok(status),
        _ => Err(format!("{shown}: {answer}")),
    }
}

/// No event makes a function fail, and the content of an event is not logged.
pub async fn events() -> Result<(), String> {
    let stage = Stage::new().await?;
    let install = stage.installed.sample.install.install_id.as_str();
    for role in ROLES.into_iter().filter(|role| *role != Role::Deliver) {
        let (mut running, log) = stage.function(role, "info").await?;
        for event in [
            Value::Null,
            json!("CANARY"),
            json!(["CANARY"]),
            json!({}),
            json!({ "source": "aws.events", "detail": { "a": "CANARY" } }),
            json!({ "version": "1.0", "resource": "/command", "httpMethod": "POST", "path": "/command",
                    "headers": { "Authorization": "CANARY" }, "multiValueHeaders": { "Authorization": ["CANARY"] },
                    "requestContext": { "httpMethod": "POST" }, "body": "{}", "isBase64Encoded": false }),
            json!({ "headers": "CANARY", "requestContext": { "http": "CANARY" } }),
            json!({ "operator": { "do": "list", "app": "hello" }, "version": "2.0" }),
            json!({ "Records": [{ "body": "CANARY" }] }),
        ] {
            let status = answered(&mut running, &event).await?;
            if status != 404 {
                return Err(format!("{} answered {status} to {event}", role.name()));
            }
        }
        for entry in ROUTES.iter().filter(|entry| crate::stage::role(entry.handler) == role) {
            for event in spoilt(&event(entry, install, "Bearer CANARY", "application/json", "{}")) {
                answered(&mut running, &event).await?;
            }
        }
        drop(running);
        without(&read(&log), role.name(), &[&SECRETS[..], &["CANARY"]].concat())?;
    }
    Ok(())
}

/// A good event with one wrong part.
fn spoilt(good: &Value) -> Vec<Value> {
    let mut events = Vec::new();
    let mut with = |pointer: &str, value: Value| {
        let mut event = good.clone();
        if let Some(place) = event.pointer_mut(pointer) {
            *place = value;
        }
        events.push(event);
    };
    let long = "CANARY".repeat(10_000);
    for pointer in
        ["/headers", "/pathParameters", "/requestContext", "/requestContext/http", "/body", "/routeKey"]
    {
        for value in
            [Value::Null, json!(1), json!("CANARY"), json!(["CANARY"]), json!({ "CANARY": ["CANARY"] })]
        {
            with(pointer, value);
        }
    }
    for header in ["Bearer CANARY,Bearer CANARY", "CANARY\u{0}", "CANARY\r\nx: y", "CANARYü", "", &long] {
        with("/headers/authorization", json!(header));
    }
    with("/headers/content-type", json!(long));
    with("/headers/authorization", json!(["Bearer CANARY", "Bearer CANARY"]));
    with("/pathParameters/install", json!("../../CANARY"));
    with("/pathParameters/install", json!(long));
    with("/rawQueryString", json!(long));
    with("/rawQueryString", json!("%ff%00 CANARY\u{1}"));
    with("/requestContext/http/method", json!("CANARY METHOD"));
    with("/body", json!("[".repeat(500_000)));
    with("/body", json!("{\"operator\":{\"do\":\"list\"}}"));
    let mut junk = good.clone();
    junk["isBase64Encoded"] = json!(true);
    junk["body"] = json!("CANARY is no base64!");
    events.push(junk);
    let mut headers = good.clone();
    for n in 0..2_000 {
        headers["headers"][format!("x-{n}")] = json!("CANARY");
    }
    events.push(headers);
    // The same header in two spellings, which API Gateway joins.
    let mut twice = good.clone();
    twice["headers"]["Authorization"] = json!("Bearer CANARY");
    events.push(twice);
    events
}

/// The consumer accepts only batches. If it answered anything else, SQS would delete the messages as done.
pub async fn batches() -> Result<(), String> {
    let stage = Stage::new().await?;
    let (mut running, log) = stage.function(Role::Deliver, "trace").await?;
    for event in
        [Value::Null, json!("CANARY"), json!({}), json!({ "Records": "CANARY" }), json!({ "Records": null })]
    {
        match running.invoke(event.to_string().into_bytes()).await {
            Err(why) if why.contains("Records") && !why.contains("CANARY") => {}
            other => return Err(format!("{event}: {other:?}")),
        }
    }
    let batch = json!({ "Records": [null, {}, { "messageId": "m", "body": ["CANARY"] }] });
    let (_, answer) = running.invoke(batch.to_string().into_bytes()).await?;
    let answer: Value = serde_json::from_slice(&answer).map_err(|e| e.to_string())?;
    if !answer["batchItemFailures"].is_array() {
        return Err(format!("{batch}: {answer}"));
    }
    drop(running);
    without(&read(&log), "the consumer", &[&SECRETS[..], &["CANARY"]].concat())
}
