//! Personal access tokens. System admins manage those of bots; a user with the role `system_user_access_token` manages
//! their own: `api4/user.go`, `app/session.go`.

use crate::api::{ApiRequest, ApiResult, Reply};
use crate::app_error::AppError;
use crate::database::Database;
use crate::model::{Millis, Token};
use crate::shape;
use crate::version::Ability;
use http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};

/// `SessionHasPermissionToUserOrBot`. In 11 a bot does not manage itself: a bot is managed by its owner or by those who
/// may manage all bots, and it is neither.
fn may_manage(db: &Database, request: &ApiRequest, user_id: &str) -> bool {
    let own = user_id == request.user && db.has_role(&request.user, "system_user_access_token");
    let person = db.user(user_id).is_none_or(|user| user.bot.is_none());
    (own && (person || !db.version.since_11())) || db.is_admin(&request.user)
}

/// The latest end that a token may have: `maxUserAccessTokenExpiry`. `None` without a limit.
fn latest_end(db: &Database) -> Option<Millis> {
    let days = Millis::from(db.settings.maximum_personal_access_token_lifetime_days);
    (days > 0).then(|| db.now + days * 24 * 60 * 60 * 1000)
}

/// Reads when a new token or a new secret ends, and holds it to the server's limit: `validateUserAccessTokenExpiry`.
/// Before 12 bots may choose any end, also one in the past. The texts of the errors are the stand-in's own.
fn end(db: &Database, bot: bool, expires_at: i64) -> Result<Millis, AppError> {
    if !db.version.has(Ability::TokenExpiry) {
        return Ok(0);
    }
    // The server has negative ends too, which are as far in the past as 1 is.
    let end = if expires_at < 0 { 1 } else { expires_at.unsigned_abs() };
    if bot && !db.version.has(Ability::BotTokenExpiry) {
        return Ok(end);
    }
    let latest = latest_end(db);
    match end {
        0 if latest.is_some() => Err(AppError::bad(
            "app.user_access_token.expires_at_required.app_error",
            "Tokens must have an expiry date on this server.",
        )),
        0 => Ok(0),
        end if end <= db.now => Err(AppError::bad(
            "app.user_access_token.expires_at_in_past.app_error",
            "The expiry date of a token must be in the future.",
        )),
        end if latest.is_some_and(|latest| end > latest) => Err(AppError::bad(
            "app.user_access_token.expires_at_too_far.app_error",
            format!(
                "The expiry date of a token can be at most {} days away.",
                db.settings.maximum_personal_access_token_lifetime_days
            ),
        )),
        end => Ok(end),
    }
}

/// The tokens of people work only where the server allows them; bots can have tokens whatever the setting is.
fn check_allowed(db: &Database, bot: bool) -> Result<(), AppError> {
    if bot || db.settings.enable_user_access_tokens {
        return Ok(());
    }
    Err(AppError::new(
        StatusCode::NOT_IMPLEMENTED,
        "app.user_access_token.disabled",
        "Personal access tokens are disabled on this server. Please contact your system administrator for details.",
    ))
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Create {
    description: String,
    expires_at: i64,
}

/// `bot-token-create.http`, `user-token-create-forbidden.http`
pub(super) fn create(db: &mut Database, request: &ApiRequest) -> ApiResult {
    let user_id = request.user_id()?;
    let bot = db.user(user_id).ok_or_else(AppError::no_user)?.bot.is_some();
    let body: Create = request.body("user_access_token")?;
    if body.description.is_empty() {
        return Err(AppError::bad_body("description"));
    }
    if !may_manage(db, request, user_id) {
        return Err(AppError::forbidden());
    }
    check_allowed(db, bot)?;
    let expires_at = end(db, bot, body.expires_at)?;
    if body.description.len() > 255 {
        return Err(AppError::bad(
            "model.user_access_token.is_valid.description.app_error",
            "Invalid description, must be 255 or less characters.",
        ));
    }
    let version = db.version;
    Reply::ok(shape::token(version, db.add_token(user_id, &body.description, expires_at), true))
}

/// `bot-tokens-list.http`
pub(super) fn of_user(db: &mut Database, request: &ApiRequest) -> ApiResult {
    let user_id = request.user_id()?;
    if !may_manage(db, request, user_id) {
        return Err(AppError::forbidden());
    }
    let tokens = db.tokens.iter().filter(|token| token.user_id == user_id);
    let list: Vec<Value> = tokens.map(|token| shape::token(db.version, token, false)).collect();
    Reply::ok(request.page(list, 60).into())
}

/// The tokens of everybody, for system admins.
pub(super) fn list(db: &mut Database, request: &ApiRequest) -> ApiResult {
    if !db.is_admin(&request.user) {
        return Err(AppError::forbidden());
    }
    let list: Vec<Value> = db.tokens.iter().map(|token| shape::token(db.version, token, false)).collect();
    Reply::ok(request.page(list, 60).into())
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Search {
    term: String,
}

/// Finds tokens by the start of the token's id, the user's id or the user's name.
pub(super) fn search(db: &mut Database, request: &ApiRequest) -> ApiResult {
    if !db.is_admin(&request.user) {
        return Err(AppError::forbidden());
    }
    let body: Search = request.body("user_access_token_search")?;
    if body.term.is_empty() {
        return Err(AppError::bad_body("term"));
    }
    let term = body.term.as_str();
    let fits = |token: &&Token| {
        let named = db.user(&token.user_id).is_some_and(|user| user.username.starts_with(term));
        named || token.id.starts_with(term) || token.user_id.starts_with(term)
    };
    let found = db.tokens.iter().filter(fits);
    Reply::ok(found.map(|token| shape::token(db.version, token, false)).collect::<Value>())
}

fn missing() -> AppError {
    AppError::missing(
        "app.user_access_token.get_by_user.app_error",
        "Unable to get the personal access tokens by user.",
    )
}

/// The position of a token, if the caller may change it.
fn find(db: &Database, request: &ApiRequest, id: &str) -> Result<usize, AppError> {
    if !db.is_admin(&request.user) && !db.has_role(&request.user, "system_user_access_token") {
        return Err(AppError::forbidden());
    }
    let at = db.tokens.iter().position(|token| token.id == id);
    let (at, token) = at.and_then(|at| Some((at, db.tokens.get(at)?))).ok_or_else(missing)?;
    if may_manage(db, request, &token.user_id) { Ok(at) } else { Err(AppError::forbidden()) }
}

pub(super) fn get(db: &mut Database, request: &ApiRequest) -> ApiResult {
    let at = find(db, request, request.id("token_id")?)?;
    Reply::ok(shape::token(db.version, db.tokens.get(at).ok_or_else(missing)?, false))
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Named {
    token_id: String,
}

/// The position of the token in the body.
fn named(db: &Database, request: &ApiRequest) -> Result<usize, AppError> {
    let body: Named = request.body("token_id").unwrap_or_default();
    find(db, request, &body.token_id)
}

/// `token-revoke.http`: the token no longer works (`error-revoked-token.http`).
pub(super) fn revoke(db: &mut Database, request: &ApiRequest) -> ApiResult {
    let at = named(db, request)?;
    db.tokens.remove(at);
    Reply::done()
}

/// `token-disable.http`
pub(super) fn disable(db: &mut Database, request: &ApiRequest) -> ApiResult {
    switch(db, request, false)
}

/// `token-enable.http`
pub(super) fn enable(db: &mut Database, request: &ApiRequest) -> ApiResult {
    switch(db, request, true)
}

fn switch(db: &mut Database, request: &ApiRequest, active: bool) -> ApiResult {
    let at = named(db, request)?;
    if let Some(token) = db.tokens.get_mut(at) {
        token.active = active;
    }
    Reply::done()
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Rotate {
    token_id: String,
    expires_at: i64,
}

/// `rotateUserAccessToken`, since 11.10: a new secret for a token; the old one no longer works. Without `expires_at` the
/// token has no end afterwards, whatever it had before.
pub(super) fn rotate(db: &mut Database, request: &ApiRequest) -> ApiResult {
    if !db.version.has(Ability::TokenRotation) {
        return Ok(Reply::NoPage { path: "/api/v4/users/tokens/rotate".to_owned() });
    }
    let body: Rotate = request.body("rotate_user_access_token")?;
    if body.token_id.is_empty() {
        return Err(AppError::bad_body("token_id"));
    }
    let at = find(db, request, &body.token_id)?;
    let token = db.tokens.get(at).ok_or_else(missing)?;
    let owner = db.user(&token.user_id).ok_or_else(AppError::no_user)?;
    if !token.active {
        return Err(AppError::bad(
            "api.user.rotate_user_access_token.disabled_token.app_error",
            "A disabled token cannot be rotated.",
        ));
    }
    let bot = owner.bot.is_some();
    check_allowed(db, bot)?;
    let (expires_at, secret, version) = (end(db, bot, body.expires_at)?, db.ids.next(), db.version);
    let token = db.tokens.get_mut(at).ok_or_else(missing)?;
    token.token = secret;
    token.expires_at = expires_at;
    Reply::ok(shape::token(version, token, true))
}

/// Whether a token lives longer than the limit allows. Disabled tokens are not counted, and before 12 those of bots are
/// not either.
fn too_long(db: &Database, token: &Token, latest: Millis) -> bool {
    let bot = db.user(&token.user_id).is_some_and(|user| user.bot.is_some());
    let counts = token.active && (!bot || db.version.has(Ability::BotTokenExpiry));
    counts && (token.expires_at == 0 || token.expires_at > latest)
}

/// How many tokens live longer than the limit allows, for system admins.
pub(super) fn count_non_compliant(db: &mut Database, request: &ApiRequest) -> ApiResult {
    if !db.version.has(Ability::TokenExpiry) {
        return Ok(Reply::NoPage { path: "/api/v4/users/tokens/non_compliant/count".to_owned() });
    }
    if !db.is_admin(&request.user) {
        return Err(AppError::forbidden());
    }
    let latest = latest_end(db);
    let found = db.tokens.iter().filter(|token| latest.is_some_and(|latest| too_long(db, token, latest)));
    Reply::ok(json!({"count": found.count()}))
}

/// Revokes the tokens that live longer than the limit allows, for system admins.
pub(super) fn revoke_non_compliant(db: &mut Database, request: &ApiRequest) -> ApiResult {
    if !db.version.has(Ability::TokenExpiry) {
        return Ok(Reply::NoPage { path: "/api/v4/users/tokens/non_compliant/revoke".to_owned() });
    }
    if !db.is_admin(&request.user) {
        return Err(AppError::forbidden());
    }
    let Some(latest) = latest_end(db) else {
        return Err(AppError::bad(
            "app.user_access_token.revoke_non_compliant.no_policy.app_error",
            "This server does not limit how long tokens live.",
        ));
    };
    let found = db.tokens.iter().filter(|token| too_long(db, token, latest));
    let gone: Vec<String> = found.map(|token| token.id.clone()).collect();
    db.tokens.retain(|token| !gone.contains(&token.id));
    Reply::ok(json!({"count": gone.len()}))
}
