//! People: who is who, and what may be told of them.

use super::world::World;
use super::{Arranging, Group};
use crate::recording;
use cloud_apps_standin::Standin;

pub const GROUP: Group = Group { name: "accounts", files: &["users-"], arrange, exceptions: &[] };

fn arrange<'a>(world: &'a mut World, file: &'a str) -> Arranging<'a> {
    Box::pin(async move {
        match file {
            // What is made must not be there. Whoever comes first is the system admin.
            "users-create.http" => {
                world.mm = Standin::seeded(world.recorded.version, 1);
            }
            // Alice is changed after the recorded moment.
            "users-by-ids-since.http" => {
                world.mm.add_role("alice", "system_user_access_token").unwrap();
            }
            // With one wrong password before.
            "users-login.http" => {
                let files = recording::folder("mattermost-11/rest");
                let wrong = files.iter().find(|(name, _)| name == "users-login-wrong.http").unwrap();
                let request = recording::exchange(&wrong.1).0.request();
                assert_eq!(world.mm.respond(request).await.unwrap().status(), 401);
            }
            "users-roles-last-admin.http" => world.mm.add_role("jira", "system_admin").unwrap(),
            _ => {}
        }
    })
}
