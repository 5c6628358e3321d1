//! What the bundle does with a request, through its handlers, over the stores in memory.

// All of this is tests; clippy's own exception for tests does not reach what they share.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

mod answers;
mod budgets;
mod build;
mod channel_posts;
mod commands;
mod crash;
mod deliver;
mod desk;
mod handed_over;
mod install;
mod jira;
mod linked;
mod log_line;
mod loud;
mod operator;
mod recordings;
mod refusals;
mod rings;
mod robustness;
mod server_changes;
mod slash;
mod stage;
mod upkeep;
mod upstream;
