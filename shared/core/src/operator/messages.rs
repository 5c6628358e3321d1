//! The requests of operators and their answers, in JSON. The command `cloud-apps` and the function use the same types.

use crate::{
    install::codes,
    store::model::{CatalogueEntry, UnreadSite},
};
use cloud_apps_protocol::{
    AppId, ErrorBody, InstallId, KeyId, Millis, SiteUrl,
    install::{AppView, InstallChanged, InstallRemoved, InstallView},
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// A request of an operator. The invocation has it under the key `operator`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case", deny_unknown_fields)]
pub enum OperatorRequest {
    /// Puts the linked apps into the catalogue and makes missing key rings. It may be repeated.
    /// Answered by [`OperatorAnswer::Apps`].
    Register {},
    /// The catalogue. Answered by [`OperatorAnswer::Apps`].
    Apps {},
    /// Makes an install code. Answered by [`OperatorAnswer::Code`].
    Code {
        /// For which app.
        app: AppId,
        /// On which Mattermost server.
        site_url: SiteUrl,
        /// The bundle's address as that server reaches it; the install keeps it.
        base_url: SiteUrl,
        /// How long it is valid, in seconds, at most 86,400.
        #[serde(default = "valid")]
        valid_seconds: u64,
        /// It may replace the install that is there, because the server was rebuilt.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        replace: bool,
    },
    /// One app, with all that it asks for. Answered by [`OperatorAnswer::App`].
    App {
        /// Which.
        app: AppId,
    },
    /// Registers an app that is reached over HTTPS or as a Lambda function, or another version of it. New installs get that
    /// version; others get it when they are upgraded. Answered by [`OperatorAnswer::App`], the first time with the upstream
    /// secret.
    AddApp {
        /// The manifest: its author's text, so that problems have their lines, or its JSON.
        manifest: Value,
    },
    /// Removes a registered app that is installed nowhere. Answered by [`OperatorAnswer::Apps`].
    RemoveApp {
        /// Which.
        app: AppId,
    },
    /// Replaces the upstream secret of a registered app. For 24 hours the previous one is accepted, and calls are still signed
    /// with it; if the request is repeated meanwhile, the answer is the same. Answered by [`OperatorAnswer::App`] with the new
    /// secret.
    RotateUpstream {
        /// Which.
        app: AppId,
        /// The new one is used now, because the app has it, or because the previous one must not be used any more.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        at_once: bool,
    },
    /// Makes a manage code. For a while its holder can do with one install what `GET`, `PATCH` and `DELETE` do.
    /// Answered by [`OperatorAnswer::Code`].
    ManageCode {
        /// For which install.
        install_id: InstallId,
        /// How long it is valid, in seconds, at most 86,400.
        #[serde(default = "valid")]
        valid_seconds: u64,
    },
    /// Revokes all manage codes of an install. Answered by [`OperatorAnswer::Install`].
    RevokeManageCodes {
        /// Which.
        install_id: InstallId,
    },
    /// What `PATCH /install/{id}` does. Answered by [`OperatorAnswer::Changed`].
    Change {
        /// Which.
        install_id: InstallId,
        /// The request's body.
        patch: Patch,
        /// The revision that it builds on (`If-Match`).
        #[serde(default, skip_serializing_if = "Option::is_none")]
        if_match: Option<u64>,
    },
    /// What `DELETE /install/{id}` does. Answered by [`OperatorAnswer::Removed`].
    Remove {
        /// Which.
        install_id: InstallId,
        /// The revision that it builds on (`If-Match`).
        #[serde(default, skip_serializing_if = "Option::is_none")]
        if_match: Option<u64>,
    },
    /// The key ring of an app, without its roots. Answered by [`OperatorAnswer::Keys`].
    Keys {
        /// Which app.
        app: AppId,
    },
    /// Adds a key to the ring of an app. After 15 minutes it is used, and what installs store is sealed again with it.
    /// Answered by [`OperatorAnswer::Keys`].
    RotateKeys {
        /// Which app.
        app: AppId,
    },
    /// Revokes a key at once. What was made with it is not accepted and cannot be opened any more. Answered by [`OperatorAnswer::Keys`].
    RevokeKey {
        /// Which app.
        app: AppId,
        /// The key's id.
        key: KeyId,
        /// Revokes it even if installs depend on it. Their servers' secrets and bots' tokens are lost with it.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        force: bool,
    },
    /// The installs of an app, 100 at a time. Answered by [`OperatorAnswer::Installs`].
    List {
        /// Which app.
        app: AppId,
        /// The cursor of the previous page.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        cursor: Option<String>,
    },
    /// One install. Answered by [`OperatorAnswer::Install`].
    Show {
        /// Which.
        install_id: InstallId,
    },
    /// Jobs that were given up, 100 at a time, the oldest first. Answered by [`OperatorAnswer::DeadLetters`].
    DeadLetters {
        /// Of which install. Without one: the jobs that belong to none, and messages that cannot be read.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        install_id: Option<InstallId>,
        /// The cursor of the previous page.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        cursor: Option<String>,
    },
    /// Queues such a job again, from its first attempt. Answered by [`OperatorAnswer::DeadLetter`]; after that, the letter is gone.
    SendBack {
        /// Of which install, if it belongs to one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        install_id: Option<InstallId>,
        /// The letter.
        id: String,
    },
    /// Discards such a job. Answered by [`OperatorAnswer::DeadLetter`]; after that, the letter is gone.
    Discard {
        /// Of which install, if it belongs to one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        install_id: Option<InstallId>,
        /// The letter.
        id: String,
    },
}

/// The body of a change. It may hold passwords and tokens, so it is not printed.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Patch(pub Value);

impl std::fmt::Debug for Patch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Patch(…)")
    }
}

fn valid() -> u64 {
    codes::VALID
}

impl OperatorRequest {
    /// The whole payload: `{"operator":{"do":"apps"}}`.
    pub fn payload(&self) -> Value {
        json!({ "operator": self })
    }

    /// Its name, for the log.
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Register {} => "register",
            Self::Apps {} => "apps",
            Self::Code { .. } => "code",
            Self::App { .. } => "app",
            Self::AddApp { .. } => "add_app",
            Self::RemoveApp { .. } => "remove_app",
            Self::RotateUpstream { .. } => "rotate_upstream",
            Self::ManageCode { .. } => "manage_code",
            Self::RevokeManageCodes { .. } => "revoke_manage_codes",
            Self::Change { .. } => "change",
            Self::Remove { .. } => "remove",
            Self::Keys { .. } => "keys",
            Self::RotateKeys { .. } => "rotate_keys",
            Self::RevokeKey { .. } => "revoke_key",
            Self::List { .. } => "list",
            Self::Show { .. } => "show",
            Self::DeadLetters { .. } => "dead_letters",
            Self::SendBack { .. } => "send_back",
            Self::Discard { .. } => "discard",
        }
    }
}

/// The answer to an operator.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum OperatorAnswer {
    /// The request was refused.
    Error(ErrorBody),
    /// A code. It is shown here and nowhere else.
    Code {
        /// 43 characters of base64url. A credential.
        code: String,
        /// Unix milliseconds.
        expires_at: Millis,
    },
    /// One app.
    App {
        /// The app.
        app: Box<AppView>,
        /// The versions of a registered app that are stored, because admins of installs may have agreed to them.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        versions: Vec<String>,
        /// Where its functions run: an address, or a Lambda function.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        address: Option<String>,
        /// `<app>.<key>.upstream.<generation>`: the name of its upstream secret.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        kid: Option<String>,
        /// Its upstream secret, base64url, if it was made just now. A credential.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        upstream_secret: Option<String>,
        /// Until when calls are signed with the previous secret, in Unix milliseconds.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        previous_until: Option<Millis>,
    },
    /// The keys of an app's ring, the oldest first.
    Keys {
        /// The keys.
        keys: Vec<KeyView>,
    },
    /// A changed install.
    Changed {
        /// The install, and its new credential if there is one.
        changed: Box<InstallChanged>,
    },
    /// A removed install.
    Removed {
        /// What is left on its server.
        removed: InstallRemoved,
    },
    /// Apps of the bundle, by id.
    Apps {
        /// The apps.
        apps: Vec<CatalogueEntry>,
    },
    /// Installs of an app, by site.
    Installs {
        /// This page.
        installs: Vec<Listed>,
        /// The lines of this page that cannot be read.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        unread: Vec<UnreadSite>,
        /// Asks for the next page. Absent on the last page.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        cursor: Option<String>,
    },
    /// Jobs that were given up.
    DeadLetters {
        /// This page.
        dead_letters: Vec<LetterView>,
        /// Asks for the next page. Absent on the last page.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        cursor: Option<String>,
    },
    /// A job that was sent back or discarded.
    DeadLetter {
        /// The letter.
        dead_letter: LetterView,
    },
    /// One install.
    Install(Box<InstallView>),
}

/// A job that was given up, without the job itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LetterView {
    /// The letter's id.
    pub id: String,
    /// The install that the job is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub install_id: Option<InstallId>,
    /// What the job should do. Absent if it cannot be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// Why it was given up.
    pub reason: String,
    /// How often it was tried.
    pub attempts: u32,
    /// When it was first queued, Unix milliseconds.
    pub first_at: Millis,
    /// When it was given up, Unix milliseconds.
    pub at: Millis,
    /// Its trace id in the log.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace: Option<String>,
}

/// One key of a ring, without its root.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyView {
    /// Its id.
    pub id: KeyId,
    /// Unix milliseconds.
    pub created_at: Millis,
    /// From when on new things are made with it, in Unix milliseconds.
    pub use_from: Millis,
    /// `live` or `revoked`.
    pub state: String,
    /// How many installs depend on it. Absent if the installs cannot be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub installs: Option<usize>,
}

/// One install of a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listed {
    /// The install.
    pub install_id: InstallId,
    /// Its server.
    pub site_url: SiteUrl,
    /// Unix milliseconds.
    pub created_at: Millis,
}

impl std::fmt::Debug for OperatorAnswer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Error(error) => f.debug_tuple("Error").field(error).finish(),
            Self::Code { expires_at, .. } => {
                f.debug_struct("Code").field("expires_at", expires_at).finish_non_exhaustive()
            }
            Self::Apps { apps } => f.debug_struct("Apps").field("apps", apps).finish(),
            Self::Installs { installs, unread, cursor } => f
                .debug_struct("Installs")
                .field("installs", installs)
                .field("unread", unread)
                .field("cursor", cursor)
                .finish(),
            Self::Install(install) => f.debug_tuple("Install").field(install).finish(),
            Self::App { app, kid, .. } => {
                f.debug_struct("App").field("app", app).field("kid", kid).finish_non_exhaustive()
            }
            Self::Keys { keys } => f.debug_struct("Keys").field("keys", keys).finish(),
            Self::Changed { changed } => f.debug_struct("Changed").field("changed", changed).finish(),
            Self::Removed { removed } => f.debug_struct("Removed").field("removed", removed).finish(),
            Self::DeadLetters { dead_letters, cursor } => f
                .debug_struct("DeadLetters")
                .field("dead_letters", dead_letters)
                .field("cursor", cursor)
                .finish(),
            Self::DeadLetter { dead_letter } => {
                f.debug_struct("DeadLetter").field("dead_letter", dead_letter).finish()
            }
        }
    }
}
