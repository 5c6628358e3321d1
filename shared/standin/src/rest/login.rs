//! Logging in, out, and the sessions between: `api4/user.go`, `app/login.go`, `app/authentication.go`.
//! `users-login.http`, `users-login-wrong.http`

use super::{Answer, Ask, Reply, users};
use crate::error::AppError;
use crate::settings::Settings;
use crate::shape;
use crate::world::{Millis, Session, User, World};
use http::StatusCode;
use serde::Deserialize;
use serde_json::Value;

/// `SessionLengthWebInDays`.
const LIFETIME: Millis = 30 * 24 * 60 * 60 * 1000;

#[derive(Deserialize, Default)]
#[serde(default)]
struct Body {
    id: String,
    /// A user name or an email address.
    login_id: String,
    password: String,
    /// The code of the person's authenticator.
    token: String,
}

fn refused(id: &'static str, message: &str) -> AppError {
    AppError::new(StatusCode::UNAUTHORIZED, id, message)
}

/// What is said of an unknown name and of a wrong password alike.
fn wrong(world: &World) -> AppError {
    let Settings { enable_sign_in_with_email: email, enable_sign_in_with_username: name, .. } =
        world.settings;
    let (id, text) = match (name, email) {
        (true, false) => {
            ("api.user.login.invalid_credentials_username", "Enter a valid username and/or password.")
        }
        (false, true) => ("api.user.login.invalid_credentials_email", "Enter a valid email and/or password"),
        _ => (
            "api.user.login.invalid_credentials_email_username",
            "Enter a valid email or username and/or password.",
        ),
    };
    refused(id, text)
}

/// The session's token is in the header `Token`.
pub(super) fn login(world: &mut World, ask: &Ask) -> Answer {
    // The server takes a body that it cannot read for an empty one.
    let body: Body = ask.body("login").unwrap_or_default();
    if body.password.is_empty() {
        return Err(AppError::bad("api.user.login.blank_pwd.app_error", "Password field must not be blank"));
    }
    let (email, name) =
        (world.settings.enable_sign_in_with_email, world.settings.enable_sign_in_with_username);
    let named = |user: &&User| {
        (name && user.username.eq_ignore_ascii_case(&body.login_id))
            || (email && user.email.eq_ignore_ascii_case(&body.login_id))
    };
    let user = if body.id.is_empty() {
        world.users.iter().find(named)
    } else {
        world.user(&body.id).filter(|_| email || name)
    };
    let user = user.cloned().ok_or_else(|| wrong(world))?;
    check(world, &user, &body)?;
    let session = Session {
        id: world.ids.next(),
        token: world.ids.next(),
        user_id: user.id.clone(),
        create_at: world.now,
        expires_at: world.now + LIFETIME,
    };
    let token = session.token.clone();
    world.sessions.push(session);
    world.count_failed_login(&user.id, false);
    // The user as he was found: `failed_attempts` tells of those before.
    Ok(Reply::Login { token, user: shape::me(world.version, &user) })
}

/// `CheckPasswordAndAllCriteria`.
fn check(world: &mut World, user: &User, body: &Body) -> Result<(), AppError> {
    if user.delete_at > 0 {
        return Err(refused(
            "api.user.login.inactive.app_error",
            "Login failed because your account has been deactivated.  Please contact an administrator.",
        ));
    }
    if user.bot.is_some() {
        return Err(refused("api.user.login.bot_login_forbidden.app_error", "Bot login is forbidden."));
    }
    if user.failed_attempts >= world.settings.maximum_login_attempts {
        return Err(refused(
            "api.user.check_user_login_attempts.too_many.app_error",
            "Your account is locked because of too many failed password attempts. Please reset your password.",
        ));
    }
    let known = world.credentials.iter().find(|known| known.user_id == user.id).cloned().unwrap_or_default();
    if known.password.is_empty() || known.password != body.password {
        world.count_failed_login(&user.id, true);
        return Err(wrong(world));
    }
    let second = world.settings.enable_multifactor_authentication && !known.mfa_code.is_empty();
    if second && body.token != known.mfa_code {
        // A login without a code asks whether one is needed, and is not counted.
        if body.token.len() != 6 {
            return Err(refused("mfa.validate_token.authenticate.app_error", "Invalid MFA token."));
        }
        world.count_failed_login(&user.id, true);
        return Err(refused("api.user.check_user_mfa.bad_code.app_error", "Invalid MFA token."));
    }
    Ok(())
}

/// Ends the session, if there is one. A personal access token survives it.
#[expect(clippy::unnecessary_wraps, reason = "a handler")]
pub(super) fn logout(world: &mut World, ask: &Ask) -> Answer {
    world.sessions.retain(|session| session.id != ask.session);
    Ok(Reply::LoggedOut)
}

/// The user in the path, for himself and for admins.
fn own<'a>(world: &World, ask: &'a Ask) -> Result<&'a str, AppError> {
    let id = ask.user_id()?;
    if id == ask.user || world.is_admin(&ask.user) { Ok(id) } else { Err(AppError::forbidden()) }
}

pub(super) fn sessions(world: &mut World, ask: &Ask) -> Answer {
    let id = own(world, ask)?;
    let user = world.user(id).ok_or_else(users::missing)?;
    let sessions = world.sessions.iter().filter(|session| session.user_id == id);
    Reply::ok(sessions.map(|session| shape::session(session, user)).collect::<Value>())
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Named {
    session_id: String,
}

pub(super) fn revoke(world: &mut World, ask: &Ask) -> Answer {
    let id = own(world, ask)?;
    let body: Named = ask.body("session_id")?;
    if body.session_id.is_empty() {
        return Err(AppError::bad_body("session_id"));
    }
    let session = world.sessions.iter().find(|session| session.id == body.session_id);
    let session = session.ok_or_else(|| {
        AppError::missing("app.session.get.app_error", "We encountered an error finding the session.")
    })?;
    if session.user_id != id {
        return Err(AppError::bad_path("user_id"));
    }
    world.sessions.retain(|session| session.id != body.session_id);
    Reply::done()
}

pub(super) fn revoke_all(world: &mut World, ask: &Ask) -> Answer {
    let id = own(world, ask)?.to_owned();
    world.sessions.retain(|session| session.user_id != id);
    Reply::done()
}
