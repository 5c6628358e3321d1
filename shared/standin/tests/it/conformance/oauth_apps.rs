//! The registration of OAuth apps.

use super::setup::Replica;
use super::{Arranging, Group};
use serde_json::json;

pub const GROUP: Group = Group { name: "oauth_apps", files: &["oauth-apps-"], arrange, exceptions: &[] };

fn arrange<'a>(replica: &'a mut Replica, file: &'a str) -> Arranging<'a> {
    Box::pin(async move {
        if file == "oauth-apps-list.http" {
            for public in [false, true] {
                let body = json!({
                    "name": "Jira", "homepage": "http://127.0.0.1:9000", "is_public": public,
                    "callback_urls": ["http://127.0.0.1:9000/oauth"],
                });
                replica.call("sysadmin", "POST", "/api/v4/oauth/apps", &body).await;
            }
        }
    })
}
