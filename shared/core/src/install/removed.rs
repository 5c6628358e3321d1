//! What the ledger remembers of a removed install, so that a request for its removal gets the same answer again.

use crate::{
    services::Management,
    store::{
        document::MAX_VALUE,
        model::{Install, ManageCode},
        ports::Stored,
    },
};
use cloud_apps_protocol::{
    Generation, InstallId, KeyId, Millis,
    install::{InstallRemoved, Registration},
    token::Kid,
};
use serde::{Deserialize, Serialize};

/// How long the answer is remembered, in ms.
const REMEMBERED: Millis = 24 * 3_600_000;

/// A removed install.
#[derive(Serialize, Deserialize)]
pub(crate) struct Gone {
    /// The answer to its removal.
    #[serde(flatten)]
    pub answer: InstallRemoved,
    /// The shared secret that was current at the end. A server that has it may ask for the answer.
    #[serde(default)]
    secret: Option<(KeyId, Generation)>,
    /// Manage codes that were made until then were revoked.
    #[serde(default)]
    codes_void_until: Option<Millis>,
}

impl Gone {
    /// Whether this was the install's last shared secret. A server that has an older one learns nothing of the removal.
    pub fn signed_by(&self, kid: &Kid) -> bool {
        self.secret.as_ref().is_some_and(|(key, generation)| *key == kid.key && *generation == kid.generation)
    }

    /// Whether the code was revoked while the install was there.
    pub fn revoked(&self, code: &ManageCode) -> bool {
        self.codes_void_until.is_some_and(|until| code.created_at <= until)
    }
}

/// The form in which the ledger stores it. The leftovers of a large install do not fit into one value.
#[derive(Serialize, Deserialize)]
struct Kept {
    #[serde(flatten)]
    gone: Gone,
    /// How many other values have its leftovers.
    #[serde(default)]
    parts: usize,
}

/// How many leftovers fit into one value of the ledger. None is longer than a third of a KiB.
const PART: usize = MAX_VALUE / 340;

fn key(install: &InstallId) -> String {
    format!("GONE#{install}")
}

fn part_key(install: &InstallId, part: usize) -> String {
    format!("GONE#{install}#{part}")
}

/// Stores the answer. The value with the number of parts is written last, so where it is found, all parts are there. Of two
/// requests at the same time, the first one's answer is stored; both have the same leftovers.
pub(super) async fn remember(
    management: &Management,
    going: &Install,
    answer: &InstallRemoved,
    now: Millis,
) -> Stored<()> {
    let (ledger, until) = (&management.services.ledger, now.saturating_add(REMEMBERED));
    let gone = Gone {
        answer: answer.clone(),
        secret: Some((going.key.clone(), going.generation)),
        codes_void_until: going.codes_void_until,
    };
    let mut kept = Kept { gone, parts: 0 };
    if answer.leftovers.len() > PART {
        kept.gone.answer.leftovers.clear();
        for (part, leftovers) in answer.leftovers.chunks(PART).enumerate() {
            ledger.put(&part_key(&answer.install_id, part), &text(&leftovers), until, now).await?;
            kept.parts = part.saturating_add(1);
        }
    }
    ledger.put(&key(&answer.install_id), &text(&kept), until, now).await.map(|_| ())
}

/// The value's JSON. It has ids and names only, so it always serialises.
fn text(value: &impl Serialize) -> String {
    serde_json::to_string(value).unwrap_or_default()
}

/// The removed install, for a day after its removal.
pub(crate) async fn remembered(
    management: &Management,
    install: &InstallId,
    now: Millis,
) -> Stored<Option<Gone>> {
    let ledger = &management.services.ledger;
    let Some(kept) = ledger.look(&key(install), now).await? else { return Ok(None) };
    let Ok(Kept { mut gone, parts }) = serde_json::from_str(&kept) else { return Ok(None) };
    let answer = &mut gone.answer;
    for part in 0..parts {
        let kept = ledger.look(&part_key(install, part), now).await?;
        match kept.and_then(|kept| serde_json::from_str::<Vec<Registration>>(&kept).ok()) {
            Some(leftovers) => answer.leftovers.extend(leftovers),
            // It expired a moment before the rest.
            None => answer.more = true,
        }
    }
    Ok(Some(gone))
}
