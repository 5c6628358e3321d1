//! Finds what is stored.

use super::Database;
use crate::model::{Caller, Channel, ChannelMember, Post, Team, TeamMember, User};
use crate::version::Ability;

impl Database {
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

    /// A stored post. Ephemeral posts are not stored on a real server, and deleted ones are not found.
    pub fn post(&self, id: &str) -> Option<&Post> {
        self.posts.iter().find(|post| post.id == id && post.only_for.is_none() && post.delete_at == 0)
    }

    /// Who calls with this token: the token of a session, or a personal access token. The personal access tokens of
    /// people work only while the server allows them, and a token that has ended never works.
    pub fn caller(&self, token: &str) -> Option<Caller> {
        let active = |id: &str| self.user(id).filter(|user| user.delete_at == 0);
        let session = self.sessions.iter().find(|known| known.token == token && known.expires_at > self.now);
        if let Some(session) = session {
            active(&session.user_id)?;
            return Some(Caller { user_id: session.user_id.clone(), session_id: session.id.clone() });
        }
        let token = self.tokens.iter().find(|known| known.active && known.token == token)?;
        if token.expires_at != 0 && token.expires_at <= self.now && self.version.has(Ability::TokenExpiry) {
            return None;
        }
        let user = active(&token.user_id)?;
        let allowed = user.bot.is_some() || self.settings.enable_user_access_tokens;
        allowed.then(|| Caller { user_id: user.id.clone(), session_id: String::new() })
    }
}
