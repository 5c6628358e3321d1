//! The two servers that the stand-in can be. They differ where an integration can notice it.

/// A Mattermost server, as recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Version {
    /// 5.37, the last release before the Apps framework.
    V5_37,
    /// 11.6, the newest release that was recorded.
    V11,
}

impl Version {
    /// The number that `GET /api/v4/config/client` tells as `Version`.
    pub fn number(self) -> &'static str {
        match self {
            Version::V5_37 => "5.37.0",
            Version::V11 => "11.6.0",
        }
    }

    /// The `X-Version-Id` header: version, build number, hash of the configuration, licensed.
    pub(crate) fn header(self) -> &'static str {
        match self {
            Version::V5_37 => "5.37.0..703e11a089aeeaa4b1f54203532ab85a.false",
            Version::V11 => {
                "11.6.0.11.6.0.3b7bdb37fdf83dc85ba711402c6da99f0f92268223c0d5a8a187c23d80566596.false"
            }
        }
    }

    pub(crate) fn is_11(self) -> bool {
        self == Version::V11
    }
}
