//! Installs behind a cache. An install is used for 60 s, or for up to 10 minutes while the store fails; an absent one for
//! 30 s. There are at most 4,000 installs and 1,000 absent ids. So it takes up to 60 s until a removed install is refused
//! everywhere.

use crate::store::{
    cache::{AgedCache, Freshness},
    model::{Install, Sha256, Team},
    ports::{Installs, Stored},
};
use cloud_apps_protocol::{InstallId, Millis, TeamId};
use std::sync::Arc;

/// Installs, their teams, and the installs of static tokens.
pub struct InstallCache {
    store: Arc<dyn Installs>,
    installs: AgedCache<InstallId, Arc<Install>>,
    teams: AgedCache<(InstallId, TeamId), Arc<Team>>,
    tokens: AgedCache<Sha256, InstallId>,
}

impl InstallCache {
    /// A cache in front of `store` that uses what it reads for `keep` ms. With 0 it reads every time.
    pub fn new(store: Arc<dyn Installs>, keep: Millis) -> Self {
        Self {
            store,
            installs: AgedCache::new(keep),
            teams: AgedCache::new(keep),
            tokens: AgedCache::new(keep),
        }
    }

    /// The install.
    pub async fn find(
        &self,
        install: &InstallId,
        fresh: Freshness,
        now: Millis,
    ) -> Stored<Option<Arc<Install>>> {
        let read = async { Ok(self.store.find(install).await?.map(Arc::new)) };
        self.installs.get(install, fresh, now, read).await
    }

    /// The install and one of its teams. If neither is cached, one read brings both.
    pub async fn find_with_team(
        &self,
        install: &InstallId,
        team: &TeamId,
        fresh: Freshness,
        now: Millis,
    ) -> Stored<(Option<Arc<Install>>, Option<Arc<Team>>)> {
        let key = (install.clone(), team.clone());
        let cached = self.installs.cached(install, fresh, now);
        if let Some(None) = cached {
            return Ok((None, None));
        }
        if let (Some(found), Some(team)) = (cached, self.teams.cached(&key, fresh, now)) {
            return Ok((found, team));
        }
        match self.store.find_with_team(install, team).await {
            Ok((found, team)) => {
                let found = self.installs.store(install, Ok(found.map(Arc::new)), now)?;
                let team = self.teams.store(&key, Ok(team.map(Arc::new)), now)?;
                Ok((found, team))
            }
            Err(error) => {
                // Both or none: with an install but without its team, requests would be refused that should be served.
                let team = self.teams.store(&key, Err(error), now)?;
                Ok((self.installs.stale(install, now), team))
            }
        }
    }

    /// The install that has this static token.
    pub async fn find_static_token(
        &self,
        sha256: &Sha256,
        fresh: Freshness,
        now: Millis,
    ) -> Stored<Option<InstallId>> {
        self.tokens.get(sha256, fresh, now, self.store.find_static_token(sha256)).await
    }

    /// Reads an install again next time, because this process changed it.
    pub fn forget(&self, install: &InstallId) {
        self.installs.forget(|id| id == install);
        self.teams.forget(|(id, _)| id == install);
        // A token that was absent a moment ago may be this install's now.
        self.tokens.forget_values(|id| id == install);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        store::{
            cache::{ABSENT, FOUND},
            memory::Memory,
        },
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
        assert!(cache.installs.len().1 <= ABSENT);
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
        assert_eq!(cache.installs.len().0, FOUND);
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
