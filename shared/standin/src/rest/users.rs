//! `/api/v4/users`: people and bots, for everybody with a session.

use super::{Answer, Ask, Reply};
use crate::error::AppError;
use crate::shape;
use crate::world::World;
use serde_json::Value;

/// `error-not-found.http`
pub(super) fn missing() -> AppError {
    AppError::missing("app.user.missing_account.const", "Unable to find the user.")
}

/// `users-me-bot.http`, `error-bad-id.http`
pub(super) fn get(world: &mut World, ask: &Ask) -> Answer {
    let id = ask.user_id()?;
    let user = world.user(id).ok_or_else(missing)?;
    let own = id == ask.user;
    Reply::ok(if own { shape::me(world.version, user) } else { shape::user(world.version, user) })
}

pub(super) fn by_username(world: &mut World, ask: &Ask) -> Answer {
    let user = world.user_named(ask.path("username")?).ok_or_else(missing)?;
    Reply::ok(shape::user(world.version, user))
}

/// `users-by-usernames.http`: unknown names are left out.
pub(super) fn by_usernames(world: &mut World, ask: &Ask) -> Answer {
    let names: Vec<String> = ask.body("usernames")?;
    if names.is_empty() {
        return Err(AppError::bad_body("usernames"));
    }
    let known = world.users.iter().filter(|user| names.contains(&user.username));
    Reply::ok(known.map(|user| shape::user(world.version, user)).collect::<Value>())
}

/// `users-by-ids-since.http`: only those changed after `since`; unknown ids are left out.
pub(super) fn by_ids(world: &mut World, ask: &Ask) -> Answer {
    let ids: Vec<String> = ask.body("user_ids")?;
    if ids.is_empty() {
        return Err(AppError::bad_body("user_ids"));
    }
    let since: u64 = match ask.query("since") {
        Some(text) => text.parse().map_err(|_| AppError::bad_body("since"))?,
        None => 0,
    };
    let known = world.users.iter().filter(|user| ids.contains(&user.id) && user.update_at > since);
    Reply::ok(known.map(|user| shape::user(world.version, user)).collect::<Value>())
}
