//! Bot accounts.

use super::world::World;
use super::{Arranging, Group};
use serde_json::json;

pub const GROUP: Group = Group { name: "bots", files: &["bot-", "bots-"], arrange, exceptions: &[] };

fn arrange<'a>(world: &'a mut World, file: &'a str) -> Arranging<'a> {
    Box::pin(async move {
        let bot = world.recorded.user("jira");
        match file {
            // What is made must not be there.
            "bots-create.http" => world.name("\"jira\"", "\"another\""),
            "bot-channel-not-member.http" | "bot-teams-empty.http" => {
                let path = format!("/api/v4/teams/{}/members/{bot}", world.recorded.team);
                world.call("sysadmin", "DELETE", &path, &json!({})).await;
            }
            _ => {}
        }
    })
}
