//! The commands that a server brings along: what it suggests of them, and which triggers it keeps for itself.
//! They can not be executed here.

use crate::Version;
use serde::Deserialize;
use serde_json::Value;
use std::sync::OnceLock;

/// As recorded of a fresh server (`commands-autocomplete.http`), and those that it has without showing them.
#[derive(Deserialize)]
pub(super) struct BuiltIn {
    pub trigger: String,
    pub display_name: String,
    pub hint: String,
    pub description: String,
    /// It is suggested.
    pub shown: bool,
    /// What it suggests beyond the trigger.
    pub autocomplete_data: Option<Value>,
}

pub(super) fn of(version: Version) -> &'static [BuiltIn] {
    static ELEVEN: OnceLock<Vec<BuiltIn>> = OnceLock::new();
    static FIVE: OnceLock<Vec<BuiltIn>> = OnceLock::new();
    let read = |json: &str| serde_json::from_str(json).unwrap_or_default();
    match version {
        Version::V11 => ELEVEN.get_or_init(|| read(include_str!("built-in-11.json"))),
        Version::V5_37 => FIVE.get_or_init(|| read(include_str!("built-in-5.37.json"))),
    }
}

/// Whether the server keeps the trigger for itself.
pub(crate) fn is_built_in(version: Version, trigger: &str) -> bool {
    of(version).iter().any(|known| known.trigger == trigger)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_versions_have_commands_of_their_own() {
        for (version, count) in [(Version::V5_37, 31), (Version::V11, 32)] {
            assert_eq!(of(version).len(), count);
            assert!(is_built_in(version, "away") && !is_built_in(version, "hello"));
        }
        assert!(is_built_in(Version::V11, "marketplace") && !is_built_in(Version::V5_37, "marketplace"));
    }
}
