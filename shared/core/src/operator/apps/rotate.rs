//! Rotating the upstream secret of a registered app.

use super::{
    bind::bound,
    secret::{self, current_key},
    show::{answer, no_such_app},
};
use crate::{
    apps::ServedAppError,
    http::Refusal,
    operator::messages::OperatorAnswer,
    services::Management,
    store::{
        model::{PreviousUpstream, RegisteredApp},
        ports::{Changed, TRIES},
    },
};
use cloud_apps_protocol::{AppId, Generation, Manifest, Millis};
use std::sync::Arc;

/// How long after a rotation calls are signed with the previous upstream secret, in ms (section 15).
pub const GRACE: Millis = 24 * 60 * 60_000;

/// Makes the next upstream secret. For 24 hours, calls are still signed with the one that the app has; an operator who asks
/// again meanwhile is shown the same next one. With `at_once` the new one is used now, also in the middle of a rotation.
pub(crate) async fn rotate(
    management: &Management,
    app: &AppId,
    at_once: bool,
    now: Millis,
) -> Result<OperatorAnswer, Refusal> {
    for _ in 0..TRIES {
        let Some(stored) = management.services.apps.store.find(app).await? else {
            if management.services.apps.linked.contains_key(app) {
                let message = format!("{app} is linked into this bundle and has no upstream secret.");
                return Err(Refusal::bad_request("/operator/app", message));
            }
            return Err(no_such_app(management, app).await?);
        };
        if !management.services.apps.is_bound(&stored, now).await? {
            return Err(ServedAppError::Unbound(app.clone()).into());
        }
        let manifest = offered(management, &stored).await?;
        let rotating = stored.upstream_previous.as_ref().is_some_and(|previous| now < previous.until);
        let rotated = match (rotating, at_once) {
            (true, false) => {
                let secret = secret::upstream(management, &stored, now).await?;
                return Ok(answer(&stored, &manifest, Some(secret), now));
            }
            (true, true) => RegisteredApp { upstream_previous: None, ..stored.clone() },
            (false, _) => RegisteredApp {
                upstream_key: current_key(management, app, now).await?.0,
                upstream_generation: Generation(stored.upstream_generation.0.saturating_add(1)),
                upstream_previous: (!at_once).then(|| PreviousUpstream {
                    key: stored.upstream_key.clone(),
                    generation: stored.upstream_generation,
                    until: now.saturating_add(GRACE),
                }),
                ..stored.clone()
            },
        };
        let rotated = bound(management, rotated, now).await?;
        // The secret is derived before the item is written, because a secret that cannot be shown helps nobody.
        let secret = secret::upstream(management, &rotated, now).await?;
        if management.registry.put_app(&rotated, stored.rev).await? == Changed::Yes {
            management.services.apps.registered.forget(app);
            return Ok(answer(&rotated, &manifest, Some(secret), now));
        }
    }
    Err(Refusal::conflict("this app"))
}

/// The manifest that new installs get.
async fn offered(management: &Management, app: &RegisteredApp) -> Result<Arc<Manifest>, Refusal> {
    let kept = match app.versions.get(&app.version) {
        Some(sha256) => management.services.apps.registered.manifest(&app.id, sha256).await?,
        None => None,
    };
    kept.ok_or_else(|| ServedAppError::Unbound(app.id.clone()).into())
}
