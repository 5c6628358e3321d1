//! The apps of installs.

use crate::{
    apps::{ServedApp, ServedAppError},
    http::Refusal,
    services::Management,
    store::{
        cache::Freshness,
        model::{Install, Sha256},
        ports::Stored,
    },
};
use cloud_apps_protocol::{AppId, Millis};

/// The app that an install is about to agree to, as the store has it now: it must be what the install will name.
pub(crate) async fn to_install<'a>(
    management: &'a Management,
    app: &AppId,
    now: Millis,
) -> Result<ServedApp<'a>, Refusal> {
    let found = management.services.apps.app(app, Freshness::Reread, now).await?;
    Ok(found.ok_or_else(|| ServedAppError::Absent(app.clone()))?)
}

/// The app of an install as its admin agreed to it, or why the app cannot be used. The outer error passes with time.
pub(crate) async fn agreed<'a>(
    management: &'a Management,
    install: &Install,
    now: Millis,
) -> Result<Result<ServedApp<'a>, Refusal>, Refusal> {
    match management.services.apps.agreed(install, now).await {
        Err(error) if error.passes() => Err(error.into()),
        app => Ok(app.map_err(Refusal::from)),
    }
}

/// The version of an app to which its installs can be upgraded. `None`: the bundle does not have the app, or does not trust
/// what is stored of it.
pub(crate) async fn offered<'a>(
    management: &'a Management,
    app: &AppId,
    now: Millis,
) -> Result<Option<ServedApp<'a>>, Refusal> {
    match management.services.apps.app(app, Freshness::Reread, now).await {
        Ok(offered) => Ok(offered),
        Err(error) if error.passes() => Err(error.into()),
        Err(error) => {
            tracing::error!(app = app.as_str(), error = %error, "an app is not offered");
            Ok(None)
        }
    }
}

/// Stores the manifest that an install is about to agree to. The manifest of a registered app is stored already.
pub(crate) async fn keep_manifest(management: &Management, app: &ServedApp<'_>) -> Stored<()> {
    match app {
        ServedApp::Registered(_) => Ok(()),
        ServedApp::Linked { .. } => {
            let text = Sha256::text(app.manifest());
            management.registry.put_manifest(app.id(), &Sha256::of(&text), &text).await
        }
    }
}
