//! Install and configuration as they travel (section 12).

use crate::{
    AppId, ChannelId, InstallId, Manifest, Millis, SiteUrl, TeamId, UserId, Values, manifest::Permission,
};
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

/// Something of an install that stands on its server. In `registered` and `leftovers` of an [`InstallView`], and what
/// `unregister` names.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Standing {
    /// A slash command of a team.
    SlashCommand {
        /// The team.
        team_id: TeamId,
        /// The command's id there.
        id: String,
        /// Without `/`.
        trigger: String,
    },
    /// An outgoing webhook of a channel.
    OutgoingWebhook {
        /// The team.
        team_id: TeamId,
        /// The webhook's id there.
        id: String,
        /// The channel.
        channel_id: ChannelId,
    },
    /// The bot account and its tokens: left when the install is gone.
    Bot {
        /// Its user id.
        id: UserId,
        /// Its name.
        username: String,
    },
}

/// `PATCH /install/{id}`: exactly one change. [`InstallPatch::body`] is what travels.
#[derive(Clone, PartialEq)]
pub enum InstallPatch {
    /// `{"settings":{…}}`: replaces the settings that are named; `null` unsets one. Passwords are write-only.
    Settings(Values),
    /// `{"presets":[…]}`: replaces the list of the admin's presets.
    Presets(Vec<crate::manifest::Preset>),
    /// `{"enabled":false}`.
    Enabled(bool),
    /// `{"rotate":"shared_secret","rotation":"…","now":true}`, `{"rotate":"bot_token","access_token":"…"}`,
    /// `{"rotate":"static_token"}`, `{"rotate":"webhook:jira"}`.
    Rotate(Rotation),
    /// `{"register":[…]}`: what was registered with the server since; at most 90.
    Register(Vec<Registered>),
    /// `{"unregister":[…]}`: what was removed from the server; at most 90.
    Unregister(Vec<Standing>),
    /// `{"rebase":"https://…"}`: the bundle's own address as the server reaches it.
    Rebase(String),
    /// `{"upgrade":{"version","granted"}}`.
    Upgrade(Upgrade),
}

/// What is replaced by `rotate`.
#[derive(Clone, PartialEq, Eq)]
pub enum Rotation {
    /// The shared secret: the answer has the next generation.
    SharedSecret {
        /// Names this rotation: the same id gives the same answer for 10 minutes.
        rotation: RotationId,
        /// The secret before it is over at once, and not after 24 hours.
        now: bool,
    },
    /// The bot's token.
    BotToken {
        /// The new one. A credential.
        access_token: String,
    },
    /// The static token: the answer has the new one.
    StaticToken,
    /// The secret of a vendor's webhook: the answer has the new one.
    Webhook {
        /// The webhook's path.
        path: String,
    },
}

/// Names one rotation of a shared secret: 128 random bits of the caller's, as 22 characters of base64url without padding.
/// With it, and nothing else, a lost answer is got again, so each rotation has a new one, which is kept until its answer has
/// arrived, and never logged.
#[derive(Clone, PartialEq, Eq)]
pub struct RotationId(String);

/// A text that names no rotation. It does not repeat the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("it is not 128 random bits as 22 characters of base64url without padding")]
pub struct BadRotationId;

impl RotationId {
    /// From random bytes.
    pub fn new(random: [u8; 16]) -> Self {
        Self(data_encoding::BASE64URL_NOPAD.encode(&random))
    }

    /// The text that travels.
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

/// To which version, and what of it the admin agrees to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Upgrade {
    /// The version of the app that the bundle has now.
    pub version: String,
    /// A part of what that version asks for.
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
            Self::Rotate(Rotation::BotToken { access_token }) => {
                json!({ "rotate": "bot_token", "access_token": access_token })
            }
            Self::Rotate(Rotation::StaticToken) => json!({ "rotate": "static_token" }),
            Self::Rotate(Rotation::Webhook { path }) => json!({ "rotate": format!("webhook:{path}") }),
            Self::Register(registered) => json!({ "register": registered }),
            Self::Unregister(gone) => json!({ "unregister": gone }),
            Self::Rebase(base_url) => json!({ "rebase": base_url }),
            Self::Upgrade(upgrade) => json!({ "upgrade": upgrade }),
        }
    }

    /// Which change, without its content.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Settings(_) => "settings",
            Self::Presets(_) => "presets",
            Self::Enabled(_) => "enabled",
            Self::Rotate(_) => "rotate",
            Self::Register(_) => "register",
            Self::Unregister(_) => "unregister",
            Self::Rebase(_) => "rebase",
            Self::Upgrade(_) => "upgrade",
        }
    }
}

impl std::fmt::Debug for InstallPatch {
    /// Settings, tokens and secrets stay out.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "InstallPatch({})", self.name())
    }
}

/// The 200 of `PATCH /install/{id}`: the install as it stands now, and what was handed over with the change.
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

/// The 200 of `DELETE /install/{id}`; the same again however often it is asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InstallRemoved {
    /// The install that is no more.
    pub install_id: InstallId,
    /// `removed`; `removing` while a part of it is still being deleted.
    pub state: String,
    /// What stands on the server and is the caller's to remove, with its own rights.
    pub leftovers: Vec<Standing>,
    /// More may stand there than is listed: an answer lists 2,000 at most, and what cannot be read is not listed.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub more: bool,
    /// What the app's `uninstall` function said when it failed; the install is removed all the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub warning: Option<String>,
}

/// One app of `GET /apps`: what an admin sees before agreeing.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AppView {
    /// Its id.
    pub id: AppId,
    /// Its version.
    pub version: String,
    /// Shown to people.
    pub display_name: String,
    /// What it does.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// Where to read more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub homepage_url: Option<String>,
    /// An URL.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub icon: Option<String>,
    /// Its bot's account: name and display name.
    pub bot: crate::manifest::BotAccount,
    /// The first word of its commands.
    pub namespace: String,
    /// All that it asks for.
    pub requests: Granted,
    /// Event kinds that it cannot do without.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub required_events: Vec<String>,
    /// What an admin sets.
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

/// A version that an install can be upgraded to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Offered {
    /// The version.
    pub version: String,
    /// All that it asks for.
    pub requests: Granted,
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
    /// Those of them that are the admin's: the list that `presets` replaces.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub own_presets: Vec<crate::manifest::Preset>,
    /// Teams with a slash command.
    pub teams: Vec<TeamId>,
    /// What the install wants registered with the server: a slash command in each team where the app is to answer, an
    /// outgoing webhook that is not there yet.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub register: Vec<Wanted>,
    /// What is registered and wanted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub registered: Vec<Standing>,
    /// What is registered and not wanted any more.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub leftovers: Vec<Standing>,
    /// The version of the app that the bundle has now, where it is another than the install's, and all that it asks
    /// for: what `upgrade` names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub offered: Option<Offered>,
    /// Where the server sends what.
    pub endpoints: Endpoints,
    /// What does not work on this server, and why.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unavailable: Vec<Unavailable>,
    /// When it was made.
    pub created_at: Millis,
}
