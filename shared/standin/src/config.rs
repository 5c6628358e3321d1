//! What a server tells of its configuration: to clients, and by the header `X-Version-Id`.

use crate::database::Database;
use crate::version::{self, Ability};
use aws_lc_rs::digest::{SHA256, digest};
use data_encoding::HEXLOWER;
use serde_json::{Map, Value};

/// The name of the feature flag of Mattermost Blocks. As all feature flags, everybody may know it.
const BLOCKS_FLAG: &str = "FeatureFlagMmBlocksEnabled";

/// The client configuration. Callers without a session do not get all of its keys.
pub(crate) fn client_config(db: &Database, anonymous: bool) -> Map<String, Value> {
    let fresh = version::client_config(db.version);
    let settings = &db.settings;
    let mut config = fresh.all.clone();
    let direct = if settings.restrict_direct_message_to_team { "team" } else { "any" };
    for (key, value) in [
        ("Version", db.version.number().to_owned()),
        ("BuildNumber", db.version.number().to_owned()),
        ("SiteURL", settings.site_url.clone()),
        ("RestrictDirectMessage", direct.to_owned()),
        ("MaxPostSize", settings.max_post_size.to_string()),
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
    if db.version.has(Ability::TokenExpiry) {
        let days = settings.maximum_personal_access_token_lifetime_days.to_string();
        config.insert("MaximumPersonalAccessTokenLifetimeDays".to_owned(), days.into());
    }
    if db.version.has(Ability::Blocks) {
        config.insert(BLOCKS_FLAG.to_owned(), settings.mm_blocks_enabled.to_string().into());
    }
    if !db.version.is_recorded() {
        // The number of the newest migration of the database; it is not known for derived versions.
        config.remove("SchemaVersion");
    }
    if anonymous {
        config.retain(|key, _| key == BLOCKS_FLAG || fresh.anonymous.contains(key));
    }
    config
}

/// The header `X-Version-Id` of all answers of the REST API: version, build number, hash of the client configuration,
/// whether there is a license. A change of a setting that clients may know changes the hash.
pub(crate) fn version_id(db: &Database) -> String {
    let number = db.version.number();
    let config = Value::from(client_config(db, false)).to_string();
    let hash = HEXLOWER.encode(digest(&SHA256, config.as_bytes()).as_ref());
    if db.version.since_11() {
        format!("{number}.{number}.{hash}.false")
    } else {
        // A hash of 5.37 is an MD5 with half as many digits. It names no build there.
        format!("{number}..{}.false", hash.get(..32).unwrap_or_default())
    }
}
