//! Bot accounts.

use super::setup::Replica;
use super::{Arranging, Group};
use serde_json::json;

pub const GROUP: Group = Group { name: "bots", files: &["bot-", "bots-"], arrange, exceptions: &[] };

fn arrange<'a>(replica: &'a mut Replica, file: &'a str) -> Arranging<'a> {
    Box::pin(async move {
        let bot = replica.recorded.user("jira");
        match file {
            // The thing that is created must not exist yet.
            "bots-create.http" => replica.name("\"jira\"", "\"another\""),
            "bot-channel-not-member.http" | "bot-teams-empty.http" => {
                let path = format!("/api/v4/teams/{}/members/{bot}", replica.recorded.team);
                replica.call("sysadmin", "DELETE", &path, &json!({})).await;
            }
            _ => {}
        }
    })
}
