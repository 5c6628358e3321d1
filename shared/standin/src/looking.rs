//! Looking at the world, for assertions and for a log.

use crate::naming::{channel_id, team_id, unknown, user_id};
use crate::rest::Call;
use crate::world::{Post, User};
use crate::{Standin, StandinError};

/// Looking at the world.
impl Standin {
    /// A user by name or id.
    pub fn user(&self, user: &str) -> Result<User, StandinError> {
        let world = self.world();
        let id = user_id(&world, user)?;
        world.user(&id).cloned().ok_or_else(|| unknown("user", user))
    }

    /// The id of a team.
    pub fn team_id(&self, team: &str) -> Result<String, StandinError> {
        team_id(&self.world(), team)
    }

    /// The id of a channel of a team.
    pub fn channel_id(&self, team: &str, channel: &str) -> Result<String, StandinError> {
        let world = self.world();
        let team = team_id(&world, team)?;
        channel_id(&world, Some(&team), channel)
    }

    /// What was said in a channel and not deleted, the oldest first.
    pub fn posts(&self, channel: &str) -> Result<Vec<Post>, StandinError> {
        let world = self.world();
        let id = channel_id(&world, None, channel)?;
        let said = world.posts.iter().filter(|post| post.channel_id == id && post.only_for.is_none());
        let said = said.filter(|post| post.delete_at == 0);
        Ok(said.cloned().collect())
    }

    /// The last ephemeral post that a user got.
    pub fn last_ephemeral(&self, user: &str) -> Result<Option<Post>, StandinError> {
        let world = self.world();
        let id = user_id(&world, user)?;
        Ok(world.posts.iter().rev().find(|post| post.only_for.as_ref() == Some(&id)).cloned())
    }

    /// The REST calls that came in, in order.
    pub fn calls(&self) -> Vec<Call> {
        self.world().calls.clone()
    }

    /// Every credential that the server gave out and that is still good: of people, bots, logins, slash commands,
    /// webhooks, OAuth apps. For tests that search for them where they must not be.
    pub fn secrets(&self) -> Vec<String> {
        let world = self.world();
        let tokens = world.tokens.iter().map(|token| &token.token);
        let all = tokens
            .chain(world.sessions.iter().map(|session| &session.token))
            .chain(world.commands.iter().map(|command| &command.token))
            .chain(world.outgoing_webhooks.iter().map(|webhook| &webhook.token))
            .chain(world.incoming_webhooks.iter().map(|webhook| &webhook.id))
            .chain(world.oauth_apps.iter().map(|app| &app.client_secret));
        all.filter(|secret| !secret.is_empty()).cloned().collect()
    }

    /// The public half of the key that signs trigger ids: an uncompressed point of P-256.
    pub fn trigger_public_key(&self) -> Vec<u8> {
        self.inner.trigger_key.public()
    }
}
