//! Webhooks, OAuth apps and sessions in JSON.

use super::with;
use crate::Version;
use crate::model::{IncomingWebhook, OAuthApp, OutgoingWebhook, Session, User};
use serde_json::{Value, json};

/// An outgoing webhook with its token, for those who manage it: `hooks-outgoing-create.http`.
pub(crate) fn outgoing_webhook(hook: &OutgoingWebhook) -> Value {
    json!({
        "id": hook.id, "token": hook.token, "create_at": hook.create_at, "update_at": hook.update_at,
        "delete_at": 0, "creator_id": hook.creator_id, "channel_id": hook.channel_id, "team_id": hook.team_id,
        "trigger_words": hook.trigger_words, "trigger_when": hook.trigger_when,
        "callback_urls": hook.callback_urls, "display_name": hook.display_name,
        "description": hook.description, "content_type": hook.content_type, "username": hook.username,
        "icon_url": hook.icon_url,
    })
}

/// An incoming webhook, whose id is its secret: `hooks-incoming-create.http`.
pub(crate) fn incoming_webhook(hook: &IncomingWebhook) -> Value {
    json!({
        "id": hook.id, "create_at": hook.create_at, "update_at": hook.update_at, "delete_at": 0,
        "user_id": hook.user_id, "channel_id": hook.channel_id, "team_id": hook.team_id,
        "display_name": hook.display_name, "description": hook.description, "username": hook.username,
        "icon_url": hook.icon_url, "channel_locked": hook.channel_locked,
    })
}

/// An OAuth app. Only those who manage it get its secret: `oauth-apps-create.http`.
pub(crate) fn oauth_app(version: Version, app: &OAuthApp, secret: bool) -> Value {
    let shape = json!({
        "id": app.id, "creator_id": app.creator_id, "create_at": app.create_at, "update_at": app.update_at,
        "client_secret": if secret { app.client_secret.as_str() } else { "" }, "name": app.name,
        "description": app.description, "icon_url": app.icon_url, "callback_urls": app.callback_urls,
        "homepage": app.homepage, "is_trusted": app.is_trusted,
    });
    if version.since_11() { with(shape, json!({"mattermost_app_id": ""})) } else { shape }
}

/// A session without its token: `Session.Sanitize` in `model/session.go`.
pub(crate) fn session(session: &Session, user: &User) -> Value {
    json!({
        "id": session.id, "token": "", "create_at": session.create_at, "expires_at": session.expires_at,
        "last_activity_at": session.create_at, "user_id": session.user_id, "device_id": "",
        "roles": user.roles, "is_oauth": false, "expired_notify": false, "props": {}, "team_members": [],
        "local": false,
    })
}
