//! The slash commands that a server has by itself: what it suggests for them, and which triggers it reserves. The
//! stand-in does not execute them.

use super::Version;
use serde::Deserialize;
use serde_json::Value;
use std::sync::OnceLock;

/// A built-in command, as a fresh server was recorded (`commands-autocomplete.http`); also one that the server has
/// but does not suggest.
#[derive(Deserialize)]
pub(crate) struct BuiltInCommand {
    pub trigger: String,
    pub display_name: String,
    pub hint: String,
    pub description: String,
    /// Whether the server suggests it.
    pub shown: bool,
    /// What the server suggests after the trigger.
    pub autocomplete_data: Option<Value>,
}

/// The built-in commands of a version.
pub(crate) fn built_in_commands(version: Version) -> &'static [BuiltInCommand] {
    static V5_37: OnceLock<Vec<BuiltInCommand>> = OnceLock::new();
    static V11: OnceLock<Vec<BuiltInCommand>> = OnceLock::new();
    let read = |json: &str| serde_json::from_str(json).unwrap_or_default();
    match version {
        Version::V5_37 => V5_37.get_or_init(|| read(include_str!("5.37/built-in-commands.json"))),
        _ => V11.get_or_init(|| read(include_str!("11/built-in-commands.json"))),
    }
}

/// Whether the server reserves the trigger for a built-in command.
pub(crate) fn is_built_in(version: Version, trigger: &str) -> bool {
    built_in_commands(version).iter().any(|command| command.trigger == trigger)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_versions_have_commands_of_their_own() {
        for (version, count) in [(Version::V5_37, 31), (Version::V11, 32)] {
            assert_eq!(built_in_commands(version).len(), count);
            assert!(is_built_in(version, "away") && !is_built_in(version, "hello"));
        }
        assert!(is_built_in(Version::V11, "marketplace") && !is_built_in(Version::V5_37, "marketplace"));
    }
}
