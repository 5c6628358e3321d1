//! Sends the committed sample events through the code of the functions, in this process. It is the fast version of the
//! test that starts `sam local`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use super::*;
use lambda_runtime::Context;
use serde_json::json;
use std::{fs, path::Path};

fn event(name: &str) -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../events").join(name);
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

fn started(apps: Vec<App>) -> Started<Arc<Management>> {
    let env = event("env.json");
    let sample = env["Parameters"]["CLOUD_APPS_SAMPLE"].as_str().unwrap();
    Started { parts: offline::management(sample, apps).unwrap(), clock: Clock::Event }
}

fn context() -> Context {
    let mut context = Context::default();
    context.request_id = "request".to_owned();
    context.deadline = system_now() + 10_000;
    context
}

fn arrival(name: &str) -> Arrival {
    lambda::arrival(event(name), &context(), Clock::Event)
}

/// Status and body, as API Gateway gets them.
fn answered(response: Response<Bytes>) -> (i64, Value) {
    let out = serde_json::to_value(lambda::response(response)).unwrap();
    let status = out["statusCode"].as_i64().unwrap();
    (status, serde_json::from_str(out["body"].as_str().unwrap()).unwrap_or_else(|_| out["body"].clone()))
}

#[tokio::test]
async fn a_sample_command_is_answered_in_each_dialect() {
    let bundle = started(vec![hello::app()]);
    for (name, key) in [("slash.json", "text"), ("command.json", "text"), ("command-static.json", "text")] {
        let (status, body) =
            answered(functions::command::handle(&bundle.parts.services, arrival(name)).await);
        assert_eq!(status, 200, "{name}: {body}");
        assert!(body[key].as_str().unwrap_or_default().contains("bob"), "{name}: {body}");
    }
}

#[tokio::test]
async fn what_is_not_served_yet_authenticates_and_says_so() {
    let bundle = started(vec![hello::app()]);
    let (status, body) =
        answered(functions::autocomplete::handle(&bundle.parts.services, arrival("autocomplete.json")).await);
    assert_eq!((status, body["error"]["code"].as_str()), (404, Some("no_route")), "{body}");
    // The event function links no apps.
    let bundle = started(Vec::new());
    let (status, body) =
        answered(functions::event::handle(&bundle.parts.services, arrival("event.json")).await);
    assert_eq!((status, body["error"]["code"].as_str()), (404, Some("no_route")), "{body}");
}

#[tokio::test]
async fn the_install_function_tells_operators_from_requests_before_it_reads_http() {
    let bundle = started(vec![hello::app()]);
    let invoke = async |payload: Value| bundle.install(LambdaEvent::new(payload, context())).await;
    let list = invoke(event("install-operator.json")).await.unwrap();
    assert_eq!(list["installs"][0]["install_id"], "sampleinstallsampleinstall", "{list}");
    // No event of API Gateway has this shape. It gets an answer, and is not an event that cannot be read.
    let refused = invoke(json!({ "operator": { "do": "dance" } })).await.unwrap();
    assert_eq!(refused["error"]["code"], "bad_request", "{refused}");
    // With the keys of an event beside it, it is a request from outside, and no operator's.
    let mut dressed = event("index.json");
    dressed["operator"] = json!({ "do": "apps" });
    let index = invoke(dressed).await.unwrap();
    assert_eq!(index["statusCode"], 200, "{index}");
    assert!(index.get("apps").is_none(), "{index}");
    let shown = invoke(event("install-get.json")).await.unwrap();
    assert_eq!(shown["statusCode"], 200, "{shown}");
    let nobodys = invoke(json!({ "nothing": 1 })).await.unwrap();
    assert_eq!(nobodys["statusCode"], 404, "{nobodys}");
}

#[tokio::test]
async fn a_job_that_this_version_does_not_know_stays_on_the_queue() {
    let bundle = started(vec![hello::app()]);
    let answer = bundle.deliver(LambdaEvent::new(event("deliver.json"), context())).await.unwrap();
    let answer = serde_json::to_value(answer).unwrap();
    assert_eq!(
        answer,
        json!({ "batchItemFailures": [{ "itemIdentifier": "5a4d504c-455a-4d50-8c45-5a4d504c455a" }] })
    );
}

#[test]
fn an_app_that_is_not_well_defined_stops_the_start_with_every_problem() {
    assert!(check(&[hello::app()]).is_ok());
    let bad = App::new("bad", "one", "");
    let known = bad.check();
    let said = check(&[bad, hello::app(), hello::app()]).unwrap_err().to_string();
    assert!(!known.is_empty());
    for problem in known {
        assert!(said.contains(&problem.message), "{said}");
    }
    assert!(said.contains("There are two apps of this id"), "{said}");
}
