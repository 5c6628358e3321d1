//! `/api/v4/hooks`: the webhooks of a team, managed by its admins and, where integrations are not for admins
//! only, by those who made them.

pub(super) mod incoming;
pub(super) mod outgoing;

use crate::error::AppError;
use crate::world::World;

/// Whose webhooks a caller sees in a team: those of all (`None`) or his own.
fn seen(world: &World, user: &str, team: &str) -> Result<Option<String>, AppError> {
    if !world.may_integrate(user, team) {
        Err(AppError::forbidden())
    } else if world.may_manage_team(user, team) {
        Ok(None)
    } else {
        Ok(Some(user.to_owned()))
    }
}

/// Whether a caller may manage what somebody made in a team.
fn may_change(world: &World, user: &str, team: &str, maker: &str) -> Result<(), AppError> {
    match seen(world, user, team)? {
        Some(own) if own != maker => Err(AppError::forbidden()),
        _ => Ok(()),
    }
}

/// `IsValidHTTPURL` in `model/utils.go`.
pub(super) fn is_http_url(text: &str) -> bool {
    (text.starts_with("http://") || text.starts_with("https://")) && url::Url::parse(text).is_ok()
}

/// The length of a list as Go prints it, which is what the limits are about: `[a b]`.
pub(super) fn printed(list: &[String]) -> usize {
    list.iter().map(String::len).sum::<usize>() + list.len().saturating_sub(1) + 2
}
