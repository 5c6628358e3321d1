//! Install and configuration as they travel (section 12).

use crate::{AppId, ChannelId, InstallId, Millis, SiteUrl, TeamId, UserId, Values, manifest::Permission};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// `POST /install`.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct InstallRequest {
    /// Which app.
    pub app_id: AppId,
    /// On which server.
    pub server: Server,
    /// The bot account that the installer made.
    pub bot: BotCredentials,
    /// The admin.
    pub installed_by: UserId,
    /// The server speaks V2 and gets a shared secret.
    #[serde(default)]
    pub v2: bool,
    /// A static token is wanted as well.
    #[serde(default)]
    pub static_token: bool,
    /// A part of what the manifest asks for.
    #[serde(default)]
    pub granted: Granted,
    /// Checked against the manifest's settings.
    #[serde(default)]
    pub settings: Values,
}

/// A Mattermost server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Server {
    /// Its address.
    pub site_url: SiteUrl,
    /// `11.6.0`.
    pub version: String,
}

/// The bot account and its token.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BotCredentials {
    /// Its user id.
    pub user_id: UserId,
    /// Its name.
    pub username: String,
    /// Its personal access token. Never logged.
    pub access_token: String,
}

impl std::fmt::Debug for BotCredentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("BotCredentials")
            .field("user_id", &self.user_id)
            .field("username", &self.username)
            .finish_non_exhaustive()
    }
}

/// What an admin agreed to. Matched by whole names, enforced everywhere.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Granted {
    /// Rights.
    pub permissions: BTreeSet<Permission>,
    /// Places.
    pub locations: BTreeSet<String>,
    /// Event kinds.
    pub events: BTreeSet<String>,
    /// Paths of vendors' webhooks.
    pub webhooks: BTreeSet<String>,
}

/// The 201 of `POST /install`: secrets in it are handed over once (and again to the same code).
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InstallCreated {
    /// The install.
    pub install_id: InstallId,
    /// For V2.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kid: Option<String>,
    /// For V2: base64url.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shared_secret: Option<String>,
    /// Where it was asked for: 26 characters of `[a-z2-7]`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub static_token: Option<String>,
    /// Where the server sends what.
    pub endpoints: Endpoints,
    /// What the caller is to register with the server before `complete`.
    pub register: Vec<Wanted>,
    /// What this server cannot deliver, and why.
    pub unavailable: Vec<Unavailable>,
}

/// Addresses of an install.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Endpoints {
    /// V2 commands.
    pub command: String,
    /// V2 queries.
    pub autocomplete: String,
    /// V2 events.
    pub event: String,
    /// Slash commands of an unmodified server.
    pub slash: String,
    /// Post actions of an unmodified server.
    pub action: String,
    /// Dialogs of an unmodified server.
    pub dialog: String,
    /// Outgoing webhooks of an unmodified server.
    pub webhook: String,
    /// `POST …/complete`.
    pub complete: String,
}

/// Something to register with the server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Wanted {
    /// One per team.
    SlashCommand {
        /// Without `/`.
        trigger: String,
        /// Always `team`.
        per: String,
        /// The first line of help.
        auto_complete_desc: String,
        /// `[function] [--flags]`.
        auto_complete_hint: String,
    },
    /// One per channel.
    OutgoingWebhook {
        /// The channel.
        channel_id: ChannelId,
    },
    /// For provider `mattermost`.
    OauthApp {
        /// Where the server sends users back.
        callback_url: String,
    },
}

/// Something that will not work on this server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unavailable {
    /// `event`, `location`, `command` …
    pub kind: String,
    /// Which.
    pub name: String,
    /// Why, and what would help.
    pub reason: String,
}

/// `POST /install/{id}/complete`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CompleteRequest {
    /// What was registered.
    #[serde(default)]
    pub registered: Vec<Registered>,
}

/// The 200 of `POST /install/{id}/complete`; the same again however often it is asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InstallCompleted {
    /// The install.
    pub install_id: InstallId,
    /// Its app.
    pub app_id: AppId,
    /// Its server.
    pub site_url: SiteUrl,
    /// `active`; later perhaps `disabled`.
    pub state: String,
    /// What to type to see that it works: `/hello help`.
    pub r#try: Vec<String>,
    /// What does not work on this server, and why.
    pub unavailable: Vec<Unavailable>,
}

/// One thing that was registered with the server.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Registered {
    /// A slash command of a team.
    SlashCommand {
        /// The team.
        team_id: TeamId,
        /// The command's id there.
        id: String,
        /// Without `/`.
        trigger: String,
        /// A credential; kept as SHA-256.
        token: String,
    },
    /// An outgoing webhook of a channel.
    OutgoingWebhook {
        /// The team.
        team_id: TeamId,
        /// The webhook's id there.
        id: String,
        /// The channel.
        channel_id: ChannelId,
        /// A credential; kept as SHA-256.
        token: String,
    },
}

impl std::fmt::Debug for Registered {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::SlashCommand { team_id, id, trigger, .. } => {
                write!(f, "SlashCommand({trigger} of {team_id}, {id})")
            }
            Self::OutgoingWebhook { channel_id, id, .. } => write!(f, "OutgoingWebhook({channel_id}, {id})"),
        }
    }
}

/// `GET /install/{id}`: what a server or admin may know of an install.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct InstallView {
    /// The install.
    pub install_id: InstallId,
    /// Its app.
    pub app_id: AppId,
    /// The app's version.
    pub version: String,
    /// On which server.
    pub site_url: SiteUrl,
    /// `pending`, `completing`, `active`, `disabled`, `removing`.
    pub state: String,
    /// For `If-Match`.
    pub rev: u64,
    /// The bot's name and id.
    pub bot: crate::command::Bot,
    /// What was agreed to.
    pub granted: Granted,
    /// Without settings of type `password`.
    pub settings: Values,
    /// Commands for menus and completion.
    pub commands: Vec<crate::manifest::CommandEntry>,
    /// Presets for menus and completion.
    pub presets: Vec<crate::manifest::Preset>,
    /// Teams with a slash command.
    pub teams: Vec<TeamId>,
    /// Where the server sends what.
    pub endpoints: Endpoints,
    /// What does not work on this server, and why.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unavailable: Vec<Unavailable>,
    /// When it was made.
    pub created_at: Millis,
}
