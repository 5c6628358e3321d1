//! The Mattermost servers that the stand-in can be, and what a fresh server of each version has.
//!
//! To add a version: add a variant to [`Version`] in its order, and a folder beside this file with its built-in
//! commands and its client configuration. The compiler then shows each place that decides by a `match`; the other
//! places ask [`Version::since_11`]. Put the recordings into `tests/recordings`, where the conformance tests find them.

mod built_in;
mod client_config;

pub(crate) use built_in::{built_in_commands, is_built_in};
pub(crate) use client_config::client_config;

/// A Mattermost server, as recorded. Versions differ only where an integration can notice it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Version {
    /// 5.37, the last release before the Apps framework.
    V5_37,
    /// 11.6, the newest release that was recorded.
    V11,
}

impl Version {
    /// The number that `GET /api/v4/config/client` returns as `Version`.
    pub fn number(self) -> &'static str {
        match self {
            Version::V5_37 => "5.37.0",
            Version::V11 => "11.6.0",
        }
    }

    /// The `X-Version-Id` header: version, build number, hash of the configuration, whether there is a license.
    pub(crate) fn header(self) -> &'static str {
        match self {
            Version::V5_37 => "5.37.0..703e11a089aeeaa4b1f54203532ab85a.false",
            Version::V11 => {
                "11.6.0.11.6.0.3b7bdb37fdf83dc85ba711402c6da99f0f92268223c0d5a8a187c23d80566596.false"
            }
        }
    }

    /// Whether this is version 11 or a later one.
    pub(crate) fn since_11(self) -> bool {
        self >= Version::V11
    }
}
