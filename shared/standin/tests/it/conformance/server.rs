//! The server itself: is it there, and how is it configured.

use super::{Group, nothing_more};

pub const GROUP: Group =
    Group { name: "server", files: &["config-", "system-"], arrange: nothing_more, exceptions: &[] };
