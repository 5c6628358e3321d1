//! `GET /apps`: which apps can be installed from this bundle.

use super::{access, apps};
use crate::{
    http::{Arrival, LogLine, Refusal},
    services::Management,
    store::cache::Freshness,
};
use cloud_apps_protocol::{
    AppId, Manifest,
    install::{AppView, Granted},
    manifest::{BotAccount, Upstream},
};
use std::collections::BTreeMap;

/// `GET /apps`: all apps if the operator made the catalogue public; otherwise the one app for which a code is.
pub(crate) async fn catalogue(
    management: &Management,
    arrival: &Arrival,
    line: &mut LogLine,
) -> Result<Vec<AppView>, Refusal> {
    let services = &management.services;
    if !services.public_catalogue {
        let app = access::app(management, arrival).await?;
        line.app = Some(app.to_string());
        let app = apps::to_install(management, &app, arrival.now).await?;
        return Ok(vec![view(app.manifest())]);
    }
    let mut apps: BTreeMap<AppId, AppView> =
        services.apps.linked.iter().map(|(id, app)| (id.clone(), view(app.manifest()))).collect();
    for id in
        services.apps.store.all().await?.apps.into_keys().filter(|id| !services.apps.linked.contains_key(id))
    {
        match services.apps.app(&id, Freshness::Cached, arrival.now).await {
            Ok(Some(app)) => {
                apps.insert(id, view(app.manifest()));
            }
            Ok(None) => {}
            Err(error) if error.passes() => return Err(error.into()),
            // An app that cannot be installed does not hide the others.
            Err(error) => {
                tracing::error!(app = id.as_str(), error = %error, "an app is not in the public catalogue");
            }
        }
    }
    Ok(apps.into_values().collect())
}

/// An app as an admin sees it before installing it.
pub fn view(manifest: &Manifest) -> AppView {
    let bot = manifest.bot.clone().unwrap_or_else(|| BotAccount {
        username: manifest.id.to_string(),
        display_name: manifest.display_name.clone(),
    });
    AppView {
        id: manifest.id.clone(),
        version: manifest.version.clone(),
        display_name: manifest.display_name.clone(),
        description: manifest.description.clone(),
        homepage_url: manifest.homepage_url.clone(),
        icon: manifest.icon.clone(),
        bot,
        namespace: manifest.namespace().to_owned(),
        requests: Granted::all_of(manifest),
        required_events: manifest.events.iter().filter(|e| e.required).map(|e| e.kind.clone()).collect(),
        settings: manifest.settings.clone(),
        upstream: match manifest.upstream {
            Upstream::Linked => "linked",
            Upstream::Http { .. } => "http",
            Upstream::AwsLambda { .. } => "aws_lambda",
        }
        .to_owned(),
    }
}
