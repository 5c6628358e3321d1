//! What operators ask: a direct invocation of the install function with `{"operator":{…}}`, or the local bundle's
//! socket. AWS IAM, or the socket's mode, says who may; there is no admin route and no admin token.
//!
//! [`OperatorRequest`] and [`OperatorAnswer`] are what the `cloud-apps` command and the function share.

use super::{
    access::By,
    apps,
    change::{self, Match},
    codes, letters,
    lifecycle::Moment,
    remove, rings,
    state::unchangeable,
    stored, view,
};
use crate::{
    cache::Freshness,
    keys::generate_ring,
    log::LogLine,
    model::{Catalogue, CatalogueEntry, Install, InstallCode, ManageCode, Sha256},
    ports::Changed,
    refusal::Refusal,
    rules::next,
    upstream::Known,
    world::Office,
};
use cloud_apps_protocol::{
    AppId, Code, ErrorBody, InstallId, KeyId, Millis, SiteUrl,
    error::ErrorDetail,
    install::{AppView, InstallChanged, InstallRemoved, InstallView},
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::{collections::BTreeSet, sync::Arc};

/// What an operator asks; under the key `operator` of the invocation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case", deny_unknown_fields)]
pub enum OperatorRequest {
    /// Puts the linked apps in the catalogue and makes the key rings that are missing. May be repeated.
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
        /// How long it is good, in seconds: at most 86,400.
        #[serde(default = "valid")]
        valid_seconds: u64,
        /// It may supersede the install that stands there: the server was made anew.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        replace: bool,
    },
    /// One app, with all that it asks for. Answered by [`OperatorAnswer::App`].
    App {
        /// Which.
        app: AppId,
    },
    /// Registers an app that is reached over HTTPS or as a Lambda function, or replaces its manifest. Answered by
    /// [`OperatorAnswer::App`]; the first time with its upstream secret.
    AddApp {
        /// The manifest: the text that its author wrote, so that problems have their lines, or its JSON.
        manifest: Value,
    },
    /// Forgets a registered app that is installed nowhere. Answered by [`OperatorAnswer::Apps`].
    RemoveApp {
        /// Which.
        app: AppId,
    },
    /// Replaces the upstream secret of a registered app. For 24 hours the previous one verifies, and calls are still
    /// signed with it; asked again meanwhile, the answer is the same. Answered by [`OperatorAnswer::App`] with the new
    /// secret.
    RotateUpstream {
        /// Which.
        app: AppId,
        /// The new one takes over now: the app has it, or the previous one must not be used any more.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        at_once: bool,
    },
    /// Makes a manage code: for a while its holder does with one install what `GET`, `PATCH` and `DELETE` do.
    /// Answered by [`OperatorAnswer::Code`].
    ManageCode {
        /// For which install.
        install_id: InstallId,
        /// How long it is good, in seconds: at most 86,400.
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
    /// Adds a key to the ring of an app; in 15 minutes it is the one that seals. What installs keep is sealed anew.
    /// Answered by [`OperatorAnswer::Keys`].
    RotateKeys {
        /// Which app.
        app: AppId,
    },
    /// Revokes a key at once: what was made with it neither verifies nor opens. Answered by [`OperatorAnswer::Keys`].
    RevokeKey {
        /// Which app.
        app: AppId,
        /// The key's id.
        key: KeyId,
        /// Although installs still use it: their servers' secrets and bots' tokens die with it.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        force: bool,
    },
    /// The installs of an app, 100 at a time. Answered by [`OperatorAnswer::Installs`].
    List {
        /// Which app.
        app: AppId,
        /// Of the page before.
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
        /// Of which install; without one: of none, and what could not be read.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        install_id: Option<InstallId>,
        /// Of the page before.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        cursor: Option<String>,
    },
    /// Queues such a job again, from its first attempt. Answered by [`OperatorAnswer::DeadLetter`], which is gone then.
    SendBack {
        /// Of which install, where it is of one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        install_id: Option<InstallId>,
        /// The letter.
        id: String,
    },
    /// Throws such a job away. Answered by [`OperatorAnswer::DeadLetter`], which is gone then.
    Discard {
        /// Of which install, where it is of one.
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
}

/// What an operator is answered.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum OperatorAnswer {
    /// It was not done.
    Error(ErrorBody),
    /// An install code. It stands here and nowhere else.
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
        /// Where its functions run: an address, or a Lambda function.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        address: Option<String>,
        /// `<app>.<key>.upstream.<generation>`: the name of its upstream secret.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        kid: Option<String>,
        /// Its upstream secret, base64url; where it was just made. A credential.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        upstream_secret: Option<String>,
        /// Unix milliseconds until which calls are signed with the secret before it.
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
        /// It, and what was handed over.
        changed: Box<InstallChanged>,
    },
    /// A removed install.
    Removed {
        /// What is left of it.
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
        /// Asks for the next page; absent on the last.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        cursor: Option<String>,
    },
    /// Jobs that were given up.
    DeadLetters {
        /// This page.
        dead_letters: Vec<LetterView>,
        /// Asks for the next page; absent on the last.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        cursor: Option<String>,
    },
    /// One of them, which was sent back or discarded.
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
    /// What the job was to do; absent where it cannot be read.
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
    /// The trace under which the log has it.
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
    /// From when on it is used for new things, Unix milliseconds.
    pub use_from: Millis,
    /// `live` or `revoked`.
    pub state: String,
    /// How many installs still keep something that was made with it.
    pub installs: usize,
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
            Self::Installs { installs, cursor } => {
                f.debug_struct("Installs").field("installs", installs).field("cursor", cursor).finish()
            }
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

/// Whether an invocation is an operator's: one key, `operator`. An event of API Gateway has a dozen keys of its own,
/// and whatever a stranger sends stands below them, so no HTTP request can look like this.
pub fn is_operator(event: &Value) -> bool {
    event.as_object().is_some_and(|keys| keys.len() == 1 && keys.contains_key("operator"))
}

/// How long a request may take, in ms: the install function's time limit (architecture, section 6).
const PATIENCE: Millis = 29_000;
/// How many installs stand on a page.
const PAGE: usize = 100;
/// How often a change is tried again that somebody else was faster with.
pub(super) const TRIES: usize = 5;

/// Answers one invocation; never fails, for an error is an answer too. `now` in Unix milliseconds.
pub async fn operator(office: &Office, request: Value, now: Millis, request_id: &str) -> Value {
    let read = read(&request);
    let what = read.as_ref().map_or("unreadable", OperatorRequest::name);
    let mut line = LogLine::apart("operator", request_id, None);
    let moment = Moment { now, deadline: now.saturating_add(PATIENCE), request_id };
    let outcome = match read {
        Ok(request) => run(office, request, moment, &mut line).await,
        Err(refusal) => Err(refusal),
    };
    let refused = outcome.as_ref().err();
    let code = refused.and_then(|refusal| serde_json::to_value(refusal.code).ok());
    tracing::info!(
        route = "operator",
        function = what,
        outcome = if refused.is_some() { "refused" } else { "done" },
        code = code.as_ref().and_then(|code| code.as_str()),
        app = line.app,
        install = line.install,
        upstream_ms = line.upstream_ms,
        request_id,
        error = refused.and_then(Refusal::chain),
        "request"
    );
    let answer = outcome.unwrap_or_else(|refusal| OperatorAnswer::Error(error(refusal, request_id)));
    // Text keys only: it always serialises.
    serde_json::to_value(&answer).unwrap_or_default()
}

fn error(refusal: Refusal, request_id: &str) -> ErrorBody {
    let Refusal { code, message, more, .. } = refusal;
    ErrorBody { error: ErrorDetail { code, message, request_id: request_id.to_owned(), more } }
}

fn read(request: &Value) -> Result<OperatorRequest, Refusal> {
    if !is_operator(request) {
        return Err(Refusal::bad_request(
            "",
            "An operator's request is {\"operator\":{\"do\":…}} and nothing else.",
        ));
    }
    let inner = request.get("operator").unwrap_or(&Value::Null);
    OperatorRequest::deserialize(inner).map_err(|error| {
        let message = format!(
            "This operator's request cannot be read: {error}. Use the `cloud-apps` of the version that is deployed."
        );
        Refusal::bad_request("/operator", message)
    })
}

impl OperatorRequest {
    /// Its word, for the log.
    fn name(&self) -> &'static str {
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

async fn run(
    office: &Office,
    request: OperatorRequest,
    moment: Moment<'_>,
    line: &mut LogLine,
) -> Result<OperatorAnswer, Refusal> {
    let now = moment.now;
    match request {
        OperatorRequest::Register {} => register(office, now).await,
        OperatorRequest::Apps {} => Ok(listed(office.world.apps.all().await?)),
        OperatorRequest::Code { app, site_url, base_url, valid_seconds, replace } => {
            code(office, app, site_url, &base_url, (valid_seconds, replace), now).await
        }
        OperatorRequest::Keys { app } => {
            Ok(OperatorAnswer::Keys { keys: rings::list(office, &app, now).await? })
        }
        OperatorRequest::RotateKeys { app } => {
            Ok(OperatorAnswer::Keys { keys: rings::rotate(office, &app, now).await? })
        }
        OperatorRequest::RevokeKey { app, key, force } => {
            Ok(OperatorAnswer::Keys { keys: rings::revoke(office, &app, &key, force, now).await? })
        }
        OperatorRequest::App { app } => apps::show(office, &app, now).await,
        OperatorRequest::AddApp { manifest } => apps::add(office, &manifest, now).await,
        OperatorRequest::RemoveApp { app } => {
            apps::remove(office, &app).await?;
            Ok(listed(office.world.apps.all().await?))
        }
        OperatorRequest::RotateUpstream { app, at_once } => apps::rotate(office, &app, at_once, now).await,
        OperatorRequest::ManageCode { install_id, valid_seconds } => {
            manage_code(office, &install_id, valid_seconds, now).await
        }
        OperatorRequest::RevokeManageCodes { install_id } => revoke_codes(office, &install_id, now).await,
        OperatorRequest::Change { install_id, patch: Patch(body), if_match } => {
            let install = found(office, &install_id, now).await?;
            let asked = (install, By::Person);
            let changed = change::change(office, moment, asked, Match::Rev(if_match), &body, line).await?;
            Ok(OperatorAnswer::Changed { changed: Box::new(changed) })
        }
        OperatorRequest::Remove { install_id, if_match } => Ok(OperatorAnswer::Removed {
            removed: removed(office, &install_id, if_match, moment, line).await?,
        }),
        OperatorRequest::List { app, cursor } => {
            let page = office.registry.list(&app, PAGE, cursor.as_deref()).await?;
            let listed = page.items.into_iter().map(|entry| Listed {
                install_id: entry.install,
                site_url: entry.site,
                created_at: entry.created_at,
            });
            Ok(OperatorAnswer::Installs { installs: listed.collect(), cursor: page.cursor })
        }
        OperatorRequest::Show { install_id } => {
            let install = found(office, &install_id, now).await?;
            show(office, &install, now).await
        }
        OperatorRequest::DeadLetters { install_id, cursor } => {
            let page = letters::list(office, install_id.as_ref(), cursor.as_deref()).await?;
            let dead_letters = page.items.into_iter().map(letters::view).collect();
            Ok(OperatorAnswer::DeadLetters { dead_letters, cursor: page.cursor })
        }
        OperatorRequest::SendBack { install_id, id } => {
            let letter = letters::send_back(office, install_id.as_ref(), &id, now).await?;
            Ok(OperatorAnswer::DeadLetter { dead_letter: letters::view(letter) })
        }
        OperatorRequest::Discard { install_id, id } => {
            let letter = letters::discard(office, install_id.as_ref(), &id).await?;
            Ok(OperatorAnswer::DeadLetter { dead_letter: letters::view(letter) })
        }
    }
}

fn listed(catalogue: Catalogue) -> OperatorAnswer {
    OperatorAnswer::Apps { apps: catalogue.apps.into_values().collect() }
}

/// The catalogue becomes: what is linked now, and what was registered at run time.
async fn register(office: &Office, now: Millis) -> Result<OperatorAnswer, Refusal> {
    // Rings first: an app that the catalogue names has one.
    for app in office.world.linked.keys() {
        ring(office, app, now).await?;
    }
    for _ in 0..TRIES {
        let catalogue = office.world.apps.all().await?;
        let mut wanted = catalogue.clone();
        wanted.apps.retain(|_, entry| !entry.linked);
        let linked = office.world.linked.iter();
        wanted.apps.extend(linked.map(|(id, app)| (id.clone(), apps::entry(app.manifest(), true))));
        let same = wanted == catalogue;
        if same || office.registry.put_catalogue(&wanted, catalogue.rev).await? == Changed::Yes {
            return Ok(listed(wanted));
        }
    }
    Err(faster("the catalogue"))
}

/// Makes an app's key ring if it has none.
pub(super) async fn ring(office: &Office, app: &AppId, now: Millis) -> Result<(), Refusal> {
    if office.world.keys.current(app, now).await?.is_none() {
        let ring = generate_ring(app.clone(), now, &*office.world.random);
        let stands = office.key_maker.make(&ring).await?;
        office.world.keys.remember(stands, now);
    }
    Ok(())
}

async fn code(
    office: &Office,
    app: AppId,
    site: SiteUrl,
    base_url: &SiteUrl,
    (valid_seconds, replace): (u64, bool),
    now: Millis,
) -> Result<OperatorAnswer, Refusal> {
    if office.world.app(&app, Freshness::Reread, now).await?.is_none() {
        return Err(no_such_app(office, &app).await?);
    }
    private(office, "/operator/site_url", &site)?;
    private(office, "/operator/base_url", base_url)?;
    valid_for(valid_seconds)?;
    ring(office, &app, now).await?;
    let code = codes::generate(&*office.world.random);
    let expires_at = now.saturating_add(valid_seconds.saturating_mul(1_000));
    let kept = InstallCode {
        sha256: Sha256::of(&code),
        app,
        site,
        base_url: base_url.to_string(),
        exp: expires_at,
        install: None,
        spent: false,
        replace,
    };
    office.registry.put_code(&kept).await?;
    Ok(OperatorAnswer::Code { code: code.to_string(), expires_at })
}

/// Says which apps there are.
pub(super) async fn no_such_app(office: &Office, app: &AppId) -> Result<Refusal, Refusal> {
    let catalogue = office.world.apps.all().await?;
    let known = catalogue.apps.values().filter(|entry| !entry.linked).map(|entry| &entry.id);
    let ids: BTreeSet<&AppId> = known.chain(office.world.linked.keys()).collect();
    let ids: Vec<&str> = ids.into_iter().map(AppId::as_str).collect();
    let has = if ids.is_empty() { "no app at all".to_owned() } else { ids.join(", ") };
    let message = format!(
        "There is no app {app} in this bundle; it has {has}. Check the name, deploy a bundle that links it, or register \
         it with `cloud-apps app add`."
    );
    Ok(Refusal::bad_request("/operator/app", message))
}

/// Codes, tokens and secrets travel between these two: over `https`, or without leaving the machine.
pub(super) fn private(office: &Office, pointer: &str, address: &SiteUrl) -> Result<(), Refusal> {
    let url = url::Url::parse(address.as_str()).ok();
    let here = url.as_ref().and_then(url::Url::host).is_some_and(|host| match host {
        url::Host::Domain(name) => name == "localhost" || name.ends_with(".localhost"),
        url::Host::Ipv4(address) => address.is_loopback(),
        url::Host::Ipv6(address) => address.is_loopback(),
    });
    let local_bundle = office.world.http.policy().loopback;
    if here || local_bundle || url.is_some_and(|url| url.scheme() == "https") {
        return Ok(());
    }
    let message =
        format!("{address} does not begin with https, and secrets would travel in clear. Use https.");
    Err(Refusal::bad_request(pointer, message))
}

async fn show(office: &Office, install: &Install, now: Millis) -> Result<OperatorAnswer, Refusal> {
    let teams = office.registry.teams(&install.id).await?;
    let app = office.world.app(&install.app, Freshness::Reread, now).await?;
    let manifest = app.as_ref().map(Known::manifest);
    Ok(OperatorAnswer::Install(Box::new(view::view(manifest, install, &teams))))
}

fn valid_for(seconds: u64) -> Result<(), Refusal> {
    if (1..=codes::MAX_VALID).contains(&seconds) {
        return Ok(());
    }
    let message = format!("A code is good for 1 to {} seconds (24 hours).", codes::MAX_VALID);
    Err(Refusal::bad_request("/operator/valid_seconds", message))
}

/// Makes a manage code.
async fn manage_code(
    office: &Office,
    id: &InstallId,
    valid_seconds: u64,
    now: Millis,
) -> Result<OperatorAnswer, Refusal> {
    let install = found(office, id, now).await?;
    valid_for(valid_seconds)?;
    if let Some(message) = unchangeable(&install) {
        return Err(Refusal::new(Code::VersionConflict, message));
    }
    let code = codes::generate(&*office.world.random);
    let expires_at = now.saturating_add(valid_seconds.saturating_mul(1_000));
    let kept =
        ManageCode { sha256: Sha256::of(&code), install: id.clone(), created_at: now, exp: expires_at };
    office.registry.put_manage_code(&kept).await?;
    Ok(OperatorAnswer::Code { code: code.to_string(), expires_at })
}

/// All manage codes that were made until now are void.
async fn revoke_codes(office: &Office, id: &InstallId, now: Millis) -> Result<OperatorAnswer, Refusal> {
    for _ in 0..TRIES {
        let install = found(office, id, now).await?;
        let revoked = Install { codes_void_until: Some(now), ..(*install).clone() };
        let changed = office.registry.change(&revoked, install.rev).await?;
        office.world.installs.forget(id);
        if changed == Changed::Yes {
            return show(office, &Install { rev: next(install.rev), ..revoked }, now).await;
        }
    }
    Err(faster("this install"))
}

/// Removes an install; of one that was removed a while ago the same answer again.
async fn removed(
    office: &Office,
    id: &InstallId,
    if_match: Option<u64>,
    moment: Moment<'_>,
    line: &mut LogLine,
) -> Result<InstallRemoved, Refusal> {
    let Some(install) = stored(office, id, moment.now).await? else {
        return remove::remembered(office, id, moment.now).await?.ok_or_else(|| unknown(id));
    };
    if if_match.is_some_and(|rev| rev != install.rev) {
        let message = format!(
            "The install was changed since it was read: it is at revision {} now. Nothing was removed; read it again, \
             then decide.",
            install.rev
        );
        return Err(Refusal::new(Code::VersionConflict, message).with("rev", install.rev));
    }
    remove::remove(office, moment, install, true, line).await
}

async fn found(office: &Office, id: &InstallId, now: Millis) -> Result<Arc<Install>, Refusal> {
    stored(office, id, now).await?.ok_or_else(|| unknown(id))
}

fn unknown(id: &InstallId) -> Refusal {
    let message = format!("There is no install {id}. `cloud-apps list APP` shows the installs of an app.");
    Refusal::bad_request("/operator/install_id", message)
}

pub(super) fn faster(what: &str) -> Refusal {
    let message = format!("Others keep changing {what} at the same time. Try again.");
    Refusal { retry_after: Some(1), ..Refusal::new(Code::VersionConflict, message) }
}
