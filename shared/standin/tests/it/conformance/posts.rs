//! Posts and reactions.

use super::response_urls::answer_later;
use super::setup::Replica;
use super::{Arranging, Group};
use serde_json::json;

pub const GROUP: Group = Group { name: "posts", files: &["posts-", "reactions-"], arrange, exceptions: &[] };

fn arrange<'a>(replica: &'a mut Replica, file: &'a str) -> Arranging<'a> {
    Box::pin(async move {
        match file {
            // The thread has a late answer of the command as its reply.
            "posts-thread.http" => answer_later(replica, 2).await,
            "posts-create-bot-not-member.http" => {
                let path = format!(
                    "/api/v4/teams/{}/members/{}",
                    replica.recorded.team,
                    replica.recorded.user("jira")
                );
                replica.call("sysadmin", "DELETE", &path, &json!({})).await;
            }
            "posts-create-bot-post-all.http" | "posts-ephemeral-bot-post-all.http" => {
                replica.mm.add_role("jira", "system_post_all").unwrap();
            }
            "posts-ephemeral-bot-admin.http" => replica.mm.add_role("jira", "system_admin").unwrap(),
            _ => {}
        }
    })
}
