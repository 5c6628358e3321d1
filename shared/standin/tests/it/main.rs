//! Tests what the stand-in promises: in memory, or with sockets if the test is about them.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "the helpers of tests fail as tests do")]

mod actions;
mod blocks;
mod client;
mod commands;
mod conformance;
mod dialogs;
mod failures;
mod faults;
mod integration;
mod logins;
mod recording;
mod registrations;
mod response_url;
mod rest;
mod serving;
mod settings;
mod snapshots;
mod tokens;
mod vectors;
mod versions;
mod webhooks;
