//! What the bundle stores. The types hold valid values only.

use cloud_apps_protocol::{
    AppId, ChannelId, Generation, InstallId, KeyId, Manifest, Millis, SiteUrl, TokenId, UserId, Values,
    command::Bot,
    install::Granted,
    manifest::{Permission, Preset},
    secret::Secret,
    server::ServerFacts,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// SHA-256 of a credential that is verified and never used otherwise: 64 characters of lower-case hex.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Sha256(String);

impl Sha256 {
    /// Hashes a credential.
    pub fn of(credential: &str) -> Self {
        let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, credential.as_bytes());
        Self(data_encoding::HEXLOWER.encode(digest.as_ref()))
    }

    /// Hashes a manifest in the form that [`text`](Self::text) writes.
    pub fn of_manifest(manifest: &Manifest) -> Self {
        Self::of(&Self::text(manifest))
    }

    /// The text of a manifest. It is hashed, and stored under that hash.
    pub fn text(manifest: &Manifest) -> String {
        // A manifest has text keys only, so it always serialises.
        serde_json::to_string(manifest).unwrap_or_default()
    }

    /// The hex text, which is a key of a table.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Compares in constant time.
    pub fn is(&self, other: &Self) -> bool {
        use subtle::ConstantTimeEq;
        self.0.as_bytes().ct_eq(other.0.as_bytes()).into()
    }
}

/// One app on one Mattermost server.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Install {
    /// Its id.
    pub id: InstallId,
    /// Its app.
    pub app: AppId,
    /// The app's version when it was installed or upgraded.
    pub version: String,
    /// The hash of the manifest that the admin agreed to then. `None`: the manifest that is stored for that version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub manifest: Option<Sha256>,
    /// The server.
    pub site: SiteUrl,
    /// Its state.
    pub state: State,
    /// Its revision, from 1. Every change names the revision that it builds on.
    pub rev: u64,
    /// The generation of the current shared secret. 0: its server has none.
    pub generation: Generation,
    /// Until when the previous generation is accepted too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous_until: Option<Millis>,
    /// The key of the app's ring that this install's secrets are derived from.
    pub key: KeyId,
    /// The key that the previous generation was derived from, if it is another one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous_key: Option<KeyId>,
    /// The rotation that made the current shared secret.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rotation: Option<Rotated>,
    /// The bot account.
    pub bot: Bot,
    /// The bot's token, sealed for its place ([`crate::keys::sealed`]).
    pub bot_token: String,
    /// The id of that token on the server, if somebody told it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bot_token_id: Option<TokenId>,
    /// When the server ends that token. `None`: it does not, as far as the bundle knows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bot_token_expires_at: Option<Millis>,
    /// How far the upkeep of that token is.
    #[serde(default, skip_serializing_if = "TokenUpkeep::is_idle")]
    pub token_upkeep: TokenUpkeep,
    /// SHA-256 of its static token, if it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub static_token: Option<Sha256>,
    /// How often that token was replaced.
    #[serde(default, skip_serializing_if = "none")]
    pub static_generation: u32,
    /// The secrets of vendors' webhooks that were replaced, by path. A path that is not here has its first secret.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub webhooks: BTreeMap<String, WebhookSecret>,
    /// Manage codes that were made until then are revoked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub codes_void_until: Option<Millis>,
    /// The settings, without passwords.
    #[serde(default, skip_serializing_if = "Values::is_empty")]
    pub settings: Values,
    /// The settings that are passwords, by name. Each is sealed for its place ([`crate::keys::sealed`]).
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub passwords: BTreeMap<String, String>,
    /// The admin's presets.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub presets: Vec<Preset>,
    /// What the admin granted to the app.
    #[serde(default)]
    pub granted: Granted,
    /// The server's version, such as `11.6.0`.
    pub server_version: String,
    /// What else is known of the server. Early versions of the bundle did not keep it.
    #[serde(default, skip_serializing_if = "ServerFacts::is_unknown")]
    pub server: ServerFacts,
    /// The bundle's address for this server.
    pub base_url: String,
    /// Who installed it.
    pub installed_by: UserId,
    /// When it was installed.
    pub created_at: Millis,
    /// How far the app's `uninstall` function is, while the install is being removed.
    #[serde(default, skip_serializing_if = "Cleanup::is_not_begun")]
    pub cleanup: Cleanup,
}

impl Install {
    /// Whether its app, with this manifest, has a permission. The admin must have granted it and the manifest must ask for it.
    /// So somebody who can write to the table cannot give the app a token that it never asked for.
    pub fn permits(&self, manifest: &Manifest, permission: Permission) -> bool {
        self.granted.permissions.contains(&permission) && manifest.permissions.contains(&permission)
    }
}

/// How far the upkeep of a bot's token is ([`crate::upkeep`]). It belongs to the token that is stored, so another token begins
/// with the default.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct TokenUpkeep {
    /// The last warning that was given: so many days before the token's end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub warned: Option<u8>,
    /// A renewal that is not finished.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub renewal: Option<Renewal>,
}

impl TokenUpkeep {
    fn is_idle(&self) -> bool {
        *self == Self::default()
    }
}

/// A renewal of a bot's token that is not finished. Each step is stored before the next one acts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "step", rename_all = "snake_case")]
pub enum Renewal {
    /// A second token may have been made. The stored token is still the first one.
    Begun,
    /// The second token was tried and is stored. The first one may still work.
    Stored {
        /// The first token's id. `None`: nobody told it, so that token works until its own end.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        replaces: Option<TokenId>,
    },
}

/// How far an app is with cleaning up before its install is removed. It is stored in the install, so that the app is not
/// called again each time the rest of a removal is repeated.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Cleanup {
    /// How often the function was called.
    pub tries: u32,
    /// Until when the last call may run. Until then it is not called again.
    pub until: Millis,
    /// The function is not called any more.
    pub done: bool,
    /// What the app said when its function failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub warning: Option<String>,
}

impl Install {
    /// Whether manage codes that were made at this time have been revoked.
    pub fn voids(&self, code_made_at: Millis) -> bool {
        self.codes_void_until.is_some_and(|until| code_made_at <= until)
    }
}

impl SlashCommand {
    /// Whether an install accepts its token. What was registered with a manage code ends when the codes are revoked.
    pub fn stands(&self, install: &Install) -> bool {
        !self.by_code.is_some_and(|code| install.voids(code))
    }
}

impl OutgoingWebhook {
    /// Whether an install accepts its token, as for a slash command.
    pub fn stands(&self, install: &Install) -> bool {
        !self.by_code.is_some_and(|code| install.voids(code))
    }
}

impl Cleanup {
    fn is_not_begun(&self) -> bool {
        *self == Self::default()
    }
}

/// A rotation of a shared secret, so that its caller can get a lost answer again. It is stored in the install, so it is
/// written together with the secret that it made, or not at all.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rotated {
    /// SHA-256 of the id that its caller chose.
    pub id: Sha256,
    /// Until when the answer can be asked for again.
    pub until: Millis,
}

/// Which secret of a vendor's webhook is the current one. Like every secret that both sides know, it is derived.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WebhookSecret {
    /// The key that it is derived from.
    pub key: KeyId,
    /// How often it was replaced.
    pub generation: u32,
    /// Until when the previous one is accepted too.
    pub previous_until: Millis,
}

#[allow(clippy::trivially_copy_pass_by_ref)] // Serde calls it so.
fn none(count: &u32) -> bool {
    *count == 0
}

/// The state of an install.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum State {
    /// It was begun with a code. It serves nothing, and ends with its code.
    Pending {
        /// The code that began it.
        code: Sha256,
        /// When the code expires.
        until: Millis,
    },
    /// The app's `install` function is running.
    Completing {
        /// The code that began it.
        code: Sha256,
        /// When the code expires.
        until: Millis,
        /// Until when no other request may complete it.
        lease: Millis,
    },
    /// It serves.
    Active,
    /// An operator or admin switched it off.
    Disabled,
    /// It is being removed.
    Removing,
}

impl State {
    /// Its name, as requests show it.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Pending { .. } => "pending",
            Self::Completing { .. } => "completing",
            Self::Active => "active",
            Self::Disabled => "disabled",
            Self::Removing => "removing",
        }
    }
}

/// What is registered in one team of an install's server.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Team {
    /// The slash commands, by trigger.
    #[serde(default)]
    pub commands: BTreeMap<String, SlashCommand>,
    /// The outgoing webhooks, by id.
    #[serde(default)]
    pub webhooks: BTreeMap<String, OutgoingWebhook>,
}

/// A slash command that is registered on a server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SlashCommand {
    /// Its id on the server.
    pub id: String,
    /// Its token's hash.
    pub token_sha256: Sha256,
    /// When the manage code was made with which it was registered. `None`: it was registered without one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by_code: Option<Millis>,
}

/// An outgoing webhook that is registered on a server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutgoingWebhook {
    /// Its channel.
    pub channel: ChannelId,
    /// Its token's hash.
    pub token_sha256: Sha256,
    /// When the manage code was made, as for a slash command.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by_code: Option<Millis>,
}

/// Permission to install one app on one site, once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InstallCode {
    /// The hash of the code: 32 random bytes as base64url.
    pub sha256: Sha256,
    /// Which app.
    pub app: AppId,
    /// On which server.
    pub site: SiteUrl,
    /// The bundle's address, which the install will have.
    pub base_url: String,
    /// When it expires.
    pub exp: Millis,
    /// The install that it began.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub install: Option<InstallId>,
    /// An install was completed with it.
    #[serde(default)]
    pub spent: bool,
    /// It may replace the install that is on the site, because the server was rebuilt.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub replace: bool,
}

/// Permission to see and change one install for a while. It is for an admin who has no operator's rights.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ManageCode {
    /// The hash of the code: 32 random bytes as base64url.
    pub sha256: Sha256,
    /// Which install.
    pub install: InstallId,
    /// When it was made. An install revokes all codes that were made until some time.
    pub created_at: Millis,
    /// When it expires.
    pub exp: Millis,
}

/// A job that was given up. An operator looks at it.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct Dead {
    /// Its id. It stays the same when the job is parked again, and ids sort by the time at which their jobs were first queued.
    pub id: String,
    /// The install of the job. `None`: it has none, or the job cannot be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub install: Option<InstallId>,
    /// The message of the queue, unchanged.
    pub body: String,
    /// Why it was given up.
    pub reason: String,
    /// How often it was tried.
    pub attempts: u32,
    /// Which function was called, if the job was a call.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub function: Option<String>,
    /// When it was first queued.
    pub first_at: Millis,
    /// When it was parked.
    pub at: Millis,
    /// The trace it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace: Option<String>,
}

/// A job may hold secrets, so it is not printed.
impl std::fmt::Debug for Dead {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Dead").field("id", &self.id).field("reason", &self.reason).finish_non_exhaustive()
    }
}

/// One app of the catalogue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CatalogueEntry {
    /// Its id.
    pub id: AppId,
    /// Its version.
    pub version: String,
    /// The name that people see.
    pub display_name: String,
    /// The URL of its icon.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub icon: Option<String>,
    /// Whether it is linked into the bundle. Otherwise it is reached over HTTPS or as a Lambda function.
    pub linked: bool,
}

/// All registered apps, which are stored as one item.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Catalogue {
    /// Its revision.
    pub rev: u64,
    /// The apps, by id.
    pub apps: BTreeMap<AppId, CatalogueEntry>,
}

/// An app that was registered at run time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "StoredApp")]
pub struct RegisteredApp {
    /// Its revision.
    pub rev: u64,
    /// Its id.
    pub id: AppId,
    /// The version that new installs and upgrades get.
    pub version: String,
    /// Every version that is stored, with the hash of its manifest: this version, and those that admins of installs agreed to.
    pub versions: BTreeMap<String, Sha256>,
    /// The key of the app's ring that its upstream secret is derived from.
    pub upstream_key: KeyId,
    /// The generation of the upstream secret that was shown last.
    pub upstream_generation: Generation,
    /// The previous upstream secret, while the app may not have the new one yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub upstream_previous: Option<PreviousUpstream>,
    /// The MAC over everything here but `rev`. Without it, nothing is sent to the app.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub binding: Option<Binding>,
}

/// A registered app as a store may have it. Early versions of the bundle stored the manifest itself here, without a MAC. Such
/// an item is read so that the app can be registered again or removed; nothing else of it is used.
#[derive(Deserialize)]
struct StoredApp {
    rev: u64,
    id: Option<AppId>,
    version: Option<String>,
    #[serde(default)]
    versions: BTreeMap<String, Sha256>,
    manifest: Option<StoredManifest>,
    upstream_key: KeyId,
    upstream_generation: Generation,
    upstream_previous: Option<PreviousUpstream>,
    binding: Option<Binding>,
}

/// The part of such a manifest that is read. The rest may have a form that is no longer valid.
#[derive(Deserialize)]
struct StoredManifest {
    id: AppId,
    version: String,
}

impl TryFrom<StoredApp> for RegisteredApp {
    type Error = &'static str;

    fn try_from(stored: StoredApp) -> Result<Self, Self::Error> {
        let StoredApp {
            rev, versions, upstream_key, upstream_generation, upstream_previous, binding, ..
        } = stored;
        let of_manifest = stored.manifest.map(|manifest| (manifest.id, manifest.version));
        let named = stored.id.zip(stored.version).or(of_manifest);
        let (id, version) = named.ok_or("neither an id with a version nor a manifest")?;
        Ok(Self { rev, id, version, versions, upstream_key, upstream_generation, upstream_previous, binding })
    }
}

/// A MAC that can be made with the app's key ring only. So somebody who can write to the table, but cannot read the ring,
/// cannot send calls, and the secrets in them, to another address.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Binding {
    /// The key of the app's ring that it is made with.
    pub key: KeyId,
    /// 43 characters of base64url.
    pub mac: String,
}

impl Binding {
    /// Makes the MAC of a registered app.
    pub fn new(key: &KeyId, root: &Secret, app: &RegisteredApp) -> Self {
        let none = (String::new(), String::new(), String::new());
        let previous = app.upstream_previous.as_ref().map_or(none, |previous| {
            (previous.key.to_string(), previous.generation.0.to_string(), previous.until.to_string())
        });
        let generation = app.upstream_generation.0.to_string();
        let mut parts: Vec<&[u8]> = vec![
            b"registered_app",
            app.id.as_str().as_bytes(),
            app.upstream_key.as_str().as_bytes(),
            generation.as_bytes(),
            previous.0.as_bytes(),
            previous.1.as_bytes(),
            previous.2.as_bytes(),
            app.version.as_bytes(),
        ];
        // The hashes cover the manifests, and the addresses in them.
        for (version, manifest) in &app.versions {
            parts.extend([version.as_bytes(), manifest.as_str().as_bytes()]);
        }
        Self { key: key.clone(), mac: root.derive(&parts).to_base64url().to_string() }
    }

    /// Whether it is the MAC of this app with this root.
    pub fn holds(&self, root: &Secret, app: &RegisteredApp) -> bool {
        use subtle::ConstantTimeEq;
        self.mac.as_bytes().ct_eq(Self::new(&self.key, root, app).mac.as_bytes()).into()
    }
}

/// An upstream secret that is being replaced.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PreviousUpstream {
    /// The key that it is derived from.
    pub key: KeyId,
    /// Its generation.
    pub generation: Generation,
    /// Until when the bundle signs with it, and it is accepted.
    pub until: Millis,
}

impl RegisteredApp {
    /// The hash of the manifest that an install's admin agreed to, if the manifest is stored.
    pub fn agreed(&self, install: &Install) -> Option<&Sha256> {
        let kept = self.versions.get(&install.version)?;
        install.manifest.as_ref().is_none_or(|manifest| manifest == kept).then_some(kept)
    }

    /// The secret that calls are signed with. During a rotation it is the previous secret, because the app has it for sure.
    /// The new one is used when the previous one ends, or when the operator ends the rotation.
    pub fn signs_with(&self, now: Millis) -> (&KeyId, Generation) {
        match &self.upstream_previous {
            Some(previous) if now < previous.until => (&previous.key, previous.generation),
            _ => (&self.upstream_key, self.upstream_generation),
        }
    }

    /// Whether its MAC was made with this key, or a valid upstream secret is derived from this key.
    pub fn depends_on(&self, key: &KeyId, now: Millis) -> bool {
        let previous = self.upstream_previous.as_ref().filter(|previous| now < previous.until);
        let bound = self.binding.as_ref().is_some_and(|binding| binding.key == *key);
        bound || self.upstream_key == *key || previous.is_some_and(|previous| previous.key == *key)
    }
}

/// The keys of one app. Its secret in Secrets Manager, or its file, has them.
#[derive(Clone)]
pub struct Ring {
    /// The app.
    pub app: AppId,
    /// The keys, the oldest first.
    pub keys: Vec<Key>,
}

/// One key of a ring.
#[derive(Clone)]
pub struct Key {
    /// Its id.
    pub id: KeyId,
    /// All secrets are derived from it.
    pub root: Secret,
    /// When it was made.
    pub created_at: Millis,
    /// From when on new things are made with it. That is 15 minutes after a rotation, so that by then every environment can
    /// open what the first one seals.
    pub use_from: Millis,
    /// Whether it is revoked. Nothing is verified or opened with a revoked key.
    pub revoked: bool,
}

impl Ring {
    /// The key that new things are made with: the last live key that is in use at `now`.
    pub fn current(&self, now: Millis) -> Option<&Key> {
        self.keys.iter().rev().find(|k| !k.revoked && k.use_from <= now)
    }

    /// The live key with this id.
    pub fn key(&self, id: &KeyId) -> Option<&Key> {
        self.keys.iter().find(|k| k.id == *id && !k.revoked)
    }
}

/// A page of a list.
#[derive(Debug, Clone, PartialEq)]
pub struct Page<T> {
    /// The items.
    pub items: Vec<T>,
    /// Asks for the next page. Its content has no meaning for callers.
    pub cursor: Option<String>,
}

/// A page of an app's installs, sorted by site.
#[derive(Debug, Clone, PartialEq)]
pub struct Sites {
    /// The lines that can be read.
    pub items: Vec<SiteEntry>,
    /// The lines that cannot be read. There is or was an install on each of these sites.
    pub unread: Vec<UnreadSite>,
    /// Asks for the next page. Its content has no meaning for callers.
    pub cursor: Option<String>,
}

/// A line of an app's installs that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnreadSite {
    /// The site in the line's key.
    pub site: String,
    /// Why the line cannot be read, without its content.
    pub why: String,
}

/// A line of an app's installs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SiteEntry {
    /// The server.
    pub site: SiteUrl,
    /// The install there.
    pub install: InstallId,
    /// When it was made.
    pub created_at: Millis,
}
