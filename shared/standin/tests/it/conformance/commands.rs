//! Slash commands: their registration and their execution.

use super::world::World;
use super::{Arranging, Group};
use serde_json::json;

pub const GROUP: Group = Group { name: "commands", files: &["commands-"], arrange, exceptions: &[] };

fn arrange<'a>(world: &'a mut World, file: &'a str) -> Arranging<'a> {
    Box::pin(async move {
        match file {
            // What is made must not be there.
            "commands-create.http" => world.name("\"jira\"", "\"another\""),
            "commands-execute-not-member-bot.http" => {
                world.mm.add_role("jira", "system_post_all").unwrap();
                world.mm.leave("jira", "town-square").unwrap();
            }
            "commands-move.http" => {
                world.name("574cwkh3g3fm9qk5ir5m4x4fpy", world.mm.add_team("dev").unwrap());
            }
            "commands-get-deleted.http" => {
                world
                    .call("sysadmin", "DELETE", "/api/v4/commands/z4o6h38goj8wbq1145sccgho7r", &json!({}))
                    .await;
            }
            _ => {}
        }
    })
}
