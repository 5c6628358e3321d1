//! `/api/v4/oauth/apps`: the registration of applications that act for users by OAuth 2. The OAuth flows themselves are
//! not served. Source: `api4/oauth.go`, `app/oauth.go`, `model/oauth.go`; `oauth-apps-*.http`.

use crate::api::{ApiRequest, ApiResult, Reply};
use crate::app_error::AppError;
use crate::database::Database;
use crate::go::printed_length;
use crate::model::{OAuthApp, is_http_url};
use crate::shape;
use http::StatusCode;
use serde::Deserialize;
use serde_json::Value;

#[derive(Deserialize, Default)]
#[serde(default)]
struct Body {
    id: String,
    name: String,
    description: String,
    icon_url: String,
    callback_urls: Vec<String>,
    homepage: String,
    is_trusted: bool,
    /// 11 only: whether it is a client that cannot keep a secret.
    is_public: bool,
}

fn missing() -> AppError {
    AppError::missing("app.oauth.get_app.find.app_error", "Unable to find the requested app.")
}

fn enabled(db: &Database) -> Result<(), AppError> {
    if db.settings.enable_oauth_service_provider {
        return Ok(());
    }
    Err(turned_off("api.oauth.allow_oauth.turn_off.app_error"))
}

fn turned_off(id: &'static str) -> AppError {
    let text = "The system admin has turned off OAuth2 Service Provider.";
    AppError::new(StatusCode::NOT_IMPLEMENTED, id, text)
}

/// `OAuthApp.IsValid`.
fn check(body: &Body) -> Result<(), AppError> {
    if body.name.is_empty() || body.name.len() > 64 {
        return Err(AppError::bad("model.oauth.is_valid.name.app_error", "Invalid name."));
    }
    let callbacks = &body.callback_urls;
    if callbacks.is_empty()
        || printed_length(callbacks) > 1024
        || !callbacks.iter().all(|url| is_http_url(url))
    {
        return Err(AppError::bad(
            "model.oauth.is_valid.callback.app_error",
            "Callback URL must be a valid URL and start with http:// or https://.",
        ));
    }
    if body.homepage.len() > 256 || !is_http_url(&body.homepage) {
        return Err(AppError::bad(
            "model.oauth.is_valid.homepage.app_error",
            "Homepage must be a valid URL and start with http:// or https://.",
        ));
    }
    if body.description.chars().count() > 512 {
        return Err(AppError::bad("model.oauth.is_valid.description.app_error", "Invalid description."));
    }
    if !body.icon_url.is_empty() && (body.icon_url.len() > 512 || !is_http_url(&body.icon_url)) {
        return Err(AppError::bad(
            "model.oauth.is_valid.icon_url.app_error",
            "Icon URL must be a valid URL and start with http:// or https://.",
        ));
    }
    Ok(())
}

pub(super) fn create(db: &mut Database, request: &ApiRequest) -> ApiResult {
    let body: Body = request.body("oauth_app")?;
    if !db.may_manage_oauth(&request.user) {
        return Err(AppError::forbidden());
    }
    if !db.settings.enable_oauth_service_provider {
        return Err(turned_off("api.oauth.register_oauth_app.turn_off.app_error"));
    }
    check(&body)?;
    let public = body.is_public && db.version.since_11();
    let app = OAuthApp {
        id: db.ids.next(),
        client_secret: if public { String::new() } else { db.ids.next() },
        creator_id: request.user.clone(),
        create_at: db.now,
        update_at: db.now,
        name: body.name,
        description: body.description,
        icon_url: body.icon_url,
        callback_urls: body.callback_urls,
        homepage: body.homepage,
        is_trusted: body.is_trusted && db.is_admin(&request.user),
    };
    let shape = shape::oauth_app(db.version, &app, true);
    db.oauth_apps.push(app);
    Reply::created(shape)
}

/// System admins get all apps; others get their own.
pub(super) fn list(db: &mut Database, request: &ApiRequest) -> ApiResult {
    if !db.may_manage_oauth(&request.user) {
        return Err(AppError::new(
            StatusCode::FORBIDDEN,
            "api.command.admin_only.app_error",
            "Integrations have been limited to admins only.",
        ));
    }
    enabled(db)?;
    let apps = db.oauth_apps.iter();
    let apps = apps.filter(|app| db.is_admin(&request.user) || app.creator_id == request.user);
    let list: Vec<Value> = apps.map(|app| shape::oauth_app(db.version, app, true)).collect();
    Reply::ok(request.page(list, 60).into())
}

/// The position of the app in the path, for those who manage it.
fn find(db: &Database, request: &ApiRequest) -> Result<usize, AppError> {
    let id = request.id("app_id")?;
    if !db.may_manage_oauth(&request.user) {
        return Err(AppError::forbidden());
    }
    enabled(db)?;
    let at = db.oauth_apps.iter().position(|app| app.id == id).ok_or_else(missing)?;
    let own = db.oauth_apps.get(at).is_some_and(|app| app.creator_id == request.user);
    if own || db.is_admin(&request.user) { Ok(at) } else { Err(AppError::forbidden()) }
}

/// Answers with an app and its secret.
fn show(db: &Database, at: usize) -> ApiResult {
    let app = db.oauth_apps.get(at).ok_or_else(missing)?;
    Reply::ok(shape::oauth_app(db.version, app, true))
}

pub(super) fn get(db: &mut Database, request: &ApiRequest) -> ApiResult {
    let at = find(db, request)?;
    show(db, at)
}

/// What every user may know about an app.
pub(super) fn info(db: &mut Database, request: &ApiRequest) -> ApiResult {
    let id = request.id("app_id")?;
    enabled(db)?;
    let app = db.oauth_apps.iter().find(|app| app.id == id).ok_or_else(missing)?;
    Reply::ok(shape::oauth_app(db.version, app, false))
}

/// Replaces the app, but not its secret and creator.
pub(super) fn update(db: &mut Database, request: &ApiRequest) -> ApiResult {
    let at = find(db, request)?;
    let body: Body = request.body("oauth_app")?;
    if body.id != request.id("app_id")? {
        return Err(AppError::bad_body("app_id"));
    }
    check(&body)?;
    let (now, admin) = (db.now, db.is_admin(&request.user));
    if let Some(app) = db.oauth_apps.get_mut(at) {
        app.update_at = now;
        app.name = body.name;
        app.description = body.description;
        app.icon_url = body.icon_url;
        app.callback_urls = body.callback_urls;
        app.homepage = body.homepage;
        if admin {
            app.is_trusted = body.is_trusted;
        }
    }
    show(db, at)
}

pub(super) fn regenerate_secret(db: &mut Database, request: &ApiRequest) -> ApiResult {
    let at = find(db, request)?;
    let (secret, now) = (db.ids.next(), db.now);
    let app = db.oauth_apps.get_mut(at).ok_or_else(missing)?;
    if app.client_secret.is_empty() {
        return Err(AppError::bad(
            "api.oauth.regenerate_secret.public_client.app_error",
            "invalid_request: Cannot regenerate secret for public OAuth clients.",
        ));
    }
    app.client_secret = secret;
    app.update_at = now;
    show(db, at)
}

pub(super) fn delete(db: &mut Database, request: &ApiRequest) -> ApiResult {
    let at = find(db, request)?;
    db.oauth_apps.remove(at);
    Reply::done()
}

/// `oauth-apps-authorized-none.http`: the apps that may act for the user. There are none, because the OAuth flows are
/// not served.
pub(super) fn authorized(db: &mut Database, request: &ApiRequest) -> ApiResult {
    if request.user_id()? != request.user && !db.is_admin(&request.user) {
        return Err(AppError::forbidden());
    }
    enabled(db)?;
    Reply::ok(Value::Array(Vec::new()))
}
