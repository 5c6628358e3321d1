//! Personal access tokens: of bots by system admins, of oneself with the role `system_user_access_token`.
//! `api4/user.go`, `app/session.go`

use super::{Answer, Ask, Reply, users};
use crate::error::AppError;
use crate::shape;
use crate::world::{Token, World};
use http::StatusCode;
use serde::Deserialize;
use serde_json::Value;

fn may_manage(world: &World, ask: &Ask, user_id: &str) -> bool {
    let own = user_id == ask.user && world.has_role(&ask.user, "system_user_access_token");
    own || world.is_admin(&ask.user)
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Create {
    description: String,
}

/// `bot-token-create.http`, `user-token-create-forbidden.http`. Bots have tokens whatever the setting.
pub(super) fn create(world: &mut World, ask: &Ask) -> Answer {
    let user_id = ask.user_id()?;
    let bot = world.user(user_id).ok_or_else(users::missing)?.bot.is_some();
    let body: Create = ask.body("user_access_token")?;
    if body.description.is_empty() {
        return Err(AppError::bad_body("description"));
    }
    if !may_manage(world, ask, user_id) {
        return Err(AppError::forbidden());
    }
    if !bot && !world.settings.enable_user_access_tokens {
        return Err(AppError::new(
            StatusCode::NOT_IMPLEMENTED,
            "app.user_access_token.disabled",
            "Personal access tokens are disabled on this server. Please contact your system administrator for \
             details.",
        ));
    }
    if body.description.len() > 255 {
        return Err(AppError::bad(
            "model.user_access_token.is_valid.description.app_error",
            "Invalid description, must be 255 or less characters.",
        ));
    }
    Reply::ok(shape::token(world.add_token(user_id, &body.description), true))
}

/// `bot-tokens-list.http`
pub(super) fn of_user(world: &mut World, ask: &Ask) -> Answer {
    let user_id = ask.user_id()?;
    if !may_manage(world, ask, user_id) {
        return Err(AppError::forbidden());
    }
    let tokens = world.tokens.iter().filter(|token| token.user_id == user_id);
    let list: Vec<Value> = tokens.map(|token| shape::token(token, false)).collect();
    Reply::ok(ask.page(list, 60).into())
}

/// Of everybody, for system admins.
pub(super) fn list(world: &mut World, ask: &Ask) -> Answer {
    if !world.is_admin(&ask.user) {
        return Err(AppError::forbidden());
    }
    let list: Vec<Value> = world.tokens.iter().map(|token| shape::token(token, false)).collect();
    Reply::ok(ask.page(list, 60).into())
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Search {
    term: String,
}

/// By the beginning of the token's id, the user's id or the user's name.
pub(super) fn search(world: &mut World, ask: &Ask) -> Answer {
    if !world.is_admin(&ask.user) {
        return Err(AppError::forbidden());
    }
    let body: Search = ask.body("user_access_token_search")?;
    if body.term.is_empty() {
        return Err(AppError::bad_body("term"));
    }
    let term = body.term.as_str();
    let fits = |token: &&Token| {
        let named = world.user(&token.user_id).is_some_and(|user| user.username.starts_with(term));
        named || token.id.starts_with(term) || token.user_id.starts_with(term)
    };
    let found = world.tokens.iter().filter(fits);
    Reply::ok(found.map(|token| shape::token(token, false)).collect::<Value>())
}

fn missing() -> AppError {
    AppError::missing(
        "app.user_access_token.get_by_user.app_error",
        "Unable to get the personal access tokens by user.",
    )
}

/// Where a token stands, if the caller may change it.
fn find(world: &World, ask: &Ask, id: &str) -> Result<usize, AppError> {
    if !world.is_admin(&ask.user) && !world.has_role(&ask.user, "system_user_access_token") {
        return Err(AppError::forbidden());
    }
    let at = world.tokens.iter().position(|token| token.id == id);
    let (at, token) = at.and_then(|at| Some((at, world.tokens.get(at)?))).ok_or_else(missing)?;
    if may_manage(world, ask, &token.user_id) { Ok(at) } else { Err(AppError::forbidden()) }
}

pub(super) fn get(world: &mut World, ask: &Ask) -> Answer {
    let at = find(world, ask, ask.id("token_id")?)?;
    Reply::ok(shape::token(world.tokens.get(at).ok_or_else(missing)?, false))
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Named {
    token_id: String,
}

/// The token in the body. One that is not named is not found.
fn named(world: &World, ask: &Ask) -> Result<usize, AppError> {
    let body: Named = ask.body("token_id").unwrap_or_default();
    find(world, ask, &body.token_id)
}

/// `token-revoke.http`: its sessions end at once (`error-revoked-token.http`).
pub(super) fn revoke(world: &mut World, ask: &Ask) -> Answer {
    let at = named(world, ask)?;
    world.tokens.remove(at);
    Reply::done()
}

/// `token-disable.http`
pub(super) fn disable(world: &mut World, ask: &Ask) -> Answer {
    switch(world, ask, false)
}

/// `token-enable.http`
pub(super) fn enable(world: &mut World, ask: &Ask) -> Answer {
    switch(world, ask, true)
}

fn switch(world: &mut World, ask: &Ask, active: bool) -> Answer {
    let at = named(world, ask)?;
    if let Some(token) = world.tokens.get_mut(at) {
        token.active = active;
    }
    Reply::done()
}
