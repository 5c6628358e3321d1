//! Finding things, and who may see and do what.

use super::{Caller, Channel, ChannelKind, ChannelMember, Post, Team, TeamMember, User, World};

/// Looking things up.
impl World {
    pub fn user(&self, id: &str) -> Option<&User> {
        self.users.iter().find(|user| user.id == id)
    }

    pub fn user_named(&self, name: &str) -> Option<&User> {
        self.users.iter().find(|user| user.username.eq_ignore_ascii_case(name))
    }

    pub fn team(&self, id: &str) -> Option<&Team> {
        self.teams.iter().find(|team| team.id == id)
    }

    pub fn team_named(&self, name: &str) -> Option<&Team> {
        self.teams.iter().find(|team| team.name == name)
    }

    pub fn channel(&self, id: &str) -> Option<&Channel> {
        self.channels.iter().find(|channel| channel.id == id)
    }

    pub fn channel_named(&self, team_id: &str, name: &str) -> Option<&Channel> {
        self.channels.iter().find(|channel| channel.team_id == team_id && channel.name == name)
    }

    pub fn team_member(&self, team_id: &str, user_id: &str) -> Option<&TeamMember> {
        self.team_members.iter().find(|member| member.team_id == team_id && member.user_id == user_id)
    }

    pub fn channel_member(&self, channel_id: &str, user_id: &str) -> Option<&ChannelMember> {
        self.channel_members
            .iter()
            .find(|member| member.channel_id == channel_id && member.user_id == user_id)
    }

    /// A stored post; ephemeral ones are stored nowhere, and deleted ones are found no more.
    pub fn post(&self, id: &str) -> Option<&Post> {
        self.posts.iter().find(|post| post.id == id && post.only_for.is_none() && post.delete_at == 0)
    }

    /// Who calls with a token: that of a login, or a personal access token. Those of people work only while
    /// the server allows them.
    pub fn caller(&self, token: &str) -> Option<Caller> {
        let active = |id: &str| self.user(id).filter(|user| user.delete_at == 0);
        let session = self.sessions.iter().find(|known| known.token == token && known.expires_at > self.now);
        if let Some(session) = session {
            active(&session.user_id)?;
            return Some(Caller { user_id: session.user_id.clone(), session_id: session.id.clone() });
        }
        let token = self.tokens.iter().find(|known| known.active && known.token == token)?;
        let user = active(&token.user_id)?;
        let allowed = user.bot.is_some() || self.settings.enable_user_access_tokens;
        allowed.then(|| Caller { user_id: user.id.clone(), session_id: String::new() })
    }
}

/// Who may do what: the default permissions of a fresh server (`MakeDefaultRoles` in `model/role.go`).
impl World {
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

    /// `manage_slash_commands`, `manage_incoming_webhooks`, `manage_outgoing_webhooks` of one's own: the admins
    /// of the team, and its members where integrations are not for admins only.
    pub fn may_integrate(&self, user_id: &str, team_id: &str) -> bool {
        // Nobody may anything in no team.
        if team_id.is_empty() {
            return false;
        }
        let all = !self.settings.enable_only_admin_integrations;
        self.may_manage_team(user_id, team_id) || (all && self.team_member(team_id, user_id).is_some())
    }

    /// `manage_oauth`: system admins, and everybody where integrations are not for admins only.
    pub fn may_manage_oauth(&self, user_id: &str) -> bool {
        self.is_admin(user_id) || !self.settings.enable_only_admin_integrations
    }

    /// `read_channel`: members only.
    pub fn may_read(&self, user_id: &str, channel_id: &str) -> bool {
        self.is_admin(user_id) || self.channel_member(channel_id, user_id).is_some()
    }

    /// `read_public_channel` too: the channel itself, not what is said in it.
    pub fn may_see_channel(&self, user_id: &str, channel: &Channel) -> bool {
        self.may_read(user_id, &channel.id)
            || (channel.kind == ChannelKind::Public && self.may_see_team(user_id, &channel.team_id))
    }

    /// `create_post`. The role `system_post_all` gives it everywhere (`posts-create-bot-post-all.http`).
    pub fn may_post(&self, user_id: &str, channel_id: &str) -> bool {
        self.may_read(user_id, channel_id) || self.has_role(user_id, "system_post_all")
    }
}
