//! The server itself: is it there, and how is it configured.

use super::{Exception, Group, nothing_more};

pub const GROUP: Group = Group {
    name: "server",
    files: &["config-", "system-"],
    arrange: nothing_more,
    exceptions: &[Exception {
        file: "mattermost-11/config-client-anonymous",
        found: "/",
        reason: "of the 125 keys those that an app can use",
    }],
};
