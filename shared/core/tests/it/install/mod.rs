//! How an app comes to a server: the two steps, what they check, and what everybody reads who is refused.

mod begin;
mod change;
mod complete;
mod credentials;
mod cut_off;
mod remove;
mod room;
mod server;
mod upgrade;

use crate::desk::{Answered, BOT, COMMAND, Desk, TEAM, body, registered};
use cloud_apps_core::{
    functions::deliver::job_runner,
    http::Refusal,
    jobs::Worker,
    store::job::QueueName,
    testing::faults::{Faults, Faulty},
};
use cloud_apps_protocol::Millis;
use http::StatusCode;
use serde_json::{Value, json};
use std::sync::Arc;

fn changed(pointer: &str, value: Value) -> Value {
    let mut body = body();
    *body.pointer_mut(pointer).unwrap_or_else(|| panic!("{pointer}")) = value;
    body
}

fn unauthorized(answered: &Answered) {
    refused_alike(answered, &Refusal::unauthorized().message);
}

/// What every code is answered that is not good.
fn bad_code(answered: &Answered) {
    refused_alike(
        answered,
        "This needs an install code that is good here: for this app, not expired, not used up. Ask the operator of \
         the bundle for a new one (`cloud-apps operator code`), and send it as Authorization: Bearer.",
    );
}

/// What every manage code is answered that is not good.
fn bad_manage_code(answered: &Answered) {
    refused_alike(
        answered,
        "This needs a manage code that is good here: for this install, not expired, not revoked. Ask the operator of the \
         bundle for a new one (`cloud-apps operator manage-code`), and send it as Authorization: Bearer.",
    );
}

/// To the byte, so that nobody can tell two flaws apart.
fn refused_alike(answered: &Answered, message: &str) {
    assert_eq!(answered.status, StatusCode::UNAUTHORIZED, "{answered:?}");
    let error = json!({"code": "unauthorized", "message": message, "request_id": "request-1"});
    assert_eq!(answered.body, json!({ "error": error }));
}

/// An active install, its kid and its secret.
async fn serving(desk: &Desk) -> (String, String, String) {
    let code = desk.code().await;
    let begun = desk.begin(&code, &body()).await;
    desk.complete(&code, &begun.id(), &registered()).await;
    let text = |key: &str| begun.body[key].as_str().unwrap().to_owned();
    (begun.id(), text("kid"), text("shared_secret"))
}

/// An active install, and a manage code for it.
async fn managed(desk: &Desk) -> (String, String) {
    let (id, ..) = serving(desk).await;
    let code = desk.manage_code(&id).await;
    (id, code)
}

/// Sixteen at once, on several threads.
async fn sixteen<T: Send + 'static, F: Future<Output = T> + Send + 'static>(
    one: impl Fn(usize) -> F,
) -> Vec<T> {
    let running: Vec<_> = (0..16).map(|n| tokio::spawn(one(n))).collect();
    let mut done = Vec::new();
    for one in running {
        done.push(one.await.unwrap());
    }
    done
}

fn ok(answered: Answered) -> Value {
    assert_eq!(answered.status, StatusCode::OK, "{answered:?}");
    answered.body
}

fn problems(answered: &Answered) -> Vec<String> {
    let problems = answered.body["error"]["problems"].as_array().unwrap_or_else(|| panic!("{answered:?}"));
    let said = |p: &Value| format!("{} {}", p["pointer"].as_str().unwrap(), p["message"].as_str().unwrap());
    problems.iter().map(said).collect()
}

/// What is left of an install on its server.
fn leftovers() -> Value {
    json!([
        {"kind": "slash_command", "team_id": TEAM, "id": COMMAND, "trigger": "hello"},
        {"kind": "bot", "id": BOT, "username": "hello"},
    ])
}

/// Does the jobs that are due, until none is, at this time.
pub async fn upkeep(desk: &Desk, now: Millis) {
    for _ in 0..20 {
        if upkeep_once(desk, &Faults::none(), now).await == Some(0) {
            return;
        }
    }
    panic!("the jobs never end");
}

/// Does the jobs that are due, once, with whatever fails; how many there were.
async fn upkeep_once(desk: &Desk, faults: &Faults, now: Millis) -> Option<usize> {
    let management = desk.process(faults);
    let worker: Arc<dyn Worker> = management.clone();
    let delivery = job_runner(&management, worker);
    let jobs = Faulty::new(desk.memory.clone(), faults.clone());
    delivery.round(&jobs, QueueName::Commands, 10, (30_000, 60_000), now).await.ok()
}
