//! Outgoing and incoming webhooks: their registration, and the use of incoming ones.

use super::world::World;
use super::{Arranging, Group};
use serde_json::{Value, json};

pub const GROUP: Group = Group { name: "hooks", files: &["hooks-"], arrange, exceptions: &[] };

/// The recorded webhooks of 11.
fn hooks(world: &World) -> [Value; 3] {
    let make = |name: &str, kind: &str, urls: Value| {
        json!({
            "team_id": world.recorded.team, "channel_id": world.recorded.town_square, "display_name": name,
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

fn arrange<'a>(world: &'a mut World, file: &'a str) -> Arranging<'a> {
    Box::pin(async move {
        let known = match file {
            "hooks-outgoing-create-duplicate.http" => 2,
            "hooks-outgoing-list.http" => 3,
            _ => 0,
        };
        for hook in hooks(world).iter().take(known) {
            world.call("sysadmin", "POST", "/api/v4/hooks/outgoing", hook).await;
        }
        if world.recorded.is_11() && file != "hooks-incoming-create.http" {
            let body = json!({"channel_id": world.recorded.town_square, "display_name": "in"});
            let hook = world.call("sysadmin", "POST", "/api/v4/hooks/incoming", &body).await;
            world.name("uwod34aihjgk9du5j58po1w6ga", hook["id"].as_str().unwrap());
        }
    })
}
