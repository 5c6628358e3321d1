//! Posts, and what people think of them.

use super::response_urls::answer_later;
use super::world::World;
use super::{Arranging, Group};
use serde_json::json;

pub const GROUP: Group = Group { name: "posts", files: &["posts-", "reactions-"], arrange, exceptions: &[] };

fn arrange<'a>(world: &'a mut World, file: &'a str) -> Arranging<'a> {
    Box::pin(async move {
        match file {
            // The thread has a reply by the command, later.
            "posts-thread.http" => answer_later(world, 2).await,
            "posts-create-bot-not-member.http" => {
                let path =
                    format!("/api/v4/teams/{}/members/{}", world.recorded.team, world.recorded.user("jira"));
                world.call("sysadmin", "DELETE", &path, &json!({})).await;
            }
            "posts-create-bot-post-all.http" | "posts-ephemeral-bot-post-all.http" => {
                world.mm.add_role("jira", "system_post_all").unwrap();
            }
            "posts-ephemeral-bot-admin.http" => world.mm.add_role("jira", "system_admin").unwrap(),
            _ => {}
        }
    })
}
