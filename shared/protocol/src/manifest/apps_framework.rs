//! Manifests of the discontinued Mattermost Apps framework (`mattermost-plugin-apps`). Its authors come here with them, so they are
//! recognised, with what to write instead of each key.

use crate::shape::Found;
use serde_json::Value;

/// Keys that no manifest of a Cloud App has. One of them is enough to tell the two apart.
const TELLING: [&str; 6] =
    ["app_id", "requested_permissions", "requested_locations", "aws_lambda", "open_faas", "on_install"];

/// Every key of such a manifest (`apps/manifest.go` of the plugin, and two that early versions had), and what to write instead.
const INSTEAD: [(&str, &str); 25] = [
    ("SchemaVersion", "there is none: leave it out"),
    ("app_id", r#"write "id": 2 to 32 characters of a-z, 0-9 and "-", starting with a letter"#),
    ("app_type", r#"there is none: "upstream" says where the app runs"#),
    ("version", "the same, as three numbers without a v: 1.2.0"),
    ("homepage_url", "the same, with https"),
    ("display_name", "the same"),
    ("description", "the same"),
    ("icon", "the same, as the https address of a picture or as a data: URL; the app serves no files"),
    (
        "bindings",
        r#"write "commands": the manifest holds all commands with their fields, and the app is not asked for them"#,
    ),
    ("on_install", r#"write "lifecycle": {"install": "FUNCTION"}"#),
    ("on_version_changed", r#"write "lifecycle": {"upgrade": "FUNCTION"}"#),
    ("on_uninstall", r#"write "lifecycle": {"uninstall": "FUNCTION"}"#),
    ("on_enable", "there is none: an app is not told that it was switched on"),
    ("on_disable", "there is none: an app is not told that it was switched off"),
    (
        "get_oauth2_connect_url",
        r#"write "accounts" with "authorize_url" and "token_url": the bundle leads users through OAuth 2.0"#,
    ),
    ("on_oauth2_complete", r#"there is none: with "accounts", the bundle fetches the tokens"#),
    ("on_remote_webhook", r#"write "webhooks", each with "path", "function" and "verify""#),
    ("remote_webhook_auth_type", r#"write "verify" of the webhook: the scheme standard, hmac or token"#),
    (
        "requested_permissions",
        r#"write "permissions" with act_as_bot, act_as_user; for remote_oauth2 write "accounts", for remote_webhooks "webhooks", for user_joined_channel_notification "events""#,
    ),
    (
        "requested_locations",
        r#"write "locations": /command is message_box, /post_menu is post_menu, /channel_header is channel_header, /in_post is post_action"#,
    ),
    (
        "aws_lambda",
        r#"write "upstream": {"type": "aws_lambda", "function": "NAME"}: one Lambda function, which you deploy"#,
    ),
    (
        "http",
        r#"write "upstream": {"type": "http", "url": "https://…"} with its root_url; for use_jwt there is none: every request is signed"#,
    ),
    ("root_url", r#"write "upstream": {"type": "http", "url": "https://…"}"#),
    ("open_faas", r#"there is none: write the address of the functions as "upstream" of the type http"#),
    ("plugin", "there is none: an app runs in the bundle, at an https address or as a Lambda function"),
];

/// The problem of such a manifest. A manifest that says its protocol is one of a Cloud App, with whatever else it has.
pub(super) fn recognised(manifest: &Value) -> Option<Found> {
    let keys = manifest.as_object().filter(|keys| !keys.contains_key("protocol"))?;
    let telling = TELLING.into_iter().find(|key| keys.contains_key(*key))?;
    let message = "This is the manifest of an app of the Mattermost Apps framework, which is discontinued. A Cloud App has another \
                   manifest.";
    let present = INSTEAD.iter().filter(|(key, _)| keys.contains_key(*key));
    let mut hint =
        "Write a new manifest, which begins with \"protocol\": 2; docs/other-languages.md shows a whole one. Key by key:"
            .to_owned();
    for (key, instead) in present {
        hint.extend(["\n  ", key, ": ", instead]);
    }
    Some(Found::new(&format!("/{telling}"), message, hint).at_key())
}
