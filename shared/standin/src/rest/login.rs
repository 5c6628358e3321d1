//! Login, logout and sessions: `api4/user.go`, `app/login.go`, `app/authentication.go`; `users-login.http`,
//! `users-login-wrong.http`.

use crate::api::{ApiRequest, ApiResult, Reply};
use crate::app_error::AppError;
use crate::database::Database;
use crate::model::{Millis, Session, User};
use crate::settings::Settings;
use crate::shape;
use http::StatusCode;
use serde::Deserialize;
use serde_json::Value;

/// How long a session lives: `SessionLengthWebInDays`.
const LIFETIME: Millis = 30 * 24 * 60 * 60 * 1000;

#[derive(Deserialize, Default)]
#[serde(default)]
struct Body {
    id: String,
    /// A user name or an email address.
    login_id: String,
    password: String,
    /// The code from the person's authenticator.
    token: String,
}

fn refused(id: &'static str, message: &str) -> AppError {
    AppError::new(StatusCode::UNAUTHORIZED, id, message)
}

/// The error for an unknown name and for a wrong password; both get the same.
fn wrong(db: &Database) -> AppError {
    let Settings { enable_sign_in_with_email: email, enable_sign_in_with_username: name, .. } = db.settings;
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

/// Logs a user in. The token of the new session is in the header `Token`.
pub(super) fn login(db: &mut Database, request: &ApiRequest) -> ApiResult {
    // To the server a body that it cannot read is an empty one.
    let body: Body = request.body("login").unwrap_or_default();
    if body.password.is_empty() {
        return Err(AppError::bad("api.user.login.blank_pwd.app_error", "Password field must not be blank"));
    }
    let (email, name) = (db.settings.enable_sign_in_with_email, db.settings.enable_sign_in_with_username);
    let named = |user: &&User| {
        (name && user.username.eq_ignore_ascii_case(&body.login_id))
            || (email && user.email.eq_ignore_ascii_case(&body.login_id))
    };
    let user = if body.id.is_empty() {
        db.users.iter().find(named)
    } else {
        db.user(&body.id).filter(|_| email || name)
    };
    let user = user.cloned().ok_or_else(|| wrong(db))?;
    check(db, &user, &body)?;
    let session = Session {
        id: db.ids.next(),
        token: db.ids.next(),
        user_id: user.id.clone(),
        create_at: db.now,
        expires_at: db.now + LIFETIME,
    };
    let token = session.token.clone();
    db.sessions.push(session);
    db.count_login(&user.id, false);
    // The answer has the user as before the login, so that `failed_attempts` counts the wrong passwords until now.
    Ok(Reply::Login { token, user: shape::me(db.version, &user) })
}

/// `CheckPasswordAndAllCriteria`.
fn check(db: &mut Database, user: &User, body: &Body) -> Result<(), AppError> {
    if user.delete_at > 0 {
        return Err(refused(
            "api.user.login.inactive.app_error",
            "Login failed because your account has been deactivated.  Please contact an administrator.",
        ));
    }
    if user.bot.is_some() {
        return Err(refused("api.user.login.bot_login_forbidden.app_error", "Bot login is forbidden."));
    }
    if user.failed_attempts >= db.settings.maximum_login_attempts {
        return Err(refused(
            "api.user.check_user_login_attempts.too_many.app_error",
            "Your account is locked because of too many failed password attempts. Please reset your password.",
        ));
    }
    let known = db.credentials.iter().find(|known| known.user_id == user.id).cloned().unwrap_or_default();
    if known.password.is_empty() || known.password != body.password {
        db.count_login(&user.id, true);
        return Err(wrong(db));
    }
    let second = db.settings.enable_multifactor_authentication && !known.mfa_code.is_empty();
    if second && body.token != known.mfa_code {
        // A client logs in without a code to find out whether one is needed; that is not counted.
        if body.token.len() != 6 {
            return Err(refused("mfa.validate_token.authenticate.app_error", "Invalid MFA token."));
        }
        db.count_login(&user.id, true);
        return Err(refused("api.user.check_user_mfa.bad_code.app_error", "Invalid MFA token."));
    }
    Ok(())
}

/// Ends the session, if there is one. A personal access token still works afterwards.
#[expect(clippy::unnecessary_wraps, reason = "a handler")]
pub(super) fn logout(db: &mut Database, request: &ApiRequest) -> ApiResult {
    db.sessions.retain(|session| session.id != request.session);
    Ok(Reply::LoggedOut)
}

/// The user in the path, for this user and for system admins.
fn own<'a>(db: &Database, request: &'a ApiRequest) -> Result<&'a str, AppError> {
    let id = request.user_id()?;
    if id == request.user || db.is_admin(&request.user) { Ok(id) } else { Err(AppError::forbidden()) }
}

pub(super) fn sessions(db: &mut Database, request: &ApiRequest) -> ApiResult {
    let id = own(db, request)?;
    let user = db.user(id).ok_or_else(AppError::no_user)?;
    let sessions = db.sessions.iter().filter(|session| session.user_id == id);
    Reply::ok(sessions.map(|session| shape::session(session, user)).collect::<Value>())
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Named {
    session_id: String,
}

pub(super) fn revoke(db: &mut Database, request: &ApiRequest) -> ApiResult {
    let id = own(db, request)?;
    let body: Named = request.body("session_id")?;
    if body.session_id.is_empty() {
        return Err(AppError::bad_body("session_id"));
    }
    let session = db.sessions.iter().find(|session| session.id == body.session_id);
    let session = session.ok_or_else(|| {
        AppError::missing("app.session.get.app_error", "We encountered an error finding the session.")
    })?;
    if session.user_id != id {
        return Err(AppError::bad_path("user_id"));
    }
    db.sessions.retain(|session| session.id != body.session_id);
    Reply::done()
}

pub(super) fn revoke_all(db: &mut Database, request: &ApiRequest) -> ApiResult {
    let id = own(db, request)?.to_owned();
    db.sessions.retain(|session| session.user_id != id);
    Reply::done()
}
