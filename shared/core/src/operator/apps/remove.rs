//! Removing a registered app.

use super::show::no_such_app;
use crate::{
    http::Refusal,
    install::stored,
    operator::catalogue,
    services::Management,
    store::ports::{Changed, TRIES},
};
use cloud_apps_protocol::{AppId, Code};

/// How many installs a refusal names.
const NAMED: usize = 5;

/// Removes an app that is installed nowhere. Its key ring stays, because posts may have something that was sealed with it.
pub(crate) async fn remove(management: &Management, app: &AppId) -> Result<(), Refusal> {
    if management.services.apps.linked.contains_key(app) {
        let message = format!(
            "{app} is linked into this bundle. Deploy a bundle that does not link it, then `cloud-apps operator register`."
        );
        return Err(Refusal::bad_request("/operator/app", message));
    }
    let installs = stored::list(management, app, NAMED, None).await?;
    if !installs.items.is_empty() {
        let named = installs.items.iter().map(|entry| format!("{} ({})", entry.site, entry.install));
        let named = named.collect::<Vec<_>>().join(", ");
        let more = if installs.cursor.is_some() { " and others" } else { "" };
        let message = format!(
            "{app} is installed on {named}{more}, so it stays. Uninstall it there first (`cloud-apps uninstall ID`); then \
             try again."
        );
        let ids: Vec<&str> = installs.items.iter().map(|entry| entry.install.as_str()).collect();
        return Err(Refusal::new(Code::AlreadyInstalled, message).with("installs", ids));
    }
    if !installs.unread.is_empty() {
        let sites: Vec<&str> = installs.unread.iter().map(|unread| unread.site.as_str()).collect();
        let message = format!(
            "What is stored of the installs of {app} on {} cannot be read, so {app} stays: it may be installed there. The \
             log says why.",
            sites.join(", ")
        );
        return Err(Refusal::new(Code::AlreadyInstalled, message).with("unread", sites));
    }
    let listed = !catalogue::put(management, app, None).await?;
    for sha256 in management.registry.manifests(app).await? {
        management.registry.remove_manifest(app, &sha256).await?;
    }
    for _ in 0..TRIES {
        let Some(stored) = management.services.apps.store.find(app).await? else {
            // An earlier try may have come as far as this.
            return if listed { Ok(()) } else { Err(no_such_app(management, app).await?) };
        };
        if management.registry.remove_app(app, stored.rev).await? == Changed::Yes {
            management.services.apps.registered.forget(app);
            return Ok(());
        }
    }
    Err(Refusal::conflict("this app"))
}
