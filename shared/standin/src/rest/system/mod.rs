//! The server itself: is it there, which one is it, and how is it configured.

use super::{Answer, Ask, Reply};
use crate::Version;
use crate::error::AppError;
use crate::world::World;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use std::sync::OnceLock;

/// `system-ping.http`
pub(super) fn ping(world: &mut World, _: &Ask) -> Answer {
    let mut body = json!({
        "AndroidLatestVersion": "", "AndroidMinVersion": "", "IosLatestVersion": "", "IosMinVersion": "",
        "status": "OK",
    });
    if let Some(body) = body.as_object_mut() {
        if world.version.is_11() {
            body.insert("ActiveSearchBackend".to_owned(), "database".into());
        } else {
            body.insert("DesktopLatestVersion".to_owned(), "".into());
            body.insert("DesktopMinVersion".to_owned(), "".into());
        }
    }
    Reply::ok(body)
}

/// What a client may know of a server's configuration.
#[derive(Deserialize)]
struct ClientConfig {
    /// The keys that are told without a session.
    anonymous: Vec<String>,
    all: Map<String, Value>,
}

/// A fresh server's, as recorded of 11 (`config-client.http`). Of 5.37 nothing was recorded: its keys are those
/// of `config/client.go` that an app can use.
fn fresh(version: Version) -> &'static ClientConfig {
    static ELEVEN: OnceLock<ClientConfig> = OnceLock::new();
    static FIVE: OnceLock<ClientConfig> = OnceLock::new();
    let read = |json: &str| {
        serde_json::from_str(json).unwrap_or_else(|_| ClientConfig { anonymous: Vec::new(), all: Map::new() })
    };
    match version {
        Version::V11 => ELEVEN.get_or_init(|| read(include_str!("client-config-11.json"))),
        Version::V5_37 => FIVE.get_or_init(|| read(include_str!("client-config-5.37.json"))),
    }
}

/// `config-client.http`, `config-client-anonymous.http`: to everybody, and more to who has a session.
pub(super) fn client_config(world: &mut World, ask: &Ask) -> Answer {
    // 5.37 wants the word; 11 no longer does.
    if !world.version.is_11() {
        old_format(
            ask,
            "api.config.client.old_format.app_error",
            "New format for the client configuration is not supported yet. Please specify format=old in the query string.",
        )?;
    }
    let fresh = fresh(world.version);
    let settings = &world.settings;
    let mut config = fresh.all.clone();
    let direct = if settings.restrict_direct_message_to_team { "team" } else { "any" };
    for (key, value) in [
        ("SiteURL", settings.site_url.clone()),
        ("RestrictDirectMessage", direct.to_owned()),
        ("EnableBotAccountCreation", settings.enable_bot_account_creation.to_string()),
        ("EnableUserAccessTokens", settings.enable_user_access_tokens.to_string()),
        ("EnableCommands", settings.enable_commands.to_string()),
        ("EnableIncomingWebhooks", settings.enable_incoming_webhooks.to_string()),
        ("EnableOutgoingWebhooks", settings.enable_outgoing_webhooks.to_string()),
        ("EnableOAuthServiceProvider", settings.enable_oauth_service_provider.to_string()),
        ("EnablePostUsernameOverride", settings.enable_post_username_override.to_string()),
        ("EnablePostIconOverride", settings.enable_post_icon_override.to_string()),
        ("EnableSignInWithEmail", settings.enable_sign_in_with_email.to_string()),
        ("EnableSignInWithUsername", settings.enable_sign_in_with_username.to_string()),
        ("EnableMultifactorAuthentication", settings.enable_multifactor_authentication.to_string()),
    ] {
        config.insert(key.to_owned(), value.into());
    }
    if ask.user.is_empty() {
        config.retain(|key, _| fresh.anonymous.contains(key));
    }
    Reply::ok(config.into())
}

/// The word that old routes want in their query.
fn old_format(ask: &Ask, id: &'static str, message: &str) -> Result<(), AppError> {
    match ask.query("format").unwrap_or_default() {
        "" => Err(AppError::bad(id, message)),
        "old" => Ok(()),
        _ => Err(AppError::bad_body("format")),
    }
}

/// A team edition has no license.
pub(super) fn license(_: &mut World, ask: &Ask) -> Answer {
    old_format(
        ask,
        "api.license.client.old_format.app_error",
        "New format for the client license is not supported yet. Please specify format=old in the query string.",
    )?;
    Reply::ok(json!({"IsLicensed": "false"}))
}

/// `GET /api/v4/config`, for system admins: of the whole configuration the settings that the stand-in obeys.
pub(super) fn config(world: &mut World, ask: &Ask) -> Answer {
    if !world.is_admin(&ask.user) {
        return Err(AppError::forbidden());
    }
    let settings = &world.settings;
    let mut service = json!({
        "SiteURL": settings.site_url,
        "EnableBotAccountCreation": settings.enable_bot_account_creation,
        "EnableUserAccessTokens": settings.enable_user_access_tokens,
        "EnableCommands": settings.enable_commands,
        "EnableIncomingWebhooks": settings.enable_incoming_webhooks,
        "EnableOutgoingWebhooks": settings.enable_outgoing_webhooks,
        "EnableOAuthServiceProvider": settings.enable_oauth_service_provider,
        "EnablePostUsernameOverride": settings.enable_post_username_override,
        "EnablePostIconOverride": settings.enable_post_icon_override,
        "EnableMultifactorAuthentication": settings.enable_multifactor_authentication,
        "AllowedUntrustedInternalConnections": settings.allowed_untrusted_internal_connections,
        "MaximumLoginAttempts": settings.maximum_login_attempts,
    });
    if let Some(service) = service.as_object_mut().filter(|_| !world.version.is_11()) {
        let only = settings.enable_only_admin_integrations.into();
        service.insert("EnableOnlyAdminIntegrations".to_owned(), only);
    }
    Reply::ok(json!({
        "ServiceSettings": service,
        "TeamSettings": {
            "MaxUsersPerTeam": settings.max_users_per_team,
            "MaxChannelsPerTeam": settings.max_channels_per_team,
            "RestrictDirectMessage": if settings.restrict_direct_message_to_team { "team" } else { "any" },
        },
    }))
}
