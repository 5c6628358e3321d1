//! `/api/v4/bots`: bot accounts, managed by system admins.

use super::{Answer, Ask, Reply};
use crate::error::AppError;
use crate::shape;
use crate::world::{Bot, User, World};
use serde::Deserialize;
use serde_json::Value;

#[derive(Deserialize)]
struct Body {
    #[serde(default)]
    username: String,
    #[serde(default)]
    display_name: String,
    #[serde(default)]
    description: String,
}

fn missing() -> AppError {
    AppError::missing("store.sql_bot.get.missing.app_error", "Bot does not exist.")
}

/// The name is taken: `bots-create-conflict.http`.
fn taken() -> AppError {
    AppError::bad("app.user.save.username_exists.app_error", "An account with that username already exists.")
}

/// `IsValidUsername` in `model/user.go`: 3 to 22 characters, lower case, a letter or digit first.
fn checked(body: Body) -> Result<Body, AppError> {
    let name = &body.username;
    let fits = (3..=22).contains(&name.len())
        && name.starts_with(|first: char| first.is_ascii_lowercase() || first.is_ascii_digit())
        && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || ".-_".contains(c));
    if fits {
        Ok(body)
    } else {
        Err(AppError::bad("model.bot.is_valid.username.app_error", "Invalid username."))
    }
}

/// `bots-create.http`, `bots-create-forbidden.http`
pub(super) fn create(world: &mut World, ask: &Ask) -> Answer {
    let body = ask.body("bot")?;
    if !world.is_admin(&ask.user) {
        return Err(AppError::forbidden());
    }
    let body = checked(body)?;
    if world.user_named(&body.username).is_some() {
        return Err(taken());
    }
    let bot = Bot { description: body.description, owner_id: ask.user.clone() };
    let id = world.add_user(&body.username, Some(bot)).id.clone();
    change(world, &id, |user| user.first_name = body.display_name).map(|reply| match reply {
        Reply::Json(_, body) => Reply::Json(http::StatusCode::CREATED, body),
        text @ Reply::Text(..) => text,
    })
}

/// `bots-list.http`
pub(super) fn list(world: &mut World, ask: &Ask) -> Answer {
    if !world.is_admin(&ask.user) {
        return Err(AppError::forbidden());
    }
    let bots = world.users.iter().filter(|user| user.bot.is_some() && user.delete_at == 0);
    let list: Vec<Value> = bots.map(shape::bot).collect();
    Reply::ok(ask.page(list, 60).into())
}

/// Finds the bot in the path for those who may manage it; to others it does not exist.
fn find(world: &World, ask: &Ask) -> Result<String, AppError> {
    let id = ask.id("bot_user_id")?;
    let bot = world.user(id).filter(|user| user.bot.is_some()).ok_or_else(missing)?;
    if world.is_admin(&ask.user) { Ok(bot.id.clone()) } else { Err(missing()) }
}

/// `bots-get.http`. A disabled bot is found only with `include_deleted=true`.
pub(super) fn get(world: &mut World, ask: &Ask) -> Answer {
    let id = find(world, ask)?;
    let deleted = ask.query("include_deleted") == Some("true");
    let bot = world.user(&id).filter(|bot| deleted || bot.delete_at == 0).ok_or_else(missing)?;
    Reply::ok(shape::bot(bot))
}

fn change(world: &mut World, id: &str, how: impl FnOnce(&mut User)) -> Answer {
    let bot = world.users.iter_mut().find(|user| user.id == id).ok_or_else(missing)?;
    bot.update_at = world.now;
    how(bot);
    Reply::ok(shape::bot(bot))
}

/// `bots-update.http`: what the body leaves out stays.
pub(super) fn update(world: &mut World, ask: &Ask) -> Answer {
    let patch: Patch = ask.body("bot")?;
    let id = find(world, ask)?;
    if let Some(name) = &patch.username
        && world.user_named(name).is_some_and(|other| other.id != id)
    {
        return Err(taken());
    }
    change(world, &id, |user| {
        if let Some(name) = patch.username {
            user.username = name;
        }
        if let Some(name) = patch.display_name {
            user.first_name = name;
        }
        if let (Some(text), Some(bot)) = (patch.description, user.bot.as_mut()) {
            bot.description = text;
        }
    })
}

#[derive(Deserialize)]
struct Patch {
    username: Option<String>,
    display_name: Option<String>,
    description: Option<String>,
}

/// `bots-disable.http`: its tokens no longer work (`error-disabled-bot.http`).
pub(super) fn disable(world: &mut World, ask: &Ask) -> Answer {
    let (id, now) = (find(world, ask)?, world.now);
    change(world, &id, |user| user.delete_at = now)
}

/// `bots-enable.http`
pub(super) fn enable(world: &mut World, ask: &Ask) -> Answer {
    let id = find(world, ask)?;
    change(world, &id, |user| user.delete_at = 0)
}
