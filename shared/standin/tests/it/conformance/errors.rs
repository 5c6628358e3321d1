//! Errors that every call can have: no session, not found, not readable, too large.

use super::setup::Replica;
use super::{Arranging, Exception, Group};
use serde_json::json;

pub const GROUP: Group = Group {
    name: "errors",
    files: &["error-"],
    arrange,
    exceptions: &[Exception {
        file: "mattermost-11/error-no-route.http",
        found: "",
        reason: "the stand-in answers 501 to what it does not serve, so that nobody takes it for the 404 of a server",
    }],
};

fn arrange<'a>(replica: &'a mut Replica, file: &'a str) -> Arranging<'a> {
    Box::pin(async move {
        let revoke = json!({"token_id": replica.recorded.bot_token_id});
        match file {
            "error-message-too-long.http" => replica.name("… (17000 y)", "y".repeat(17_000)),
            "error-too-large.http" => replica.name("… (400056 bytes)", "x".repeat(400_056)),
            "error-disabled-bot.http" => {
                let path = format!("/api/v4/bots/{}/disable", replica.recorded.user("jira"));
                replica.call("sysadmin", "POST", &path, &json!({})).await;
            }
            "error-disabled-token.http" => {
                replica.call("sysadmin", "POST", "/api/v4/users/tokens/disable", &revoke).await;
            }
            "error-revoked-token.http" => {
                replica.call("sysadmin", "POST", "/api/v4/users/tokens/revoke", &revoke).await;
            }
            _ => {}
        }
    })
}
