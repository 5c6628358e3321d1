//! The catalogue: which apps the bundle has.

use super::{
    key_rings,
    manifests::{pin, tidy},
    messages::OperatorAnswer,
};
use crate::{
    http::Refusal,
    services::Management,
    store::{
        model::{Catalogue, CatalogueEntry},
        ports::{Changed, TRIES},
    },
};
use cloud_apps_protocol::{AppId, Manifest, Millis};

/// Puts the linked apps into the catalogue, beside the registered ones, and removes those that are not linked any more.
pub(super) async fn register(management: &Management, now: Millis) -> Result<OperatorAnswer, Refusal> {
    // The key rings come first, so that every app of the catalogue has one.
    for app in management.services.apps.linked.keys() {
        key_rings::make_if_absent(management, app, now).await?;
    }
    for _ in 0..TRIES {
        let catalogue = management.services.apps.store.all().await?;
        let mut wanted = catalogue.clone();
        wanted.apps.retain(|_, entry| !entry.linked);
        let linked = management.services.apps.linked.iter();
        wanted.apps.extend(linked.map(|(id, app)| (id.clone(), entry(app.manifest(), true))));
        let same = wanted == catalogue;
        if same || management.registry.put_catalogue(&wanted, catalogue.rev).await? == Changed::Yes {
            for app in management.services.apps.linked.keys() {
                pin(management, app, now).await?;
                tidy(management, app, now).await?;
            }
            return Ok(listed(wanted));
        }
    }
    Err(Refusal::conflict("the catalogue"))
}

/// Writes a registered app's line in the catalogue, or removes it if there is no manifest. Returns whether there was none
/// before.
pub(super) async fn put(
    management: &Management,
    app: &AppId,
    manifest: Option<&Manifest>,
) -> Result<bool, Refusal> {
    for _ in 0..TRIES {
        let catalogue = management.services.apps.store.all().await?;
        let mut wanted = catalogue.clone();
        let before = match manifest {
            Some(manifest) => wanted.apps.insert(app.clone(), entry(manifest, false)),
            None => wanted.apps.remove(app),
        };
        let same = wanted == catalogue;
        if same || management.registry.put_catalogue(&wanted, catalogue.rev).await? == Changed::Yes {
            management.services.apps.catalogue.forget().await;
            return Ok(before.is_none());
        }
    }
    Err(Refusal::conflict("the catalogue"))
}

/// An app's line in the catalogue.
fn entry(manifest: &Manifest, linked: bool) -> CatalogueEntry {
    CatalogueEntry {
        id: manifest.id.clone(),
        version: manifest.version.clone(),
        display_name: manifest.display_name.clone(),
        icon: manifest.icon.clone(),
        linked,
    }
}

/// The apps of a catalogue.
pub(super) fn listed(catalogue: Catalogue) -> OperatorAnswer {
    OperatorAnswer::Apps { apps: catalogue.apps.into_values().collect() }
}
