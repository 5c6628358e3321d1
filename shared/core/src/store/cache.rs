//! Installs behind a cache (architecture, section 4): 60 s (0 switches it off), stale up to 10 minutes while the store
//! fails, absent installs 30 s and 1,000 entries, LRU of 4,000 installs. So a removal takes up to 60 s everywhere.
//!
//! What is there and what is absent are cached apart: whoever guesses ids cannot push out real installs.
//! Requests that miss at the same moment each read; a Lambda environment serves one at a time, and a lock that makes
//! the others wait would make them wait for a store that fails, one after the other.

use crate::store::{
    model::{Install, Sha256, Team},
    ports::{Installs, Stored},
    recent::Recent,
};
use cloud_apps_protocol::{InstallId, Millis, TeamId};
use std::{
    hash::Hash,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// How many of each kind are kept.
const FOUND: usize = 4_000;
/// How many absences of each kind are kept.
const ABSENT: usize = 1_000;
/// How long an absence is believed.
const KEEP_ABSENT: Millis = 30_000;
/// How old an item may become while the store fails.
const STALE: Millis = 10 * 60_000;
/// How long a failing store is left alone where there is something stale to answer with.
const PAUSE: Millis = 5_000;
/// How old an item is at most when a refusal rests on it.
const REREAD: Millis = 1_000;

/// Whether a look-up may be answered from the cache.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Freshness {
    /// From the cache where it is young enough.
    Cached,
    /// Reads again, at most once per install and second: for a refusal that would rest on a cached item.
    Reread,
}

/// The cache.
pub struct InstallCache {
    installs: Arc<dyn Installs>,
    keep: Millis,
    caches: Mutex<Caches>,
}

struct Caches {
    installs: AgedCache<InstallId, Arc<Install>>,
    teams: AgedCache<(InstallId, TeamId), Arc<Team>>,
    tokens: AgedCache<Sha256, InstallId>,
}

impl InstallCache {
    /// A cache in front of `installs` that keeps what it finds for `keep` ms; 0 reads every time.
    pub fn new(installs: Arc<dyn Installs>, keep: Millis) -> Self {
        let caches = Caches { installs: AgedCache::new(), teams: AgedCache::new(), tokens: AgedCache::new() };
        Self { installs, keep, caches: Mutex::new(caches) }
    }

    /// The install.
    pub async fn find(
        &self,
        install: &InstallId,
        fresh: Freshness,
        now: Millis,
    ) -> Stored<Option<Arc<Install>>> {
        if let Some(known) = self.lock().installs.known(install, self.age(fresh), now) {
            return Ok(known);
        }
        let read = self.installs.find(install).await.map(|found| found.map(Arc::new));
        self.lock().installs.settle(install, read, self.keep, now)
    }

    /// The install and one of its teams; cold, both come with one read.
    pub async fn find_with_team(
        &self,
        install: &InstallId,
        team: &TeamId,
        fresh: Freshness,
        now: Millis,
    ) -> Stored<(Option<Arc<Install>>, Option<Arc<Team>>)> {
        let place = (install.clone(), team.clone());
        {
            let mut caches = self.lock();
            let known = caches.installs.known(install, self.age(fresh), now);
            if let Some(None) = known {
                return Ok((None, None));
            }
            if let (Some(known), Some(registered)) = (known, caches.teams.known(&place, self.age(fresh), now))
            {
                return Ok((known, registered));
            }
        }
        let read = self.installs.find_with_team(install, team).await;
        let mut caches = self.lock();
        match read {
            Ok((found, registered)) => {
                let found = caches.installs.settle(install, Ok(found.map(Arc::new)), self.keep, now)?;
                let registered = caches.teams.settle(&place, Ok(registered.map(Arc::new)), self.keep, now)?;
                Ok((found, registered))
            }
            Err(error) => {
                // Both or none: an install without its team would refuse what it should answer.
                let registered = caches.teams.settle(&place, Err(error), self.keep, now)?;
                Ok((caches.installs.stale(install, now), registered))
            }
        }
    }

    /// The install whose static token this is.
    pub async fn find_static_token(
        &self,
        sha256: &Sha256,
        fresh: Freshness,
        now: Millis,
    ) -> Stored<Option<InstallId>> {
        if let Some(known) = self.lock().tokens.known(sha256, self.age(fresh), now) {
            return Ok(known);
        }
        let read = self.installs.find_static_token(sha256).await;
        self.lock().tokens.settle(sha256, read, self.keep, now)
    }

    /// Reads an install again next time: after this process changed it.
    pub fn forget(&self, install: &InstallId) {
        let mut caches = self.lock();
        caches.installs.forget(|id| id == install);
        caches.teams.forget(|(id, _)| id == install);
        let tokens: Vec<_> = caches
            .tokens
            .found
            .iter()
            .filter(|(_, slot)| slot.value == *install)
            .map(|(k, _)| k.clone())
            .collect();
        caches.tokens.forget(|token| tokens.contains(token));
        // A token may have been refused a moment ago, and this change may have brought it.
        caches.tokens.absent.clear();
    }

    fn age(&self, fresh: Freshness) -> Ages {
        Ages::of(self.keep, fresh)
    }

    fn lock(&self) -> MutexGuard<'_, Caches> {
        // Every change of a cache is one call; a panic elsewhere cannot leave half of one.
        self.caches.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Below which age an entry is believed, in milliseconds.
#[derive(Clone, Copy)]
pub(crate) struct Ages {
    found: Millis,
    absent: Millis,
}

impl Ages {
    /// For what is kept for `keep` ms; 0: believe nothing.
    pub(crate) fn of(keep: Millis, fresh: Freshness) -> Self {
        let most = match fresh {
            Freshness::Cached => Millis::MAX,
            Freshness::Reread => REREAD,
        };
        Self { found: keep.min(most), absent: if keep == 0 { 0 } else { KEEP_ABSENT.min(most) } }
    }
}

/// What was found, and what was found to be absent.
pub(crate) struct AgedCache<K: Hash + Eq, V> {
    found: Recent<K, Slot<V>>,
    absent: Recent<K, Millis>,
}

struct Slot<V> {
    value: V,
    /// When it was read.
    at: Millis,
    /// Before when a failing store is not asked again.
    pause: Millis,
}

impl<K: Hash + Eq + Clone, V: Clone> AgedCache<K, V> {
    pub(crate) fn new() -> Self {
        Self { found: Recent::new(FOUND), absent: Recent::new(ABSENT) }
    }

    /// What may be answered without a read; the inner `None` is a known absence.
    #[allow(clippy::option_option)] // An enum of the same three cases would have to be mapped to and fro.
    pub(crate) fn known(&mut self, key: &K, ages: Ages, now: Millis) -> Option<Option<V>> {
        if let Some(slot) = self.found.get(key) {
            let age = now.saturating_sub(slot.at);
            let spared = now < slot.pause && age < STALE;
            return (age < ages.found || spared).then(|| Some(slot.value.clone()));
        }
        let at = self.absent.get(key)?;
        (now.saturating_sub(*at) < ages.absent).then_some(None)
    }

    /// What is there although the store fails.
    fn stale(&mut self, key: &K, now: Millis) -> Option<V> {
        let slot = self.found.get_mut(key)?;
        if now.saturating_sub(slot.at) >= STALE {
            return None;
        }
        slot.pause = now.saturating_add(PAUSE);
        Some(slot.value.clone())
    }

    /// Takes in what a read gave, and answers with it, or with what is stale.
    pub(crate) fn settle(
        &mut self,
        key: &K,
        read: Stored<Option<V>>,
        keep: Millis,
        now: Millis,
    ) -> Stored<Option<V>> {
        match read {
            Ok(_) if keep == 0 => {}
            Ok(Some(ref value)) => {
                self.absent.forget(key);
                self.found.put(key.clone(), Slot { value: value.clone(), at: now, pause: 0 });
            }
            Ok(None) => {
                self.found.forget(key);
                self.absent.put(key.clone(), now);
            }
            Err(error) => return self.stale(key, now).map(Some).ok_or(error),
        }
        read
    }

    /// What was found last, whatever its age.
    pub(crate) fn last(&mut self, key: &K) -> Option<V> {
        self.found.get(key).map(|slot| slot.value.clone())
    }

    pub(crate) fn forget(&mut self, which: impl Fn(&K) -> bool) {
        let keys: Vec<K> = self.found.iter().map(|(k, _)| k).filter(|k| which(k)).cloned().collect();
        let absent: Vec<K> = self.absent.iter().map(|(k, _)| k).filter(|k| which(k)).cloned().collect();
        for key in keys {
            self.found.forget(&key);
        }
        for key in absent {
            self.absent.forget(&key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        store::memory::Memory,
        testing::{
            faults::{Fault, Faults, Faulty},
            sample,
        },
    };
    use Freshness::{Cached, Reread};

    fn services(keep: Millis) -> (Memory, InstallCache, InstallId) {
        let memory = Memory::new();
        let install = sample::install(1);
        memory.put_install(install.clone());
        memory.put_registered(install.id.clone(), sample::team_id(1), sample::team("hello"));
        let cache = InstallCache::new(Arc::new(memory.clone()), keep);
        (memory, cache, install.id)
    }

    /// Fails for as long as it is told to.
    struct Failing(Memory, std::sync::atomic::AtomicBool);

    impl Failing {
        fn set(&self, fails: bool) {
            self.1.store(fails, std::sync::atomic::Ordering::SeqCst);
        }
        fn port(&self) -> Faulty<Memory> {
            let fails = self.1.load(std::sync::atomic::Ordering::SeqCst);
            Faulty::new(self.0.clone(), if fails { Faults::at(1, Fault::After) } else { Faults::none() })
        }
    }

    #[async_trait::async_trait]
    impl Installs for Failing {
        async fn find(&self, install: &InstallId) -> Stored<Option<Install>> {
            Installs::find(&self.port(), install).await
        }
        async fn find_with_team(&self, i: &InstallId, t: &TeamId) -> Stored<(Option<Install>, Option<Team>)> {
            self.port().find_with_team(i, t).await
        }
        async fn find_static_token(&self, sha256: &Sha256) -> Stored<Option<InstallId>> {
            self.port().find_static_token(sha256).await
        }
    }

    #[tokio::test]
    async fn an_install_is_read_once_in_a_minute() {
        let (memory, cache, id) = services(60_000);
        for now in [1_000, 30_000, 60_999] {
            assert!(cache.find(&id, Cached, now).await.unwrap().is_some());
        }
        assert_eq!(memory.counts().reads(), 1);
        assert!(cache.find(&id, Cached, 61_000).await.unwrap().is_some());
        assert_eq!(memory.counts().reads(), 2);
    }

    #[tokio::test]
    async fn a_keep_of_zero_reads_every_time() {
        let (memory, cache, id) = services(0);
        for _ in 0..3 {
            cache.find(&id, Cached, 5).await.unwrap();
            cache.find(&sample::install_id(9), Cached, 5).await.unwrap();
        }
        assert_eq!(memory.counts().reads(), 6);
    }

    #[tokio::test]
    async fn an_install_and_its_team_come_cold_with_one_read_and_warm_with_none() {
        let (memory, cache, id) = services(60_000);
        for _ in 0..3 {
            let (install, team) = cache.find_with_team(&id, &sample::team_id(1), Cached, 5).await.unwrap();
            assert!(install.is_some() && team.unwrap().commands.contains_key("hello"));
        }
        assert!(cache.find(&id, Cached, 5).await.unwrap().is_some());
        assert_eq!(memory.counts().reads(), 1);
    }

    #[tokio::test]
    async fn an_absent_install_is_believed_for_30_seconds() {
        let (memory, cache, _) = services(60_000);
        let absent = sample::install_id(9);
        for now in [0, 29_999] {
            assert_eq!(cache.find(&absent, Cached, now).await.unwrap(), None);
            assert_eq!(
                cache.find_with_team(&absent, &sample::team_id(1), Cached, now).await.unwrap(),
                (None, None)
            );
        }
        assert_eq!(memory.counts().reads(), 1);
        cache.find(&absent, Cached, 30_000).await.unwrap();
        assert_eq!(memory.counts().reads(), 2);
    }

    #[tokio::test]
    async fn guessed_ids_do_not_push_out_an_install() {
        let (memory, cache, id) = services(60_000);
        cache.find(&id, Cached, 0).await.unwrap();
        for n in 0..5_000 {
            cache.find(&sample::install_id(100 + n), Cached, 0).await.unwrap();
        }
        assert!(cache.lock().installs.absent.iter().count() <= ABSENT);
        memory.reset_counts();
        cache.find(&id, Cached, 0).await.unwrap();
        assert_eq!(memory.counts().reads(), 0);
    }

    #[tokio::test]
    async fn at_most_4000_installs_are_kept_and_the_least_used_goes_first() {
        let (memory, cache, _) = services(60_000);
        for n in 1..=4_001 {
            memory.put_install(sample::install(n));
            cache.find(&sample::install_id(n), Cached, 0).await.unwrap();
            cache.find(&sample::install_id(1), Cached, 0).await.unwrap();
        }
        assert_eq!(cache.lock().installs.found.iter().count(), FOUND);
        memory.reset_counts();
        cache.find(&sample::install_id(1), Cached, 0).await.unwrap();
        assert_eq!(memory.counts().reads(), 0, "the one in use stays");
        cache.find(&sample::install_id(2), Cached, 0).await.unwrap();
        assert_eq!(memory.counts().reads(), 1, "the one that rested longest went");
    }

    #[tokio::test]
    async fn a_refusal_reads_again_at_most_once_per_install_and_second() {
        let (memory, cache, id) = services(60_000);
        cache.find(&id, Cached, 0).await.unwrap();
        for now in [500, 5_000, 5_400, 5_999] {
            cache.find(&id, Reread, now).await.unwrap();
        }
        assert_eq!(memory.counts().reads(), 2, "the first is a second old at most, then one at 5 s");
        cache.find(&id, Reread, 6_000).await.unwrap();
        assert_eq!(memory.counts().reads(), 3);
        let other = sample::install_id(9);
        cache.find(&other, Reread, 6_000).await.unwrap();
        cache.find(&other, Reread, 6_100).await.unwrap();
        assert_eq!(memory.counts().reads(), 4, "an absence too, and each install for itself");
    }

    #[tokio::test]
    async fn a_failing_store_is_answered_for_ten_minutes_and_not_asked_more_than_every_five_seconds() {
        let (memory, _, id) = services(0);
        let store = Arc::new(Failing(memory.clone(), false.into()));
        let cache = InstallCache::new(store.clone(), 60_000);
        let team = sample::team_id(1);
        cache.find_with_team(&id, &team, Cached, 0).await.unwrap();
        store.set(true);
        memory.reset_counts();
        for now in [60_000, 61_000, 64_999] {
            assert!(cache.find(&id, Cached, now).await.unwrap().is_some());
        }
        assert_eq!(memory.counts().reads(), 1);
        let (install, registered) = cache.find_with_team(&id, &team, Cached, 599_999).await.unwrap();
        assert!(install.is_some() && registered.is_some());
        assert!(cache.find(&id, Cached, 600_000).await.is_err());
        assert!(cache.find_with_team(&id, &team, Cached, 600_000).await.is_err());
        assert!(cache.find(&sample::install_id(9), Cached, 0).await.is_err(), "nothing to answer with");
        store.set(false);
        assert!(cache.find(&id, Cached, 600_001).await.unwrap().is_some());
    }

    #[tokio::test]
    async fn a_change_of_this_process_is_seen_at_once() {
        let (memory, cache, id) = services(60_000);
        cache.find_with_team(&id, &sample::team_id(1), Cached, 0).await.unwrap();
        let mut changed = sample::install(1);
        changed.server_version = "11.7.0".into();
        memory.put_install(changed);
        cache.forget(&id);
        assert_eq!(cache.find(&id, Cached, 0).await.unwrap().unwrap().server_version, "11.7.0");
    }

    #[tokio::test]
    async fn a_static_token_is_kept_like_an_install() {
        let (memory, cache, _) = services(60_000);
        let mut install = sample::install(2);
        install.static_token = Some(Sha256::of("token"));
        memory.put_install(install.clone());
        for _ in 0..2 {
            let found = cache.find_static_token(&Sha256::of("token"), Cached, 0).await.unwrap();
            assert_eq!(found, Some(install.id.clone()));
            assert_eq!(cache.find_static_token(&Sha256::of("other"), Cached, 0).await.unwrap(), None);
        }
        assert_eq!(memory.counts().reads(), 2);
    }
}
