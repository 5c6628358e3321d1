//! An install of an app in a Lambda function, whose removal was cut off: the consumer of the queues ends it.

use crate::{Outcome, Stage, test, upkeep};
use aws_sdk_dynamodb::types::AttributeValue;
use cloud_apps_core::store::{
    job::{Job, JobKind},
    model::{Dead, Install, State},
};
use libtest_mimic::Trial;
use reqwest::StatusCode;
use serde_json::{Value, json};
use stack_tests::canary;
use std::{error::Error, sync::Arc};

/// The function's name, with the prefix that the template allows.
const FUNCTION: &str = "cloud-app-elsewhere";
/// The server that the app is installed on. It does not exist, and these tests never call it.
const SITE: &str = "https://elsewhere.example.com";
/// The function's code. It answers all calls in the same way.
const CODE: &str = "def handler(event, context):\n    return {'type': 'message', 'text': event['rawPath']}\n";

pub fn tests(stage: &Arc<Stage>) -> Vec<Trial> {
    vec![test(stage, "a removal that died half-way is ended by the consumer, which calls the app", whole)]
}

fn text(value: &Value) -> Result<String, Box<dyn Error>> {
    Ok(value.as_str().ok_or("no text")?.to_owned())
}

/// Installs the app; returns the id of the install.
async fn install(stage: &Stage) -> Result<String, Box<dyn Error>> {
    let code = json!({ "do": "code", "app": "elsewhere", "site_url": SITE, "base_url": stage.stack.url() });
    let code = text(&upkeep::operator(stage, code).await?["code"])?;
    canary(&code)?;
    let server = &stage.today;
    let body = json!({
        "app_id": "elsewhere",
        "server": { "site_url": SITE, "version": "11.6.0" },
        "bot": {
            "user_id": server.user("hello"), "username": "elsewhere", "access_token": "a-token-that-nothing-comes-of",
        },
        "installed_by": server.user("admin"),
        "granted": { "permissions": ["act_as_bot"], "locations": ["message_box"] },
    });
    let begun = server.coded(&stage.stack, "/install", &code, &body).await?;
    assert_eq!(begun.status, StatusCode::CREATED, "{}", begun.body["error"]);
    let id = text(&begun.body["install_id"])?;
    let path = format!("/install/{id}/complete");
    let completed = server.coded(&stage.stack, &path, &code, &json!({ "registered": [] })).await?;
    assert_eq!(completed.status, StatusCode::OK, "{}", completed.body["error"]);
    Ok(id)
}

/// Leaves the install as after a removal that was cut off after its first step, with a job that was given up.
async fn half_removed(stage: &Stage, id: &str) -> Outcome {
    let tables = aws_sdk_dynamodb::Client::new(&stage.stack.sdk().await);
    let table = stage.stack.output("InstallsTableName");
    let of = |text: &str| AttributeValue::S(text.to_owned());
    let pk = of(&format!("INSTALL#{id}"));
    let read = tables.get_item().table_name(table).key("pk", pk.clone()).key("sk", of("INSTALL"));
    let mut item = read.consistent_read(true).send().await?.item.ok_or("it is not there")?;
    let document = item["document"].as_s().map_err(|_| "no document")?;
    let install = Install { state: State::Removing, ..serde_json::from_str(document)? };
    item.insert("phase".to_owned(), of("removing"));
    item.insert("document".to_owned(), of(&serde_json::to_string(&install)?));
    tables.put_item().table_name(table).set_item(Some(item)).send().await?;
    let letter = Dead {
        id: "00000000000001-0123456789abcdef".to_owned(),
        install: Some(install.id),
        body: "{}".to_owned(),
        reason: "a test".to_owned(),
        attempts: 1,
        function: None,
        first_at: 1,
        at: 1,
        trace: None,
    };
    let put = tables.put_item().table_name(stage.stack.output("DataTableName"));
    put.item("pk", pk)
        .item("sk", of(&format!("DEAD#{}", letter.id)))
        .item("v", AttributeValue::N("1".to_owned()))
        .item("document", of(&serde_json::to_string(&letter)?))
        .send()
        .await?;
    Ok(())
}

/// Rotates the app's key ring, waits until the new key is used, and seals all again: the app's address is then bound to
/// that key.
async fn bound_again(stage: &Stage) -> Outcome {
    upkeep::operator(stage, json!({ "do": "rotate_keys", "app": "elsewhere" })).await?;
    let secrets = aws_sdk_secretsmanager::Client::new(&stage.stack.sdk().await);
    let name = format!("{}/app/elsewhere/keys", stage.stack.name());
    let ring = secrets.get_secret_value().secret_id(&name).send().await?.secret_string.ok_or("no ring")?;
    let mut ring: Value = serde_json::from_str(&ring)?;
    ring["keys"][1]["use_from"] = json!(upkeep::now() - 1);
    secrets.put_secret_value().secret_id(&name).secret_string(ring.to_string()).send().await?;
    let app = "elsewhere".parse().map_err(|_| "an app")?;
    let walk = Job::new(JobKind::Reseal { app, cursor: None }, 0, None, upkeep::now());
    upkeep::put(stage, &serde_json::to_string(&walk)?).await?;
    upkeep::done(stage, &walk).await?;
    let tables = aws_sdk_dynamodb::Client::new(&stage.stack.sdk().await);
    let of = |text: &str| AttributeValue::S(text.to_owned());
    let read = tables.get_item().table_name(stage.stack.output("InstallsTableName")).consistent_read(true);
    let read = read.key("pk", of("APP#elsewhere")).key("sk", of("APP"));
    let item = read.send().await?.item.ok_or("it is not there")?;
    let app: Value = serde_json::from_str(item["document"].as_s().map_err(|_| "no document")?)?;
    assert_eq!(app["binding"]["key"], "2");
    Ok(())
}

async fn whole(stage: Arc<Stage>) -> Outcome {
    stage.stack.create_function(FUNCTION, CODE).await?;
    let manifest = json!({
        "protocol": 2, "id": "elsewhere", "version": "1.0.0", "display_name": "Elsewhere",
        "permissions": ["act_as_bot"],
        "locations": ["message_box"],
        "upstream": { "type": "aws_lambda", "function": FUNCTION },
        "commands": [{ "function": "where", "summary": "Says where it is." }],
        "lifecycle": { "install": "on_install", "uninstall": "on_uninstall" },
    });
    let added =
        upkeep::operator(&stage, json!({ "do": "add_app", "manifest": manifest.to_string() })).await?;
    canary(added["upstream_secret"].as_str().ok_or("no secret")?)?;

    let id = install(&stage).await?;
    half_removed(&stage, &id).await?;
    let work = JobKind::Watch { install: id.parse().map_err(|_| "an id")?, rev: 1 };
    let watch = Job::new(work, 0, None, upkeep::now());
    upkeep::put(&stage, &serde_json::to_string(&watch)?).await?;
    upkeep::done(&stage, &watch).await?;
    let left = upkeep::operator(&stage, json!({ "do": "list", "app": "elsewhere" })).await?;
    assert_eq!(left["installs"], json!([]));
    let letters = upkeep::operator(&stage, json!({ "do": "dead_letters", "install_id": id })).await?;
    assert_eq!(letters["dead_letters"], json!([]));
    bound_again(&stage).await?;
    upkeep::operator(&stage, json!({ "do": "remove_app", "app": "elsewhere" })).await?;
    Ok(())
}
