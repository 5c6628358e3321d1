//! The registration and execution of slash commands.

use super::setup::Replica;
use super::{Arranging, Group};
use serde_json::json;

pub const GROUP: Group = Group { name: "commands", files: &["commands-"], arrange, exceptions: &[] };

fn arrange<'a>(replica: &'a mut Replica, file: &'a str) -> Arranging<'a> {
    Box::pin(async move {
        match file {
            // The thing that is created must not exist yet.
            "commands-create.http" => replica.name("\"jira\"", "\"another\""),
            "commands-execute-not-member-bot.http" => {
                replica.mm.add_role("jira", "system_post_all").unwrap();
                replica.mm.leave("jira", "town-square").unwrap();
            }
            "commands-move.http" => {
                replica.name("574cwkh3g3fm9qk5ir5m4x4fpy", replica.mm.add_team("dev").unwrap());
            }
            "commands-get-deleted.http" => {
                replica
                    .call("sysadmin", "DELETE", "/api/v4/commands/z4o6h38goj8wbq1145sccgho7r", &json!({}))
                    .await;
            }
            _ => {}
        }
    })
}
