//! What stands in the way, so that an admin can change it: what it is, which setting or permission, and what to do.

use super::{client::Mattermost, error::CallError};
use serde::Serialize;

/// One thing that stands in the way, or that is good to know.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// It must be fixed first.
    pub stops: bool,
    /// What is wrong.
    pub what: String,
    /// Where it is set: the page of the System Console, and the key of `config.json`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub setting: Option<Setting>,
    /// What to do.
    pub fix: String,
}

/// A setting of the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Setting {
    /// `System Console > Integrations > Bot Accounts > Enable Bot Account Creation`, without the first part.
    pub console: &'static str,
    /// `ServiceSettings.EnableBotAccountCreation`.
    pub key: &'static str,
}

impl Setting {
    /// Bots can be made.
    pub const BOTS: Self = Self {
        console: "Integrations > Bot Accounts > Enable Bot Account Creation",
        key: "ServiceSettings.EnableBotAccountCreation",
    };
    /// People may have personal access tokens.
    pub const TOKENS: Self = Self {
        console: "Integrations > Integration Management > Enable Personal Access Tokens",
        key: "ServiceSettings.EnableUserAccessTokens",
    };
    /// How long a token may live.
    pub const TOKEN_LIFE: Self = Self {
        console: "Integrations > Integration Management > Maximum Personal Access Token Lifetime",
        key: "ServiceSettings.MaximumPersonalAccessTokenLifetimeDays",
    };
    /// Slash commands can be made and run.
    pub const COMMANDS: Self = Self {
        console: "Integrations > Integration Management > Enable Custom Slash Commands",
        key: "ServiceSettings.EnableCommands",
    };
    /// Outgoing webhooks can be made and sent.
    pub const WEBHOOKS: Self = Self {
        console: "Integrations > Integration Management > Enable Outgoing Webhooks",
        key: "ServiceSettings.EnableOutgoingWebhooks",
    };
    /// The address that the server has of itself.
    pub const SITE_URL: Self =
        Self { console: "Environment > Web Server > Site URL", key: "ServiceSettings.SiteURL" };
    /// Private addresses that integrations may have.
    pub const INTERNAL: Self = Self {
        console: "Environment > Developer > Allow untrusted internal connections to",
        key: "ServiceSettings.AllowedUntrustedInternalConnections",
    };
    /// How long the server waits for an integration.
    pub const PATIENCE: Self = Self {
        console: "Integrations > Integration Management > Integration request timeout",
        key: "ServiceSettings.OutgoingIntegrationRequestsTimeout",
    };
    /// How many users a team may have.
    pub const TEAM_SIZE: Self = Self {
        console: "Site Configuration > Users and Teams > Max Users Per Team",
        key: "TeamSettings.MaxUsersPerTeam",
    };
}

impl Finding {
    /// Something that must be fixed first.
    pub fn stop(what: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { stops: true, what: what.into(), setting: None, fix: fix.into() }
    }

    /// Something to know.
    pub fn note(what: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { stops: false, ..Self::stop(what, fix) }
    }

    /// Says which setting it is.
    #[must_use]
    pub fn at(mut self, setting: Setting) -> Self {
        self.setting = Some(setting);
        self
    }

    /// The lines for a terminal. The first one begins with this sign.
    pub fn lines(&self, sign: &str) -> Vec<String> {
        let mut lines = vec![format!("  {sign} {}", self.what)];
        lines
            .extend(self.setting.map(|setting| {
                format!("     where: System Console > {} ({})", setting.console, setting.key)
            }));
        lines.push(format!("     fix: {}", self.fix));
        lines
    }
}

impl Mattermost {
    /// What an admin reads about an error of this server.
    pub fn finding(&self, trouble: &CallError) -> Finding {
        let site = self.site();
        let what = format!("{site}: {trouble}");
        match trouble {
            CallError::Refused { status, id, doing, .. } => self.refusal(what, *status, id, doing),
            CallError::Busy { .. } => {
                Finding::stop(what, "Wait a minute and run the same command again: it continues.")
            }
            CallError::Unlike { status: 300..=399, .. } => Finding::stop(
                what,
                "If it points to your Mattermost, give --site that address: redirects are not followed, because they would \
                 take your token along.",
            ),
            CallError::Unlike { status: 500.., .. } => Finding::stop(
                what,
                "A proxy answers instead of the server: check that Mattermost runs, then run the same command again.",
            ),
            CallError::Unlike { .. } => Finding::stop(
                what,
                "Check --site: it is the address with which users open Mattermost, with its path if it has one.",
            ),
            CallError::Certificate { fault, .. } => Finding::stop(what, fault.fix()),
            CallError::Lost { .. } => Finding::stop(
                what,
                "Check the address, and that this machine can reach it. Then run the same command again: it continues.",
            ),
            CallError::Insecure { .. } => Finding::stop(what, "Give --site the https address of the server."),
        }
    }

    fn refusal(&self, what: String, status: u16, id: &str, doing: &str) -> Finding {
        let site = self.site();
        let find = |stands: &str| id.contains(stands);
        let again = "Then run the same command again.";
        if find("bot.create_disabled") {
            return Finding::stop(what, format!("Switch it on. {again}")).at(Setting::BOTS);
        }
        if find("user_access_token.disabled") {
            return Finding::stop(what, format!("Switch it on. {again}")).at(Setting::TOKENS);
        }
        if find("user_access_token.expires_at") {
            let fix = format!(
                "The server limits the life of tokens, and its limit or its clock does not fit what was asked for. Look at both. \
                 {again}"
            );
            return Finding::stop(what, fix).at(Setting::TOKEN_LIFE);
        }
        if find("command.disabled") {
            return Finding::stop(what, format!("Switch it on. {again}")).at(Setting::COMMANDS);
        }
        if find("outgoing_webhook.disabled") && status == 501 {
            return Finding::stop(what, format!("Switch it on. {again}")).at(Setting::WEBHOOKS);
        }
        if find("outgoing_webhook.disabled") || find("not_open") {
            // What 5.37 to 12 answer for a channel that is not public, or not in that team.
            let fix = "Outgoing webhooks see public channels only: name a public channel of the team in the app's \
                       settings.";
            return Finding::stop(what, fix);
        }
        if find("duplicate_trigger") {
            let fix = format!(
                "Another slash command has this word: one of the team, of a plugin, or of the server itself. Remove \
                 it ({site} > Integrations > Slash Commands), or leave that team out."
            );
            return Finding::stop(what, fix);
        }
        if find("username_exists") {
            return Finding::stop(what, "Choose another name for the bot with --bot NAME.");
        }
        if find("max_accounts") {
            return Finding::stop(what, format!("The team is full. Raise the number. {again}"))
                .at(Setting::TEAM_SIZE);
        }
        if status == 401 {
            let fix = "The token is revoked, expired or for another server, or personal access tokens are off. Make \
                       a new one (Profile > Security > Personal Access Tokens), or unset CLOUD_APPS_ADMIN_TOKEN and \
                       log in at the prompt.";
            return Finding::stop(what, fix).at(Setting::TOKENS);
        }
        if status == 403 {
            let permission = permission(doing);
            let fix = format!(
                "The account may not do this: it needs {permission}, which system admins have unless User \
                 Management > Permissions says otherwise. Use the token of a system admin."
            );
            return Finding::stop(what, fix);
        }
        if status >= 500 && id.is_empty() {
            let fix = "The server is in hardened mode (ServiceSettings.EnableHardenedMode, before 12 \
                       ExperimentalEnableHardenedMode), and does not say why. Its own log says it. Commands, webhooks, bots \
                       and tokens that are switched off are refused so too.";
            return Finding::stop(what, fix);
        }
        if status >= 500 {
            return Finding::stop(
                what,
                "The server's own log says why. Run the same command again when the server works: it continues.",
            );
        }
        Finding::stop(what, format!("Fix what the server complains about. {again}"))
    }
}

/// The permission that a call needs, by its name in the server (`model/permission.go`; two were renamed in 11.2).
fn permission(doing: &str) -> &'static str {
    match doing {
        "make the bot" => "the permission `create_bot`",
        "look up a bot" | "list the bots" => "the permission `read_others_bots`",
        "describe the bot" | "enable the bot" | "disable the bot" => "the permission `manage_others_bots`",
        "make the bot's token" => "the permissions `create_user_access_token` and `manage_others_bots`",
        "list the bot's tokens" => "the permission `read_user_access_token`",
        "revoke a token of the bot" => "the permission `revoke_user_access_token`",
        "list a team's slash commands"
        | "make a slash command"
        | "change a slash command"
        | "make a new token for a slash command"
        | "delete a slash command" => {
            "`manage_slash_commands` (from 11.2 `manage_own_slash_commands`) and `manage_others_slash_commands`"
        }
        "list a team's outgoing webhooks"
        | "make an outgoing webhook"
        | "change an outgoing webhook"
        | "make a new token for an outgoing webhook"
        | "delete an outgoing webhook" => {
            "`manage_outgoing_webhooks` (from 11.2 `manage_own_outgoing_webhooks`) and \
             `manage_others_outgoing_webhooks`"
        }
        "add the bot to a team" => "the permission `add_user_to_team`",
        "remove the bot from a team" => "the permission `remove_user_from_team`",
        _ => "the role `system_admin`",
    }
}
