//! What an author's definition becomes, and what the clients do over real sockets.

mod definition;
mod mattermost;
mod outbound;
mod server;
