//! The recorded integration: it checks that the stand-in sends what the real server sent, and gives the recorded answers.

use crate::recording::{self, Message};
use bytes::Bytes;
use http::{HeaderMap, Request, Response};
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use std::collections::BTreeSet;
use std::fmt;
use std::sync::{Arc, Mutex};

/// Recorded values, and the values that replace them in the test.
pub type Names = Vec<(String, String)>;

/// The pairs of a form, in order.
pub type Form = Vec<(String, String)>;

/// The keys whose values are different in each call.
const SECRET: &[&str] = &["token", "trigger_id", "response_url"];
/// Headers that belong to the connection, and not to the request.
const CARRIED: &[&str] = &["host", "content-length"];

/// The recorded requests that a stand-in also sent, in any test so far: `mattermost-11/006-action.http`.
pub static COMPARED: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());

/// What was sent, for later assertions, and what was wrong with it.
#[derive(Clone, Default)]
pub struct Sent {
    pub forms: Arc<Mutex<Vec<Form>>>,
    pub wrong: Arc<Mutex<Vec<String>>>,
    /// If several recorded requests are equal, the one whose answer is given.
    pub like: Arc<Mutex<Option<String>>>,
}

/// Replaces recorded values by those of the test.
pub fn translate(text: &str, names: &Names) -> String {
    names.iter().fold(text.to_owned(), |text, (recorded, ours)| text.replace(recorded, ours))
}

fn path_and_form(path_and_query: &str, body: &str) -> (String, Form) {
    let (path, query) = path_and_query.split_once('?').unwrap_or((path_and_query, ""));
    if let Ok(Pairs(pairs)) = serde_json::from_str(body) {
        return (path.to_owned(), pairs);
    }
    let form = if body.is_empty() { query } else { body };
    (path.to_owned(), url::form_urlencoded::parse(form.as_bytes()).into_owned().collect())
}

/// A JSON object, as a form whose values are JSON. The keys keep their order.
struct Pairs(Form);

impl<'de> Deserialize<'de> for Pairs {
    fn deserialize<D: Deserializer<'de>>(de: D) -> Result<Pairs, D::Error> {
        struct Keys;
        impl<'de> Visitor<'de> for Keys {
            type Value = Pairs;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Pairs, A::Error> {
                let mut pairs = Form::new();
                while let Some((key, value)) = map.next_entry::<String, Value>()? {
                    pairs.push((key, value.to_string()));
                }
                Ok(Pairs(pairs))
            }
        }
        de.deserialize_map(Keys)
    }
}

/// Removes the values that are different in each call, and sorts the pairs, because mentions have no order.
fn comparable(form: &[(String, String)]) -> Form {
    let blank = |(key, value): &(String, String)| {
        let value = if SECRET.contains(&key.as_str()) { String::new() } else { value.clone() };
        (key.clone(), value)
    };
    let mut form: Vec<_> = form.iter().map(blank).collect();
    form.sort();
    form
}

/// Headers with their values, without those of the connection.
pub fn named(headers: &HeaderMap) -> Vec<(String, String)> {
    let text = |(name, value): (&http::HeaderName, &http::HeaderValue)| {
        let value = value.to_str().unwrap();
        // Only the scheme is compared, because the token is different.
        let value = if name == "authorization" { value.split(' ').next().unwrap() } else { value };
        (name.to_string(), value.to_owned())
    };
    let mut list: Vec<_> = headers.iter().map(text).collect();
    list.retain(|(name, _)| !CARRIED.contains(&name.as_str()));
    list.sort();
    list
}

/// The integration of a version's recordings.
pub fn recorded(version: &str, names: Names, sent: Sent) -> impl Fn(Request<Bytes>) -> Answer + Send + Sync {
    let files = recording::folder(&format!("{version}/inbound"));
    let find = move |name: &str| files.iter().find(|(file, _)| file == name).map(|(_, text)| text.clone());
    let requests = recording::folder(&format!("{version}/inbound"));
    let folder = version.to_owned();
    move |request| {
        let target = request.uri().path_and_query().unwrap().to_string();
        let body = String::from_utf8(request.body().to_vec()).unwrap();
        let (path, form) = path_and_form(&target, &body);
        sent.forms.lock().unwrap().push(form.clone());
        // Translation takes time, so only requests to the same address are translated.
        let here = |text: &str| text.split([' ', '?']).nth(1) == Some(path.as_str());
        let all: Vec<(String, Message)> = requests
            .iter()
            .filter(|(name, text)| !name.ends_with(".answer.http") && here(text))
            .map(|(name, text)| (name.clone(), recording::message(&translate(text, &names))))
            .collect();
        let like = sent.like.lock().unwrap().clone();
        let twins = all.iter().filter(|(_, message)| {
            let mut words = message.first.split(' ');
            let same_method = words.next() == Some(request.method().as_str());
            let (their_path, their_form) = path_and_form(words.next().unwrap(), &message.body);
            same_method && their_path == path && comparable(&their_form) == comparable(&form)
        });
        let twins: Vec<_> = twins.collect();
        let twin = twins.iter().find(|(name, _)| Some(name) == like.as_ref()).or_else(|| {
            let same_headers =
                |(_, message): &&&(String, Message)| named(&message.headers) == named(request.headers());
            twins.iter().find(same_headers).or_else(|| twins.first())
        });
        let Some((name, message)) = twin else {
            let pairs = comparable(&form);
            sent.wrong.lock().unwrap().push(format!("no server sent {} {path} {pairs:?}", request.method()));
            return Box::pin(std::future::ready(Response::new(Bytes::new())));
        };
        // Equal requests differ only in their answers, so all of them count as sent.
        let alike = twins.iter().map(|(name, _)| format!("{folder}/{name}"));
        COMPARED.lock().unwrap().extend(alike);
        let (_, theirs) = path_and_form(message.first.split(' ').nth(1).unwrap(), &message.body);
        let keys = |form: &[(String, String)]| form.iter().map(|(key, _)| key.clone()).collect::<Vec<_>>();
        if keys(&theirs) != keys(&form) {
            sent.wrong.lock().unwrap().push(format!("{name}: the keys have another order"));
        }
        if named(&message.headers) != named(request.headers()) {
            let both = (named(&message.headers), named(request.headers()));
            sent.wrong.lock().unwrap().push(format!("{name}: the headers differ: {both:?}"));
        }
        // The recorded integration answered after 40 seconds; here it never answers.
        if path == "/fail-slow40" {
            return Box::pin(std::future::pending());
        }
        let answer = find(&name.replace(".http", ".answer.http"));
        let Some(answer) = answer else { return Box::pin(std::future::ready(Response::new(Bytes::new()))) };
        let mut answer = recording::message(&translate(&answer, &names));
        if let Some(at) = answer.body.find("# sent after") {
            answer.body.truncate(at);
        }
        if path == "/fail-large" {
            answer.body = "x".repeat(1_200_000);
        }
        Box::pin(std::future::ready(answer.response()))
    }
}

type Answer = std::pin::Pin<Box<dyn Future<Output = Response<Bytes>> + Send>>;
