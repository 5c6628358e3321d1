//! Personal access tokens.

use super::{Group, nothing_more};

pub const GROUP: Group = Group {
    name: "tokens",
    files: &["bot-token", "token-", "user-token-"],
    arrange: nothing_more,
    exceptions: &[],
};
