//! The settings of a server that decide whether an integration can be installed and what it may do.
//!
//! They are the keys of the server's `config.json` that the stand-in obeys. All other keys are as in a fresh server
//! and cannot be changed. The defaults come from `SetDefaults` in mattermost-server `model/config.go`.

use crate::Version;
use crate::version::Ability;

/// What an admin can set. They begin as in a fresh server; [`Standin::configure`](crate::Standin::configure) changes them.
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
    /// `ServiceSettings.SiteURL`, without a slash at the end. 11 gives integrations a `response_url` on it, and
    /// executes no slash commands without it. A server that was not set up has none; the stand-in has one.
    pub site_url: String,
    /// `ServiceSettings.EnableBotAccountCreation`; off.
    pub enable_bot_account_creation: bool,
    /// `ServiceSettings.EnableUserAccessTokens`, for people; off. Bots can have tokens without it. While it is off,
    /// the tokens of people do not work.
    pub enable_user_access_tokens: bool,
    /// `ServiceSettings.EnableCommands`; on.
    pub enable_commands: bool,
    /// `ServiceSettings.EnableOutgoingWebhooks`; on.
    pub enable_outgoing_webhooks: bool,
    /// `ServiceSettings.EnableIncomingWebhooks`; on.
    pub enable_incoming_webhooks: bool,
    /// `ServiceSettings.EnableOAuthServiceProvider`; off in 5.37, on in 11.
    pub enable_oauth_service_provider: bool,
    /// `ServiceSettings.EnableOnlyAdminIntegrations`; on. If it is off, members of a team manage their own commands
    /// and webhooks, and all users manage their own OAuth apps. 11 does not have this key: there an admin changes
    /// the permissions of the roles instead.
    pub enable_only_admin_integrations: bool,
    /// `ServiceSettings.EnablePostUsernameOverride`; off.
    pub enable_post_username_override: bool,
    /// `ServiceSettings.EnablePostIconOverride`; off.
    pub enable_post_icon_override: bool,
    /// `ServiceSettings.AllowedUntrustedInternalConnections`: host names, addresses and ranges in the server's own
    /// network that it calls nevertheless, separated by spaces or commas. A fresh server has none; the stand-in
    /// allows `localhost 127.0.0.1/32 ::1/128`, where its integrations are. A plugged-in integration is always called.
    pub allowed_untrusted_internal_connections: String,
    /// `ServiceSettings.EnableMultifactorAuthentication`; off.
    pub enable_multifactor_authentication: bool,
    /// `EmailSettings.EnableSignInWithEmail`; on.
    pub enable_sign_in_with_email: bool,
    /// `EmailSettings.EnableSignInWithUsername`; on. If both are off, nobody can log in with a password.
    pub enable_sign_in_with_username: bool,
    /// `ServiceSettings.MaximumLoginAttempts`; 10.
    pub maximum_login_attempts: u32,
    /// Whether `TeamSettings.RestrictDirectMessage` is `team` and not `any`; off. If it is on, only people and bots
    /// that share a team can open a direct channel.
    pub restrict_direct_message_to_team: bool,
    /// `ServiceSettings.EnableHardenedMode`, before 12 `ExperimentalEnableHardenedMode`; off. If it is on, nobody is told
    /// why a call failed within the server, and before 12 no person may set the props that say in whose name a post was
    /// made.
    pub enable_hardened_mode: bool,
    /// `TeamSettings.MaxUsersPerTeam`; 50.
    pub max_users_per_team: usize,
    /// `TeamSettings.MaxChannelsPerTeam`; 2,000.
    pub max_channels_per_team: usize,
    /// `MaxPostSize`: the most characters of a message. It is no key of `config.json`; it follows from the size of a
    /// column of the database. 16,383, and 262,144 in 12; a server that is older than 5.0 has kept 4,000.
    pub max_post_size: usize,
    /// `ServiceSettings.MaximumPersonalAccessTokenLifetimeDays`: how long a new token may live; 0 for no limit. It is
    /// obeyed since 11.9 for people, and since 12 also for bots.
    pub maximum_personal_access_token_lifetime_days: u32,
    /// `ServiceSettings.OutgoingIntegrationRequestsTimeout` in seconds; 30. [`Standin::set_outgoing_timeout`] changes how long
    /// the stand-in really waits too.
    ///
    /// [`Standin::set_outgoing_timeout`]: crate::Standin::set_outgoing_timeout
    pub outgoing_integration_requests_timeout: u64,
    /// `FeatureFlags.MmBlocksEnabled`; on. Only servers since 11.10 have it.
    pub mm_blocks_enabled: bool,
}

impl Settings {
    /// The settings of a fresh server, but with a site URL and with integrations allowed on its own machine.
    pub(crate) fn fresh(version: Version) -> Settings {
        Settings {
            site_url: "http://localhost:8065".to_owned(),
            enable_bot_account_creation: false,
            enable_user_access_tokens: false,
            enable_commands: true,
            enable_outgoing_webhooks: true,
            enable_incoming_webhooks: true,
            enable_oauth_service_provider: version.since_11(),
            enable_only_admin_integrations: true,
            enable_post_username_override: false,
            enable_post_icon_override: false,
            allowed_untrusted_internal_connections: "localhost 127.0.0.1/32 ::1/128".to_owned(),
            enable_multifactor_authentication: false,
            enable_sign_in_with_email: true,
            enable_sign_in_with_username: true,
            maximum_login_attempts: 10,
            restrict_direct_message_to_team: false,
            enable_hardened_mode: false,
            max_users_per_team: 50,
            max_channels_per_team: 2_000,
            max_post_size: fresh_post_size(version),
            maximum_personal_access_token_lifetime_days: 0,
            outgoing_integration_requests_timeout: 30,
            mm_blocks_enabled: true,
        }
    }

    /// Does what an upgrade does to the settings: it only makes the column for messages larger.
    pub(crate) fn upgrade(&mut self, from: Version, to: Version) {
        if self.max_post_size == fresh_post_size(from) {
            self.max_post_size = fresh_post_size(to);
        }
    }

    /// Turns on what an integration needs to be installed: bot accounts and personal access tokens.
    pub(crate) fn allow_integrations(&mut self) {
        self.enable_bot_account_creation = true;
        self.enable_user_access_tokens = true;
    }
}

/// A quarter of the characters that the column has, because each may need four bytes: `determineMaxPostSize`.
fn fresh_post_size(version: Version) -> usize {
    if version.has(Ability::LongMessages) { 1_048_576 / 4 } else { 65_535 / 4 }
}
