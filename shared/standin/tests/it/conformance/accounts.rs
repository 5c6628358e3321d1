//! Users.

use super::setup::Replica;
use super::{Arranging, Group};
use crate::recording;
use cloud_apps_standin::Standin;

pub const GROUP: Group = Group { name: "accounts", files: &["users-"], arrange, exceptions: &[] };

fn arrange<'a>(replica: &'a mut Replica, file: &'a str) -> Arranging<'a> {
    Box::pin(async move {
        match file {
            // The user must not exist yet. The first user becomes the system admin.
            "users-create.http" => {
                replica.mm = Standin::seeded(replica.recorded.version, 1);
            }
            // Alice is changed after the time in the request.
            "users-by-ids-since.http" => {
                replica.mm.add_role("alice", "system_user_access_token").unwrap();
            }
            // There was one wrong password before.
            "users-login.http" => {
                let files = recording::folder("mattermost-11/rest");
                let wrong = files.iter().find(|(name, _)| name == "users-login-wrong.http").unwrap();
                let request = recording::exchange(&wrong.1).0.request();
                assert_eq!(replica.mm.respond(request).await.unwrap().status(), 401);
            }
            "users-roles-last-admin.http" => replica.mm.add_role("jira", "system_admin").unwrap(),
            _ => {}
        }
    })
}
