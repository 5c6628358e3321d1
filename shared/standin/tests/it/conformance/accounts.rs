//! People: who is who, and what may be told of them.

use super::world::World;
use super::{Arranging, Group};

pub const GROUP: Group = Group { name: "accounts", files: &["users-"], arrange, exceptions: &[] };

fn arrange<'a>(world: &'a mut World, file: &'a str) -> Arranging<'a> {
    Box::pin(async move {
        if file == "users-by-ids-since.http" {
            // Alice is changed after the recorded moment.
            world.mm.add_role("alice", "system_user_access_token").unwrap();
        }
    })
}
