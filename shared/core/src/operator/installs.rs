//! Installs as operators see and remove them.

use super::messages::{Listed, OperatorAnswer};
use crate::{
    apps::ServedApp,
    http::{LogLine, Refusal},
    install::{RequestInfo, apps, remove, removed::remembered, stored, view},
    services::Management,
    store::model::Install,
};
use cloud_apps_protocol::{AppId, Code, InstallId, Millis, install::InstallRemoved};
use std::sync::Arc;

/// How many installs a page has.
const PAGE: usize = 100;

/// Finds an install.
pub(super) async fn find(
    management: &Management,
    id: &InstallId,
    now: Millis,
) -> Result<Arc<Install>, Refusal> {
    stored::find(management, id, now).await?.ok_or_else(|| unknown(id))
}

/// The installs of an app, page by page.
pub(super) async fn list(
    management: &Management,
    app: &AppId,
    cursor: Option<&str>,
) -> Result<OperatorAnswer, Refusal> {
    let page = stored::list(management, app, PAGE, cursor).await?;
    let installs = page.items.into_iter().map(|entry| Listed {
        install_id: entry.install,
        site_url: entry.site,
        created_at: entry.created_at,
    });
    Ok(OperatorAnswer::Installs { installs: installs.collect(), unread: page.unread, cursor: page.cursor })
}

/// Shows an install.
pub(super) async fn show(
    management: &Management,
    install: &Install,
    now: Millis,
) -> Result<OperatorAnswer, Refusal> {
    let teams = management.registry.teams(&install.id).await?;
    let app = apps::agreed(management, install, now).await?;
    let manifest = app.as_ref().map(ServedApp::manifest).map_err(|refusal| refusal.message.as_str());
    let offered = apps::offered(management, &install.app, now).await?;
    Ok(OperatorAnswer::Install(Box::new(view::view(manifest, offered.as_ref(), install, &teams))))
}

/// Shows an install. If something else cannot be read now, the reason is shown instead.
pub(super) async fn show_what_can_be_read(
    management: &Management,
    install: &Install,
    now: Millis,
) -> OperatorAnswer {
    show(management, install, now).await.unwrap_or_else(|refusal| {
        OperatorAnswer::Install(Box::new(view::view(Err(&refusal.message), None, install, &[])))
    })
}

/// Removes an install. For an install that was removed already, gives the same answer again.
pub(super) async fn remove(
    management: &Management,
    id: &InstallId,
    if_match: Option<u64>,
    request_info: RequestInfo<'_>,
    line: &mut LogLine,
) -> Result<InstallRemoved, Refusal> {
    let Some(install) = stored::find(management, id, request_info.now).await? else {
        let gone = remembered(management, id, request_info.now).await?;
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

fn unknown(id: &InstallId) -> Refusal {
    let message = format!("There is no install {id}. `cloud-apps list APP` shows the installs of an app.");
    Refusal::bad_request("/operator/install_id", message)
}
