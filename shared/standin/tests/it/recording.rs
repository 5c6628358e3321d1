//! Reads recorded messages, and compares JSON by its shape.

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

/// A recorded message: its first line, headers and body.
pub struct Message {
    pub first: String,
    pub headers: HeaderMap,
    pub body: String,
}

/// Reads a message: `METHOD path`, headers, an empty line, body.
pub fn message(text: &str) -> Message {
    let (head, body) = text.split_once("\n\n").unwrap_or((text, ""));
    let mut lines = head.lines();
    let first = lines.next().unwrap_or_default().to_owned();
    let mut headers = HeaderMap::new();
    for (name, value) in lines.filter_map(|line| line.split_once(':')) {
        let name = HeaderName::try_from(name).unwrap();
        headers.append(name, HeaderValue::try_from(value.trim()).unwrap());
    }
    Message { first, headers, body: body.to_owned() }
}

/// A REST call and its answer.
pub fn exchange(text: &str) -> (Message, Message) {
    // The rest of this line can say how long the answer took.
    let (request, answer) = text.split_once("\n--- response").unwrap();
    let (_, answer) = answer.split_once('\n').unwrap();
    let (mut request, mut answer) = (message(request), message(answer));
    request.body = request.body.trim().to_owned();
    answer.body = answer.body.trim().to_owned();
    (request, answer)
}

impl Message {
    pub fn request(&self) -> Request<Bytes> {
        let mut words = self.first.split(' ');
        let mut request = Request::builder()
            .method(words.next().unwrap())
            .uri(words.next().unwrap())
            .body(Bytes::from(self.body.clone()))
            .unwrap();
        *request.headers_mut() = self.headers.clone();
        request
    }

    pub fn response(&self) -> Response<Bytes> {
        let mut response = Response::new(Bytes::from(self.body.clone()));
        *response.status_mut() = self.status().try_into().unwrap();
        *response.headers_mut() = self.headers.clone();
        response
    }

    pub fn status(&self) -> u16 {
        self.first.split(' ').nth(1).unwrap().parse().unwrap()
    }
}

/// Recordings with their names.
pub type Files = Arc<Vec<(String, String)>>;

/// The recordings of a folder in `tests/recordings`, by name. They are read only once, because every call is replayed with
/// a new stand-in.
pub fn folder(path: &str) -> Files {
    static READ: Mutex<BTreeMap<String, Files>> = Mutex::new(BTreeMap::new());
    let mut read = READ.lock().unwrap();
    if let Some(files) = read.get(path) {
        return files.clone();
    }
    let root: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/recordings").join(path);
    let mut files: Vec<(String, String)> = std::fs::read_dir(&root)
        .unwrap()
        .map(|entry| entry.unwrap())
        .map(|entry| {
            let name = entry.file_name().into_string().unwrap();
            (name, std::fs::read_to_string(entry.path()).unwrap())
        })
        .collect();
    files.sort();
    assert!(!files.is_empty(), "{} is empty", root.display());
    read.entry(path.to_owned()).or_insert(Arc::new(files)).clone()
}

/// Where `ours` does not have the shape of `recorded`: the same keys and JSON types. An element of a list must have the
/// shape of some recorded element. An object whose keys are ids counts as a list of its values.
pub fn differences(recorded: &Value, ours: &Value) -> Vec<String> {
    let mut found = Vec::new();
    compare("", recorded, ours, &mut found);
    found
}

fn compare(at: &str, recorded: &Value, ours: &Value, found: &mut Vec<String>) {
    match (recorded, ours) {
        (Value::Object(theirs), Value::Object(mine)) if has_ids(theirs) || has_ids(mine) => {
            let list = |map: &serde_json::Map<String, Value>| map.values().cloned().collect::<Vec<_>>();
            elements(at, &list(theirs), &list(mine), found);
        }
        (Value::Object(theirs), Value::Object(mine)) => {
            for (key, value) in theirs {
                let at = format!("{at}/{key}");
                match mine.get(key) {
                    Some(mine) => compare(&at, value, mine, found),
                    None => found.push(format!("{at} is missing")),
                }
            }
            for key in mine.keys().filter(|key| !theirs.contains_key(*key)) {
                found.push(format!("{at}/{key} is not recorded"));
            }
        }
        (Value::Array(theirs), Value::Array(mine)) => elements(at, theirs, mine, found),
        _ if kind(recorded) == kind(ours) => {}
        _ => found.push(format!("{at} is {}, recorded is {}", kind(ours), kind(recorded))),
    }
}

fn elements(at: &str, theirs: &[Value], mine: &[Value], found: &mut Vec<String>) {
    if theirs.is_empty() != mine.is_empty() {
        found.push(format!("{at} has {} elements, recorded are {}", mine.len(), theirs.len()));
    }
    for (index, element) in mine.iter().enumerate() {
        let tries = theirs.iter().map(|recorded| {
            let mut found = Vec::new();
            compare(&format!("{at}/{index}"), recorded, element, &mut found);
            found
        });
        found.extend(tries.min_by_key(Vec::len).unwrap_or_default());
    }
}

fn has_ids(map: &serde_json::Map<String, Value>) -> bool {
    !map.is_empty() && map.keys().all(|key| key.len() == 26 && key.chars().all(char::is_alphanumeric))
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a bool",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}
