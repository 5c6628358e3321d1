//! What the bundle keeps, as types that hold only what is valid.

use cloud_apps_protocol::{
    AppId, ChannelId, Generation, InstallId, KeyId, Manifest, Millis, SiteUrl, UserId, Values,
    command::Bot,
    install::Granted,
    manifest::{Permission, Preset},
    secret::Secret,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// SHA-256 of a credential that is only ever verified: 64 characters of lower-case hex.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Sha256(String);

impl Sha256 {
    /// Hashes a credential.
    pub fn of(credential: &str) -> Self {
        let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, credential.as_bytes());
        Self(data_encoding::HEXLOWER.encode(digest.as_ref()))
    }

    /// Hashes a manifest as [`text`](Self::text) writes it out.
    pub fn of_manifest(manifest: &Manifest) -> Self {
        Self::of(&Self::text(manifest))
    }

    /// The text of a manifest that is hashed, and kept under that hash.
    pub fn text(manifest: &Manifest) -> String {
        // A manifest has text keys only and always serialises.
        serde_json::to_string(manifest).unwrap_or_default()
    }

    /// The hex text; a table key.
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
    /// The hash of the manifest that the admin agreed to then, by which it is kept; absent: the one that is kept for
    /// that version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub manifest: Option<Sha256>,
    /// The server.
    pub site: SiteUrl,
    /// Where it stands.
    pub state: State,
    /// Counts changes, from 1; every change names the one it builds on.
    pub rev: u64,
    /// The current shared secret; 0: nobody was given one.
    pub generation: Generation,
    /// Until when the previous generation verifies too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous_until: Option<Millis>,
    /// The key of the app's ring that this install's secrets are derived from.
    pub key: KeyId,
    /// The key that the previous generation was derived from, where it is another.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous_key: Option<KeyId>,
    /// The rotation that made the current shared secret.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rotation: Option<Rotated>,
    /// The bot account.
    pub bot: Bot,
    /// The bot's token, sealed for its place (architecture: section 4).
    pub bot_token: String,
    /// SHA-256 of its static token, where it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub static_token: Option<Sha256>,
    /// How often that token was replaced.
    #[serde(default, skip_serializing_if = "none")]
    pub static_generation: u32,
    /// Secrets of vendors' webhooks that were replaced, by path; where a path is absent its first one is good.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub webhooks: BTreeMap<String, WebhookSecret>,
    /// Manage codes that were made until then are void.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub codes_void_until: Option<Millis>,
    /// What the admin set, without passwords.
    #[serde(default, skip_serializing_if = "Values::is_empty")]
    pub settings: Values,
    /// The settings that are passwords, by name, each sealed for its place ([`crate::keys::sealed`]).
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub passwords: BTreeMap<String, String>,
    /// Presets of the admin.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub presets: Vec<Preset>,
    /// What the admin agreed to.
    #[serde(default)]
    pub granted: Granted,
    /// `11.6.0`.
    pub server_version: String,
    /// The bundle's own address as this server reaches it.
    pub base_url: String,
    /// Who installed it.
    pub installed_by: UserId,
    /// When.
    pub created_at: Millis,
    /// What became of the app's `uninstall` function, once the install is being removed.
    #[serde(default, skip_serializing_if = "Cleanup::is_not_begun")]
    pub cleanup: Cleanup,
}

impl Install {
    /// Whether its app, with this manifest, has a permission: one that was granted and that the app asks for. Whoever could
    /// write the table, and grant more there, hands it no token that it never asked for.
    pub fn permits(&self, manifest: &Manifest, permission: Permission) -> bool {
        self.granted.permissions.contains(&permission) && manifest.permissions.contains(&permission)
    }
}

/// The app's own part in the removal of its install. It stands in the install, so that a removal that fails later on
/// does not ask the app again each time it is repeated.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Cleanup {
    /// How often the function was called.
    pub tries: u32,
    /// Until when the last call may run; nobody else calls it meanwhile.
    pub until: Millis,
    /// It is over, and the function is not called any more.
    pub done: bool,
    /// What the app said when it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub warning: Option<String>,
}

impl Install {
    /// Whether what a manage code of that time is good for, or was good for, is over: its codes were revoked since.
    pub fn voids(&self, code_made_at: Millis) -> bool {
        self.codes_void_until.is_some_and(|until| code_made_at <= until)
    }
}

impl SlashCommand {
    /// Whether its token is good for an install: a manage code's registrations end when the codes are revoked.
    pub fn stands(&self, install: &Install) -> bool {
        !self.by_code.is_some_and(|code| install.voids(code))
    }
}

impl OutgoingWebhook {
    /// As of a slash command.
    pub fn stands(&self, install: &Install) -> bool {
        !self.by_code.is_some_and(|code| install.voids(code))
    }
}

impl Cleanup {
    fn is_not_begun(&self) -> bool {
        *self == Self::default()
    }
}

/// A rotation of a shared secret, so that its caller can get a lost answer again. It stands in the install, and is so
/// written with the secret that it made or not at all.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rotated {
    /// SHA-256 of the id that its caller gave it.
    pub id: Sha256,
    /// Until when the answer is given again.
    pub until: Millis,
}

/// Which secret of a vendor's webhook is the current one. It is derived, like every secret that both sides hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WebhookSecret {
    /// The key that it is derived from.
    pub key: KeyId,
    /// How often it was replaced.
    pub generation: u32,
    /// Until when the one before verifies too.
    pub previous_until: Millis,
}

#[allow(clippy::trivially_copy_pass_by_ref)] // As serde calls it.
fn none(count: &u32) -> bool {
    *count == 0
}

/// Where an install stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum State {
    /// Begun with a code; serves nothing, and goes with its code.
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
        /// Until when nobody else may try.
        lease: Millis,
    },
    /// Serves.
    Active,
    /// An operator or admin switched it off.
    Disabled,
    /// Is being removed.
    Removing,
}

/// What is registered in one team of an install's server.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Team {
    /// Trigger → slash command.
    #[serde(default)]
    pub commands: BTreeMap<String, SlashCommand>,
    /// Id → outgoing webhook.
    #[serde(default)]
    pub webhooks: BTreeMap<String, OutgoingWebhook>,
}

/// A slash command as a server knows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SlashCommand {
    /// Its id there.
    pub id: String,
    /// Its token's hash.
    pub token_sha256: Sha256,
    /// When the manage code was made that it was registered with; `None`: it was registered with no manage code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by_code: Option<Millis>,
}

/// An outgoing webhook as a server knows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutgoingWebhook {
    /// Its channel.
    pub channel: ChannelId,
    /// Its token's hash.
    pub token_sha256: Sha256,
    /// As of a slash command.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by_code: Option<Millis>,
}

/// Permission to install one app on one site, once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InstallCode {
    /// Hash of the 32 random bytes' base64url text.
    pub sha256: Sha256,
    /// Which app.
    pub app: AppId,
    /// On which server.
    pub site: SiteUrl,
    /// The bundle's base URL that the install will keep.
    pub base_url: String,
    /// When it expires.
    pub exp: Millis,
    /// The install that it began.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub install: Option<InstallId>,
    /// `complete` was done with it.
    #[serde(default)]
    pub spent: bool,
    /// It may supersede the install that stands on the site: the server was rebuilt.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub replace: bool,
}

/// Permission to look at and change one install for a while: for an admin without the rights of an operator.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ManageCode {
    /// Hash of the 32 random bytes' base64url text.
    pub sha256: Sha256,
    /// Which install.
    pub install: InstallId,
    /// When it was made; an install revokes all codes up to a time at once.
    pub created_at: Millis,
    /// When it expires.
    pub exp: Millis,
}

/// A job that was given up, as an operator finds it.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct Dead {
    /// Its own id, the same however often the job is parked; in the order in which the jobs were first queued.
    pub id: String,
    /// Of which install; `None` where it is of none, or could not be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub install: Option<InstallId>,
    /// What the queue carried, as it was.
    pub body: String,
    /// Why it was given up.
    pub reason: String,
    /// How often it was tried.
    pub attempts: u32,
    /// Which function, where it was a call.
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

/// A job may hold what no log should.
impl std::fmt::Debug for Dead {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Dead").field("id", &self.id).field("reason", &self.reason).finish_non_exhaustive()
    }
}

/// One app of the catalogue. Refuses unknown apps from memory.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CatalogueEntry {
    /// Its id.
    pub id: AppId,
    /// Its version.
    pub version: String,
    /// Shown to people.
    pub display_name: String,
    /// An URL.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub icon: Option<String>,
    /// Linked into the bundle, or reached over HTTPS or as a Lambda function.
    pub linked: bool,
}

/// All registered apps: one item.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Catalogue {
    /// Counts changes.
    pub rev: u64,
    /// The apps, by id.
    pub apps: BTreeMap<AppId, CatalogueEntry>,
}

/// An app that was registered at run time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "StoredApp")]
pub struct RegisteredApp {
    /// Counts changes.
    pub rev: u64,
    /// Its id.
    pub id: AppId,
    /// The version that new installs get, and that an upgrade moves to.
    pub version: String,
    /// Every version that is kept, with the hash of its manifest: this one, and those that installs agreed to.
    pub versions: BTreeMap<String, Sha256>,
    /// The key of the app's ring that its upstream secret is derived from.
    pub upstream_key: KeyId,
    /// Generation of its upstream secret: of the one that was handed over last.
    pub upstream_generation: Generation,
    /// The upstream secret before that one, while an app may not have the new one yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub upstream_previous: Option<PreviousUpstream>,
    /// What vouches for all of this but `rev`. Without it nothing is sent to the app.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub binding: Option<Binding>,
}

/// A registered app as it may be stored. Before manifests were kept by their hashes, the one that there was stood here, and
/// nothing vouched for it. Such an item is read, so that the app can be registered again or removed; nothing of it is used.
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

/// What of such a manifest is read: whatever else it says may not be in today's words.
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

/// A MAC that only a holder of the app's key ring can make: whoever can write the table, but not read the ring, sends no
/// call, and none of the secrets in it, to another address.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Binding {
    /// The key of the app's ring that it is made with.
    pub key: KeyId,
    /// 43 characters of base64url.
    pub mac: String,
}

impl Binding {
    /// Binds what is registered of an app.
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
        // The manifests, and in them the addresses, by their hashes.
        for (version, manifest) in &app.versions {
            parts.extend([version.as_bytes(), manifest.as_str().as_bytes()]);
        }
        Self { key: key.clone(), mac: root.derive(&parts).to_base64url().to_string() }
    }

    /// Whether it is what `root` makes of this app.
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
    /// Until when the bundle signs with it, and it verifies.
    pub until: Millis,
}

impl RegisteredApp {
    /// The hash of the manifest that an install agreed to, where it is kept.
    pub fn agreed(&self, install: &Install) -> Option<&Sha256> {
        let kept = self.versions.get(&install.version)?;
        install.manifest.as_ref().is_none_or(|manifest| manifest == kept).then_some(kept)
    }

    /// The secret that calls are signed with. While a rotation is under way that is the previous one, for every app has
    /// that; the new one takes over when its time is up, or when the operator ends the rotation.
    pub fn signs_with(&self, now: Millis) -> (&KeyId, Generation) {
        match &self.upstream_previous {
            Some(previous) if now < previous.until => (&previous.key, previous.generation),
            _ => (&self.upstream_key, self.upstream_generation),
        }
    }

    /// Whether this key vouches for it, or an upstream secret that is still good is derived from it.
    pub fn depends_on(&self, key: &KeyId, now: Millis) -> bool {
        let previous = self.upstream_previous.as_ref().filter(|previous| now < previous.until);
        let bound = self.binding.as_ref().is_some_and(|binding| binding.key == *key);
        bound || self.upstream_key == *key || previous.is_some_and(|previous| previous.key == *key)
    }
}

/// The keys of one app, as they stand in its secret (Secrets Manager) or file.
#[derive(Clone)]
pub struct Ring {
    /// The app.
    pub app: AppId,
    /// In the order of their making.
    pub keys: Vec<Key>,
}

/// One key of a ring.
#[derive(Clone)]
pub struct Key {
    /// Its id.
    pub id: KeyId,
    /// What everything is derived from.
    pub root: Secret,
    /// When it was made.
    pub created_at: Millis,
    /// From when on it is used for new things: 15 minutes after a rotation, so that every environment can open
    /// what the first one seals.
    pub use_from: Millis,
    /// Whether it still verifies and opens.
    pub revoked: bool,
}

impl Ring {
    /// The key that new things are made with: the last one that is live and in use at `now`.
    pub fn current(&self, now: Millis) -> Option<&Key> {
        self.keys.iter().rev().find(|k| !k.revoked && k.use_from <= now)
    }

    /// A live key by its id.
    pub fn key(&self, id: &KeyId) -> Option<&Key> {
        self.keys.iter().find(|k| k.id == *id && !k.revoked)
    }
}

/// A page of a list.
#[derive(Debug, Clone, PartialEq)]
pub struct Page<T> {
    /// The items.
    pub items: Vec<T>,
    /// Opaque; asks for the next page.
    pub cursor: Option<String>,
}

/// A page of the list of an app's installs, by site.
#[derive(Debug, Clone, PartialEq)]
pub struct Sites {
    /// What can be read.
    pub items: Vec<SiteEntry>,
    /// The lines that cannot be read: an install is, or was, on each of these sites.
    pub unread: Vec<UnreadSite>,
    /// Opaque; asks for the next page.
    pub cursor: Option<String>,
}

/// A line of the list of an app's installs that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnreadSite {
    /// The site, as the line's key has it.
    pub site: String,
    /// Why the line cannot be read, without its content.
    pub why: String,
}

/// What of an install stands in the list of an app's installs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SiteEntry {
    /// The server.
    pub site: SiteUrl,
    /// The install there.
    pub install: InstallId,
    /// When it was made.
    pub created_at: Millis,
}
