//! The server itself: whether it runs, which version it is, and how it is configured.

use crate::api::{ApiRequest, ApiResult, Reply};
use crate::app_error::AppError;
use crate::config;
use crate::database::Database;
use crate::version::Ability;
use serde_json::json;

/// `system-ping.http`
pub(super) fn ping(db: &mut Database, _: &ApiRequest) -> ApiResult {
    let mut body = json!({
        "AndroidLatestVersion": "", "AndroidMinVersion": "", "IosLatestVersion": "", "IosMinVersion": "",
        "status": "OK",
    });
    if let Some(body) = body.as_object_mut() {
        if db.version.since_11() {
            body.insert("ActiveSearchBackend".to_owned(), "database".into());
        } else {
            body.insert("DesktopLatestVersion".to_owned(), "".into());
            body.insert("DesktopMinVersion".to_owned(), "".into());
        }
    }
    Reply::ok(body)
}

/// `config-client.http`, `config-client-anonymous.http`: callers with a session get more keys.
pub(super) fn client_config(db: &mut Database, request: &ApiRequest) -> ApiResult {
    // 5.37 requires `format=old`; 11 no longer does.
    if !db.version.since_11() {
        check_old_format(
            request,
            "api.config.client.old_format.app_error",
            "New format for the client configuration is not supported yet. Please specify format=old in the query string.",
        )?;
    }
    let config = config::client_config(db, request.user.is_empty());
    Reply::ok(config.into())
}

/// Checks the `format=old` that old routes require in their query.
fn check_old_format(request: &ApiRequest, id: &'static str, message: &str) -> Result<(), AppError> {
    match request.query("format").unwrap_or_default() {
        "" => Err(AppError::bad(id, message)),
        "old" => Ok(()),
        _ => Err(AppError::bad_body("format")),
    }
}

/// A team edition has no license.
pub(super) fn license(_: &mut Database, request: &ApiRequest) -> ApiResult {
    check_old_format(
        request,
        "api.license.client.old_format.app_error",
        "New format for the client license is not supported yet. Please specify format=old in the query string.",
    )?;
    Reply::ok(json!({"IsLicensed": "false"}))
}

/// `GET /api/v4/config`, for system admins: the part of the configuration that the stand-in obeys.
pub(super) fn config(db: &mut Database, request: &ApiRequest) -> ApiResult {
    if !db.is_admin(&request.user) {
        return Err(AppError::forbidden());
    }
    let settings = &db.settings;
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
    if let Some(service) = service.as_object_mut().filter(|_| !db.version.since_11()) {
        let only = settings.enable_only_admin_integrations.into();
        service.insert("EnableOnlyAdminIntegrations".to_owned(), only);
    }
    if let Some(service) = service.as_object_mut().filter(|_| db.version.since_11()) {
        let seconds = settings.outgoing_integration_requests_timeout.into();
        service.insert("OutgoingIntegrationRequestsTimeout".to_owned(), seconds);
    }
    let hardened = if db.version.has(Ability::IdentityProps) {
        "EnableHardenedMode"
    } else {
        "ExperimentalEnableHardenedMode"
    };
    if let Some(service) = service.as_object_mut() {
        service.insert(hardened.to_owned(), settings.enable_hardened_mode.into());
    }
    if let Some(service) = service.as_object_mut().filter(|_| db.version.has(Ability::TokenExpiry)) {
        let days = settings.maximum_personal_access_token_lifetime_days.into();
        service.insert("MaximumPersonalAccessTokenLifetimeDays".to_owned(), days);
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
