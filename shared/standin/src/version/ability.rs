//! What a server can do since which version.

use super::Version;

/// Something that an integration can notice and that came after 11.6. What sets 11.6 apart from 5.37 is asked with
/// [`Version::since_11`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ability {
    /// Tokens can end, and an admin can limit how long those of people live: `expires_at`,
    /// `ServiceSettings.MaximumPersonalAccessTokenLifetimeDays`.
    TokenExpiry,
    /// The secret of a token can be replaced: `POST /api/v4/users/tokens/rotate`.
    TokenRotation,
    /// The limit on the life of tokens also holds for bots.
    BotTokenExpiry,
    /// Mattermost Blocks: `props.mm_blocks`, and the feature flag `MmBlocksEnabled`.
    Blocks,
    /// Messages can have 1,048,576 characters in the database.
    LongMessages,
}

impl Ability {
    /// The first version that can do it.
    pub(super) fn since(self) -> Version {
        match self {
            Ability::TokenExpiry => Version::V11_9,
            Ability::TokenRotation | Ability::Blocks => Version::V11_10,
            Ability::BotTokenExpiry | Ability::LongMessages => Version::V12,
        }
    }
}
