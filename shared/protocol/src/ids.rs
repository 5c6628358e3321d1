//! Names and ids as types, so that the id of an install cannot be passed as the id of a user.

use serde::{Deserialize, Serialize};
use std::{borrow::Borrow, fmt, str::FromStr};

/// A text that is not an id of the expected kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{found:?} is not {expected}")]
pub struct BadId {
    /// What was found, cut to 40 characters.
    pub found: String,
    /// What was expected, with an article: "a Mattermost id (26 characters of a-z and 0-9)".
    pub expected: &'static str,
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $pattern:literal, $expected:literal, $valid:expr) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        #[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
        #[cfg_attr(feature = "schema", schemars(with = "String", extend("pattern" = $pattern)))]
        pub struct $name(String);

        impl $name {
            /// Checks the form of a text.
            pub fn new(text: impl Into<String>) -> Result<Self, BadId> {
                let text = text.into();
                let valid: fn(&str) -> bool = $valid;
                if valid(&text) {
                    Ok(Self(text))
                } else {
                    Err(BadId { found: text.chars().take(40).collect(), expected: $expected })
                }
            }

            /// The text itself.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = BadId;
            fn try_from(text: String) -> Result<Self, BadId> {
                Self::new(text)
            }
        }
        impl FromStr for $name {
            type Err = BadId;
            fn from_str(text: &str) -> Result<Self, BadId> {
                Self::new(text)
            }
        }
        impl From<$name> for String {
            fn from(id: $name) -> String {
                id.0
            }
        }
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Debug::fmt(&self.0, f)
            }
        }
        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }
        impl Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }
    };
}

fn mattermost(text: &str) -> bool {
    text.len() == 26 && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
}

fn base32(text: &str) -> bool {
    text.len() == 26 && text.bytes().all(|b| b.is_ascii_lowercase() || (b'2'..=b'7').contains(&b))
}

/// Names that no account can have. Mattermost reserves some, and a mention of `all`, `channel` or `here` notifies everybody.
pub(crate) const NO_USERNAMES: [&str; 5] = ["all", "channel", "here", "matterbot", "system"];

/// Mattermost's rule for usernames. The name of a user of another, connected server has a `:`. A server reads `@all.` as `@all`.
fn username(text: &str) -> bool {
    let named = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"._-:".contains(&b);
    (1..=64).contains(&text.len())
        && text.bytes().all(named)
        && !NO_USERNAMES.contains(&text.trim_end_matches(['.', '_', '-', ':']))
}

/// Mattermost's rule for the names of channels and teams, which are parts of addresses.
fn handle(text: &str) -> bool {
    (1..=64).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-".contains(&b))
}

fn app_id(text: &str) -> bool {
    (2..=32).contains(&text.len())
        && text.starts_with(|c: char| c.is_ascii_lowercase())
        && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
}

fn function_name(text: &str) -> bool {
    (1..=64).contains(&text.len())
        && text.starts_with(|c: char| c.is_ascii_lowercase())
        && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
}

fn number_below_a_billion(text: &str, digits: usize) -> bool {
    (1..=digits).contains(&text.len()) && !text.starts_with('0') && text.bytes().all(|b| b.is_ascii_digit())
}

id!(
    /// An app's id: `^[a-z][a-z0-9-]{1,31}$`.
    AppId, "^[a-z][a-z0-9-]{1,31}$", "an app id (2 to 32 characters of a-z, 0-9 and -, starting with a letter)", app_id);
id!(
    /// The first word of an app's commands. By default it is the app's id; it has the same form.
    Namespace, "^[a-z][a-z0-9-]{1,31}$", "a namespace (2 to 32 characters of a-z, 0-9 and -, starting with a letter)", app_id);
id!(
    /// One thing an app does: `^[a-z][a-z0-9_]{0,63}$`.
    FunctionName, "^[a-z][a-z0-9_]{0,63}$", "a function name (1 to 64 characters of a-z, 0-9 and _, starting with a letter)", function_name);
id!(
    /// One app on one Mattermost server: 26 random characters of `[a-z2-7]`. It is a name and gives no rights.
    InstallId, "^[a-z2-7]{26}$", "an install id (26 characters of a-z and 2-7)", base32);
id!(
    /// The id of a key in an app's key ring: `[1-9][0-9]{0,5}`.
    KeyId, "^[1-9][0-9]{0,5}$", "a key id (a number from 1 to 999999)", |t| number_below_a_billion(t, 6));
id!(
    /// A Mattermost user.
    UserId, "^[a-z0-9]{26}$", "a Mattermost id (26 characters of a-z and 0-9)", mattermost);
id!(
    /// A Mattermost channel.
    ChannelId, "^[a-z0-9]{26}$", "a Mattermost id (26 characters of a-z and 0-9)", mattermost);
id!(
    /// A Mattermost team.
    TeamId, "^[a-z0-9]{26}$", "a Mattermost id (26 characters of a-z and 0-9)", mattermost);
id!(
    /// A Mattermost access token. The id is not secret; the token itself is.
    TokenId, "^[a-z0-9]{26}$", "a Mattermost id (26 characters of a-z and 0-9)", mattermost);
id!(
    /// A Mattermost post.
    PostId, "^[a-z0-9]{26}$", "a Mattermost id (26 characters of a-z and 0-9)", mattermost);

id!(
    /// The name of a Mattermost user, without `@`. It has no character with a meaning in Markdown after an `@`.
    Username, "^[a-z0-9._:-]{1,64}$", "a user name (1 to 64 characters of a-z, 0-9, ., _, - and :)", username);
id!(
    /// The name of a Mattermost channel in addresses, without `~`.
    ChannelName, "^[A-Za-z0-9_-]{1,64}$", "a channel name (1 to 64 letters, digits, _ and -)", handle);
id!(
    /// The name of a Mattermost team in addresses.
    TeamName, "^[A-Za-z0-9_-]{1,64}$", "a team name (1 to 64 letters, digits, _ and -)", handle);

/// The number of a shared secret of an install: 1, 2, … in the order of rotations, with at most nine digits.
///
/// 0 means that there is no secret: no token is accepted, and none is ever made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Default)]
pub struct Generation(pub u32);

/// The longest address of a server, in bytes. It is a part of keys, whose length stores limit.
const MAX_SITE: usize = 512;

/// The address of a Mattermost server in a standard form, so that addresses can be compared: scheme and host in lower case, no
/// default port, no trailing `/`, no user, query or fragment. The path stays.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(with = "String"))]
pub struct SiteUrl(String);

impl SiteUrl {
    /// Parses an address and brings it into the standard form.
    pub fn new(text: &str) -> Result<Self, BadId> {
        let bad = || BadId {
            found: text.chars().take(40).collect(),
            expected: "the address of a Mattermost server, such as https://chat.example.com (at most 512 bytes)",
        };
        // This is checked before it is parsed, because the result may be three times as long.
        if text.len() > MAX_SITE {
            return Err(bad());
        }
        let url = url::Url::parse(text.trim()).map_err(|_| bad())?;
        let plain = matches!(url.scheme(), "http" | "https")
            && url.has_host()
            && url.username().is_empty()
            && url.password().is_none()
            && url.query().is_none()
            && url.fragment().is_none();
        if !plain || url.as_str().len() > MAX_SITE {
            return Err(bad());
        }
        Ok(Self(url.as_str().trim_end_matches('/').to_owned()))
    }

    /// The address in the standard form, without a trailing `/`.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for SiteUrl {
    type Error = BadId;
    fn try_from(text: String) -> Result<Self, BadId> {
        Self::new(&text)
    }
}
impl FromStr for SiteUrl {
    type Err = BadId;
    fn from_str(text: &str) -> Result<Self, BadId> {
        Self::new(text)
    }
}
impl From<SiteUrl> for String {
    fn from(site: SiteUrl) -> String {
        site.0
    }
}
impl fmt::Display for SiteUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
impl fmt::Debug for SiteUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}
