//! The keys and the upstream secret of a registered app.

use crate::{http::Refusal, services::Management, store::model::RegisteredApp};
use cloud_apps_protocol::{AppId, Code, KeyId, Millis, secret::Secret};

/// The key with which new things are made.
pub(super) async fn current_key(
    management: &Management,
    app: &AppId,
    now: Millis,
) -> Result<(KeyId, Secret), Refusal> {
    let key = management.services.keys.current(app, now).await?.ok_or_else(|| without_key(app))?;
    Ok((key.id, key.root))
}

/// Derives the upstream secret that was shown last.
pub(super) async fn upstream(
    management: &Management,
    app: &RegisteredApp,
    now: Millis,
) -> Result<Secret, Refusal> {
    let id = &app.id;
    let root = management.services.keys.root(id, &app.upstream_key, now).await?;
    Ok(root.ok_or_else(|| without_key(id))?.upstream(id, app.upstream_generation))
}

fn without_key(app: &AppId) -> Refusal {
    let message = format!(
        "No key of {app} is in use. Make one with `cloud-apps operator keys rotate {app}`; then try again."
    );
    Refusal::new(Code::Unavailable, message)
}
