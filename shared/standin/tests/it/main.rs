//! What the stand-in promises, tested in memory unless sockets are the matter.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "the helpers of tests fail as tests do")]

mod commands;
mod conformance;
mod faults;
mod integration;
mod recording;
mod rest;
mod serving;
