//! A cache of what a store was asked: each answer is used for some time, and longer while the store fails.
//!
//! What was found and what was absent are kept apart, so that a caller who guesses ids cannot push out what is really there.
//! Requests that miss at the same moment each read the store. A Lambda environment serves one request at a time. A lock
//! that let the others wait would let them wait one after the other for a store that fails.

use crate::store::{ports::Stored, recent::Recent};
use cloud_apps_protocol::Millis;
use std::{
    future::Future,
    hash::Hash,
    sync::{Mutex, MutexGuard, PoisonError},
};

/// How many found values a cache keeps.
pub(super) const FOUND: usize = 4_000;
/// How many absent keys a cache keeps.
pub(super) const ABSENT: usize = 1_000;
/// How long a key counts as absent, in ms.
const KEEP_ABSENT: Millis = 30_000;
/// How old a value may become while the store fails, in ms.
const STALE: Millis = 10 * 60_000;
/// How long a store that failed is not asked again while there is an old value, in ms.
const PAUSE: Millis = 5_000;
/// How old a value may be when a refusal depends on it, in ms.
const REREAD: Millis = 1_000;

/// How fresh an answer must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Freshness {
    /// The cache may answer.
    Cached,
    /// The store is asked again, at most once per key and second. A refusal needs this, because what is cached may be old.
    Reread,
}

impl Freshness {
    /// The cache first. Where its answer would lead to a refusal, the store.
    pub const IN_TURN: [Self; 2] = [Self::Cached, Self::Reread];
}

/// Values of a store by key, and keys for which it has none.
pub(crate) struct AgedCache<K: Hash + Eq, V> {
    keep: Millis,
    entries: Mutex<Entries<K, V>>,
}

struct Entries<K: Hash + Eq, V> {
    found: Recent<K, Slot<V>>,
    absent: Recent<K, Millis>,
}

struct Slot<V> {
    value: V,
    /// When it was read.
    at: Millis,
    /// Until when the store is not asked again, because it failed.
    pause: Millis,
}

impl<K: Hash + Eq + Clone, V: Clone> AgedCache<K, V> {
    /// A cache that uses a value for `keep` ms. With 0 it keeps nothing.
    pub(crate) fn new(keep: Millis) -> Self {
        let entries = Entries { found: Recent::new(FOUND), absent: Recent::new(ABSENT) };
        Self { keep, entries: Mutex::new(entries) }
    }

    /// The value of a key: from the cache, or from `read`, which asks the store.
    pub(crate) async fn get(
        &self,
        key: &K,
        fresh: Freshness,
        now: Millis,
        read: impl Future<Output = Stored<Option<V>>>,
    ) -> Stored<Option<V>> {
        if let Some(cached) = self.cached(key, fresh, now) {
            return Ok(cached);
        }
        let read = read.await;
        self.store(key, read, now)
    }

    /// What the cache may answer. The inner `None` is a key that is absent.
    #[allow(clippy::option_option)] // An enum of the same three cases would have to be mapped back and forth.
    pub(crate) fn cached(&self, key: &K, fresh: Freshness, now: Millis) -> Option<Option<V>> {
        let limit = match fresh {
            Freshness::Cached => Millis::MAX,
            Freshness::Reread => REREAD,
        };
        let mut entries = self.lock();
        if let Some(slot) = entries.found.get(key) {
            let age = now.saturating_sub(slot.at);
            let paused = now < slot.pause && age < STALE;
            return (age < self.keep.min(limit) || paused).then(|| Some(slot.value.clone()));
        }
        let keep = if self.keep == 0 { 0 } else { KEEP_ABSENT.min(limit) };
        let at = entries.absent.get(key)?;
        (now.saturating_sub(*at) < keep).then_some(None)
    }

    /// Keeps what the store answered, and gives it back. If the store failed, gives back the old value where there is one.
    pub(crate) fn store(&self, key: &K, read: Stored<Option<V>>, now: Millis) -> Stored<Option<V>> {
        let mut entries = self.lock();
        match read {
            Ok(_) if self.keep == 0 => {}
            Ok(Some(ref value)) => {
                entries.absent.forget(key);
                entries.found.put(key.clone(), Slot { value: value.clone(), at: now, pause: 0 });
            }
            Ok(None) => {
                entries.found.forget(key);
                entries.absent.put(key.clone(), now);
            }
            Err(error) => {
                drop(entries);
                return self.stale(key, now).map(Some).ok_or(error);
            }
        }
        read
    }

    /// The old value, which may be used while the store fails.
    pub(crate) fn stale(&self, key: &K, now: Millis) -> Option<V> {
        let mut entries = self.lock();
        let slot = entries.found.get_mut(key)?;
        if now.saturating_sub(slot.at) >= STALE {
            return None;
        }
        slot.pause = now.saturating_add(PAUSE);
        Some(slot.value.clone())
    }

    /// The value that was read last, however old it is.
    pub(crate) fn last(&self, key: &K) -> Option<V> {
        self.lock().found.get(key).map(|slot| slot.value.clone())
    }

    /// Reads these keys again next time.
    pub(crate) fn forget(&self, which: impl Fn(&K) -> bool) {
        let mut entries = self.lock();
        entries.found.forget_where(|key, _| which(key));
        entries.absent.forget_where(|key, _| which(key));
    }

    /// Reads the keys of these values again next time, and all absent keys: one of them may have got such a value.
    pub(crate) fn forget_values(&self, which: impl Fn(&V) -> bool) {
        let mut entries = self.lock();
        entries.found.forget_where(|_, slot| which(&slot.value));
        entries.absent.clear();
    }

    /// How many values and how many absent keys there are.
    #[cfg(test)]
    pub(super) fn len(&self) -> (usize, usize) {
        let entries = self.lock();
        (entries.found.len(), entries.absent.len())
    }

    fn lock(&self) -> MutexGuard<'_, Entries<K, V>> {
        // Every change is one call, so a panic elsewhere cannot leave half of one.
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
