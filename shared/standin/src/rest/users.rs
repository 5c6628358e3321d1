//! `/api/v4/users`: people and bots.

use crate::api::{ApiRequest, ApiResult, Reply};
use crate::app_error::AppError;
use crate::database::Database;
use crate::model::{Credentials, User};
use crate::shape;
use http::StatusCode;
use serde::Deserialize;
use serde_json::Value;

/// The name is taken, perhaps by a deactivated user: `bots-create-conflict.http`.
pub(super) fn taken() -> AppError {
    AppError::bad("app.user.save.username_exists.app_error", "An account with that username already exists.")
}

/// `IsValidUsername` in `model/user.go`. It accepts more than the text of its error says.
pub(super) fn check_name(name: &str) -> Result<(), AppError> {
    let letters = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || ".-_".contains(c);
    let reserved = ["all", "channel", "matterbot", "system"].contains(&name);
    if (1..=64).contains(&name.len()) && name.chars().all(letters) && !reserved {
        return Ok(());
    }
    Err(AppError::bad(
        "model.user.is_valid.username.app_error",
        "Username must begin with a letter, and contain between 3 to 22 lowercase characters made up of \
         numbers, letters, and the symbols \".\", \"-\", and \"_\".",
    ))
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Create {
    username: String,
    email: String,
    password: String,
    first_name: String,
    last_name: String,
    nickname: String,
}

/// `users-create.http`: the first user becomes the system admin. Later only admins can create users, because the server
/// is not open (`EnableOpenServer`).
pub(super) fn create(db: &mut Database, request: &ApiRequest) -> ApiResult {
    let body: Create = request.body("user")?;
    let first = !db.users.iter().any(|user| user.bot.is_none());
    if !first && !db.is_admin(&request.user) {
        return Err(AppError::new(
            StatusCode::FORBIDDEN,
            "api.user.create_user.no_open_server",
            "This server does not allow open signups.  Please speak with your Administrator to receive an \
             invitation.",
        ));
    }
    let name = body.username.to_lowercase();
    check_name(&name)?;
    if !body.email.contains('@') {
        return Err(AppError::bad("model.user.is_valid.email.app_error", "Invalid email."));
    }
    if db.user_named(&name).is_some() {
        return Err(taken());
    }
    if db.users.iter().any(|user| user.email.eq_ignore_ascii_case(&body.email)) {
        return Err(AppError::bad(
            "app.user.save.email_exists.app_error",
            "An account with that email already exists.",
        ));
    }
    let id = db.add_user(&name, None).id.clone();
    db.credentials.push(Credentials {
        user_id: id.clone(),
        password: body.password,
        mfa_code: String::new(),
    });
    let user = db.users.iter_mut().find(|user| user.id == id).ok_or_else(AppError::no_user)?;
    user.email = body.email.to_lowercase();
    user.first_name = body.first_name;
    user.last_name = body.last_name;
    user.nickname = body.nickname;
    if first {
        "system_admin system_user".clone_into(&mut user.roles);
    }
    Reply::created(shape::me(db.version, user))
}

/// `users-me-bot.http`, `error-bad-id.http`
pub(super) fn get(db: &mut Database, request: &ApiRequest) -> ApiResult {
    let id = request.user_id()?;
    let user = db.user(id).ok_or_else(AppError::no_user)?;
    let own = id == request.user;
    Reply::ok(if own { shape::me(db.version, user) } else { shape::user(db.version, user) })
}

fn found(db: &Database, user: Option<&User>) -> ApiResult {
    Reply::ok(shape::user(db.version, user.ok_or_else(AppError::no_user)?))
}

pub(super) fn by_username(db: &mut Database, request: &ApiRequest) -> ApiResult {
    found(db, db.user_named(request.path("username")?))
}

pub(super) fn by_email(db: &mut Database, request: &ApiRequest) -> ApiResult {
    let email = request.path("email")?;
    found(db, db.users.iter().find(|user| user.email.eq_ignore_ascii_case(email)))
}

/// `users-by-usernames.http`: unknown names are skipped.
pub(super) fn by_usernames(db: &mut Database, request: &ApiRequest) -> ApiResult {
    let names: Vec<String> = request.body("usernames")?;
    if names.is_empty() {
        return Err(AppError::bad_body("usernames"));
    }
    let known = db.users.iter().filter(|user| names.contains(&user.username));
    Reply::ok(known.map(|user| shape::user(db.version, user)).collect::<Value>())
}

/// `users-by-ids-since.http`: only users that changed after `since`; unknown ids are skipped.
pub(super) fn by_ids(db: &mut Database, request: &ApiRequest) -> ApiResult {
    let ids: Vec<String> = request.body("user_ids")?;
    if ids.is_empty() {
        return Err(AppError::bad_body("user_ids"));
    }
    let since: u64 = match request.query("since") {
        Some(text) => text.parse().map_err(|_| AppError::bad_body("since"))?,
        None => 0,
    };
    let known = db.users.iter().filter(|user| ids.contains(&user.id) && user.update_at > since);
    Reply::ok(known.map(|user| shape::user(db.version, user)).collect::<Value>())
}

/// `users-in-team.http`: all users, or those of a team or channel; sorted by name, or the newest first.
pub(super) fn list(db: &mut Database, request: &ApiRequest) -> ApiResult {
    let served = ["in_team", "in_channel", "sort", "page", "per_page", "active"];
    if let Some((unknown, _)) = request.query.iter().find(|(name, _)| !served.contains(&name.as_str())) {
        return Err(AppError::not_served(&format!("GET /api/v4/users?{unknown}=")));
    }
    let (team, channel) = (request.query("in_team"), request.query("in_channel"));
    if team.is_some_and(|team| !db.may_see_team(&request.user, team))
        || channel.is_some_and(|channel| !db.may_read(&request.user, channel))
    {
        return Err(AppError::forbidden());
    }
    let mut users: Vec<&User> = db
        .users
        .iter()
        .filter(|user| team.is_none_or(|team| db.team_member(team, &user.id).is_some()))
        .filter(|user| channel.is_none_or(|channel| db.channel_member(channel, &user.id).is_some()))
        .filter(|user| request.query("active") != Some("true") || user.delete_at == 0)
        .collect();
    match request.query("sort").unwrap_or_default() {
        "" => users.sort_by(|one, other| one.username.cmp(&other.username)),
        "create_at" if team.is_some() => users.sort_by_key(|user| std::cmp::Reverse(user.create_at)),
        other => return Err(AppError::not_served(&format!("GET /api/v4/users?sort={other}"))),
    }
    let page = request.page(users, 60);
    Reply::ok(page.into_iter().map(|user| shape::user(db.version, user)).collect::<Value>())
}

#[derive(Deserialize)]
struct Patch {
    username: Option<String>,
    email: Option<String>,
    nickname: Option<String>,
    first_name: Option<String>,
    last_name: Option<String>,
    position: Option<String>,
    locale: Option<String>,
}

/// `users-patch.http`, `users-patch-self.http`
pub(super) fn patch(db: &mut Database, request: &ApiRequest) -> ApiResult {
    let id = request.user_id()?.to_owned();
    let patch: Patch = request.body("user")?;
    if id != request.user && !db.is_admin(&request.user) {
        return Err(AppError::forbidden());
    }
    if let Some(name) = &patch.username {
        check_name(name)?;
        if db.user_named(name).is_some_and(|other| other.id != id) {
            return Err(taken());
        }
    }
    let (version, now) = (db.version, db.now);
    let user = db.users.iter_mut().find(|user| user.id == id).ok_or_else(AppError::no_user)?;
    for (new, old) in [
        (patch.username, &mut user.username),
        (patch.email, &mut user.email),
        (patch.nickname, &mut user.nickname),
        (patch.first_name, &mut user.first_name),
        (patch.last_name, &mut user.last_name),
        (patch.position, &mut user.position),
        (patch.locale, &mut user.locale),
    ] {
        if let Some(new) = new {
            *old = new;
        }
    }
    user.update_at = now;
    Reply::ok(shape::me(version, user))
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Roles {
    roles: String,
}

/// `users-roles.http`, `users-roles-last-admin.http`: in 11 the last system admin who is a person must stay one.
pub(super) fn set_roles(db: &mut Database, request: &ApiRequest) -> ApiResult {
    let id = request.user_id()?.to_owned();
    let body: Roles = request.body("roles")?;
    let mut roles = body.roles.split_whitespace();
    // `IsValidUserRoles`: a system admin must also have the role `system_user`.
    if body.roles.trim() == "system_admin" {
        return Err(AppError::bad_body("roles"));
    }
    if !db.is_admin(&request.user) {
        return Err(AppError::forbidden());
    }
    if !roles.all(super::roles::is_known) {
        let text = "The provided role does not exist";
        return Err(AppError::bad("app.role.check_roles_exist.role_not_found", text));
    }
    let keeps = body.roles.split(' ').any(|role| role == "system_admin");
    let people = db.users.iter().filter(|user| user.bot.is_none() && user.delete_at == 0);
    let admins = people.filter(|user| db.is_admin(&user.id)).count();
    if db.version.since_11() && db.is_admin(&id) && !keeps && admins <= 1 {
        return Err(AppError::bad("app.user.update.lastAdmin.app_error", "Cannot demote last System Admin."));
    }
    let now = db.now;
    let user = db.users.iter_mut().find(|user| user.id == id).ok_or_else(AppError::no_user)?;
    user.roles = body.roles;
    user.update_at = now;
    Reply::done()
}

/// `users-deactivate.http`: for system admins. Nobody can deactivate their own account, because `EnableUserDeactivation`
/// is off. The sessions of the user end, and the bots that the user owns are disabled
/// (`DisableBotsWhenOwnerIsDeactivated`).
pub(super) fn deactivate(db: &mut Database, request: &ApiRequest) -> ApiResult {
    let id = request.user_id()?.to_owned();
    if !db.is_admin(&request.user) {
        if id != request.user {
            return Err(AppError::forbidden());
        }
        return Err(AppError::new(
            StatusCode::UNAUTHORIZED,
            "api.user.update_active.not_enable.app_error",
            "You cannot deactivate yourself because this feature is not enabled. Please contact your System \
             Administrator.",
        ));
    }
    db.user(&id).ok_or_else(AppError::no_user)?;
    let now = db.now;
    let owned = |user: &User| user.bot.as_ref().is_some_and(|bot| bot.owner_id == id);
    for user in db.users.iter_mut().filter(|user| user.id == id || owned(user)) {
        user.delete_at = now;
        user.update_at = now;
    }
    db.sessions.retain(|session| session.user_id != id);
    Reply::done()
}
