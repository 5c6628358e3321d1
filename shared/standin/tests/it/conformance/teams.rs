//! Teams, and who is in them.

use super::world::World;
use super::{Arranging, Group};

pub const GROUP: Group = Group { name: "teams", files: &["team-", "teams-"], arrange, exceptions: &[] };

fn arrange<'a>(world: &'a mut World, file: &'a str) -> Arranging<'a> {
    Box::pin(async move {
        if file == "teams-create.http" {
            // What is made must not be there.
            world.name("\"ops\"", "\"another\"");
        }
    })
}
