//! Late answers to slash commands.

use super::setup::Replica;
use super::{Arranging, Group};
use serde_json::json;

pub const GROUP: Group = Group { name: "response_urls", files: &["response-url-"], arrange, exceptions: &[] };

fn arrange<'a>(replica: &'a mut Replica, file: &'a str) -> Arranging<'a> {
    Box::pin(async move {
        let number = file.trim_start_matches("response-url-").trim_end_matches(".http").parse().unwrap_or(1);
        answer_later(replica, number).await;
    })
}

/// Runs a command in the recorded thread, and answers it once less than this number of times.
pub async fn answer_later(replica: &mut Replica, times: usize) {
    let body = json!({
        "channel_id": replica.recorded.town_square, "team_id": replica.recorded.team, "command": "/jira later",
        "root_id": replica.recorded.post,
    });
    replica.call("alice", "POST", "/api/v4/commands/execute", &body).await;
    let forms = replica.sent.forms.lock().unwrap().clone();
    let url = forms[0].iter().find(|(key, _)| key == "response_url").unwrap().1.clone();
    let id = url.rsplit('/').next().unwrap().to_owned();
    replica.name("w4j78shqx38b9gzmirju9zsnmc", id.clone());
    replica.name("mzg8y8auojf1pjqhwoiy3bkrya", id);
    for _ in 1..times {
        let path = "/hooks/commands/w4j78shqx38b9gzmirju9zsnmc";
        replica.call("alice", "POST", path, &json!({"text": "before"})).await;
    }
}
