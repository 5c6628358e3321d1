//! Personal access tokens: of a bot by a system admin, of oneself with the role `system_user_access_token`.

use super::{Answer, Ask, Reply, users};
use crate::error::AppError;
use crate::shape;
use crate::world::World;
use serde::Deserialize;
use serde_json::Value;

fn may_manage(world: &World, ask: &Ask, user_id: &str) -> bool {
    let own = user_id == ask.user && world.has_role(&ask.user, "system_user_access_token");
    own || world.is_admin(&ask.user)
}

#[derive(Deserialize)]
struct Create {
    #[serde(default)]
    description: String,
}

/// `bot-token-create.http`, `user-token-create-forbidden.http`
pub(super) fn create(world: &mut World, ask: &Ask) -> Answer {
    let user_id = ask.user_id()?;
    if !may_manage(world, ask, user_id) {
        return Err(AppError::forbidden());
    }
    world.user(user_id).ok_or_else(users::missing)?;
    let body: Create = ask.body("user_access_token")?;
    if body.description.is_empty() {
        return Err(AppError::bad_body("description"));
    }
    Reply::ok(shape::token(world.add_token(user_id, &body.description), true))
}

/// `bot-tokens-list.http`
pub(super) fn list(world: &mut World, ask: &Ask) -> Answer {
    let user_id = ask.user_id()?;
    if !may_manage(world, ask, user_id) {
        return Err(AppError::forbidden());
    }
    let tokens = world.tokens.iter().filter(|token| token.user_id == user_id);
    let list: Vec<Value> = tokens.map(|token| shape::token(token, false)).collect();
    Reply::ok(ask.page(list, 60).into())
}

#[derive(Deserialize)]
struct Named {
    #[serde(default)]
    token_id: String,
}

/// Where the token in the body stands, if the caller may change it.
fn find(world: &World, ask: &Ask) -> Result<usize, AppError> {
    let body: Named = ask.body("token_id")?;
    let at = world.tokens.iter().position(|token| token.id == body.token_id);
    let found = at.and_then(|at| Some((at, world.tokens.get(at)?)));
    let (at, token) = found.ok_or_else(|| {
        AppError::missing(
            "app.user_access_token.get_by_user.app_error",
            "Unable to get the user access token.",
        )
    })?;
    if may_manage(world, ask, &token.user_id) { Ok(at) } else { Err(AppError::forbidden()) }
}

/// `token-revoke.http`: its sessions end at once (`error-revoked-token.http`).
pub(super) fn revoke(world: &mut World, ask: &Ask) -> Answer {
    let at = find(world, ask)?;
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
    let at = find(world, ask)?;
    if let Some(token) = world.tokens.get_mut(at) {
        token.active = active;
    }
    Reply::done()
}
