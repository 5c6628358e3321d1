//! What operators ask: a direct invocation of the install function with `{"operator":{…}}`, or the local bundle's
//! socket. AWS IAM, or the socket's mode, says who may; there is no admin route and no admin token.
//!
//! `words` has what may be asked and what is answered.

use super::{
    apps::{self, no_such_app},
    conflict::{TRIES, faster},
    dead_letters,
    key_rings::{self, ring},
    words::{Listed, OperatorAnswer, OperatorRequest, Patch},
};
use crate::{
    apps::ServedApp,
    http::{LogLine, Refusal},
    install::{
        self, RequestInfo, absent,
        access::By,
        change::{self, Match},
        codes, private, remove,
        state::unchangeable,
        stored, view,
    },
    services::Management,
    store::{
        cache::Freshness,
        model::{Catalogue, Install, InstallCode, ManageCode, Sha256},
        ports::Changed,
        rules::next,
    },
};
use cloud_apps_protocol::{
    AppId, Code, ErrorBody, InstallId, Millis, SiteUrl, error::ErrorDetail, install::InstallRemoved,
};
use serde::Deserialize;
use serde_json::Value;
use std::sync::Arc;

/// Whether an invocation is an operator's: one key, `operator`. An event of API Gateway has a dozen keys of its own,
/// and whatever a stranger sends stands below them, so no HTTP request can look like this.
pub fn is_operator(event: &Value) -> bool {
    event.as_object().is_some_and(|keys| keys.len() == 1 && keys.contains_key("operator"))
}

/// How long a request may take, in ms: the install function's time limit (docs/architecture.md#functions-and-the-template).
const PATIENCE: Millis = 29_000;
/// How many installs stand on a page.
const PAGE: usize = 100;
/// Answers one invocation; never fails, because an error is an answer too. `now` in Unix milliseconds.
pub async fn handle(management: &Management, request: Value, now: Millis, request_id: &str) -> Value {
    let read = read(&request);
    let what = read.as_ref().map_or("unreadable", OperatorRequest::name);
    let mut line = LogLine::apart("operator", request_id, None);
    let request_info = RequestInfo { now, deadline: now.saturating_add(PATIENCE), request_id };
    let outcome = match read {
        Ok(request) => run(management, request, request_info, &mut line).await,
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
    management: &Management,
    request: OperatorRequest,
    request_info: RequestInfo<'_>,
    line: &mut LogLine,
) -> Result<OperatorAnswer, Refusal> {
    let now = request_info.now;
    match request {
        OperatorRequest::Register {} => register(management, now).await,
        OperatorRequest::Apps {} => Ok(listed(management.services.apps.store.all().await?)),
        OperatorRequest::Code { app, site_url, base_url, valid_seconds, replace } => {
            code(management, app, site_url, &base_url, (valid_seconds, replace), now).await
        }
        OperatorRequest::Keys { app } => {
            Ok(OperatorAnswer::Keys { keys: key_rings::list(management, &app, now).await? })
        }
        OperatorRequest::RotateKeys { app } => {
            Ok(OperatorAnswer::Keys { keys: key_rings::rotate(management, &app, now).await? })
        }
        OperatorRequest::RevokeKey { app, key, force } => {
            Ok(OperatorAnswer::Keys { keys: key_rings::revoke(management, &app, &key, force, now).await? })
        }
        OperatorRequest::App { app } => apps::show(management, &app, now).await,
        OperatorRequest::AddApp { manifest } => apps::add(management, &manifest, now).await,
        OperatorRequest::RemoveApp { app } => {
            apps::remove(management, &app).await?;
            Ok(listed(management.services.apps.store.all().await?))
        }
        OperatorRequest::RotateUpstream { app, at_once } => {
            apps::rotate(management, &app, at_once, now).await
        }
        OperatorRequest::ManageCode { install_id, valid_seconds } => {
            manage_code(management, &install_id, valid_seconds, now).await
        }
        OperatorRequest::RevokeManageCodes { install_id } => revoke_codes(management, &install_id, now).await,
        OperatorRequest::Change { install_id, patch: Patch(body), if_match } => {
            let install = found(management, &install_id, now).await?;
            let asked = (install, By::Operator);
            let changed =
                change::change(management, request_info, asked, Match::Rev(if_match), &body, line).await?;
            Ok(OperatorAnswer::Changed { changed: Box::new(changed) })
        }
        OperatorRequest::Remove { install_id, if_match } => Ok(OperatorAnswer::Removed {
            removed: removed(management, &install_id, if_match, request_info, line).await?,
        }),
        OperatorRequest::List { app, cursor } => {
            let page = install::listed(management, &app, PAGE, cursor.as_deref()).await?;
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
            let install = found(management, &install_id, now).await?;
            show(management, &install, now).await
        }
        OperatorRequest::DeadLetters { install_id, cursor } => {
            let page = dead_letters::list(management, install_id.as_ref(), cursor.as_deref()).await?;
            let dead_letters = page.items.into_iter().map(dead_letters::view).collect();
            Ok(OperatorAnswer::DeadLetters { dead_letters, cursor: page.cursor })
        }
        OperatorRequest::SendBack { install_id, id } => {
            let letter = dead_letters::send_back(management, install_id.as_ref(), &id, now).await?;
            Ok(OperatorAnswer::DeadLetter { dead_letter: dead_letters::view(letter) })
        }
        OperatorRequest::Discard { install_id, id } => {
            let letter = dead_letters::discard(management, install_id.as_ref(), &id).await?;
            Ok(OperatorAnswer::DeadLetter { dead_letter: dead_letters::view(letter) })
        }
    }
}

fn listed(catalogue: Catalogue) -> OperatorAnswer {
    OperatorAnswer::Apps { apps: catalogue.apps.into_values().collect() }
}

/// The catalogue becomes: what is linked now, and what was registered at run time.
async fn register(management: &Management, now: Millis) -> Result<OperatorAnswer, Refusal> {
    // Rings first: an app that the catalogue names has one.
    for app in management.services.apps.linked.keys() {
        ring(management, app, now).await?;
    }
    for _ in 0..TRIES {
        let catalogue = management.services.apps.store.all().await?;
        let mut wanted = catalogue.clone();
        wanted.apps.retain(|_, entry| !entry.linked);
        let linked = management.services.apps.linked.iter();
        wanted.apps.extend(linked.map(|(id, app)| (id.clone(), apps::entry(app.manifest(), true))));
        let same = wanted == catalogue;
        if same || management.registry.put_catalogue(&wanted, catalogue.rev).await? == Changed::Yes {
            for app in management.services.apps.linked.keys() {
                apps::pin(management, app, now).await?;
                apps::tidy(management, app, now).await?;
            }
            return Ok(listed(wanted));
        }
    }
    Err(faster("the catalogue"))
}

async fn code(
    management: &Management,
    app: AppId,
    site: SiteUrl,
    base_url: &SiteUrl,
    (valid_seconds, replace): (u64, bool),
    now: Millis,
) -> Result<OperatorAnswer, Refusal> {
    if management.services.apps.app(&app, Freshness::Reread, now).await?.is_none() {
        return Err(no_such_app(management, &app).await?);
    }
    private(management, "/operator/site_url", &site)?;
    private(management, "/operator/base_url", base_url)?;
    valid_for(valid_seconds)?;
    ring(management, &app, now).await?;
    let code = codes::generate(&*management.services.random);
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
    management.registry.put_code(&kept).await?;
    Ok(OperatorAnswer::Code { code: code.to_string(), expires_at })
}

async fn show(management: &Management, install: &Install, now: Millis) -> Result<OperatorAnswer, Refusal> {
    let teams = management.registry.teams(&install.id).await?;
    let app = match management.services.apps.app_of(install, now).await {
        Err(error) if error.passes() => return Err(error.into()),
        app => app.map_err(Refusal::from).and_then(|app| app.ok_or_else(|| absent(&install.app))),
    };
    let manifest = app.as_ref().map(ServedApp::manifest).map_err(|refusal| refusal.message.as_str());
    let offered = install::offered(management, &install.app, now).await?;
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
    management: &Management,
    id: &InstallId,
    valid_seconds: u64,
    now: Millis,
) -> Result<OperatorAnswer, Refusal> {
    let install = found(management, id, now).await?;
    valid_for(valid_seconds)?;
    if let Some(message) = unchangeable(&install) {
        return Err(Refusal::new(Code::VersionConflict, message));
    }
    let code = codes::generate(&*management.services.random);
    let expires_at = now.saturating_add(valid_seconds.saturating_mul(1_000));
    let kept =
        ManageCode { sha256: Sha256::of(&code), install: id.clone(), created_at: now, exp: expires_at };
    management.registry.put_manage_code(&kept).await?;
    Ok(OperatorAnswer::Code { code: code.to_string(), expires_at })
}

/// All manage codes that were made until now are void.
async fn revoke_codes(
    management: &Management,
    id: &InstallId,
    now: Millis,
) -> Result<OperatorAnswer, Refusal> {
    for _ in 0..TRIES {
        let install = found(management, id, now).await?;
        let revoked = Install { codes_void_until: Some(now), ..(*install).clone() };
        let changed = management.registry.change(&revoked, install.rev).await?;
        management.services.installs.forget(id);
        if changed == Changed::Yes {
            let install = Install { rev: next(install.rev), ..revoked };
            // An error now would read as if the codes were still good.
            return Ok(show(management, &install, now).await.unwrap_or_else(|unread| {
                OperatorAnswer::Install(Box::new(view::view(Err(&unread.message), None, &install, &[])))
            }));
        }
    }
    Err(faster("this install"))
}

/// Removes an install; of one that was removed a while ago the same answer again.
async fn removed(
    management: &Management,
    id: &InstallId,
    if_match: Option<u64>,
    request_info: RequestInfo<'_>,
    line: &mut LogLine,
) -> Result<InstallRemoved, Refusal> {
    let Some(install) = stored(management, id, request_info.now).await? else {
        let gone = remove::remembered(management, id, request_info.now).await?;
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
    remove::remove(management, request_info, install, true, line).await
}

async fn found(management: &Management, id: &InstallId, now: Millis) -> Result<Arc<Install>, Refusal> {
    stored(management, id, now).await?.ok_or_else(|| unknown(id))
}

fn unknown(id: &InstallId) -> Refusal {
    let message = format!("There is no install {id}. `cloud-apps list APP` shows the installs of an app.");
    Refusal::bad_request("/operator/install_id", message)
}
