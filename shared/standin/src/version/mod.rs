//! The Mattermost servers that the stand-in can be, and what a fresh server of each version has.
//!
//! 5.37 and 11.6 were recorded. The versions after 11.6 are derived: what they do differently comes from the
//! changelogs, the documentation and the source of Mattermost, and not from a server that ran. What is not known of them
//! is as in 11.6, or is refused by name.
//!
//! To add a version: add a variant to [`Version`] in its order, and name in [`Ability`] what it can do that no version
//! before it could. A recorded version also gets a folder beside this file with its built-in commands and its client
//! configuration, and its recordings in `tests/recordings`, where the conformance tests find them.

mod ability;
mod built_in;
mod client_config;

pub(crate) use ability::Ability;
pub(crate) use built_in::{built_in_commands, is_built_in};
pub(crate) use client_config::client_config;

/// A Mattermost server. Versions differ only where an integration can notice it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Version {
    /// 5.37, the last release before the Apps framework; recorded.
    V5_37,
    /// 11.6, the newest release that was recorded.
    V11,
    /// 11.7, an extended support release; derived.
    V11_7,
    /// 11.8; derived.
    V11_8,
    /// 11.9, with buttons in the text of a message and tokens that end; derived.
    V11_9,
    /// 11.10, with Mattermost Blocks; derived.
    V11_10,
    /// 11.11; derived.
    V11_11,
    /// 12.0; derived.
    V12,
}

impl Version {
    /// All versions, the oldest first.
    pub const ALL: [Version; 8] = [
        Version::V5_37,
        Version::V11,
        Version::V11_7,
        Version::V11_8,
        Version::V11_9,
        Version::V11_10,
        Version::V11_11,
        Version::V12,
    ];

    /// The number that `GET /api/v4/config/client` returns as `Version`.
    pub fn number(self) -> &'static str {
        match self {
            Version::V5_37 => "5.37.0",
            Version::V11 => "11.6.0",
            Version::V11_7 => "11.7.0",
            Version::V11_8 => "11.8.0",
            Version::V11_9 => "11.9.0",
            Version::V11_10 => "11.10.0",
            Version::V11_11 => "11.11.0",
            Version::V12 => "12.0.0",
        }
    }

    /// Its short name: `5.37`, `11.6`, `12`.
    pub fn name(self) -> &'static str {
        match self {
            Version::V5_37 => "5.37",
            Version::V11 => "11.6",
            Version::V11_7 => "11.7",
            Version::V11_8 => "11.8",
            Version::V11_9 => "11.9",
            Version::V11_10 => "11.10",
            Version::V11_11 => "11.11",
            Version::V12 => "12",
        }
    }

    /// The version with this short name.
    pub fn named(name: &str) -> Option<Version> {
        Version::ALL.into_iter().find(|version| version.name() == name)
    }

    /// Whether a real server of this version was recorded. The others are derived from what is written about them.
    pub fn is_recorded(self) -> bool {
        self <= Version::V11
    }

    /// Whether this is version 11 or a later one.
    pub(crate) fn since_11(self) -> bool {
        self >= Version::V11
    }

    /// Whether a server of this version can do it.
    pub(crate) fn has(self, ability: Ability) -> bool {
        self >= ability.since()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_versions_are_in_the_order_of_their_numbers() {
        let numbers = Version::ALL.map(|version| {
            version.number().split('.').map(|part| part.parse::<u32>().unwrap()).collect::<Vec<_>>()
        });
        assert!(numbers.is_sorted(), "{numbers:?}");
        assert!(Version::ALL.is_sorted());
        for version in Version::ALL {
            assert_eq!(Version::named(version.name()), Some(version));
            assert!(version.number().starts_with(&format!("{}.", version.name())));
        }
        assert_eq!(Version::named("12.0"), None);
    }
}
