//! What a server can do since which version.

use super::Version;

/// Something that an integration can notice and that came after 11.6. What sets 11.6 apart from 5.37 is asked with
/// [`Version::since_11`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ability {
    /// A refresh of a dialog names the field that was changed, and says which fields are empty.
    SelectedField,
    /// A `datetime_config` has the limits of a date.
    DateLimits,
    /// Tokens can end, and an admin can limit how long those of people live: `expires_at`,
    /// `ServiceSettings.MaximumPersonalAccessTokenLifetimeDays`.
    TokenExpiry,
    /// The secret of a token can be replaced: `POST /api/v4/users/tokens/rotate`.
    TokenRotation,
    /// The limit on the life of tokens also holds for bots.
    BotTokenExpiry,
    /// Buttons in texts, and the registry of what they do: `props.mm_blocks_actions`. A click can have a `query`, and its
    /// answer a `goto_location`.
    BlockActions,
    /// Mattermost Blocks: `props.mm_blocks`, and the feature flag `MmBlocksEnabled`. The ids of actions can have `_` and
    /// `-`.
    Blocks,
    /// The answer to a click can update an ephemeral post.
    EphemeralUpdates,
    /// Users learn that an integration is too busy (429, 503) or fails (502): `DoActionRequest`.
    UpstreamStatus,
    /// `POST /api/v4/posts?silent=true`.
    SilentPosts,
    /// Incoming webhooks post into threads: `root_id`.
    WebhookThreads,
    /// An update keeps that a bot or a plugin made the post: `PostActionRetainPropKeys`.
    KeptBotProps,
    /// The team of a dialog is that of its channel, and a conversation has none.
    TeamOfChannel,
    /// Dialogs with lists of boxes to check, parts that fold, and sizes. The limits of a date are only in its
    /// `datetime_config`.
    RichDialogs,
    /// Nobody can set the props that say in whose name a post was made, but the server itself.
    IdentityProps,
    /// Messages can have 1,048,576 characters in the database.
    LongMessages,
}

impl Ability {
    /// The first version that can do it.
    pub(super) fn since(self) -> Version {
        match self {
            Ability::SelectedField => Version::V11_7,
            Ability::WebhookThreads | Ability::DateLimits => Version::V11_8,
            Ability::TokenExpiry | Ability::BlockActions => Version::V11_9,
            Ability::TokenRotation
            | Ability::Blocks
            | Ability::EphemeralUpdates
            | Ability::UpstreamStatus
            | Ability::SilentPosts
            | Ability::TeamOfChannel => Version::V11_10,
            Ability::KeptBotProps => Version::V11_11,
            Ability::BotTokenExpiry
            | Ability::LongMessages
            | Ability::IdentityProps
            | Ability::RichDialogs => Version::V12,
        }
    }
}
