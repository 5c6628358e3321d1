//! `/api/v4/hooks`: the webhooks of a team. Its admins manage them, and, where integrations are not for admins only,
//! also the users who created them.

pub(super) mod incoming;
pub(super) mod outgoing;

use crate::app_error::AppError;
use crate::database::Database;

/// Whose webhooks a caller sees in a team: those of everybody (`None`), or those of this user.
fn visible_owner(db: &Database, user: &str, team: &str) -> Result<Option<String>, AppError> {
    if !db.may_integrate(user, team) {
        Err(AppError::forbidden())
    } else if db.may_manage_team(user, team) {
        Ok(None)
    } else {
        Ok(Some(user.to_owned()))
    }
}

/// Checks that a caller may manage what `creator` created in a team.
fn check_change(db: &Database, user: &str, team: &str, creator: &str) -> Result<(), AppError> {
    match visible_owner(db, user, team)? {
        Some(own) if own != creator => Err(AppError::forbidden()),
        _ => Ok(()),
    }
}
