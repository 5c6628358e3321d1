//! Which installs depend on a key of a ring.

use super::walk::{self, Seen};
use crate::{
    http::Refusal,
    keys::sealed,
    services::Management,
    store::{model::Install, page::MAX_PAGE, ports::Stored, rules::over},
};
use cloud_apps_protocol::{AppId, Code, InstallId, KeyId, Millis};
use std::collections::BTreeSet;

/// How many installs a refusal names.
const NAMED: usize = 10;

/// An install, and the keys that it depends on.
pub(super) type Dependent = Seen<BTreeSet<KeyId>>;

/// The installs of an app, with the keys that each depends on.
pub(super) async fn list(management: &Management, app: &AppId, now: Millis) -> Stored<Vec<Dependent>> {
    walk::installs(management, app, now, |install| keys(install, now)).await
}

impl Dependent {
    /// Whether it depends on a key. `None`: nobody knows.
    pub(super) fn depends(&self, key: &KeyId) -> Option<bool> {
        self.found.as_ref().map(|keys| keys.contains(key))
    }
}

/// The keys that an install depends on: those with which something was sealed, and those from which its shared secret, the
/// previous one, or the secret of a vendor's webhook is derived.
fn keys(install: &Install, now: Millis) -> BTreeSet<KeyId> {
    let shared = (install.generation.0 != 0).then(|| install.key.clone());
    let before = install.previous_until.filter(|until| !over(*until, now));
    let before = before.and(install.previous_key.clone());
    let webhooks = install.webhooks.values().map(|secret| secret.key.clone());
    sealed::keys(install).chain(shared).chain(before).chain(webhooks).collect()
}

/// Why a key is not revoked without force: installs depend on it, or may depend on it.
pub(super) fn refusal(app: &AppId, key: &KeyId, installs: &[Dependent]) -> Option<Refusal> {
    let which = |depends| installs.iter().filter(move |install| install.depends(key) == depends);
    let (depend, unread) = (which(Some(true)).count(), which(None).count());
    let mut sentences = Vec::new();
    if depend > 0 {
        let depends = match depend {
            1 => format!("1 install of {app} still depends"),
            many => format!("{many} installs of {app} still depend"),
        };
        sentences.push(format!(
            "{depends} on key {key}: {}. Their bots' tokens and passwords could not be \
             opened any more, and the shared secrets of servers that speak V2 and the secrets of vendors' webhooks would be \
             refused. `cloud-apps operator keys rotate {app}` seals the former again within some 15 minutes; `cloud-apps rotate` \
             replaces the latter, and a shared secret that was replaced is accepted for 24 hours.",
            named(which(Some(true)))
        ));
    }
    if unread > 0 {
        sentences.push(format!(
            "What is stored of {unread} installs cannot be read, so nobody knows what they depend on: {}. The log says why.",
            named(which(None))
        ));
    }
    if sentences.is_empty() {
        return None;
    }
    let message = format!("{} Revoke it all the same with --force.", sentences.join(" "));
    let ids: Vec<&str> = which(Some(true))
        .chain(which(None))
        .take(MAX_PAGE)
        .filter_map(|one| one.install.as_ref().map(InstallId::as_str))
        .collect();
    Some(
        Refusal::new(Code::VersionConflict, message)
            .with("installs", depend + unread)
            .with("install_ids", ids),
    )
}

/// The names of some of these installs.
fn named<'a>(installs: impl Iterator<Item = &'a Dependent>) -> String {
    let mut names: Vec<String> = installs
        .map(|one| match &one.install {
            Some(install) => format!("{} ({install})", one.site),
            None => one.site.clone(),
        })
        .collect();
    let more = names.len().saturating_sub(NAMED);
    names.truncate(NAMED);
    let names = names.join(", ");
    if more > 0 { format!("{names} and {more} others") } else { names }
}
