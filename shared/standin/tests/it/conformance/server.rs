//! The server itself: whether it runs, and how it is configured.

use super::{Group, nothing_more};

pub const GROUP: Group =
    Group { name: "server", files: &["config-", "system-"], arrange: nothing_more, exceptions: &[] };
