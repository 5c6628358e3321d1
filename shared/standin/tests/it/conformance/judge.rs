//! Compares an answer with the recorded one: status, headers, the shape of the body, and the id and text of an error.

use crate::integration::{Names, translate};
use crate::recording::{self, Message};
use bytes::Bytes;
use http::{HeaderValue, Response};
use serde_json::Value;

/// Headers that only a listening server, a cache or compression adds.
const NOT_COMPARED: &[&str] =
    &["date", "content-length", "etag", "content-encoding", "transfer-encoding", "last-modified"];

/// Headers whose value is different in each answer.
const NEW_EACH_TIME: &[&str] = &["x-request-id", "token"];

/// The version and the license of `X-Version-Id`. The hash between them follows from the configuration, which a replica has
/// only in part; it must have as many digits.
fn without_hash(version_id: &HeaderValue) -> Option<(String, usize, String)> {
    let (rest, license) = version_id.to_str().ok()?.rsplit_once('.')?;
    let (version, hash) = rest.rsplit_once('.')?;
    Some((version.to_owned(), hash.len(), license.to_owned()))
}

/// What is wrong with the answer to a recorded call.
pub fn judge(recorded: &Message, ours: &Response<Bytes>, names: &Names) -> Vec<String> {
    let mut wrong = Vec::new();
    if recorded.status() != ours.status().as_u16() {
        let body = String::from_utf8_lossy(ours.body());
        wrong.push(format!("status {}, recorded {}: {body}", ours.status().as_u16(), recorded.status()));
    }
    for (name, value) in &recorded.headers {
        if NOT_COMPARED.contains(&name.as_str()) {
            continue;
        }
        match ours.headers().get(name) {
            Some(mine) if name == "x-version-id" && without_hash(mine) == without_hash(value) => {}
            Some(mine) if mine == value || NEW_EACH_TIME.contains(&name.as_str()) => {}
            other => wrong.push(format!("header {name}: {other:?}, recorded {value:?}")),
        }
    }
    for name in ours.headers().keys().filter(|name| !recorded.headers.contains_key(*name)) {
        wrong.push(format!("header {name} is not recorded"));
    }
    let body = translate(&recorded.body, names);
    let Ok(theirs) = serde_json::from_str::<Value>(&body) else {
        if body.as_bytes() != ours.body().as_ref() {
            wrong.push(format!("body {:?}, recorded {body:?}", ours.body()));
        }
        return wrong;
    };
    let mine: Value = serde_json::from_slice(ours.body()).unwrap_or_default();
    wrong.extend(recording::differences(&theirs, &mine));
    if recorded.status() >= 400 {
        for key in ["id", "message", "detailed_error", "status_code"] {
            if theirs[key] != mine[key] {
                wrong.push(format!("{key} {}, recorded {}", mine[key], theirs[key]));
            }
        }
    }
    wrong
}
