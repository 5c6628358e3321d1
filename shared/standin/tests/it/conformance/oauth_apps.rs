//! OAuth apps: their registration.

use super::world::World;
use super::{Arranging, Group};
use serde_json::json;

pub const GROUP: Group = Group { name: "oauth_apps", files: &["oauth-apps-"], arrange, exceptions: &[] };

fn arrange<'a>(world: &'a mut World, file: &'a str) -> Arranging<'a> {
    Box::pin(async move {
        if file == "oauth-apps-list.http" {
            for public in [false, true] {
                let body = json!({
                    "name": "Jira", "homepage": "http://127.0.0.1:9000", "is_public": public,
                    "callback_urls": ["http://127.0.0.1:9000/oauth"],
                });
                world.call("sysadmin", "POST", "/api/v4/oauth/apps", &body).await;
            }
        }
    })
}
