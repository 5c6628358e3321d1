//! Answers to slash commands that come later.

use super::world::World;
use super::{Arranging, Group};
use serde_json::json;

pub const GROUP: Group = Group { name: "response_urls", files: &["response-url-"], arrange, exceptions: &[] };

fn arrange<'a>(world: &'a mut World, file: &'a str) -> Arranging<'a> {
    Box::pin(async move {
        let number = file.trim_start_matches("response-url-").trim_end_matches(".http").parse().unwrap_or(1);
        answer_later(world, number).await;
    })
}

/// Runs a command in the recorded thread, and answers it all but for the last of so many times.
pub async fn answer_later(world: &mut World, times: usize) {
    let body = json!({
        "channel_id": world.recorded.town_square, "team_id": world.recorded.team, "command": "/jira later",
        "root_id": world.recorded.post,
    });
    world.call("alice", "POST", "/api/v4/commands/execute", &body).await;
    let forms = world.sent.forms.lock().unwrap().clone();
    let url = forms[0].iter().find(|(key, _)| key == "response_url").unwrap().1.clone();
    let id = url.rsplit('/').next().unwrap().to_owned();
    world.name("w4j78shqx38b9gzmirju9zsnmc", id.clone());
    world.name("mzg8y8auojf1pjqhwoiy3bkrya", id);
    for _ in 1..times {
        let path = "/hooks/commands/w4j78shqx38b9gzmirju9zsnmc";
        world.call("alice", "POST", path, &json!({"text": "before"})).await;
    }
}
