//! Channels, and who is in them.

use super::world::World;
use super::{Arranging, Exception, Group};
use serde_json::json;

pub const GROUP: Group = Group {
    name: "channels",
    files: &["channel-", "channels-"],
    arrange,
    exceptions: &[Exception {
        file: "mattermost-11/channel-posts.http",
        found: "/posts/",
        reason: "most recorded posts tell who joined; the stand-in has none",
    }],
};

fn arrange<'a>(world: &'a mut World, file: &'a str) -> Arranging<'a> {
    Box::pin(async move {
        match file {
            // What is made must not be there.
            "channels-create.http" => world.name("\"incident-1\"", "\"another\""),
            "channels-create-private.http" => world.name("\"secret\"", "\"another\""),
            "channels-restore.http" => {
                let path = format!("/api/v4/channels/{}", world.recorded.incident);
                world.call("sysadmin", "DELETE", &path, &json!({})).await;
            }
            "channel-posts-since.http" => {
                let body = json!({"channel_id": world.recorded.town_square, "message": "a new one"});
                world.call("alice", "POST", "/api/v4/posts", &body).await;
            }
            _ => {}
        }
    })
}
