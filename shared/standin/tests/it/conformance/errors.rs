//! What every call can end with: no session, no such thing, not readable, too large.

use super::world::World;
use super::{Arranging, Exception, Group};
use serde_json::json;

pub const GROUP: Group = Group {
    name: "errors",
    files: &["error-"],
    arrange,
    exceptions: &[Exception {
        file: "mattermost-11/error-no-route.http",
        found: "",
        reason: "the stand-in says 501 of what it does not serve, so that nobody takes that for the server's 404",
    }],
};

fn arrange<'a>(world: &'a mut World, file: &'a str) -> Arranging<'a> {
    Box::pin(async move {
        let revoke = json!({"token_id": world.recorded.bot_token_id});
        match file {
            "error-message-too-long.http" => world.name("… (17000 y)", "y".repeat(17_000)),
            "error-too-large.http" => world.name("… (400056 bytes)", "x".repeat(400_056)),
            "error-disabled-bot.http" => {
                let path = format!("/api/v4/bots/{}/disable", world.recorded.user("jira"));
                world.call("sysadmin", "POST", &path, &json!({})).await;
            }
            "error-disabled-token.http" => {
                world.call("sysadmin", "POST", "/api/v4/users/tokens/disable", &revoke).await;
            }
            "error-revoked-token.http" => {
                world.call("sysadmin", "POST", "/api/v4/users/tokens/revoke", &revoke).await;
            }
            _ => {}
        }
    })
}
