//! What operators ask: a direct invocation of the install function with `{"operator":{…}}`, or the local bundle's
//! socket. AWS IAM, or the socket's mode, says who may; there is no admin route and no admin token.
//!
//! `words` has what may be asked and what is answered.

mod words;

pub use words::{KeyView, LetterView, Listed, OperatorAnswer, OperatorRequest, Patch};

use super::{
    absent,
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
    model::{Catalogue, Install, InstallCode, ManageCode, Ring, Sha256},
    ports::Changed,
    refusal::Refusal,
    rules::next,
    upstream::Known,
    world::Office,
};
use cloud_apps_protocol::{
    AppId, Code, ErrorBody, InstallId, Millis, SiteUrl, error::ErrorDetail, install::InstallRemoved,
};
use serde::Deserialize;
use serde_json::Value;
use std::{collections::BTreeSet, sync::Arc};

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
pub(in crate::install) const TRIES: usize = 5;

/// Answers one invocation; never fails, because an error is an answer too. `now` in Unix milliseconds.
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

/// An operator may read the log, and must act on what a store said: a secret that is scheduled for deletion, or a missing
/// permission, does not come right by trying again.
fn error(refusal: Refusal, request_id: &str) -> ErrorBody {
    let said = refusal.chain().filter(|_| matches!(refusal.code, Code::Unavailable | Code::Internal));
    let Refusal { code, message, more, .. } = refusal;
    let message = said.map_or_else(|| message.clone(), |said| format!("{message} The cause: {said}."));
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
            let asked = (install, By::Operator);
            let changed = change::change(office, moment, asked, Match::Rev(if_match), &body, line).await?;
            Ok(OperatorAnswer::Changed { changed: Box::new(changed) })
        }
        OperatorRequest::Remove { install_id, if_match } => Ok(OperatorAnswer::Removed {
            removed: removed(office, &install_id, if_match, moment, line).await?,
        }),
        OperatorRequest::List { app, cursor } => {
            let page = super::listed(office, &app, PAGE, cursor.as_deref()).await?;
            let listed = page.items.into_iter().map(|entry| Listed {
                install_id: entry.install,
                site_url: entry.site,
                created_at: entry.created_at,
            });
            Ok(OperatorAnswer::Installs {
                installs: listed.collect(),
                unread: page.unread,
                cursor: page.cursor,
            })
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
            for app in office.world.linked.keys() {
                apps::pin(office, app, now).await?;
                apps::tidy(office, app, now).await?;
            }
            return Ok(listed(wanted));
        }
    }
    Err(faster("the catalogue"))
}

/// Makes an app's key ring if it has none; whether it had none.
pub(in crate::install) async fn ring(office: &Office, app: &AppId, now: Millis) -> Result<bool, Refusal> {
    if office.world.keys.current(app, now).await?.is_some() {
        return Ok(false);
    }
    let ring = generate_ring(app.clone(), now, &*office.world.random);
    let stands = office.key_maker.make(&ring).await?;
    // Somebody else may have been faster.
    let root = |ring: &Ring| ring.keys.first().map(|key| *key.root.expose());
    let made = root(&stands) == root(&ring);
    office.world.keys.remember(stands, now);
    Ok(made)
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
pub(in crate::install) async fn no_such_app(office: &Office, app: &AppId) -> Result<Refusal, Refusal> {
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
pub(in crate::install) fn private(office: &Office, pointer: &str, address: &SiteUrl) -> Result<(), Refusal> {
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
    let app = match office.world.app_of(install, now).await {
        Err(error) if error.passes() => return Err(error.into()),
        app => app.map_err(Refusal::from).and_then(|app| app.ok_or_else(|| absent(&install.app))),
    };
    let manifest = app.as_ref().map(Known::manifest).map_err(|refusal| refusal.message.as_str());
    let offered = super::offered(office, &install.app, now).await?;
    Ok(OperatorAnswer::Install(Box::new(view::view(manifest, offered.as_ref(), install, &teams))))
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
            let install = Install { rev: next(install.rev), ..revoked };
            // An error now would read as if the codes were still good.
            return Ok(show(office, &install, now).await.unwrap_or_else(|unread| {
                OperatorAnswer::Install(Box::new(view::view(Err(&unread.message), None, &install, &[])))
            }));
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
        let gone = remove::remembered(office, id, moment.now).await?;
        return gone.map(|gone| gone.answer).ok_or_else(|| unknown(id));
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

pub(in crate::install) fn faster(what: &str) -> Refusal {
    let message = format!("Others keep changing {what} at the same time. Try again.");
    Refusal { retry_after: Some(1), ..Refusal::new(Code::VersionConflict, message) }
}
