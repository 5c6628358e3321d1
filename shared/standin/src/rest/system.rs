//! The server itself: is it there, and which one is it.

use super::{Answer, Ask, Reply};
use crate::error::AppError;
use crate::world::World;
use serde_json::json;

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

/// `config-client-anonymous-format-old.http`: of its 125 keys those that an app can use.
pub(super) fn client_config(world: &mut World, ask: &Ask) -> Answer {
    // 5.37 wants the word; 11 no longer does.
    if !world.version.is_11() && ask.query("format") != Some("old") {
        return Err(AppError::bad(
            "api.config.client.old_format.app_error",
            "New format for the client configuration is not supported yet. Please specify format=old in the query string.",
        ));
    }
    let number = world.version.number();
    Reply::ok(json!({
        "Version": number, "BuildNumber": number, "BuildDate": "", "BuildHash": "none",
        "BuildHashEnterprise": "", "BuildEnterpriseReady": "false", "DefaultClientLocale": "en",
        "DiagnosticsEnabled": "false", "EnableBotAccountCreation": "true", "SiteName": "Mattermost",
        "SiteURL": world.settings.site_url, "WebsocketURL": "",
    }))
}
