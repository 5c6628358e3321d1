//! The maps of a [`Memory`](super::Memory), and what changes several of them at once.

use super::counts::Counts;
use crate::store::{
    document,
    job::QueueName,
    model::{
        Catalogue, Dead, Install, InstallCode, ManageCode, RegisteredApp, Ring, Sha256, SiteEntry, Team,
    },
    ports::{Changed, StoreError, Stored, Taken},
    rules::{self, ClaimState, UndoStep},
};
use cloud_apps_protocol::{AppId, InstallId, Millis, SiteUrl, TeamId};
use std::collections::{BTreeMap, BTreeSet};

#[derive(Default)]
pub(super) struct Maps {
    pub catalogue: Catalogue,
    pub apps: BTreeMap<AppId, RegisteredApp>,
    pub manifests: BTreeMap<(AppId, Sha256), String>,
    pub codes: BTreeMap<Sha256, InstallCode>,
    pub manage_codes: BTreeMap<Sha256, ManageCode>,
    pub installs: BTreeMap<InstallId, Install>,
    pub teams: BTreeMap<(InstallId, TeamId), Team>,
    pub sites: BTreeMap<(AppId, SiteUrl), SiteEntry>,
    pub spoilt: BTreeSet<InstallId>,
    pub spoilt_sites: BTreeSet<(AppId, SiteUrl)>,
    pub spoilt_teams: BTreeSet<InstallId>,
    pub tokens: BTreeMap<Sha256, InstallId>,
    pub ledger: BTreeMap<String, Entry>,
    pub rings: BTreeMap<AppId, Ring>,
    pub messages: Vec<Message>,
    pub sent: u64,
    pub letters: BTreeMap<(Option<InstallId>, String), Dead>,
    pub counts: Counts,
}

/// What the ledger holds under a key.
#[derive(Debug)]
pub(super) enum Entry {
    Once { exp: Millis },
    Claimed(rules::StoredClaim),
    Value { exp: Millis, value: String },
}

impl Entry {
    pub fn exp(&self) -> Millis {
        match self {
            Entry::Once { exp } | Entry::Value { exp, .. } => *exp,
            Entry::Claimed(claimed) => claimed.exp,
        }
    }
}

/// A message on a queue.
#[derive(Debug)]
pub(super) struct Message {
    pub number: u64,
    pub queue: QueueName,
    pub group: String,
    pub body: String,
    pub sent_at: Millis,
    /// When it can be taken next.
    pub visible_at: Millis,
    pub receives: u32,
}

impl Maps {
    pub fn undo(&mut self, install: &Install, expected: u64) -> Changed {
        match rules::undo(self.installs.get(&install.id), expected) {
            UndoStep::Conflict => return Changed::Conflict,
            UndoStep::Gone => {}
            UndoStep::Mark(stored) | UndoStep::Remove(stored) => {
                self.teams.retain(|(id, _), _| *id != stored.id);
                if let Some(token) = &stored.static_token {
                    self.tokens.remove(token);
                }
                if let Some(code) = rules::code_of(&stored).and_then(|code| self.codes.get_mut(code))
                    && code.install.as_ref() == Some(&stored.id)
                {
                    code.install = None;
                }
                self.installs.remove(&stored.id);
            }
        }
        let site = (install.app.clone(), install.site.clone());
        if self.sites.get(&site).is_some_and(|entry| entry.install == install.id) {
            self.sites.remove(&site);
        }
        Changed::Yes
    }

    /// Writes an install and its static token.
    pub fn write(&mut self, what: &'static str, install: Install) -> Stored<()> {
        if let Some(token) = &install.static_token
            && self.tokens.get(token).is_some_and(|holder| *holder != install.id)
        {
            return Err(StoreError::Corrupt { what, detail: "another install has this static token".into() });
        }
        if let Some(old) = self.installs.get(&install.id).and_then(|old| old.static_token.clone()) {
            self.tokens.remove(&old);
        }
        if let Some(token) = &install.static_token {
            self.tokens.insert(token.clone(), install.id.clone());
        }
        self.installs.insert(install.id.clone(), install);
        Ok(())
    }

    pub fn site(&self, what: &'static str, key: &(AppId, SiteUrl)) -> Stored<Option<SiteEntry>> {
        if self.spoilt_sites.contains(key) {
            document::check_version(what, document::ITEM_VERSION + 1)?;
        }
        Ok(self.sites.get(key).cloned())
    }

    pub fn live(&self, key: &str, now: Millis) -> Option<&Entry> {
        self.ledger.get(key).filter(|entry| !rules::over(entry.exp(), now))
    }

    pub fn end(&mut self, key: &str, attempt: u32, end: ClaimState, keep: Millis, now: Millis) -> bool {
        let Some(Entry::Claimed(claimed)) = self.ledger.get_mut(key) else { return false };
        let may = rules::may_end(Some(claimed), attempt, end, now);
        if may {
            *claimed = rules::StoredClaim { state: end, exp: keep, ..*claimed };
        }
        may
    }

    /// The number of the next message.
    pub fn number(&mut self) -> u64 {
        self.sent = rules::next(self.sent);
        self.sent
    }
}

impl Message {
    pub fn id(&self) -> String {
        self.number.to_string()
    }

    pub fn taken(&self) -> Taken {
        Taken { id: self.id(), body: self.body.clone(), sent_at: self.sent_at, receives: self.receives }
    }

    /// Whether it was taken and is hidden.
    pub fn in_hand(&self, now: Millis) -> bool {
        self.receives > 0 && !rules::over(self.visible_at, now)
    }
}
