//! Installs as the store has them now.

use crate::{
    services::Management,
    store::{
        cache::Freshness,
        model::{Install, Sites, UnreadSite},
        ports::Stored,
    },
};
use cloud_apps_protocol::{AppId, InstallId, Millis};
use std::sync::Arc;

/// An install as the store has it now, because a change that follows builds on its revision.
pub(crate) async fn find(
    management: &Management,
    id: &InstallId,
    now: Millis,
) -> Stored<Option<Arc<Install>>> {
    management.services.installs.forget(id);
    management.services.installs.find(id, Freshness::Cached, now).await
}

/// A page of an app's installs. Lines that cannot be read are logged, so that the caller can go on with the others.
pub(crate) async fn list(
    management: &Management,
    app: &AppId,
    limit: usize,
    cursor: Option<&str>,
) -> Stored<Sites> {
    let page = management.registry.list(app, limit, cursor).await?;
    for UnreadSite { site, why } in &page.unread {
        let app = app.as_str();
        tracing::error!(app, site, error = why, "a line of the list of an app's installs cannot be read");
    }
    Ok(page)
}
