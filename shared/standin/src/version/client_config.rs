//! The client configuration of a fresh server.

use super::Version;
use serde::Deserialize;
use serde_json::{Map, Value};
use std::sync::OnceLock;

/// What a client may know of a server's configuration.
#[derive(Deserialize)]
pub(crate) struct ClientConfig {
    /// The keys that a caller without a session gets.
    pub anonymous: Vec<String>,
    pub all: Map<String, Value>,
}

/// The configuration of a fresh server. That of 11 was recorded (`config-client.http`); later versions have it too, with
/// what [`crate::config`] changes. That of 5.37 was not recorded: its file has the keys of `config/client.go` that an app
/// can use.
pub(crate) fn client_config(version: Version) -> &'static ClientConfig {
    static V5_37: OnceLock<ClientConfig> = OnceLock::new();
    static V11: OnceLock<ClientConfig> = OnceLock::new();
    let read = |json: &str| {
        serde_json::from_str(json).unwrap_or_else(|_| ClientConfig { anonymous: Vec::new(), all: Map::new() })
    };
    match version {
        Version::V5_37 => V5_37.get_or_init(|| read(include_str!("5.37/client-config.json"))),
        _ => V11.get_or_init(|| read(include_str!("11/client-config.json"))),
    }
}
