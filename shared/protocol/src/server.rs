//! What an install knows of its Mattermost server (section 12).

use crate::Millis;
use serde::{Deserialize, Serialize};

/// What a Mattermost server says of itself, beside its version. What nobody has read from it is absent.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct ServerFacts {
    /// Whether Mattermost Blocks are switched on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mm_blocks: Option<bool>,
    /// The most characters that a post may have.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_post_size: Option<u32>,
    /// How many seconds the server waits for the answer of an integration. Only an admin can read it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub integration_timeout: Option<u32>,
    /// The header `X-Version-Id` of the server's answers. It is another one after a change of version or configuration.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version_id: Option<String>,
    /// When the bundle learned this.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub looked_at: Option<Millis>,
}

impl ServerFacts {
    /// The longest `X-Version-Id` that is kept, in characters. Mattermost's have about 100.
    pub const MAX_VERSION_ID: usize = 200;

    /// Whether nothing is known.
    pub fn is_unknown(&self) -> bool {
        *self == Self::default()
    }

    /// These facts, learned at `now`. What they leave out stays as it was known. If nothing else differs, the time stays too.
    #[must_use]
    pub fn over(self, known: &Self, now: Millis) -> Self {
        let learned = Self {
            mm_blocks: self.mm_blocks.or(known.mm_blocks),
            max_post_size: self.max_post_size.or(known.max_post_size),
            integration_timeout: self.integration_timeout.or(known.integration_timeout),
            version_id: self.version_id.or_else(|| known.version_id.clone()),
            looked_at: known.looked_at,
        };
        if learned == *known { learned } else { Self { looked_at: Some(now), ..learned } }
    }

    /// Whether a text can be kept as an `X-Version-Id`.
    pub fn is_version_id(text: &str) -> bool {
        (1..=Self::MAX_VERSION_ID).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic())
    }
}

/// The version of a Mattermost server, as far as it decides what the server can do: `11.10`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct ServerVersion {
    major: u32,
    minor: u32,
}

impl ServerVersion {
    /// The longest text of a version that is kept, in characters.
    const LONGEST: usize = 64;

    /// A version, to compare with.
    pub const fn new(major: u32, minor: u32) -> Self {
        Self { major, minor }
    }

    /// The version in a text such as `11.10.0`. A text that is no version counts as the oldest server.
    pub fn of(text: &str) -> Self {
        Self::parse(text).unwrap_or(Self::new(0, 0))
    }

    /// Whether a text can be kept as a server's version: `11.10.0`, possibly with a build's suffix. It is shown to people, so it
    /// is short and has no characters that nobody sees.
    pub fn is_version(text: &str) -> bool {
        text.len() <= Self::LONGEST
            && text.bytes().all(|b| b.is_ascii_graphic())
            && Self::parse(text).is_some()
    }

    /// The version in a text such as `11.10.0`; `None` if the text is no version.
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split('.').map(str::parse::<u32>);
        match (parts.next(), parts.next()) {
            (Some(Ok(major)), Some(Ok(minor))) => Some(Self { major, minor }),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_compared_by_number() {
        let text = |text| ServerVersion::parse(text);
        assert_eq!(text("11.10.0"), Some(ServerVersion::new(11, 10)));
        assert_eq!(text("5.37.0-rc1"), Some(ServerVersion::new(5, 37)));
        for none in ["", "11", "dev", "11.x", ".1", "-1.2"] {
            assert_eq!(text(none), None, "{none}");
            assert_eq!(ServerVersion::of(none), ServerVersion::new(0, 0));
        }
        assert!(ServerVersion::of("11.10.0") > ServerVersion::of("11.9.1"));
        assert!(ServerVersion::of("12.0.0") > ServerVersion::of("5.37.0"));
    }

    #[test]
    fn only_a_short_text_that_people_can_see_is_kept_as_a_version() {
        for version in ["11.10.0", "5.37.0-rc1", "12.0.0.12.0.0.abc.false"] {
            assert!(ServerVersion::is_version(version), "{version}");
        }
        let long = format!("12.0.{}", "0".repeat(400_000));
        for none in ["", "dev", "12.0.\u{1b}[31m", "12.0.0\n", "12.0.0 ", "12.0.é", &long] {
            assert!(!ServerVersion::is_version(none), "{none:?}");
        }
    }

    #[test]
    fn new_facts_leave_in_place_what_they_do_not_say() {
        let known = ServerFacts {
            max_post_size: Some(4_000),
            integration_timeout: Some(3),
            looked_at: Some(1),
            ..ServerFacts::default()
        };
        let read = ServerFacts { max_post_size: Some(16_383), ..ServerFacts::default() };
        let after = read.over(&known, 2);
        assert_eq!((after.max_post_size, after.integration_timeout), (Some(16_383), Some(3)));
        assert_eq!(after.looked_at, Some(2));
        assert_eq!(ServerFacts::default().over(&known, 2), known, "nothing new is no change");
    }
}
