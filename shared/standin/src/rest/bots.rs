//! `/api/v4/bots`: bot accounts, managed by system admins. `api4/bot.go`, `app/bot.go`

use super::{Answer, Ask, Reply, users};
use crate::error::AppError;
use crate::shape;
use crate::world::{Bot, Post, User, World};
use http::StatusCode;
use serde::Deserialize;
use serde_json::Value;

fn missing() -> AppError {
    AppError::missing("store.sql_bot.get.missing.app_error", "Bot does not exist.")
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Body {
    username: Option<String>,
    display_name: Option<String>,
    description: Option<String>,
}

/// `User.IsValid` and `Bot.IsValid`, for what is given.
fn check(body: &Body) -> Result<(), AppError> {
    if let Some(name) = &body.username {
        users::check_name(name)?;
    }
    if body.display_name.as_ref().is_some_and(|name| name.chars().count() > 64) {
        return Err(AppError::bad("model.user.is_valid.first_name.app_error", "Invalid first name."));
    }
    if body.description.as_ref().is_some_and(|text| text.chars().count() > 1024) {
        return Err(AppError::bad("model.bot.is_valid.description.app_error", "Invalid description."));
    }
    Ok(())
}

/// `bots-create.http`, `bots-create-forbidden.http`. A bot makes no bots, not even one that is a system admin.
pub(super) fn create(world: &mut World, ask: &Ask) -> Answer {
    let body: Body = ask.body("bot")?;
    if !world.is_admin(&ask.user) || world.user(&ask.user).is_none_or(|user| user.bot.is_some()) {
        return Err(AppError::forbidden());
    }
    if !world.settings.enable_bot_account_creation {
        return Err(AppError::new(
            StatusCode::FORBIDDEN,
            "api.bot.create_disabled",
            "Bot creation has been disabled.",
        ));
    }
    let username = body.username.clone().unwrap_or_default().to_lowercase();
    let body = Body { username: Some(username.clone()), ..body };
    check(&body)?;
    if world.user_named(&username).is_some() {
        return Err(users::taken());
    }
    let description = body.description.unwrap_or_default();
    let bot = Bot { description, owner_id: ask.user.clone() };
    let id = world.add_user(&username, Some(bot)).id.clone();
    let shape = change(world, &id, |user| user.first_name = body.display_name.unwrap_or_default())?;
    // The bot tells its owner that it is in no team yet.
    let channel = world.direct_channel(&id, &id, &ask.user);
    let text = "Please add me to teams and channels you want me to interact in. To do this, use the browser or \
                Mattermost Desktop App.";
    let mut hint = Post::draft(&id, &channel.id, "", text);
    "system_add_bot_teams_channels".clone_into(&mut hint.kind);
    world.add_post(hint)?;
    Reply::created(shape)
}

/// `bots-list.http`: without the disabled ones unless `include_deleted`; with `only_orphaned` those whose owner
/// is gone.
pub(super) fn list(world: &mut World, ask: &Ask) -> Answer {
    if !world.is_admin(&ask.user) {
        return Err(AppError::forbidden());
    }
    let deleted = ask.query("include_deleted") == Some("true");
    let orphaned = ask.query("only_orphaned") == Some("true");
    let gone = |user: &User| {
        let owner = user.bot.as_ref().and_then(|bot| world.user(&bot.owner_id));
        owner.is_some_and(|owner| owner.delete_at > 0)
    };
    let bots = world
        .users
        .iter()
        .filter(|user| user.bot.is_some() && (deleted || user.delete_at == 0) && (!orphaned || gone(user)));
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

fn change(world: &mut World, id: &str, how: impl FnOnce(&mut User)) -> Result<Value, AppError> {
    let now = world.now;
    let bot = world.users.iter_mut().find(|user| user.id == id).ok_or_else(missing)?;
    bot.update_at = now;
    how(bot);
    Ok(shape::bot(bot))
}

/// `bots-update.http`: what the body leaves out stays.
pub(super) fn update(world: &mut World, ask: &Ask) -> Answer {
    let patch: Body = ask.body("bot")?;
    let id = find(world, ask)?;
    check(&patch)?;
    if let Some(name) = &patch.username
        && world.user_named(name).is_some_and(|other| other.id != id)
    {
        return Err(users::taken());
    }
    let changed = change(world, &id, |user| {
        if let Some(name) = patch.username {
            user.username = name;
        }
        if let Some(name) = patch.display_name {
            user.first_name = name;
        }
        if let (Some(text), Some(bot)) = (patch.description, user.bot.as_mut()) {
            bot.description = text;
        }
    });
    changed.and_then(Reply::ok)
}

/// `bots-disable.http`: its tokens no longer work (`error-disabled-bot.http`).
pub(super) fn disable(world: &mut World, ask: &Ask) -> Answer {
    let (id, now) = (find(world, ask)?, world.now);
    change(world, &id, |user| user.delete_at = now).and_then(Reply::ok)
}

/// `bots-enable.http`: and they do again.
pub(super) fn enable(world: &mut World, ask: &Ask) -> Answer {
    let id = find(world, ask)?;
    change(world, &id, |user| user.delete_at = 0).and_then(Reply::ok)
}

/// Another owner, who is no bot.
pub(super) fn assign(world: &mut World, ask: &Ask) -> Answer {
    let owner = ask.id("user_id")?.to_owned();
    let id = find(world, ask)?;
    if world.user(&owner).is_some_and(|user| user.bot.is_some()) {
        return Err(AppError::forbidden());
    }
    let changed = change(world, &id, |user| {
        if let Some(bot) = user.bot.as_mut() {
            bot.owner_id = owner;
        }
    });
    changed.and_then(Reply::ok)
}
