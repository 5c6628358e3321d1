//! A client of the REST API, for tests in memory.

use bytes::Bytes;
use cloud_apps_standin::{Standin, Version};
use http::Request;
use serde_json::Value;

/// The recorded versions, and the newest of those that are derived.
pub const VERSIONS: [Version; 3] = [Version::V5_37, Version::V11, Version::V12];

/// Makes a call; returns status and body. An empty token is no token, and null is no body.
pub async fn call(mm: &Standin, token: &str, method: &str, path: &str, body: &Value) -> (u16, Value) {
    let mut request = Request::builder().method(method).uri(path);
    if !token.is_empty() {
        request = request.header("authorization", format!("Bearer {token}"));
    }
    let body = if body.is_null() { Bytes::new() } else { Bytes::from(body.to_string()) };
    let answer = mm.respond(request.body(body).unwrap()).await.unwrap();
    (answer.status().as_u16(), serde_json::from_slice(answer.body()).unwrap_or_default())
}

/// Makes a call that is refused; returns status, id and text.
pub async fn refusal(
    mm: &Standin,
    token: &str,
    method: &str,
    path: &str,
    body: &Value,
) -> (u16, String, String) {
    let (status, body) = call(mm, token, method, path, body).await;
    assert_eq!(body["status_code"], status, "{body}");
    let text = |key: &str| body[key].as_str().unwrap().to_owned();
    (status, text("id"), text("message"))
}

/// Makes a call that succeeds; returns the body.
pub async fn done(mm: &Standin, token: &str, method: &str, path: &str, body: &Value) -> Value {
    let (status, body) = call(mm, token, method, path, body).await;
    assert!((200..300).contains(&status), "{method} {path}: {status} {body}");
    body
}

/// A stand-in with the demo, and the token of its admin.
pub fn demo(version: Version) -> (Standin, String) {
    let mm = Standin::seeded(version, 5);
    mm.demo().unwrap();
    let admin = mm.add_token("admin").unwrap();
    (mm, admin)
}
