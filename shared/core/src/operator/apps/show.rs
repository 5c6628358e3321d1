//! Showing an app.

use crate::{
    apps::ServedApp,
    http::Refusal,
    install::catalogue::view,
    operator::messages::OperatorAnswer,
    services::Management,
    store::{cache::Freshness, model::RegisteredApp},
};
use cloud_apps_protocol::{AppId, Manifest, Millis, manifest::Upstream, secret::Secret, token::UpstreamKid};
use std::collections::BTreeSet;

/// Shows one app, linked or registered.
pub(crate) async fn show(
    management: &Management,
    app: &AppId,
    now: Millis,
) -> Result<OperatorAnswer, Refusal> {
    match management.services.apps.app(app, Freshness::Reread, now).await? {
        None => Err(no_such_app(management, app).await?),
        Some(linked @ ServedApp::Linked { .. }) => Ok(OperatorAnswer::App {
            app: Box::new(view(linked.manifest())),
            versions: Vec::new(),
            address: None,
            kid: None,
            upstream_secret: None,
            previous_until: None,
        }),
        Some(ServedApp::Registered(registered)) => {
            Ok(answer(&registered.app, &registered.manifest, None, now))
        }
    }
}

/// A registered app as the operator sees it, with a new upstream secret if there is one.
pub(super) fn answer(
    app: &RegisteredApp,
    manifest: &Manifest,
    secret: Option<Secret>,
    now: Millis,
) -> OperatorAnswer {
    let kid = UpstreamKid {
        app: app.id.clone(),
        key: app.upstream_key.clone(),
        generation: app.upstream_generation,
    };
    let previous = app.upstream_previous.as_ref().map(|previous| previous.until);
    OperatorAnswer::App {
        app: Box::new(view(manifest)),
        versions: app.versions.keys().cloned().collect(),
        address: match &manifest.upstream {
            Upstream::Linked => None,
            Upstream::Http { url } => Some(url.clone()),
            Upstream::AwsLambda { function } => Some(function.clone()),
        },
        kid: Some(kid.to_string()),
        upstream_secret: secret.map(|secret| secret.to_base64url().to_string()),
        previous_until: previous.filter(|until| now < *until),
    }
}

/// The refusal of an unknown app. It names the apps of the bundle.
pub(crate) async fn no_such_app(management: &Management, app: &AppId) -> Result<Refusal, Refusal> {
    let catalogue = management.services.apps.store.all().await?;
    let registered = catalogue.apps.values().filter(|entry| !entry.linked).map(|entry| &entry.id);
    let ids: BTreeSet<&AppId> = registered.chain(management.services.apps.linked.keys()).collect();
    let ids: Vec<&str> = ids.into_iter().map(AppId::as_str).collect();
    let has = if ids.is_empty() { "no app at all".to_owned() } else { ids.join(", ") };
    let message = format!(
        "There is no app {app} in this bundle; it has {has}. Check the name, deploy a bundle that links it, or register \
         it with `cloud-apps operator apps add`."
    );
    Ok(Refusal::bad_request("/operator/app", message))
}
