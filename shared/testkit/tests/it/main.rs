//! What people see of an app, through the handlers of a bundle and a Mattermost in memory.

// All of this is tests; clippy's own exception for tests does not reach what they share.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

mod board;
mod clicks;
