//! Key rings behind a cache (docs/architecture.md#caches). A ring is used for 5 minutes ± 20 %, or for up to 24 hours while the
//! store fails. For an unknown key id, the ring is read again at most once per app and 30 s; for a wrong MAC never.
//!
//! An app without a ring is remembered for 30 s. These are kept apart from the rings, so that a caller who guesses app ids
//! cannot push out a ring.

use crate::store::{
    model::{Key, Ring},
    ports::{Keys, Stored},
    recent::Recent,
};
use cloud_apps_protocol::{AppId, KeyId, Millis, secret::Secret};
use std::{
    hash::{BuildHasher, RandomState},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use zeroize::Zeroizing;

/// How long a ring is used, in ms: 20 % more or less, so that environments do not all read it at the same time.
const KEEP: Millis = 5 * 60_000;
/// How old a ring may become while the store fails, in ms.
const STALE: Millis = 24 * 3_600_000;
/// How long the store is not asked again about an app with an unknown key id, a missing ring or an error, in ms.
const PAUSE: Millis = 30_000;
/// How many rings, and how many apps without one, are cached.
const ROOM: usize = 1_000;

/// Key rings, cached.
pub struct KeyCache {
    keys: Arc<dyn Keys>,
    jitter: RandomState,
    rings: Mutex<Rings>,
}

struct Rings {
    found: Recent<AppId, Slot>,
    absent: Recent<AppId, Millis>,
}

#[derive(Clone)]
struct Slot {
    ring: Arc<Ring>,
    /// When it was read.
    at: Millis,
    /// Until when it is used.
    until: Millis,
    /// When the store was last asked, whether or not it answered.
    asked: Millis,
}

impl KeyCache {
    /// A cache in front of `keys`.
    pub fn new(keys: Arc<dyn Keys>) -> Self {
        let rings = Rings { found: Recent::new(ROOM), absent: Recent::new(ROOM) };
        Self { keys, jitter: RandomState::new(), rings: Mutex::new(rings) }
    }

    /// The root of the live key with this id. `None`: the app has no ring, or no such key, or the key is revoked.
    pub async fn root(&self, app: &AppId, key: &KeyId, now: Millis) -> Stored<Option<Secret>> {
        let Some(slot) = self.slot(app, now).await? else { return Ok(None) };
        let found = slot.ring.keys.iter().any(|k| k.id == *key);
        if found || now.saturating_sub(slot.asked) < PAUSE {
            return Ok(slot.ring.key(key).map(|k| k.root.clone()));
        }
        // Another environment may have made it a moment ago.
        let ring = self.fetch(app, now).await?;
        Ok(ring.and_then(|slot| slot.ring.key(key).map(|k| k.root.clone())))
    }

    /// The key with which new things are made. `None`: the app has no ring.
    pub async fn current(&self, app: &AppId, now: Millis) -> Stored<Option<Key>> {
        Ok(self.slot(app, now).await?.and_then(|slot| slot.ring.current(now).cloned()))
    }

    /// The ring as the store has it now, because a change that follows builds on it.
    pub async fn reread(&self, app: &AppId, now: Millis) -> Stored<Option<Ring>> {
        let ring = self.keys.ring(app).await?;
        if let Some(ring) = &ring {
            self.remember(ring.clone(), now);
        }
        Ok(ring)
    }

    /// Caches a ring that this process made, so that it is used at once.
    pub fn remember(&self, ring: Ring, now: Millis) {
        self.store(Arc::new(ring), now);
    }

    async fn slot(&self, app: &AppId, now: Millis) -> Stored<Option<Slot>> {
        {
            let mut rings = self.lock();
            if let Some(slot) = rings.found.get(app) {
                let spared = now.saturating_sub(slot.asked) < PAUSE && now.saturating_sub(slot.at) < STALE;
                if now < slot.until || spared {
                    return Ok(Some(slot.clone()));
                }
            } else if rings.absent.get(app).is_some_and(|at| now.saturating_sub(*at) < PAUSE) {
                return Ok(None);
            }
        }
        self.fetch(app, now).await
    }

    async fn fetch(&self, app: &AppId, now: Millis) -> Stored<Option<Slot>> {
        if let Some(slot) = self.lock().found.get_mut(app) {
            // This is set before the answer comes, so that of several requests with an unknown key id, one asks.
            slot.asked = now;
        }
        match self.keys.ring(app).await {
            Ok(Some(ring)) => Ok(Some(self.store(Arc::new(ring), now))),
            Ok(None) => {
                let mut rings = self.lock();
                rings.found.forget(app);
                rings.absent.put(app.clone(), now);
                Ok(None)
            }
            Err(error) => {
                let cached = self.lock().found.get(app).cloned();
                cached.filter(|slot| now.saturating_sub(slot.at) < STALE).map(Some).ok_or(error)
            }
        }
    }

    fn store(&self, ring: Arc<Ring>, now: Millis) -> Slot {
        let share = self.jitter.hash_one((&ring.app, now)) % (KEEP * 2 / 5 + 1);
        let until = now.saturating_add(KEEP * 4 / 5 + share);
        let slot = Slot { ring, at: now, until, asked: now };
        let mut rings = self.lock();
        rings.absent.forget(&slot.ring.app);
        rings.found.put(slot.ring.app.clone(), slot.clone());
        slot
    }

    fn lock(&self) -> MutexGuard<'_, Rings> {
        self.rings.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Makes a ring from random bytes, and wipes the buffer.
pub fn generate_ring(app: AppId, now: Millis, random: &dyn crate::random::Random) -> Ring {
    let mut root = Zeroizing::new([0; 32]);
    random.fill(&mut root[..]);
    Ring::generate(app, now, *root)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        store::{memory::Memory, ports::StoreError},
        testing::sample,
    };
    use std::sync::atomic::{AtomicBool, Ordering};

    struct Store {
        memory: Memory,
        fails: AtomicBool,
    }

    #[async_trait::async_trait]
    impl Keys for Store {
        async fn ring(&self, app: &AppId) -> Stored<Option<Ring>> {
            let ring = self.memory.ring(app).await?;
            if self.fails.load(Ordering::SeqCst) {
                return Err(StoreError::Unavailable { what: "Keys.ring", source: "down".into() });
            }
            Ok(ring)
        }
    }

    fn cache() -> (Arc<Store>, KeyCache) {
        let memory = Memory::new();
        memory.put_ring(sample::ring(&sample::app(), 1));
        let store = Arc::new(Store { memory, fails: false.into() });
        (store.clone(), KeyCache::new(store))
    }

    fn key(id: &str) -> KeyId {
        KeyId::new(id).unwrap()
    }

    fn with_second_key() -> Ring {
        let mut ring = sample::ring(&sample::app(), 1);
        let root = Secret::new([2; 32]);
        ring.keys.push(Key { id: key("2"), root, created_at: 0, use_from: 900_000, revoked: false });
        ring
    }

    impl Store {
        fn asked(&self) -> u64 {
            self.memory.counts().secrets()
        }
    }

    #[tokio::test]
    async fn a_ring_is_asked_for_every_five_minutes_give_or_take_a_fifth() {
        for _ in 0..20 {
            let (store, cache) = cache();
            for now in [0, 239_999] {
                assert!(cache.root(&sample::app(), &key("1"), now).await.unwrap().is_some());
            }
            assert_eq!(store.asked(), 1);
            cache.current(&sample::app(), 360_001).await.unwrap().unwrap();
            assert_eq!(store.asked(), 2);
        }
    }

    #[tokio::test]
    async fn caches_do_not_all_ask_at_the_same_moment() {
        let mut ends = std::collections::BTreeSet::new();
        for _ in 0..20 {
            let (_, cache) = cache();
            ends.insert(cache.slot(&sample::app(), 0).await.unwrap().unwrap().until);
        }
        assert!(ends.len() > 1);
    }

    #[tokio::test]
    async fn an_unknown_key_id_asks_at_most_once_in_30_seconds() {
        let (store, cache) = cache();
        cache.root(&sample::app(), &key("1"), 0).await.unwrap().unwrap();
        store.memory.put_ring(with_second_key());
        assert!(cache.root(&sample::app(), &key("2"), 29_999).await.unwrap().is_none());
        assert_eq!(store.asked(), 1);
        assert!(cache.root(&sample::app(), &key("2"), 30_000).await.unwrap().is_some());
        for now in 30_000..30_100 {
            assert!(cache.root(&sample::app(), &key("3"), now).await.unwrap().is_none());
        }
        assert_eq!(store.asked(), 2);
    }

    #[tokio::test]
    async fn a_revoked_key_is_refused_and_asks_nothing() {
        let (store, cache) = cache();
        let mut ring = sample::ring(&sample::app(), 1);
        ring.keys[0].revoked = true;
        store.memory.put_ring(ring);
        for now in [0, 100_000] {
            assert!(cache.root(&sample::app(), &key("1"), now).await.unwrap().is_none());
        }
        assert_eq!(store.asked(), 1);
    }

    #[tokio::test]
    async fn an_app_without_a_ring_is_asked_for_every_30_seconds() {
        let (store, cache) = cache();
        let other = sample::app_id("other");
        for now in [0, 29_999] {
            assert!(cache.current(&other, now).await.unwrap().is_none());
        }
        assert_eq!(store.asked(), 1);
        cache.remember(sample::ring(&other, 3), 29_999);
        assert!(cache.current(&other, 29_999).await.unwrap().is_some());
        assert_eq!(store.asked(), 1);
    }

    #[tokio::test]
    async fn a_failing_store_is_survived_for_a_day_and_asked_every_30_seconds() {
        let (store, cache) = cache();
        cache.current(&sample::app(), 0).await.unwrap();
        store.fails.store(true, Ordering::SeqCst);
        for now in [400_000, 400_001, 429_999] {
            assert!(cache.root(&sample::app(), &key("1"), now).await.unwrap().is_some());
        }
        assert_eq!(store.asked(), 2);
        assert!(cache.current(&sample::app(), STALE - 1).await.unwrap().is_some());
        assert!(cache.current(&sample::app(), STALE).await.is_err());
    }

    #[tokio::test]
    async fn a_new_key_is_used_from_its_time_on() {
        let (store, cache) = cache();
        store.memory.put_ring(with_second_key());
        assert_eq!(cache.current(&sample::app(), 899_999).await.unwrap().unwrap().id, key("1"));
        assert_eq!(cache.current(&sample::app(), 900_000).await.unwrap().unwrap().id, key("2"));
    }
}
