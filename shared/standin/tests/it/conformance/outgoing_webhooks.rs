//! The recorded outgoing webhooks: each recorded post is made again, and the stand-in sends the same request.

use super::setup::{self, RECORDED, Replica};
use crate::integration::{named, translate};
use crate::recording;
use bytes::Bytes;
use http::{Request, Response};
use serde_json::json;
use std::sync::{Arc, Mutex};

/// The values that are different in each request: JSON texts and the values of pairs.
const NEW_EACH_TIME: &[&str] = &["token", "timestamp", "post_id"];

/// A body without the values that are different in each request.
fn blank(body: &str) -> String {
    let json = body.starts_with('{');
    let split = if json { ',' } else { '&' };
    let parts = body.split(split).map(|part| {
        let (key, _) = part.split_once(if json { ':' } else { '=' }).unwrap_or((part, ""));
        let name = key.trim_matches(['{', '"']);
        if NEW_EACH_TIME.contains(&name) { format!("{key}=…") } else { part.to_owned() }
    });
    parts.collect::<Vec<_>>().join(&split.to_string())
}

async fn hooks(replica: &Replica) {
    let base = "http://127.0.0.1:9000/outgoing-";
    let json = [format!("{base}json"), format!("{base}json-second")];
    let urls = if replica.recorded.since_11() { &json[..] } else { &json[..1] };
    for (kind, urls) in
        [("application/x-www-form-urlencoded", &[format!("{base}form")][..]), ("application/json", urls)]
    {
        let hook = json!({
            "team_id": replica.recorded.team, "channel_id": replica.recorded.town_square, "display_name": "events",
            "content_type": kind, "callback_urls": urls,
        });
        replica.call("sysadmin", "POST", "/api/v4/hooks/outgoing", &hook).await;
    }
}

#[tokio::test]
async fn webhooks_are_sent_as_recorded() {
    for recorded in RECORDED {
        let mut compared = 0;
        for (file, text) in recording::folder(&format!("{}/inbound", recorded.folder)).iter() {
            if !file.contains("-outgoing-") || file.ends_with(".answer.http") {
                continue;
            }
            let replica = setup::arrange(recorded, "").await;
            hooks(&replica).await;
            let theirs = recording::message(&translate(text, &replica.names));
            let sent: Arc<Mutex<Vec<Request<Bytes>>>> = Arc::default();
            let list = sent.clone();
            replica.mm.plug("http://127.0.0.1:9000/outgoing-", move |request| {
                list.lock().unwrap().push(request);
                async { Response::new(Bytes::from("{}")) }
            });
            let said = said(&theirs.body);
            let author = recorded.users.iter().find(|(_, id, _)| replica.ours(id) == said.author).unwrap().0;
            let post = json!({"channel_id": recorded.town_square, "message": said.text});
            replica.call(author, "POST", "/api/v4/posts", &post).await;
            replica.mm.settled().await;
            let sent = sent.lock().unwrap();
            let path = theirs.first.split(' ').nth(1).unwrap();
            let ours = sent.iter().find(|request| request.uri().path() == path).unwrap();
            assert_eq!(ours.method(), "POST");
            assert_eq!(named(ours.headers()), named(&theirs.headers), "{file}");
            assert_eq!(
                blank(std::str::from_utf8(ours.body()).unwrap()),
                blank(theirs.body.trim_end()),
                "{file}"
            );
            compared += 1;
        }
        println!("{:16} {compared:3} outgoing webhooks compared", recorded.folder);
    }
}

struct Said {
    author: String,
    text: String,
}

fn said(body: &str) -> Said {
    let find = |key: &str| -> String {
        if let Ok(json) = serde_json::from_str::<serde_json::Value>(body) {
            return json[key].as_str().unwrap().to_owned();
        }
        let mut pairs = url::form_urlencoded::parse(body.trim_end().as_bytes());
        pairs.find(|(known, _)| known == key).unwrap().1.into_owned()
    };
    Said { author: find("user_id"), text: find("text") }
}
