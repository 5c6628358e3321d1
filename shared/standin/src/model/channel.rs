//! Channels and their members.

use super::Millis;

/// Who can find a channel. The letters are Mattermost's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChannelKind {
    /// `O`: everybody in the team.
    Public,
    /// `P`: its members.
    Private,
    /// `D`: its two members.
    Direct,
    /// `G`: its three to eight members.
    Group,
}

impl ChannelKind {
    pub(crate) fn letter(self) -> &'static str {
        match self {
            ChannelKind::Public => "O",
            ChannelKind::Private => "P",
            ChannelKind::Direct => "D",
            ChannelKind::Group => "G",
        }
    }

    /// Whether it is a conversation, which belongs to no team.
    pub(crate) fn is_conversation(self) -> bool {
        matches!(self, ChannelKind::Direct | ChannelKind::Group)
    }
}

#[derive(Debug, Clone)]
pub(crate) struct Channel {
    pub id: String,
    /// Empty for a direct channel and a group.
    pub team_id: String,
    pub kind: ChannelKind,
    pub name: String,
    pub display_name: String,
    pub header: String,
    pub purpose: String,
    pub creator_id: String,
    pub create_at: Millis,
    pub update_at: Millis,
    /// When it was archived; 0 until then.
    pub delete_at: Millis,
}

#[derive(Debug, Clone)]
pub(crate) struct ChannelMember {
    pub channel_id: String,
    pub user_id: String,
    pub admin: bool,
    pub since: Millis,
}
