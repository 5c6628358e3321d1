//! What an author's definition becomes, and what the clients do over real sockets.

// All of this is tests; clippy's own exception for tests does not reach what they share.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

mod definition;
mod mattermost;
mod outbound;
mod server;
