//! The settings of a server that decide whether an integration can be installed and what it may do.
//!
//! They are the keys of the server's `config.json` that the stand-in obeys; all others are as in a fresh
//! server and cannot be changed. Defaults: `SetDefaults` in mattermost-server `model/config.go`.

use crate::Version;

/// What an admin can set. A fresh server's, unless changed with [`Standin::configure`](crate::Standin::configure).
///
/// ```
/// use cloud_apps_standin::{Standin, Version};
///
/// let mm = Standin::new(Version::V11);
/// assert!(!mm.settings().enable_bot_account_creation);
/// mm.configure(|settings| settings.enable_bot_account_creation = true);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch in the system console")]
pub struct Settings {
    /// `ServiceSettings.SiteURL`: where 11 sends late answers, and without which it executes no slash commands.
    /// A server that nobody has set up has none; the stand-in is as if set up. Without a slash at the end.
    pub site_url: String,
    /// `ServiceSettings.EnableBotAccountCreation`; off.
    pub enable_bot_account_creation: bool,
    /// `ServiceSettings.EnableUserAccessTokens`: of people; bots have tokens without it. Off. While it is off
    /// the tokens that people have do not work.
    pub enable_user_access_tokens: bool,
    /// `ServiceSettings.EnableCommands`; on.
    pub enable_commands: bool,
    /// `ServiceSettings.EnableOutgoingWebhooks`; on.
    pub enable_outgoing_webhooks: bool,
    /// `ServiceSettings.EnableIncomingWebhooks`; on.
    pub enable_incoming_webhooks: bool,
    /// `ServiceSettings.EnableOAuthServiceProvider`; off in 5.37, on in 11.
    pub enable_oauth_service_provider: bool,
    /// `ServiceSettings.EnableOnlyAdminIntegrations`; on. If off, members of a team manage their own commands
    /// and webhooks, and everybody his own OAuth apps. 11 has no such key: there it stands for the permissions
    /// of the roles, set in the console.
    pub enable_only_admin_integrations: bool,
    /// `ServiceSettings.EnablePostUsernameOverride`; off.
    pub enable_post_username_override: bool,
    /// `ServiceSettings.EnablePostIconOverride`; off.
    pub enable_post_icon_override: bool,
    /// `ServiceSettings.AllowedUntrustedInternalConnections`: host names, addresses and ranges of the server's own
    /// network that it calls all the same, with spaces or commas between. A fresh server has none; the stand-in
    /// allows `localhost 127.0.0.1/32 ::1/128`, where its integrations are. What is plugged in is always called.
    pub allowed_untrusted_internal_connections: String,
    /// `ServiceSettings.EnableMultifactorAuthentication`; off.
    pub enable_multifactor_authentication: bool,
    /// `EmailSettings.EnableSignInWithEmail`; on.
    pub enable_sign_in_with_email: bool,
    /// `EmailSettings.EnableSignInWithUsername`; on. With both off nobody logs in by password.
    pub enable_sign_in_with_username: bool,
    /// `ServiceSettings.MaximumLoginAttempts`; 10.
    pub maximum_login_attempts: u32,
    /// `TeamSettings.RestrictDirectMessage` is `team`, not `any`; off. Only people and bots that share a team
    /// can then open a direct channel.
    pub restrict_direct_message_to_team: bool,
    /// `TeamSettings.MaxUsersPerTeam`; 50.
    pub max_users_per_team: usize,
    /// `TeamSettings.MaxChannelsPerTeam`; 2,000.
    pub max_channels_per_team: usize,
}

impl Settings {
    /// Those of a fresh server, with a site URL and integrations on its own machine.
    pub(crate) fn fresh(version: Version) -> Settings {
        Settings {
            site_url: "http://localhost:8065".to_owned(),
            enable_bot_account_creation: false,
            enable_user_access_tokens: false,
            enable_commands: true,
            enable_outgoing_webhooks: true,
            enable_incoming_webhooks: true,
            enable_oauth_service_provider: version.is_11(),
            enable_only_admin_integrations: true,
            enable_post_username_override: false,
            enable_post_icon_override: false,
            allowed_untrusted_internal_connections: "localhost 127.0.0.1/32 ::1/128".to_owned(),
            enable_multifactor_authentication: false,
            enable_sign_in_with_email: true,
            enable_sign_in_with_username: true,
            maximum_login_attempts: 10,
            restrict_direct_message_to_team: false,
            max_users_per_team: 50,
            max_channels_per_team: 2_000,
        }
    }

    /// What an admin turns on so that integrations can be installed: bot accounts and personal access tokens.
    pub(crate) fn allow_integrations(&mut self) {
        self.enable_bot_account_creation = true;
        self.enable_user_access_tokens = true;
    }
}
