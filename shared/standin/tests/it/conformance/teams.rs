//! Teams and their members.

use super::setup::Replica;
use super::{Arranging, Group};

pub const GROUP: Group = Group { name: "teams", files: &["team-", "teams-"], arrange, exceptions: &[] };

fn arrange<'a>(replica: &'a mut Replica, file: &'a str) -> Arranging<'a> {
    Box::pin(async move {
        if file == "teams-create.http" {
            // The thing that is created must not exist yet.
            replica.name("\"ops\"", "\"another\"");
        }
    })
}
