//! The registration of outgoing and incoming webhooks, and the use of incoming ones.

use super::setup::Replica;
use super::{Arranging, Group};
use serde_json::{Value, json};

pub const GROUP: Group = Group { name: "hooks", files: &["hooks-"], arrange, exceptions: &[] };

/// The recorded webhooks of 11.
fn hooks(replica: &Replica) -> [Value; 3] {
    let make = |name: &str, kind: &str, urls: Value| {
        json!({
            "team_id": replica.recorded.team, "channel_id": replica.recorded.town_square, "display_name": name,
            "content_type": kind, "callback_urls": urls, "trigger_words": [],
        })
    };
    let (form, json) = ("http://127.0.0.1:9000/outgoing-form", "http://127.0.0.1:9000/outgoing-json");
    [
        make("Cloud App events", "application/x-www-form-urlencoded", json!([form])),
        make("Cloud App events json", "application/json", json!([json, format!("{json}-second")])),
        make("dup", "application/json", json!([json])),
    ]
}

fn arrange<'a>(replica: &'a mut Replica, file: &'a str) -> Arranging<'a> {
    Box::pin(async move {
        let known = match file {
            "hooks-outgoing-create-duplicate.http" => 2,
            "hooks-outgoing-list.http" => 3,
            _ => 0,
        };
        for hook in hooks(replica).iter().take(known) {
            replica.call("sysadmin", "POST", "/api/v4/hooks/outgoing", hook).await;
        }
        if replica.recorded.since_11() && file != "hooks-incoming-create.http" {
            let body = json!({"channel_id": replica.recorded.town_square, "display_name": "in"});
            let hook = replica.call("sysadmin", "POST", "/api/v4/hooks/incoming", &body).await;
            replica.name("uwod34aihjgk9du5j58po1w6ga", hook["id"].as_str().unwrap());
        }
    })
}
