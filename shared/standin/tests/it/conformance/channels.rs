//! Channels and their members.

use super::setup::Replica;
use super::{Arranging, Exception, Group};
use serde_json::json;

pub const GROUP: Group = Group {
    name: "channels",
    files: &["channel-", "channels-"],
    arrange,
    exceptions: &[Exception {
        file: "mattermost-11/channel-posts.http",
        found: "/posts/",
        reason: "most recorded posts say who joined; the stand-in has no such posts",
    }],
};

fn arrange<'a>(replica: &'a mut Replica, file: &'a str) -> Arranging<'a> {
    Box::pin(async move {
        match file {
            // The thing that is created must not exist yet.
            "channels-create.http" => replica.name("\"incident-1\"", "\"another\""),
            "channels-create-private.http" => replica.name("\"secret\"", "\"another\""),
            "channels-restore.http" => {
                let path = format!("/api/v4/channels/{}", replica.recorded.incident);
                replica.call("sysadmin", "DELETE", &path, &json!({})).await;
            }
            "channel-posts-since.http" => {
                let body = json!({"channel_id": replica.recorded.town_square, "message": "a new one"});
                replica.call("alice", "POST", "/api/v4/posts", &body).await;
            }
            _ => {}
        }
    })
}
