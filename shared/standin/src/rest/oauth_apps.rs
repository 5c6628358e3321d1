//! `/api/v4/oauth/apps`: the applications that act for users by OAuth 2. Only their registration is served, not
//! the flows. `api4/oauth.go`, `app/oauth.go`, `model/oauth.go`; `oauth-apps-*.http`

use super::webhooks::{is_http_url, printed};
use super::{Answer, Ask, Reply};
use crate::error::AppError;
use crate::shape;
use crate::world::{OAuthApp, World};
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
    /// Version 11: a client that can keep no secret.
    is_public: bool,
}

fn missing() -> AppError {
    AppError::missing("app.oauth.get_app.find.app_error", "Unable to find the requested app.")
}

fn enabled(world: &World) -> Result<(), AppError> {
    if world.settings.enable_oauth_service_provider {
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
    if callbacks.is_empty() || printed(callbacks) > 1024 || !callbacks.iter().all(|url| is_http_url(url)) {
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

pub(super) fn create(world: &mut World, ask: &Ask) -> Answer {
    let body: Body = ask.body("oauth_app")?;
    if !world.may_manage_oauth(&ask.user) {
        return Err(AppError::forbidden());
    }
    if !world.settings.enable_oauth_service_provider {
        return Err(turned_off("api.oauth.register_oauth_app.turn_off.app_error"));
    }
    check(&body)?;
    let public = body.is_public && world.version.is_11();
    let app = OAuthApp {
        id: world.ids.next(),
        client_secret: if public { String::new() } else { world.ids.next() },
        creator_id: ask.user.clone(),
        create_at: world.now,
        update_at: world.now,
        name: body.name,
        description: body.description,
        icon_url: body.icon_url,
        callback_urls: body.callback_urls,
        homepage: body.homepage,
        is_trusted: body.is_trusted && world.is_admin(&ask.user),
    };
    let shape = shape::oauth_app(world.version, &app, true);
    world.oauth_apps.push(app);
    Reply::created(shape)
}

/// All for system admins, his own for others.
pub(super) fn list(world: &mut World, ask: &Ask) -> Answer {
    if !world.may_manage_oauth(&ask.user) {
        return Err(AppError::new(
            StatusCode::FORBIDDEN,
            "api.command.admin_only.app_error",
            "Integrations have been limited to admins only.",
        ));
    }
    enabled(world)?;
    let apps = world.oauth_apps.iter();
    let apps = apps.filter(|app| world.is_admin(&ask.user) || app.creator_id == ask.user);
    let list: Vec<Value> = apps.map(|app| shape::oauth_app(world.version, app, true)).collect();
    Reply::ok(ask.page(list, 60).into())
}

/// Where the app in the path stands, for those who manage it.
fn find(world: &World, ask: &Ask) -> Result<usize, AppError> {
    let id = ask.id("app_id")?;
    if !world.may_manage_oauth(&ask.user) {
        return Err(AppError::forbidden());
    }
    enabled(world)?;
    let at = world.oauth_apps.iter().position(|app| app.id == id).ok_or_else(missing)?;
    let own = world.oauth_apps.get(at).is_some_and(|app| app.creator_id == ask.user);
    if own || world.is_admin(&ask.user) { Ok(at) } else { Err(AppError::forbidden()) }
}

fn tell(world: &World, at: usize) -> Answer {
    let app = world.oauth_apps.get(at).ok_or_else(missing)?;
    Reply::ok(shape::oauth_app(world.version, app, true))
}

pub(super) fn get(world: &mut World, ask: &Ask) -> Answer {
    let at = find(world, ask)?;
    tell(world, at)
}

/// What everybody may know of an app that asks him.
pub(super) fn info(world: &mut World, ask: &Ask) -> Answer {
    let id = ask.id("app_id")?;
    enabled(world)?;
    let app = world.oauth_apps.iter().find(|app| app.id == id).ok_or_else(missing)?;
    Reply::ok(shape::oauth_app(world.version, app, false))
}

/// The whole app; its secret and creator stay.
pub(super) fn update(world: &mut World, ask: &Ask) -> Answer {
    let at = find(world, ask)?;
    let body: Body = ask.body("oauth_app")?;
    if body.id != ask.id("app_id")? {
        return Err(AppError::bad_body("app_id"));
    }
    check(&body)?;
    let (now, admin) = (world.now, world.is_admin(&ask.user));
    if let Some(app) = world.oauth_apps.get_mut(at) {
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
    tell(world, at)
}

pub(super) fn regenerate_secret(world: &mut World, ask: &Ask) -> Answer {
    let at = find(world, ask)?;
    let (secret, now) = (world.ids.next(), world.now);
    let app = world.oauth_apps.get_mut(at).ok_or_else(missing)?;
    if app.client_secret.is_empty() {
        return Err(AppError::bad(
            "api.oauth.regenerate_secret.public_client.app_error",
            "invalid_request: Cannot regenerate secret for public OAuth clients.",
        ));
    }
    app.client_secret = secret;
    app.update_at = now;
    tell(world, at)
}

pub(super) fn delete(world: &mut World, ask: &Ask) -> Answer {
    let at = find(world, ask)?;
    world.oauth_apps.remove(at);
    Reply::done()
}

/// `oauth-apps-authorized-none.http`: those that the user let act for him. As the flows are not served, none.
pub(super) fn authorized(world: &mut World, ask: &Ask) -> Answer {
    if ask.user_id()? != ask.user && !world.is_admin(&ask.user) {
        return Err(AppError::forbidden());
    }
    enabled(world)?;
    Reply::ok(Value::Array(Vec::new()))
}
