//! Finding users, teams and channels by the names that the stand-in's owner uses: a name or an id.

use crate::error::StandinError;
use crate::world::World;

pub(crate) fn unknown(what: &'static str, name: &str) -> StandinError {
    StandinError::Unknown { what, name: name.to_owned() }
}

pub(crate) fn user_id(world: &World, user: &str) -> Result<String, StandinError> {
    let found = world.user(user).or_else(|| world.user_named(user));
    found.map(|user| user.id.clone()).ok_or_else(|| unknown("user", user))
}

pub(crate) fn team_id(world: &World, team: &str) -> Result<String, StandinError> {
    let found = world.team(team).or_else(|| world.team_named(team));
    found.map(|team| team.id.clone()).ok_or_else(|| unknown("team", team))
}

/// By id, or by name: in the team if one is given, and else in the first team that has it.
pub(crate) fn channel_id(world: &World, team: Option<&str>, channel: &str) -> Result<String, StandinError> {
    let mut named = world.channels.iter().filter(|known| known.name == channel);
    let found =
        world.channel(channel).or_else(|| named.find(|known| team.is_none_or(|team| known.team_id == team)));
    found.map(|channel| channel.id.clone()).ok_or_else(|| unknown("channel", channel))
}
