//! How an app comes to a server: the two steps, what they check, and what everybody reads who is refused.

mod begin;
mod change;
mod complete;
mod remove;
mod server;

use crate::office::{Answered, Desk, body, registered};
use cloud_apps_core::refusal::Refusal;
use http::StatusCode;
use serde_json::{Value, json};

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
