//! `/api/v4/bots`: bot accounts, which system admins manage: `api4/bot.go`, `app/bot.go`.

use super::users;
use crate::api::{ApiRequest, ApiResult, Reply};
use crate::app_error::AppError;
use crate::database::Database;
use crate::model::{Bot, Post, User};
use crate::shape;
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

/// `User.IsValid` and `Bot.IsValid`, for the keys that are in the body.
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

/// `bots-create.http`, `bots-create-forbidden.http`. A bot cannot create bots, even if it is a system admin.
pub(super) fn create(db: &mut Database, request: &ApiRequest) -> ApiResult {
    let body: Body = request.body("bot")?;
    if !db.is_admin(&request.user) || db.user(&request.user).is_none_or(|user| user.bot.is_some()) {
        return Err(AppError::forbidden());
    }
    if !db.settings.enable_bot_account_creation {
        return Err(AppError::new(
            StatusCode::FORBIDDEN,
            "api.bot.create_disabled",
            "Bot creation has been disabled.",
        ));
    }
    let username = body.username.clone().unwrap_or_default().to_lowercase();
    let body = Body { username: Some(username.clone()), ..body };
    check(&body)?;
    if db.user_named(&username).is_some() {
        return Err(users::taken());
    }
    let description = body.description.unwrap_or_default();
    let bot = Bot { description, owner_id: request.user.clone() };
    let id = db.add_user(&username, Some(bot)).id.clone();
    let shape = change(db, &id, |user| user.first_name = body.display_name.unwrap_or_default())?;
    // The bot sends its owner a message that it is in no team yet.
    let channel = db.direct_channel(&id, &id, &request.user);
    let text = "Please add me to teams and channels you want me to interact in. To do this, use the browser or \
                Mattermost Desktop App.";
    let mut hint = Post::draft(&id, &channel.id, "", text);
    "system_add_bot_teams_channels".clone_into(&mut hint.kind);
    db.add_post(hint)?;
    Reply::created(shape)
}

/// `bots-list.http`. Disabled bots are listed only with `include_deleted=true`; with `only_orphaned=true` the list has
/// only bots whose owner is deactivated.
pub(super) fn list(db: &mut Database, request: &ApiRequest) -> ApiResult {
    if !db.is_admin(&request.user) {
        return Err(AppError::forbidden());
    }
    let deleted = request.query("include_deleted") == Some("true");
    let orphaned = request.query("only_orphaned") == Some("true");
    let gone = |user: &User| {
        let owner = user.bot.as_ref().and_then(|bot| db.user(&bot.owner_id));
        owner.is_some_and(|owner| owner.delete_at > 0)
    };
    let bots = db
        .users
        .iter()
        .filter(|user| user.bot.is_some() && (deleted || user.delete_at == 0) && (!orphaned || gone(user)));
    let list: Vec<Value> = bots.map(shape::bot).collect();
    Reply::ok(request.page(list, 60).into())
}

/// The id of the bot in the path, for those who may manage it. Others get the error that it does not exist.
fn find(db: &Database, request: &ApiRequest) -> Result<String, AppError> {
    let id = request.id("bot_user_id")?;
    let bot = db.user(id).filter(|user| user.bot.is_some()).ok_or_else(missing)?;
    if db.is_admin(&request.user) { Ok(bot.id.clone()) } else { Err(missing()) }
}

/// `bots-get.http`. A disabled bot is found only with `include_deleted=true`.
pub(super) fn get(db: &mut Database, request: &ApiRequest) -> ApiResult {
    let id = find(db, request)?;
    let deleted = request.query("include_deleted") == Some("true");
    let bot = db.user(&id).filter(|bot| deleted || bot.delete_at == 0).ok_or_else(missing)?;
    Reply::ok(shape::bot(bot))
}

fn change(db: &mut Database, id: &str, how: impl FnOnce(&mut User)) -> Result<Value, AppError> {
    let now = db.now;
    let bot = db.users.iter_mut().find(|user| user.id == id).ok_or_else(missing)?;
    bot.update_at = now;
    how(bot);
    Ok(shape::bot(bot))
}

/// `bots-update.http`: what the body leaves out does not change.
pub(super) fn update(db: &mut Database, request: &ApiRequest) -> ApiResult {
    let patch: Body = request.body("bot")?;
    let id = find(db, request)?;
    check(&patch)?;
    if let Some(name) = &patch.username
        && db.user_named(name).is_some_and(|other| other.id != id)
    {
        return Err(users::taken());
    }
    let changed = change(db, &id, |user| {
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

/// `bots-disable.http`: the tokens of the bot no longer work (`error-disabled-bot.http`).
pub(super) fn disable(db: &mut Database, request: &ApiRequest) -> ApiResult {
    let (id, now) = (find(db, request)?, db.now);
    change(db, &id, |user| user.delete_at = now).and_then(Reply::ok)
}

/// `bots-enable.http`: the tokens of the bot work again.
pub(super) fn enable(db: &mut Database, request: &ApiRequest) -> ApiResult {
    let id = find(db, request)?;
    change(db, &id, |user| user.delete_at = 0).and_then(Reply::ok)
}

/// Gives the bot another owner, who must be a person.
pub(super) fn assign(db: &mut Database, request: &ApiRequest) -> ApiResult {
    let owner = request.id("user_id")?.to_owned();
    let id = find(db, request)?;
    if db.user(&owner).is_some_and(|user| user.bot.is_some()) {
        return Err(AppError::forbidden());
    }
    let changed = change(db, &id, |user| {
        if let Some(bot) = user.bot.as_mut() {
            bot.owner_id = owner;
        }
    });
    changed.and_then(Reply::ok)
}
