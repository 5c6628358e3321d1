//! Shows what the stand-in stores and which calls came in, for assertions and for a log.

use crate::calls::Call;
use crate::error::StandinError;
use crate::model::{Post, User};
use crate::standin::Standin;

impl Standin {
    /// A user, by name or id.
    pub fn user(&self, user: &str) -> Result<User, StandinError> {
        let db = self.db();
        let id = db.resolve_user(user)?;
        db.user(&id).cloned().ok_or_else(|| StandinError::unknown("user", user))
    }

    /// The id of a team.
    pub fn team_id(&self, team: &str) -> Result<String, StandinError> {
        self.db().resolve_team(team)
    }

    /// The id of a channel of a team.
    pub fn channel_id(&self, team: &str, channel: &str) -> Result<String, StandinError> {
        let db = self.db();
        let team = db.resolve_team(team)?;
        db.resolve_channel(Some(&team), channel)
    }

    /// The posts of a channel that were not deleted, the oldest first.
    pub fn posts(&self, channel: &str) -> Result<Vec<Post>, StandinError> {
        let db = self.db();
        let id = db.resolve_channel(None, channel)?;
        let said = db.posts.iter().filter(|post| post.channel_id == id && post.only_for.is_none());
        let said = said.filter(|post| post.delete_at == 0);
        Ok(said.cloned().collect())
    }

    /// The last ephemeral post that a user got.
    pub fn last_ephemeral(&self, user: &str) -> Result<Option<Post>, StandinError> {
        let db = self.db();
        let id = db.resolve_user(user)?;
        Ok(db.posts.iter().rev().find(|post| post.only_for.as_ref() == Some(&id)).cloned())
    }

    /// The REST calls that came in, in order.
    pub fn calls(&self) -> Vec<Call> {
        self.log().log.clone()
    }

    /// All secrets that the server gave out and that still work: of people, bots, sessions, slash commands, webhooks
    /// and OAuth apps. A test can search for them where they must not be.
    pub fn secrets(&self) -> Vec<String> {
        let db = self.db();
        let tokens = db.tokens.iter().map(|token| &token.token);
        let all = tokens
            .chain(db.sessions.iter().map(|session| &session.token))
            .chain(db.commands.iter().map(|command| &command.token))
            .chain(db.outgoing_webhooks.iter().map(|webhook| &webhook.token))
            .chain(db.incoming_webhooks.iter().map(|webhook| &webhook.id))
            .chain(db.oauth_apps.iter().map(|app| &app.client_secret));
        all.filter(|secret| !secret.is_empty()).cloned().collect()
    }

    /// The public key for the signatures of trigger ids: an uncompressed point of P-256.
    pub fn trigger_public_key(&self) -> Vec<u8> {
        self.trigger_key().public()
    }
}
