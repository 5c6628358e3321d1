//! `/api/v4/users`: people and bots, for everybody with a session.

use super::{Answer, Ask, Reply};
use crate::error::AppError;
use crate::shape;
use crate::world::{Credentials, User, World};
use http::StatusCode;
use serde::Deserialize;
use serde_json::Value;

/// `error-not-found.http`
pub(super) fn missing() -> AppError {
    AppError::missing("app.user.missing_account.const", "Unable to find the user.")
}

/// The name is taken, also by somebody who is deactivated: `bots-create-conflict.http`.
pub(super) fn taken() -> AppError {
    AppError::bad("app.user.save.username_exists.app_error", "An account with that username already exists.")
}

/// `IsValidUsername` in `model/user.go`, whose text promises less than it takes.
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

/// `users-create.http`: whoever comes first is the system admin; later only admins make users, for the server
/// is not open (`EnableOpenServer`).
pub(super) fn create(world: &mut World, ask: &Ask) -> Answer {
    let body: Create = ask.body("user")?;
    let first = !world.users.iter().any(|user| user.bot.is_none());
    if !first && !world.is_admin(&ask.user) {
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
    if world.user_named(&name).is_some() {
        return Err(taken());
    }
    if world.users.iter().any(|user| user.email.eq_ignore_ascii_case(&body.email)) {
        return Err(AppError::bad(
            "app.user.save.email_exists.app_error",
            "An account with that email already exists.",
        ));
    }
    let id = world.add_user(&name, None).id.clone();
    world.credentials.push(Credentials {
        user_id: id.clone(),
        password: body.password,
        mfa_code: String::new(),
    });
    let user = world.users.iter_mut().find(|user| user.id == id).ok_or_else(missing)?;
    user.email = body.email.to_lowercase();
    user.first_name = body.first_name;
    user.last_name = body.last_name;
    user.nickname = body.nickname;
    if first {
        "system_admin system_user".clone_into(&mut user.roles);
    }
    Reply::created(shape::me(world.version, user))
}

/// `users-me-bot.http`, `error-bad-id.http`
pub(super) fn get(world: &mut World, ask: &Ask) -> Answer {
    let id = ask.user_id()?;
    let user = world.user(id).ok_or_else(missing)?;
    let own = id == ask.user;
    Reply::ok(if own { shape::me(world.version, user) } else { shape::user(world.version, user) })
}

fn found(world: &World, user: Option<&User>) -> Answer {
    Reply::ok(shape::user(world.version, user.ok_or_else(missing)?))
}

pub(super) fn by_username(world: &mut World, ask: &Ask) -> Answer {
    found(world, world.user_named(ask.path("username")?))
}

pub(super) fn by_email(world: &mut World, ask: &Ask) -> Answer {
    let email = ask.path("email")?;
    found(world, world.users.iter().find(|user| user.email.eq_ignore_ascii_case(email)))
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

/// `users-in-team.http`: all, or those of a team or channel; by name, or the newest first.
pub(super) fn list(world: &mut World, ask: &Ask) -> Answer {
    let served = ["in_team", "in_channel", "sort", "page", "per_page", "active"];
    if let Some((unknown, _)) = ask.query.iter().find(|(name, _)| !served.contains(&name.as_str())) {
        return Err(AppError::not_served(&format!("GET /api/v4/users?{unknown}=")));
    }
    let (team, channel) = (ask.query("in_team"), ask.query("in_channel"));
    if team.is_some_and(|team| !world.may_see_team(&ask.user, team))
        || channel.is_some_and(|channel| !world.may_read(&ask.user, channel))
    {
        return Err(AppError::forbidden());
    }
    let mut users: Vec<&User> = world
        .users
        .iter()
        .filter(|user| team.is_none_or(|team| world.team_member(team, &user.id).is_some()))
        .filter(|user| channel.is_none_or(|channel| world.channel_member(channel, &user.id).is_some()))
        .filter(|user| ask.query("active") != Some("true") || user.delete_at == 0)
        .collect();
    match ask.query("sort").unwrap_or_default() {
        "" => users.sort_by(|one, other| one.username.cmp(&other.username)),
        "create_at" if team.is_some() => users.sort_by_key(|user| std::cmp::Reverse(user.create_at)),
        other => return Err(AppError::not_served(&format!("GET /api/v4/users?sort={other}"))),
    }
    let page = ask.page(users, 60);
    Reply::ok(page.into_iter().map(|user| shape::user(world.version, user)).collect::<Value>())
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
pub(super) fn patch(world: &mut World, ask: &Ask) -> Answer {
    let id = ask.user_id()?.to_owned();
    let patch: Patch = ask.body("user")?;
    if id != ask.user && !world.is_admin(&ask.user) {
        return Err(AppError::forbidden());
    }
    if let Some(name) = &patch.username {
        check_name(name)?;
        if world.user_named(name).is_some_and(|other| other.id != id) {
            return Err(taken());
        }
    }
    let (version, now) = (world.version, world.now);
    let user = world.users.iter_mut().find(|user| user.id == id).ok_or_else(missing)?;
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

/// `users-roles.http`, `users-roles-last-admin.http`: 11 keeps one system admin who is no bot.
pub(super) fn set_roles(world: &mut World, ask: &Ask) -> Answer {
    let id = ask.user_id()?.to_owned();
    let body: Roles = ask.body("roles")?;
    let mut roles = body.roles.split_whitespace();
    // `IsValidUserRoles`: a system admin is a user too.
    if body.roles.trim() == "system_admin" {
        return Err(AppError::bad_body("roles"));
    }
    if !world.is_admin(&ask.user) {
        return Err(AppError::forbidden());
    }
    if !roles.all(super::roles::is_known) {
        let text = "The provided role does not exist";
        return Err(AppError::bad("app.role.check_roles_exist.role_not_found", text));
    }
    let keeps = body.roles.split(' ').any(|role| role == "system_admin");
    let people = world.users.iter().filter(|user| user.bot.is_none() && user.delete_at == 0);
    let admins = people.filter(|user| world.is_admin(&user.id)).count();
    if world.version.is_11() && world.is_admin(&id) && !keeps && admins <= 1 {
        return Err(AppError::bad("app.user.update.lastAdmin.app_error", "Cannot demote last System Admin."));
    }
    let now = world.now;
    let user = world.users.iter_mut().find(|user| user.id == id).ok_or_else(missing)?;
    user.roles = body.roles;
    user.update_at = now;
    Reply::done()
}

/// `users-deactivate.http`: by a system admin; not oneself, for `EnableUserDeactivation` is off. His sessions end, and his bots are disabled (`DisableBotsWhenOwnerIsDeactivated`).
pub(super) fn deactivate(world: &mut World, ask: &Ask) -> Answer {
    let id = ask.user_id()?.to_owned();
    if !world.is_admin(&ask.user) {
        if id != ask.user {
            return Err(AppError::forbidden());
        }
        return Err(AppError::new(
            StatusCode::UNAUTHORIZED,
            "api.user.update_active.not_enable.app_error",
            "You cannot deactivate yourself because this feature is not enabled. Please contact your System \
             Administrator.",
        ));
    }
    world.user(&id).ok_or_else(missing)?;
    let now = world.now;
    let owned = |user: &User| user.bot.as_ref().is_some_and(|bot| bot.owner_id == id);
    for user in world.users.iter_mut().filter(|user| user.id == id || owned(user)) {
        user.delete_at = now;
        user.update_at = now;
    }
    world.sessions.retain(|session| session.user_id != id);
    Reply::done()
}
