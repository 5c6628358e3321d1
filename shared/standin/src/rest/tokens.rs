//! Personal access tokens. System admins manage those of bots; a user with the role `system_user_access_token` manages
//! their own: `api4/user.go`, `app/session.go`.

use crate::api::{ApiRequest, ApiResult, Reply};
use crate::app_error::AppError;
use crate::database::Database;
use crate::model::Token;
use crate::shape;
use http::StatusCode;
use serde::Deserialize;
use serde_json::Value;

fn may_manage(db: &Database, request: &ApiRequest, user_id: &str) -> bool {
    let own = user_id == request.user && db.has_role(&request.user, "system_user_access_token");
    own || db.is_admin(&request.user)
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Create {
    description: String,
}

/// `bot-token-create.http`, `user-token-create-forbidden.http`. Bots can have tokens whatever the setting is.
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
    if !bot && !db.settings.enable_user_access_tokens {
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
    Reply::ok(shape::token(db.add_token(user_id, &body.description), true))
}

/// `bot-tokens-list.http`
pub(super) fn of_user(db: &mut Database, request: &ApiRequest) -> ApiResult {
    let user_id = request.user_id()?;
    if !may_manage(db, request, user_id) {
        return Err(AppError::forbidden());
    }
    let tokens = db.tokens.iter().filter(|token| token.user_id == user_id);
    let list: Vec<Value> = tokens.map(|token| shape::token(token, false)).collect();
    Reply::ok(request.page(list, 60).into())
}

/// The tokens of everybody, for system admins.
pub(super) fn list(db: &mut Database, request: &ApiRequest) -> ApiResult {
    if !db.is_admin(&request.user) {
        return Err(AppError::forbidden());
    }
    let list: Vec<Value> = db.tokens.iter().map(|token| shape::token(token, false)).collect();
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
    Reply::ok(found.map(|token| shape::token(token, false)).collect::<Value>())
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
    Reply::ok(shape::token(db.tokens.get(at).ok_or_else(missing)?, false))
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
