//! Who may do what: the default permissions of a fresh server (`MakeDefaultRoles` in `model/role.go`).

use super::Database;
use crate::model::{Channel, ChannelKind};

impl Database {
    pub fn has_role(&self, user_id: &str, role: &str) -> bool {
        self.user(user_id).is_some_and(|user| user.roles.split(' ').any(|word| word == role))
    }

    pub fn is_admin(&self, user_id: &str) -> bool {
        self.has_role(user_id, "system_admin")
    }

    pub fn may_see_team(&self, user_id: &str, team_id: &str) -> bool {
        self.is_admin(user_id) || self.team_member(team_id, user_id).is_some()
    }

    pub fn may_manage_team(&self, user_id: &str, team_id: &str) -> bool {
        self.is_admin(user_id) || self.team_member(team_id, user_id).is_some_and(|member| member.admin)
    }

    /// `manage_slash_commands`, `manage_incoming_webhooks`, `manage_outgoing_webhooks` for the user's own: the
    /// admins of the team have them, and also its members where integrations are not for admins only.
    pub fn may_integrate(&self, user_id: &str, team_id: &str) -> bool {
        // An empty team id is no team, and nobody has permissions there.
        if team_id.is_empty() {
            return false;
        }
        let all = !self.settings.enable_only_admin_integrations;
        self.may_manage_team(user_id, team_id) || (all && self.team_member(team_id, user_id).is_some())
    }

    /// `manage_oauth`: system admins have it, and everybody has it where integrations are not for admins only.
    pub fn may_manage_oauth(&self, user_id: &str) -> bool {
        self.is_admin(user_id) || !self.settings.enable_only_admin_integrations
    }

    /// `read_channel`: only members have it.
    pub fn may_read(&self, user_id: &str, channel_id: &str) -> bool {
        self.is_admin(user_id) || self.channel_member(channel_id, user_id).is_some()
    }

    /// `read_channel` or `read_public_channel`: the latter shows the channel itself, and not its posts.
    pub fn may_see_channel(&self, user_id: &str, channel: &Channel) -> bool {
        self.may_read(user_id, &channel.id)
            || (channel.kind == ChannelKind::Public && self.may_see_team(user_id, &channel.team_id))
    }

    /// `create_post`. The role `system_post_all` gives it in all channels (`posts-create-bot-post-all.http`).
    pub fn may_post(&self, user_id: &str, channel_id: &str) -> bool {
        self.may_read(user_id, channel_id) || self.has_role(user_id, "system_post_all")
    }
}
