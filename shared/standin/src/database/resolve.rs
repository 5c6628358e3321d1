//! Finds users, teams and channels for the Rust API of the stand-in, where a caller gives a name or an id.

use super::Database;
use crate::error::StandinError;

impl Database {
    /// The id of a user.
    pub fn resolve_user(&self, user: &str) -> Result<String, StandinError> {
        let found = self.user(user).or_else(|| self.user_named(user));
        found.map(|user| user.id.clone()).ok_or_else(|| StandinError::unknown("user", user))
    }

    /// The id of a team.
    pub fn resolve_team(&self, team: &str) -> Result<String, StandinError> {
        let found = self.team(team).or_else(|| self.team_named(team));
        found.map(|team| team.id.clone()).ok_or_else(|| StandinError::unknown("team", team))
    }

    /// The id of a channel. A name is looked up in the team if one is given, and otherwise in all teams; the first
    /// channel that has it is taken.
    pub fn resolve_channel(&self, team: Option<&str>, channel: &str) -> Result<String, StandinError> {
        let mut named = self.channels.iter().filter(|known| known.name == channel);
        let found = self
            .channel(channel)
            .or_else(|| named.find(|known| team.is_none_or(|team| known.team_id == team)));
        found.map(|channel| channel.id.clone()).ok_or_else(|| StandinError::unknown("channel", channel))
    }
}
