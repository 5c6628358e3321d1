//! What a stranger, a forger and a sender with a wrong clock see of the protocol, through its public types.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)] // A test fails by panicking.

mod manifest;
mod message;
mod seal;
mod token;
mod values;
mod wire;

use cloud_apps_protocol::{AppId, InstallId, KeyId, secret::Secret};

const INSTALL: &str = "abcdefghijklmnopqrstuvwxyz";
const OTHER_INSTALL: &str = "zyxwvutsrqponmlkjihgfedcba";

fn app(id: &str) -> AppId {
    id.parse().unwrap()
}

fn key(id: &str) -> KeyId {
    id.parse().unwrap()
}

fn install(id: &str) -> InstallId {
    id.parse().unwrap()
}

fn root() -> Secret {
    Secret::new([7; 32])
}
