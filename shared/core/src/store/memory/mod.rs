//! All ports in memory: for tests, and for `sam local`, where a process lives for one request only.
//!
//! There is one lock around plain maps, so every operation is atomic. It decides by [`rules`](crate::store::rules), as the
//! other stores do. It counts operations, so that a test can check that nothing was read.

use crate::store::{
    document,
    model::{
        Catalogue, CatalogueEntry, Install, InstallCode, ManageCode, RegisteredApp, Ring, Sha256, SiteEntry,
        Sites, Team,
    },
    page,
    ports::{
        Apps, Begun, Changed, ClaimAnswer, Installs, KeyMaker, Keys, Ledger, Registry, StoreError, Stored,
    },
    rules::{self, ClaimState, CodeSays, SiteSays},
};
use async_trait::async_trait;
use cloud_apps_protocol::{AppId, InstallId, Millis, SiteUrl, TeamId};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

mod counts;
mod maps;
mod queue;

pub use counts::Counts;

use maps::{Entry, Maps};

/// All ports over one set of maps, which clones share.
#[derive(Clone, Default)]
pub struct Memory(Arc<Mutex<Maps>>);

impl Memory {
    /// An empty store.
    pub fn new() -> Self {
        Self::default()
    }

    /// The counts since it was made or since [`Memory::reset_counts`].
    pub fn counts(&self) -> Counts {
        self.lock().counts.clone()
    }

    /// Counts from 0 again.
    pub fn reset_counts(&self) {
        self.lock().counts = Counts::default();
    }

    /// Puts an install into the store unchanged, with its site and its static token, for a test or a sample.
    pub fn put_install(&self, install: Install) {
        let mut maps = self.lock();
        maps.sites.insert((install.app.clone(), install.site.clone()), rules::site_entry(&install));
        if let Some(token) = &install.static_token {
            maps.tokens.insert(token.clone(), install.id.clone());
        }
        maps.installs.insert(install.id.clone(), install);
    }

    /// Makes an install unreadable, as if a later version of the bundle had written it.
    pub fn spoil_install(&self, install: InstallId) {
        self.lock().spoilt.insert(install);
    }

    /// Makes a site's line in the list of an app's installs unreadable, as if a later version of the bundle had written it.
    pub fn spoil_site(&self, app: AppId, site: SiteUrl) {
        self.lock().spoilt_sites.insert((app, site));
    }

    /// Makes what is registered in an install's teams unreadable, as if a later version of the bundle had written it.
    pub fn spoil_teams(&self, install: InstallId) {
        self.lock().spoilt_teams.insert(install);
    }

    /// Puts a team's registrations into the store.
    pub fn put_registered(&self, install: InstallId, team: TeamId, registered: Team) {
        self.lock().teams.insert((install, team), registered);
    }

    /// Puts a registered app into the store.
    pub fn put_app(&self, app: RegisteredApp) {
        self.lock().apps.insert(app.id.clone(), app);
    }

    /// Puts a text into the place of a manifest.
    pub fn put_text(&self, app: AppId, sha256: Sha256, text: String) {
        self.lock().manifests.insert((app, sha256), text);
    }

    /// Puts an app into the catalogue, as an operator's `register` does.
    pub fn put_catalogue_entry(&self, entry: CatalogueEntry) {
        self.lock().catalogue.apps.insert(entry.id.clone(), entry);
    }

    /// Replaces an app's key ring.
    pub fn put_ring(&self, ring: Ring) {
        self.lock().rings.insert(ring.app.clone(), ring);
    }

    /// How many installs, teams, sites, static tokens and dead letters there are: 0 after everything was removed.
    pub fn kept(&self) -> usize {
        let maps = self.lock();
        maps.installs.len() + maps.teams.len() + maps.sites.len() + maps.tokens.len() + maps.letters.len()
    }

    /// Everything in its tables, as somebody who can read them would see it. Key rings are not in the tables.
    pub fn dump(&self) -> String {
        let maps = self.lock();
        let Maps {
            catalogue,
            apps,
            manifests,
            codes,
            manage_codes,
            installs,
            teams,
            sites,
            spoilt: _,
            spoilt_sites: _,
            spoilt_teams: _,
            tokens,
            ledger,
            rings: _,
            messages,
            sent: _,
            letters,
            counts: _,
        } = &*maps;
        let bodies: Vec<_> = letters.values().map(|letter| (letter, &letter.body)).collect();
        format!(
            "{catalogue:?}{apps:?}{manifests:?}{codes:?}{manage_codes:?}{installs:?}{teams:?}{sites:?}{tokens:?}{ledger:?}\
             {messages:?}{bodies:?}"
        )
    }

    fn lock(&self) -> MutexGuard<'_, Maps> {
        // Every change below is made after its checks, so a panic elsewhere leaves whole values.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn reading(&self, what: &'static str) -> MutexGuard<'_, Maps> {
        let mut maps = self.lock();
        *maps.counts.reads.entry(what).or_default() += 1;
        maps
    }

    fn writing(&self, what: &'static str) -> MutexGuard<'_, Maps> {
        let mut maps = self.lock();
        *maps.counts.writes.entry(what).or_default() += 1;
        maps
    }
}

#[async_trait]
impl Installs for Memory {
    async fn find(&self, install: &InstallId) -> Stored<Option<Install>> {
        const WHAT: &str = "Installs.find";
        let maps = self.reading(WHAT);
        if maps.spoilt.contains(install) {
            return document::check_version(WHAT, document::ITEM_VERSION.saturating_add(1)).map(|()| None);
        }
        Ok(maps.installs.get(install).cloned())
    }

    async fn find_with_team(
        &self,
        install: &InstallId,
        team: &TeamId,
    ) -> Stored<(Option<Install>, Option<Team>)> {
        let maps = self.reading("Installs.find_with_team");
        let registered = maps.teams.get(&(install.clone(), team.clone())).cloned();
        Ok((maps.installs.get(install).cloned(), registered))
    }

    async fn find_static_token(&self, sha256: &Sha256) -> Stored<Option<InstallId>> {
        Ok(self.reading("Installs.find_static_token").tokens.get(sha256).cloned())
    }
}

#[async_trait]
impl Apps for Memory {
    async fn all(&self) -> Stored<Catalogue> {
        Ok(self.reading("Apps.all").catalogue.clone())
    }

    async fn find(&self, app: &AppId) -> Stored<Option<RegisteredApp>> {
        Ok(self.reading("Apps.find").apps.get(app).cloned())
    }

    async fn manifest(&self, app: &AppId, sha256: &Sha256) -> Stored<Option<String>> {
        Ok(self.reading("Apps.manifest").manifests.get(&(app.clone(), sha256.clone())).cloned())
    }
}

#[async_trait]
impl Registry for Memory {
    async fn put_catalogue(&self, catalogue: &Catalogue, expected: u64) -> Stored<Changed> {
        let mut maps = self.writing("Registry.put_catalogue");
        document::write("Registry.put_catalogue", catalogue)?;
        if maps.catalogue.rev != expected {
            return Ok(Changed::Conflict);
        }
        maps.catalogue = Catalogue { rev: rules::next(expected), ..catalogue.clone() };
        Ok(Changed::Yes)
    }

    async fn put_code(&self, code: &InstallCode) -> Stored<()> {
        self.writing("Registry.put_code").codes.insert(code.sha256.clone(), code.clone());
        Ok(())
    }

    async fn code(&self, sha256: &Sha256) -> Stored<Option<InstallCode>> {
        Ok(self.reading("Registry.code").codes.get(sha256).cloned())
    }

    async fn put_manage_code(&self, code: &ManageCode) -> Stored<()> {
        self.writing("Registry.put_manage_code").manage_codes.insert(code.sha256.clone(), code.clone());
        Ok(())
    }

    async fn manage_code(&self, sha256: &Sha256) -> Stored<Option<ManageCode>> {
        Ok(self.reading("Registry.manage_code").manage_codes.get(sha256).cloned())
    }

    async fn put_app(&self, app: &RegisteredApp, expected: u64) -> Stored<Changed> {
        const WHAT: &str = "Registry.put_app";
        let mut maps = self.writing(WHAT);
        document::write(WHAT, app)?;
        let id = &app.id;
        if maps.apps.get(id).map_or(0, |stored| stored.rev) != expected {
            return Ok(Changed::Conflict);
        }
        maps.apps.insert(id.clone(), RegisteredApp { rev: rules::next(expected), ..app.clone() });
        Ok(Changed::Yes)
    }

    async fn remove_app(&self, app: &AppId, expected: u64) -> Stored<Changed> {
        let mut maps = self.writing("Registry.remove_app");
        match maps.apps.get(app) {
            None => Ok(Changed::Yes),
            Some(stored) if stored.rev == expected => {
                maps.apps.remove(app);
                Ok(Changed::Yes)
            }
            Some(_) => Ok(Changed::Conflict),
        }
    }

    async fn put_manifest(&self, app: &AppId, sha256: &Sha256, text: &str) -> Stored<()> {
        const WHAT: &str = "Registry.put_manifest";
        document::check_text(WHAT, text)?;
        self.writing(WHAT).manifests.insert((app.clone(), sha256.clone()), text.to_owned());
        Ok(())
    }

    async fn manifests(&self, app: &AppId) -> Stored<Vec<Sha256>> {
        let maps = self.reading("Registry.manifests");
        let of = maps.manifests.keys().filter(|(id, _)| id == app);
        Ok(of.map(|(_, sha256)| sha256.clone()).collect())
    }

    async fn remove_manifest(&self, app: &AppId, sha256: &Sha256) -> Stored<()> {
        self.writing("Registry.remove_manifest").manifests.remove(&(app.clone(), sha256.clone()));
        Ok(())
    }

    async fn site(&self, app: &AppId, site: &SiteUrl) -> Stored<Option<SiteEntry>> {
        const WHAT: &str = "Registry.site";
        self.reading(WHAT).site(WHAT, &(app.clone(), site.clone()))
    }

    async fn begin(&self, install: &Install, now: Millis) -> Stored<Begun> {
        const WHAT: &str = "Registry.begin";
        let mut maps = self.writing(WHAT);
        document::write(WHAT, install)?;
        let Some(sha256) = rules::code_of(install) else {
            return Err(StoreError::Corrupt { what: WHAT, detail: "a new install must be pending".into() });
        };
        match rules::code_says(maps.codes.get(sha256), install, now) {
            CodeSays::Good => {}
            CodeSays::Refused => return Ok(Begun::CodeRefused),
            CodeSays::Again(id) => return Ok(Begun::Again(id)),
        }
        let site = (install.app.clone(), install.site.clone());
        let entry = maps.site(WHAT, &site)?;
        let holder = entry.as_ref().and_then(|entry| maps.installs.get(&entry.install)).cloned();
        match rules::site_says(entry.as_ref(), holder.as_ref(), now) {
            SiteSays::Free => {}
            SiteSays::Held(entry) => return Ok(Begun::AlreadyInstalled(entry)),
            SiteSays::Abandoned(_) => {
                if let Some(holder) = holder {
                    maps.undo(&holder, holder.rev);
                }
            }
        }
        if maps.installs.contains_key(&install.id) {
            return Err(StoreError::Corrupt {
                what: WHAT,
                detail: "there is an install with this id already".into(),
            });
        }
        maps.write(WHAT, install.clone())?;
        maps.sites.insert(site, rules::site_entry(install));
        if let Some(code) = maps.codes.get_mut(sha256) {
            code.install = Some(install.id.clone());
        }
        Ok(Begun::Created)
    }

    async fn change(&self, install: &Install, expected: u64) -> Stored<Changed> {
        const WHAT: &str = "Registry.change";
        let mut maps = self.writing(WHAT);
        document::write(WHAT, install)?;
        if !rules::may_change(maps.installs.get(&install.id), expected) {
            return Ok(Changed::Conflict);
        }
        maps.write(WHAT, Install { rev: rules::next(expected), ..install.clone() })?;
        Ok(Changed::Yes)
    }

    async fn put_team(&self, install: &InstallId, team: &TeamId, registered: &Team) -> Stored<()> {
        let mut maps = self.writing("Registry.put_team");
        document::write("Registry.put_team", registered)?;
        if rules::may_register(maps.installs.get(install)) {
            let key = (install.clone(), team.clone());
            if *registered == Team::default() {
                maps.teams.remove(&key);
            } else {
                maps.teams.insert(key, registered.clone());
            }
        }
        Ok(())
    }

    async fn teams(&self, install: &InstallId) -> Stored<Vec<(TeamId, Team)>> {
        const WHAT: &str = "Registry.teams";
        let maps = self.reading(WHAT);
        if maps.spoilt_teams.contains(install) {
            document::check_version(WHAT, document::ITEM_VERSION + 1)?;
        }
        let of = maps.teams.iter().filter(|((id, _), _)| id == install);
        Ok(of
            .map(|((_, team), registered)| (team.clone(), registered.clone()))
            .take(page::MAX_TEAMS)
            .collect())
    }

    async fn activate(
        &self,
        install: &Install,
        expected: u64,
        code: &Sha256,
        now: Millis,
    ) -> Stored<Changed> {
        const WHAT: &str = "Registry.activate";
        let mut maps = self.writing(WHAT);
        document::write(WHAT, install)?;
        let stored = maps.installs.get(&install.id);
        if !rules::may_activate(stored, expected, maps.codes.get(code), now) {
            return Ok(Changed::Conflict);
        }
        maps.write(WHAT, Install { rev: rules::next(expected), ..install.clone() })?;
        if let Some(code) = maps.codes.get_mut(code) {
            code.spent = true;
        }
        Ok(Changed::Yes)
    }

    async fn undo(&self, install: &Install, expected: u64) -> Stored<Changed> {
        Ok(self.writing("Registry.undo").undo(install, expected))
    }

    async fn list(&self, app: &AppId, limit: usize, cursor: Option<&str>) -> Stored<Sites> {
        const WHAT: &str = "Registry.list";
        let maps = self.reading(WHAT);
        let after = cursor.map(|cursor| page::site_of_cursor(WHAT, cursor)).transpose()?;
        let limit = limit.clamp(1, page::MAX_PAGE);
        let all = maps.sites.keys().filter(|(of, _)| of == app);
        let rest = all.filter(|(_, site)| after.as_ref().is_none_or(|after| site > after));
        let read =
            |key: &(AppId, SiteUrl)| maps.site(WHAT, key).transpose().map(|read| (key.1.to_string(), read));
        page::of_sites(WHAT, rest.filter_map(read).take(limit + 1).collect(), limit)
    }
}

#[async_trait]
impl Ledger for Memory {
    async fn once(&self, key: &str, until: Millis, now: Millis) -> Stored<bool> {
        let mut maps = self.writing("Ledger.once");
        let free = maps.live(key, now).is_none();
        if free {
            maps.ledger.insert(key.to_owned(), Entry::Once { exp: until });
        }
        Ok(free)
    }

    async fn claim(
        &self,
        key: &str,
        attempt: u32,
        lease: u64,
        keep: Millis,
        now: Millis,
    ) -> Stored<ClaimAnswer> {
        const WHAT: &str = "Ledger.claim";
        let mut maps = self.writing(WHAT);
        let stored = match maps.live(key, now) {
            None => None,
            Some(Entry::Claimed(claimed)) => Some(*claimed),
            Some(_) => {
                return Err(StoreError::Corrupt { what: WHAT, detail: "the key holds no claim".into() });
            }
        };
        let answer = rules::claim(stored.as_ref(), attempt, now);
        if answer == ClaimAnswer::Mine {
            let lease = rules::lease_until(lease, now);
            let claimed = rules::StoredClaim { attempt, state: ClaimState::Running, lease, exp: keep };
            maps.ledger.insert(key.to_owned(), Entry::Claimed(claimed));
        }
        Ok(answer)
    }

    async fn done(&self, key: &str, attempt: u32, keep: Millis, now: Millis) -> Stored<bool> {
        Ok(self.writing("Ledger.done").end(key, attempt, ClaimState::Done, keep, now))
    }

    async fn again(&self, key: &str, attempt: u32, keep: Millis, now: Millis) -> Stored<bool> {
        Ok(self.writing("Ledger.again").end(key, attempt, ClaimState::Again, keep, now))
    }

    async fn forget(&self, key: &str, now: Millis) -> Stored<bool> {
        let mut maps = self.writing("Ledger.forget");
        let claimed = match maps.live(key, now) {
            Some(Entry::Claimed(claimed)) => Some(*claimed),
            _ => None,
        };
        let may = rules::may_forget(claimed.as_ref(), now);
        if may {
            maps.ledger.remove(key);
        }
        Ok(may)
    }

    async fn put(&self, key: &str, value: &str, until: Millis, now: Millis) -> Stored<bool> {
        let mut maps = self.writing("Ledger.put");
        document::check_value("Ledger.put", value)?;
        let free = maps.live(key, now).is_none();
        if free {
            maps.ledger.insert(key.to_owned(), Entry::Value { exp: until, value: value.to_owned() });
        }
        Ok(free)
    }

    async fn look(&self, key: &str, now: Millis) -> Stored<Option<String>> {
        Ok(match self.reading("Ledger.look").live(key, now) {
            Some(Entry::Value { value, .. }) => Some(value.clone()),
            _ => None,
        })
    }

    async fn take(&self, key: &str, now: Millis) -> Stored<Option<String>> {
        let mut maps = self.writing("Ledger.take");
        if !matches!(maps.live(key, now), Some(Entry::Value { .. })) {
            return Ok(None);
        }
        match maps.ledger.remove(key) {
            Some(Entry::Value { value, .. }) => Ok(Some(value)),
            _ => Ok(None),
        }
    }
}

#[async_trait]
impl Keys for Memory {
    async fn ring(&self, app: &AppId) -> Stored<Option<Ring>> {
        let mut maps = self.lock();
        *maps.counts.secrets.entry("Keys.ring").or_default() += 1;
        Ok(maps.rings.get(app).cloned())
    }
}

#[async_trait]
impl KeyMaker for Memory {
    async fn make(&self, ring: &Ring) -> Stored<Ring> {
        let mut maps = self.writing("KeyMaker.make");
        Ok(maps.rings.entry(ring.app.clone()).or_insert_with(|| ring.clone()).clone())
    }

    async fn replace(&self, ring: &Ring) -> Stored<()> {
        self.writing("KeyMaker.replace").rings.insert(ring.app.clone(), ring.clone());
        Ok(())
    }
}
