//! The requests and answers about installs, in JSON (section 12).

use crate::{
    AppId, ChannelId, InstallId, Manifest, Millis, SiteUrl, TeamId, TokenId, UserId, Values,
    manifest::Permission, server::ServerFacts,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// The body of `POST /install`.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct InstallRequest {
    /// The app.
    pub app_id: AppId,
    /// The server.
    pub server: Server,
    /// The bot account that the installer made.
    pub bot: BotCredentials,
    /// The admin who installs it.
    pub installed_by: UserId,
    /// Whether the server speaks V2. Then it gets a shared secret.
    #[serde(default)]
    pub v2: bool,
    /// Whether a static token is wanted too.
    #[serde(default)]
    pub static_token: bool,
    /// What the admin grants: a part of what the manifest asks for.
    #[serde(default)]
    pub granted: Granted,
    /// The settings. They are checked against the manifest.
    #[serde(default)]
    pub settings: Values,
}

/// A Mattermost server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Server {
    /// Its address.
    pub site_url: SiteUrl,
    /// Its version: `11.6.0`.
    pub version: String,
    /// What else it says of itself.
    #[serde(flatten)]
    pub facts: ServerFacts,
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
    /// The token's id on the server, which is not secret. With it, the bundle can end the token after it has replaced it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token_id: Option<TokenId>,
    /// When the server ends the token. `None` or 0: it does not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Millis>,
}

impl std::fmt::Debug for BotCredentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("BotCredentials")
            .field("user_id", &self.user_id)
            .field("username", &self.username)
            .finish_non_exhaustive()
    }
}

/// What an admin granted to an app. Names are compared as a whole.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Granted {
    /// Permissions.
    pub permissions: BTreeSet<Permission>,
    /// Locations.
    pub locations: BTreeSet<String>,
    /// Event kinds.
    pub events: BTreeSet<String>,
    /// Paths of vendors' webhooks.
    pub webhooks: BTreeSet<String>,
}

impl Granted {
    /// Everything that a manifest asks for.
    pub fn all_of(manifest: &Manifest) -> Self {
        Self {
            permissions: manifest.permissions.iter().copied().collect(),
            locations: manifest.locations.iter().cloned().collect(),
            events: manifest.events.iter().map(|event| event.kind.clone()).collect(),
            webhooks: manifest.webhooks.iter().map(|webhook| webhook.path.clone()).collect(),
        }
    }
}

/// The 201 of `POST /install`. Its secrets are given once, and again to the same code.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InstallCreated {
    /// The install.
    pub install_id: InstallId,
    /// The name of the shared secret, for V2.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kid: Option<String>,
    /// The shared secret as base64url, for V2.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shared_secret: Option<String>,
    /// The static token, if it was wanted: 26 characters of `[a-z2-7]`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub static_token: Option<String>,
    /// The addresses to which the server sends requests.
    pub endpoints: Endpoints,
    /// What the caller must register on the server before `complete`.
    pub register: Vec<Wanted>,
    /// What does not work on this server, and why.
    pub unavailable: Vec<Unavailable>,
}

/// The addresses of an install.
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

/// Something that must be registered on the server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Wanted {
    /// A slash command in each team.
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
    /// An outgoing webhook of a channel.
    OutgoingWebhook {
        /// The channel.
        channel_id: ChannelId,
    },
    /// An OAuth app, for the provider `mattermost`.
    OauthApp {
        /// The address to which the server sends users back.
        callback_url: String,
    },
}

/// Something that does not work on this server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unavailable {
    /// `event`, `location`, `command` …
    pub kind: String,
    /// Its name.
    pub name: String,
    /// Why, and what would help.
    pub reason: String,
}

/// The body of `POST /install/{id}/complete`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CompleteRequest {
    /// What was registered.
    #[serde(default)]
    pub registered: Vec<Registered>,
}

/// The 200 of `POST /install/{id}/complete`. It is the same each time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InstallCompleted {
    /// The install.
    pub install_id: InstallId,
    /// Its app.
    pub app_id: AppId,
    /// Its server.
    pub site_url: SiteUrl,
    /// Its state: `active`, or later `disabled`.
    pub state: String,
    /// What a user can type to see that it works: `/hello help`.
    pub r#try: Vec<String>,
    /// What does not work on this server, and why.
    pub unavailable: Vec<Unavailable>,
}

/// Something that was registered on the server, with its token.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Registered {
    /// A slash command of a team.
    SlashCommand {
        /// The team.
        team_id: TeamId,
        /// The command's id on the server.
        id: String,
        /// Without `/`.
        trigger: String,
        /// Its token. A credential, which is stored as SHA-256.
        token: String,
    },
    /// An outgoing webhook of a channel.
    OutgoingWebhook {
        /// The team.
        team_id: TeamId,
        /// The webhook's id on the server.
        id: String,
        /// The channel.
        channel_id: ChannelId,
        /// Its token. A credential, which is stored as SHA-256.
        token: String,
    },
}

/// Something of an install that is on its server: in `registered` and `leftovers` of an [`InstallView`], and in `unregister`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Registration {
    /// A slash command of a team.
    SlashCommand {
        /// The team.
        team_id: TeamId,
        /// The command's id on the server.
        id: String,
        /// Without `/`.
        trigger: String,
    },
    /// An outgoing webhook of a channel.
    OutgoingWebhook {
        /// The team.
        team_id: TeamId,
        /// The webhook's id on the server.
        id: String,
        /// The channel.
        channel_id: ChannelId,
    },
    /// The bot account with its tokens. It stays when the install is removed.
    Bot {
        /// Its user id.
        id: UserId,
        /// Its name.
        username: String,
    },
}

/// `PATCH /install/{id}`: one change. [`InstallPatch::body`] is its JSON.
#[derive(Clone, PartialEq)]
pub enum InstallPatch {
    /// `{"settings":{…}}`: sets the settings that are named; `null` unsets one. Passwords can be set, but not read.
    Settings(Values),
    /// `{"presets":[…]}`: replaces the list of the admin's presets.
    Presets(Vec<crate::manifest::Preset>),
    /// `{"enabled":false}`.
    Enabled(bool),
    /// `{"rotate":"shared_secret","rotation":"…","now":true}`,
    /// `{"rotate":"bot_token","access_token":"…","token_id":"…","expires_at":0}`, `{"rotate":"static_token"}`,
    /// `{"rotate":"webhook:jira"}`.
    Rotate(Rotation),
    /// `{"register":[…]}`: what was registered on the server since then, at most 90.
    Register(Vec<Registered>),
    /// `{"unregister":[…]}`: what was removed from the server, at most 90.
    Unregister(Vec<Registration>),
    /// `{"rebase":"https://…"}`: the bundle's address for this server.
    Rebase(String),
    /// `{"server":{"site_url","version", …}}`: what the server says of itself now.
    Server(Server),
    /// `{"upgrade":{"version","granted"}}`.
    Upgrade(Upgrade),
}

/// The credential that `rotate` replaces.
#[derive(Clone, PartialEq, Eq)]
pub enum Rotation {
    /// The shared secret. The answer has the next generation.
    SharedSecret {
        /// The id of this rotation. For 10 minutes, the same id gets the same answer.
        rotation: RotationId,
        /// Whether the previous secret ends at once, and not after 24 hours.
        now: bool,
    },
    /// The bot's token.
    BotToken {
        /// The new token. A credential.
        access_token: String,
        /// Its id on the server, if the caller knows it.
        token_id: Option<TokenId>,
        /// When the server ends it. `None` or 0: it does not.
        expires_at: Option<Millis>,
    },
    /// The static token. The answer has the new one.
    StaticToken,
    /// The secret of a vendor's webhook. The answer has the new one.
    Webhook {
        /// The webhook's path.
        path: String,
    },
}

/// The id of a rotation of a shared secret: 128 random bits that the caller makes, as 22 characters of base64url without
/// padding. Only with this id can a lost answer be asked for again. So each rotation needs a new id; the caller keeps it until
/// the answer has arrived, and never logs it.
#[derive(Clone, PartialEq, Eq)]
pub struct RotationId(String);

/// A text is not the id of a rotation. The error does not repeat the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("it is not 128 random bits as 22 characters of base64url without padding")]
pub struct BadRotationId;

impl RotationId {
    /// An id from random bytes.
    pub fn new(random: [u8; 16]) -> Self {
        Self(data_encoding::BASE64URL_NOPAD.encode(&random))
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::str::FromStr for RotationId {
    type Err = BadRotationId;

    fn from_str(text: &str) -> Result<Self, BadRotationId> {
        let bytes = data_encoding::BASE64URL_NOPAD.decode(text.as_bytes()).map_err(|_| BadRotationId)?;
        Ok(Self::new(bytes.try_into().map_err(|_| BadRotationId)?))
    }
}

impl std::fmt::Debug for RotationId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("RotationId(…)")
    }
}

/// An upgrade: the version, and what the admin grants to it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Upgrade {
    /// The version of the app that the bundle has now.
    pub version: String,
    /// What the admin grants: a part of what that version asks for.
    #[serde(default)]
    pub granted: Granted,
}

impl InstallPatch {
    /// The body of the request.
    pub fn body(&self) -> serde_json::Value {
        use serde_json::json;
        match self {
            Self::Settings(settings) => json!({ "settings": settings }),
            Self::Presets(presets) => json!({ "presets": presets }),
            Self::Enabled(enabled) => json!({ "enabled": enabled }),
            Self::Rotate(Rotation::SharedSecret { rotation, now: false }) => {
                json!({ "rotate": "shared_secret", "rotation": rotation.as_str() })
            }
            Self::Rotate(Rotation::SharedSecret { rotation, now: true }) => {
                json!({ "rotate": "shared_secret", "rotation": rotation.as_str(), "now": true })
            }
            Self::Rotate(Rotation::BotToken { access_token, token_id, expires_at }) => {
                // `null` counts as absent.
                json!({ "rotate": "bot_token", "access_token": access_token, "token_id": token_id, "expires_at": expires_at })
            }
            Self::Rotate(Rotation::StaticToken) => json!({ "rotate": "static_token" }),
            Self::Rotate(Rotation::Webhook { path }) => json!({ "rotate": format!("webhook:{path}") }),
            Self::Register(registered) => json!({ "register": registered }),
            Self::Unregister(gone) => json!({ "unregister": gone }),
            Self::Rebase(base_url) => json!({ "rebase": base_url }),
            Self::Server(server) => json!({ "server": server }),
            Self::Upgrade(upgrade) => json!({ "upgrade": upgrade }),
        }
    }

    /// The name of the change, without its content.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Settings(_) => "settings",
            Self::Presets(_) => "presets",
            Self::Enabled(_) => "enabled",
            Self::Rotate(_) => "rotate",
            Self::Register(_) => "register",
            Self::Unregister(_) => "unregister",
            Self::Rebase(_) => "rebase",
            Self::Server(_) => "server",
            Self::Upgrade(_) => "upgrade",
        }
    }
}

impl std::fmt::Debug for InstallPatch {
    /// Settings, tokens and secrets are not printed.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "InstallPatch({})", self.name())
    }
}

/// The 200 of `PATCH /install/{id}`: the install after the change, and new credentials.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct InstallChanged {
    /// The install.
    #[serde(flatten)]
    pub install: InstallView,
    /// After a rotation of the shared secret: its `kid`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kid: Option<String>,
    /// After a rotation of the shared secret: base64url. A credential.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shared_secret: Option<String>,
    /// After a rotation of the static token. A credential.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub static_token: Option<String>,
    /// After a rotation of a vendor's webhook secret. A credential.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub webhook_secret: Option<String>,
}

impl std::fmt::Debug for InstallChanged {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("InstallChanged").field("install", &self.install).finish_non_exhaustive()
    }
}

/// The 200 of `DELETE /install/{id}`. It is the same each time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InstallRemoved {
    /// The removed install.
    pub install_id: InstallId,
    /// `removed`; `removing` while a part of it is still being deleted.
    pub state: String,
    /// What is left on the server. The caller removes it, with its own rights.
    pub leftovers: Vec<Registration>,
    /// Whether more may be left than is listed. An answer lists 2,000 at most, and not what cannot be read.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub more: bool,
    /// What the app's `uninstall` function said when it failed. The install was removed all the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub warning: Option<String>,
}

/// An app of `GET /apps`, as an admin sees it before installing it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AppView {
    /// Its id.
    pub id: AppId,
    /// Its version.
    pub version: String,
    /// The name that people see.
    pub display_name: String,
    /// What it does.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// Where to read more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub homepage_url: Option<String>,
    /// The URL of its icon.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub icon: Option<String>,
    /// Its bot's account: name and display name.
    pub bot: crate::manifest::BotAccount,
    /// The first word of its commands.
    pub namespace: String,
    /// Everything that it asks for.
    pub requests: Granted,
    /// The event kinds without which it does not work.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub required_events: Vec<String>,
    /// Its settings.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub settings: Vec<crate::form::Field>,
    /// `linked`, `http` or `aws_lambda`.
    pub upstream: String,
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

/// A version to which an install can be upgraded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Offered {
    /// The version.
    pub version: String,
    /// Everything that it asks for.
    pub requests: Granted,
}

/// The 200 of `GET /install/{id}`: an install as its server or an admin sees it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct InstallView {
    /// The install.
    pub install_id: InstallId,
    /// Its app.
    pub app_id: AppId,
    /// The app's version.
    pub version: String,
    /// Its server.
    pub site_url: SiteUrl,
    /// What is known of its server. Bundles that do not keep it leave it out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server: Option<Server>,
    /// `pending`, `completing`, `active`, `disabled`, `removing`.
    pub state: String,
    /// Its revision, for `If-Match`.
    pub rev: u64,
    /// The bot's name and id.
    pub bot: crate::command::Bot,
    /// When the server ends the bot's token. `None`: it does not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bot_token_expires_at: Option<Millis>,
    /// What was granted.
    pub granted: Granted,
    /// The settings, without passwords.
    pub settings: Values,
    /// The commands, for menus and completion.
    pub commands: Vec<crate::manifest::CommandEntry>,
    /// The presets, for menus and completion.
    pub presets: Vec<crate::manifest::Preset>,
    /// The admin's presets among them: the list that `presets` replaces.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub own_presets: Vec<crate::manifest::Preset>,
    /// Teams with a slash command.
    pub teams: Vec<TeamId>,
    /// What the install asks to register on the server: a slash command in each team where the app should answer, and outgoing
    /// webhooks.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub register: Vec<Wanted>,
    /// What is registered and asked for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub registered: Vec<Registration>,
    /// What is registered and not asked for any more.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub leftovers: Vec<Registration>,
    /// The version of the app that the bundle has now, if the install has another one, and what that version asks for. `upgrade`
    /// names it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub offered: Option<Offered>,
    /// The addresses to which the server sends requests.
    pub endpoints: Endpoints,
    /// What does not work on this server, and why.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unavailable: Vec<Unavailable>,
    /// When it was made.
    pub created_at: Millis,
}
