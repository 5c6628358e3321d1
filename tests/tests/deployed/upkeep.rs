//! The consumer of the queues: it removes an install that nobody finished, seals again after the keys of an app are
//! rotated, and keeps what it cannot do for an operator.

use crate::{Outcome, Stage, test};
use aws_sdk_dynamodb::types::AttributeValue;
use aws_sdk_lambda::primitives::Blob;
use cloud_apps_core::{
    install::DAY,
    store::job::{Job, JobKind},
};
use cloud_apps_protocol::{AppId, Millis};
use libtest_mimic::Trial;
use serde_json::{Value, json};
use stack_tests::canary;
use std::{
    error::Error,
    sync::Arc,
    time::{SystemTime, UNIX_EPOCH},
};

/// How often a test asks whether the consumer is done. Each time takes as long as a function takes to start.
const TRIES: usize = 300;
/// The server of an install that is never finished. It does not exist.
const NOWHERE: &str = "https://nobody.example.com";

pub fn tests(stage: &Arc<Stage>) -> Vec<Trial> {
    vec![
        test(stage, "an install whose code is over is removed by the consumer", unfinished),
        test(stage, "a rotated key waits for its time, and so does the walk that seals again", rotated),
        test(stage, "the schedule begins the upkeep of the day, which looks at all installs", scheduled),
        test(stage, "a job that nobody can read waits for an operator, who discards it", parked),
        test(stage, "a job that was given up is sent back and tried again", sent_back),
        test(stage, "a job about an install that cannot be read waits beside that install", unreadable),
    ]
}

/// Unix milliseconds.
pub fn now() -> Millis {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis());
    Millis::try_from(since).unwrap_or(Millis::MAX)
}

/// Invokes the install function with an operator's request, which must succeed.
pub async fn operator(stage: &Stage, request: Value) -> Result<Value, Box<dyn Error>> {
    let answer = stage.stack.operate(request).await?;
    assert!(answer.get("error").is_none(), "{answer}");
    Ok(answer)
}

/// Puts a message on the queue of deferred work.
pub async fn put(stage: &Stage, body: &str) -> Outcome {
    let queues = aws_sdk_sqs::Client::new(&stage.stack.sdk().await);
    let send = queues.send_message().queue_url(stage.stack.output("CommandQueueUrl"));
    send.message_body(body).message_group_id("test").send().await?;
    Ok(())
}

/// The entry of a job in the ledger.
async fn work(stage: &Stage, job: &Job) -> Result<Option<String>, Box<dyn Error>> {
    let tables = aws_sdk_dynamodb::Client::new(&stage.stack.sdk().await);
    let read = tables.get_item().table_name(stage.stack.output("LedgerTableName")).consistent_read(true);
    let found = read.key("pk", AttributeValue::S(job.key())).send().await?.item;
    Ok(found.and_then(|item| item.get("work")?.as_s().ok().cloned()))
}

/// Waits until a job is done.
pub async fn done(stage: &Stage, job: &Job) -> Outcome {
    for _ in 0..TRIES {
        if work(stage, job).await?.as_deref() == Some("done") {
            return Ok(());
        }
        // The invocation itself takes some time, so there is no other pause.
        operator(stage, json!({ "do": "apps" })).await?;
    }
    Err(format!("{} is not done", job.key()).into())
}

async fn unfinished(stage: Arc<Stage>) -> Outcome {
    let request = json!({
        "do": "code", "app": "hello", "site_url": NOWHERE, "base_url": stage.stack.url(), "valid_seconds": 10,
    });
    let answer = operator(&stage, request).await?;
    let code = answer["code"].as_str().ok_or("no code")?.to_owned();
    canary(&code)?;
    let server = &stage.today;
    let body = json!({
        "app_id": "hello",
        "server": { "site_url": NOWHERE, "version": "11.6.0" },
        "bot": {
            "user_id": server.user("hello"), "username": "hello", "access_token": "a-token-that-nothing-comes-of",
        },
        "installed_by": server.user("admin"),
        // It is removed together with the install.
        "static_token": true,
    });
    let begun = server.coded(&stage.stack, "/install", &code, &body).await?;
    let id = begun.body["install_id"].as_str().ok_or("it was not begun")?.to_owned();
    canary(begun.body["static_token"].as_str().ok_or("no static token")?)?;
    let listed = async || -> Result<bool, Box<dyn Error>> {
        let installs = operator(&stage, json!({ "do": "list", "app": "hello" })).await?;
        Ok(installs["installs"]
            .as_array()
            .is_some_and(|all| all.iter().any(|one| one["install_id"] == id.as_str())))
    };
    assert!(listed().await?, "the install was begun");
    for _ in 0..TRIES {
        if !listed().await? {
            return Ok(());
        }
    }
    Err(format!("{id} is still there").into())
}

async fn rotated(stage: Arc<Stage>) -> Outcome {
    let reseal = |now| -> Result<Job, Box<dyn Error>> {
        let app = "hello".parse().map_err(|_| "an app")?;
        Ok(Job::new(JobKind::Reseal { app, cursor: None }, 0, None, now))
    };
    // Seal all installs again; everything is sealed with the current key already.
    let whole = reseal(now())?;
    put(&stage, &serde_json::to_string(&whole)?).await?;
    done(&stage, &whole).await?;
    let before = operator(&stage, json!({ "do": "keys", "app": "hello" })).await?;
    let after = operator(&stage, json!({ "do": "rotate_keys", "app": "hello" })).await?;
    let keys = |answer: &Value| answer["keys"].as_array().map_or(0, Vec::len);
    assert_eq!(keys(&after), keys(&before) + 1, "{after}");
    // That rotation seals again in a quarter of an hour. A job that runs now finds that the new key is not used yet.
    let early = reseal(now())?;
    put(&stage, &serde_json::to_string(&early)?).await?;
    done(&stage, &early).await
}

/// What the template's schedule does, twice: the second time, nothing is left to do.
async fn scheduled(stage: Arc<Stage>) -> Outcome {
    let lambda = aws_sdk_lambda::Client::new(&stage.stack.sdk().await);
    let functions = lambda.list_functions().send().await?;
    let names = functions.functions().iter().filter_map(|function| function.function_name());
    let deliver =
        names.filter(|name| name.starts_with(stage.stack.name()) && name.contains("DeliverFunction"));
    let [deliver] = deliver.collect::<Vec<_>>()[..] else { return Err("one consumer".into()) };
    let app: AppId = "hello".parse().map_err(|_| "an app")?;
    let walk = |day| Job::new(JobKind::Upkeep { app: app.clone(), day, cursor: None }, 0, None, now());
    for _ in 0..2 {
        let before = now() / DAY;
        let event = Blob::new(json!({ "upkeep": true }).to_string());
        let invoked = lambda.invoke().function_name(deliver).payload(event).send().await?;
        assert_eq!(invoked.function_error(), None);
        // The day may have changed meanwhile.
        let day = if work(&stage, &walk(before)).await?.is_some() { before } else { now() / DAY };
        done(&stage, &walk(day)).await?;
    }
    assert_eq!(operator(&stage, json!({ "do": "dead_letters" })).await?["dead_letters"], json!([]));
    Ok(())
}

/// The dead letters without an install, as soon as there is one.
async fn letter(stage: &Stage) -> Result<Value, Box<dyn Error>> {
    for _ in 0..TRIES {
        let listed = operator(stage, json!({ "do": "dead_letters" })).await?;
        if let Some(letter) = listed["dead_letters"].get(0) {
            return Ok(letter.clone());
        }
    }
    Err("nothing was parked".into())
}

async fn parked(stage: Arc<Stage>) -> Outcome {
    put(&stage, r#"{"v":1,"kind":"reseal","attempt":"not a number"}"#).await?;
    let letter = letter(&stage).await?;
    assert!(letter["reason"].as_str().is_some_and(|reason| reason.contains("JSON")), "{letter}");
    let discarded = operator(&stage, json!({ "do": "discard", "id": letter["id"] })).await?;
    assert_eq!(discarded["dead_letter"], letter);
    assert_eq!(operator(&stage, json!({ "do": "dead_letters" })).await?["dead_letters"], json!([]));
    Ok(())
}

async fn sent_back(stage: Arc<Stage>) -> Outcome {
    // This app does not exist, so there are no keys to seal with.
    let app = "nobodys".parse().map_err(|_| "an app")?;
    let job = Job::new(JobKind::Reseal { app, cursor: None }, 0, None, now());
    put(&stage, &serde_json::to_string(&job)?).await?;
    let first = letter(&stage).await?;
    assert_eq!((&first["kind"], &first["attempts"]), (&json!("reseal"), &json!(1)), "{first}");
    // The job counts as done until somebody sends it back.
    done(&stage, &job).await?;
    let back = operator(&stage, json!({ "do": "send_back", "id": first["id"] })).await?;
    assert_eq!(back["dead_letter"]["id"], first["id"]);
    // The job was tried again, because it is parked again.
    let second = letter(&stage).await?;
    assert_eq!(second["id"], first["id"]);
    assert!(second["at"].as_u64() > first["at"].as_u64(), "{second}");
    operator(&stage, json!({ "do": "discard", "id": second["id"] })).await?;
    Ok(())
}

async fn unreadable(stage: Arc<Stage>) -> Outcome {
    let tables = aws_sdk_dynamodb::Client::new(&stage.stack.sdk().await);
    let table = stage.stack.output("InstallsTableName");
    let id = "z".repeat(26);
    let key = [("pk", format!("INSTALL#{id}")), ("sk", "INSTALL".to_owned())]
        .map(|(name, value)| (name.to_owned(), AttributeValue::S(value)));
    let item = key.iter().cloned().chain([("v".to_owned(), AttributeValue::N("9999".to_owned()))]);
    tables.put_item().table_name(table).set_item(Some(item.collect())).send().await?;
    let install = id.parse().map_err(|_| "an install")?;
    let job = Job::new(JobKind::Watch { install, rev: 1 }, 0, None, now());
    put(&stage, &serde_json::to_string(&job)?).await?;
    done(&stage, &job).await?;
    let listed = operator(&stage, json!({ "do": "dead_letters", "install_id": id })).await?;
    let letter = &listed["dead_letters"][0];
    assert!(letter["reason"].as_str().is_some_and(|reason| reason.contains("version 9999")), "{letter}");
    // When the unreadable letter is gone, there is nothing left to do.
    tables.delete_item().table_name(table).set_key(Some(key.into_iter().collect())).send().await?;
    operator(&stage, json!({ "do": "send_back", "install_id": id, "id": letter["id"] })).await?;
    done(&stage, &job).await?;
    let left = operator(&stage, json!({ "do": "dead_letters", "install_id": id })).await?;
    assert_eq!(left["dead_letters"], json!([]));
    Ok(())
}
