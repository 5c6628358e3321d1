//! What the REST API sends and takes, as far as an install needs it. Unknown keys are ignored: servers of different versions differ in
//! them.

use serde::{Deserialize, Serialize};

/// `GET /config/client?format=old` with a session: strings only, as the web client reads them.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct ClientConfig {
    /// `11.6.0`.
    #[serde(rename = "Version")]
    pub version: String,
    /// `ServiceSettings.SiteURL`.
    #[serde(rename = "SiteURL")]
    pub site_url: String,
    /// `ServiceSettings.EnableBotAccountCreation`.
    #[serde(rename = "EnableBotAccountCreation")]
    pub enable_bot_account_creation: Option<String>,
    /// `ServiceSettings.EnableCommands`.
    #[serde(rename = "EnableCommands")]
    pub enable_commands: Option<String>,
    /// `ServiceSettings.EnableOutgoingWebhooks`.
    #[serde(rename = "EnableOutgoingWebhooks")]
    pub enable_outgoing_webhooks: Option<String>,
    /// `ServiceSettings.MaximumPersonalAccessTokenLifetimeDays`, from 11.9. 0: there is no limit.
    #[serde(rename = "MaximumPersonalAccessTokenLifetimeDays")]
    pub maximum_token_lifetime_days: Option<String>,
}

/// From this version on, the limit on the life of tokens holds for the tokens of bots too.
const BOT_TOKENS_END: (u32, u32) = (12, 0);

impl ClientConfig {
    /// Major and minor version, if the server says them.
    pub fn major_minor(&self) -> Option<(u32, u32)> {
        let mut parts = self.version.split('.').map(|part| part.parse().ok());
        Some((parts.next()??, parts.next()??))
    }

    /// How many days a new token of a bot may live at most. `None`: there is no limit for bots.
    pub fn bot_token_days(&self) -> Option<u32> {
        let days = self.maximum_token_lifetime_days.as_deref()?.parse().ok().filter(|days| *days > 0)?;
        (self.major_minor()? >= BOT_TOKENS_END).then_some(days)
    }
}

/// `GET /config`, as far as an install needs it.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct AdminConfig {
    #[serde(rename = "ServiceSettings")]
    pub service_settings: AdminSettings,
}

/// The part of `ServiceSettings` that only a system admin may read.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct AdminSettings {
    /// Private addresses that integrations may have.
    #[serde(rename = "AllowedUntrustedInternalConnections")]
    pub allowed_connections: String,
    /// How many seconds the server waits for an integration. Absent before 9.5, where it waits for 30.
    #[serde(rename = "OutgoingIntegrationRequestsTimeout")]
    pub integration_timeout: Option<u32>,
}

/// A user, who may be a bot.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct User {
    /// 26 characters.
    pub id: String,
    /// Without the `@`.
    pub username: String,
    /// Roles, with spaces between them.
    pub roles: String,
    /// It is a bot.
    pub is_bot: bool,
    /// 0 while active.
    pub delete_at: u64,
}

impl User {
    /// Whether the user has a role.
    pub fn has_role(&self, role: &str) -> bool {
        self.roles.split(' ').any(|word| word == role)
    }
}

/// A member of a team.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct Member {
    pub user_id: String,
    pub delete_at: u64,
}

/// A bot account.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Bot {
    /// Its user.
    pub user_id: String,
    /// Without the `@`.
    pub username: String,
    /// The display name.
    pub display_name: String,
    /// The description.
    pub description: String,
    /// Who may manage it and make tokens for it: a user's id, or a plugin's.
    pub owner_id: String,
    /// 0 unless disabled.
    pub delete_at: u64,
}

/// A credential that was replaced.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Regenerated {
    pub token: String,
}

/// A personal access token. `token` is there only in the answer that made it.
#[derive(Clone, Default, Deserialize)]
#[serde(default)]
pub struct Token {
    /// 26 characters. Not secret.
    pub id: String,
    /// The description.
    pub description: String,
    /// The credential.
    pub token: String,
    /// When the server ends it, in Unix milliseconds. 0: it does not.
    pub expires_at: u64,
}

impl Token {
    /// When the server ends it. `None`: it does not.
    pub fn end(&self) -> Option<u64> {
        Some(self.expires_at).filter(|end| *end > 0)
    }
}

/// A slash command of a team, with the credential that the server sends along with it.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Command {
    /// 26 characters.
    pub id: String,
    /// A credential; those who may manage the command see it.
    pub token: String,
    /// Who made it.
    pub creator_id: String,
    /// Its only team.
    pub team_id: String,
    /// Without `/`.
    pub trigger: String,
    /// `P` or `G`.
    pub method: String,
    /// The name under which its answers are posted.
    pub username: String,
    /// The picture of its answers.
    pub icon_url: String,
    /// It is suggested.
    pub auto_complete: bool,
    /// Shown in the suggestion.
    pub auto_complete_desc: String,
    /// Shown after the trigger.
    pub auto_complete_hint: String,
    /// As admins read it: at most 64 characters.
    pub display_name: String,
    /// At most 128 characters.
    pub description: String,
    /// Where it is sent.
    pub url: String,
}

/// A slash command as it should be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NewCommand {
    /// Its only team.
    pub team_id: String,
    /// Without `/`.
    pub trigger: String,
    /// `P`. With `G`, what users type would stand in addresses and logs.
    pub method: &'static str,
    /// Where it is sent.
    pub url: String,
    /// It is suggested.
    pub auto_complete: bool,
    /// Shown in the suggestion.
    pub auto_complete_desc: String,
    /// Shown after the trigger.
    pub auto_complete_hint: String,
    /// As admins read it.
    pub display_name: String,
    /// The description, by which it is recognised.
    pub description: String,
}

impl NewCommand {
    /// Whether an existing command is the same, with all its texts.
    pub fn is(&self, stands: &Command) -> bool {
        stands.team_id == self.team_id
            && stands.trigger == self.trigger
            && stands.method == self.method
            && stands.url == self.url
            && stands.auto_complete == self.auto_complete
            && stands.auto_complete_desc == self.auto_complete_desc
            && stands.auto_complete_hint == self.auto_complete_hint
            && stands.display_name == self.display_name
            && stands.description == self.description
    }

    /// The existing command, with what differs fixed: `PUT` takes the whole command.
    pub(super) fn over(&self, stands: &Command) -> Command {
        Command {
            trigger: self.trigger.clone(),
            method: self.method.to_owned(),
            url: self.url.clone(),
            auto_complete: self.auto_complete,
            auto_complete_desc: self.auto_complete_desc.clone(),
            auto_complete_hint: self.auto_complete_hint.clone(),
            display_name: self.display_name.clone(),
            description: self.description.clone(),
            ..stands.clone()
        }
    }
}

/// A webhook that sends the posts of a public channel to an integration.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct OutgoingWebhook {
    /// 26 characters.
    pub id: String,
    /// A credential; those who may manage the webhook see it.
    pub token: String,
    /// Who made it.
    pub creator_id: String,
    /// Its team.
    pub team_id: String,
    /// Its channel.
    pub channel_id: String,
    /// Empty: every post of the channel.
    pub trigger_words: Vec<String>,
    /// Where it is sent.
    pub callback_urls: Vec<String>,
    /// As admins read it.
    pub display_name: String,
    /// At most 500 characters.
    pub description: String,
    /// `application/json`, or a form.
    pub content_type: String,
}

/// An outgoing webhook as it should be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NewWebhook {
    /// Its team.
    pub team_id: String,
    /// Its channel.
    pub channel_id: String,
    /// None: every post of the channel.
    pub trigger_words: [String; 0],
    /// Where it is sent. Only one address: before 9.8 only one of several gets the body.
    pub callback_urls: [String; 1],
    /// As admins read it.
    pub display_name: String,
    /// The description, by which it is recognised.
    pub description: String,
    /// `application/json`, because a form has times in seconds only.
    pub content_type: &'static str,
}

impl NewWebhook {
    /// Whether an existing webhook is the same.
    pub fn is(&self, stands: &OutgoingWebhook) -> bool {
        stands.team_id == self.team_id
            && stands.channel_id == self.channel_id
            && stands.trigger_words.is_empty()
            && stands.callback_urls == self.callback_urls
            && stands.display_name == self.display_name
            && stands.description == self.description
            && stands.content_type == self.content_type
    }

    /// The existing webhook, with what differs fixed: `PUT` takes the whole webhook.
    pub(super) fn over(&self, stands: &OutgoingWebhook) -> OutgoingWebhook {
        OutgoingWebhook {
            trigger_words: Vec::new(),
            callback_urls: self.callback_urls.to_vec(),
            display_name: self.display_name.clone(),
            description: self.description.clone(),
            content_type: self.content_type.to_owned(),
            ..stands.clone()
        }
    }
}
