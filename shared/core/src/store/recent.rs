//! A map of limited size, which forgets the entry that was not used for the longest time.

use lru::LruCache;
use std::hash::Hash;

/// The entries that were used last. The limit is kept when an entry is put in: an [`LruCache`] with a limit of its own
/// allocates all its memory when it is made, which would make a cold start slower.
pub(crate) struct Recent<K: Hash + Eq, V> {
    entries: LruCache<K, V>,
    room: usize,
}

impl<K: Hash + Eq, V> Recent<K, V> {
    /// An empty map with room for this many entries.
    pub fn new(room: usize) -> Self {
        Self { entries: LruCache::unbounded(), room }
    }

    /// The value of a key. It counts as used now.
    pub fn get(&mut self, key: &K) -> Option<&V> {
        self.entries.get(key)
    }

    /// The same, so that it can be changed.
    pub fn get_mut(&mut self, key: &K) -> Option<&mut V> {
        self.entries.get_mut(key)
    }

    /// Puts a value in. If there is no room, the entry that was not used for the longest time is removed.
    pub fn put(&mut self, key: K, value: V) {
        self.entries.put(key, value);
        if self.entries.len() > self.room {
            self.entries.pop_lru();
        }
    }

    /// Forgets a key.
    pub fn forget(&mut self, key: &K) {
        self.entries.pop(key);
    }

    /// Forgets the entries for which `which` is true.
    pub fn forget_where(&mut self, which: impl Fn(&K, &V) -> bool)
    where
        K: Clone,
    {
        let keys: Vec<K> = self
            .entries
            .iter()
            .filter(|(key, value)| which(key, value))
            .map(|(key, _)| key.clone())
            .collect();
        for key in keys {
            self.entries.pop(&key);
        }
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        self.entries.clear();
    }

    /// How many entries there are.
    #[cfg(test)]
    pub fn len(&self) -> usize {
        self.entries.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_entry_that_was_not_used_for_the_longest_time_goes_first() {
        let mut recent = Recent::new(2);
        recent.put(1, "a");
        recent.put(2, "b");
        assert_eq!(recent.get(&1), Some(&"a"));
        recent.put(3, "c");
        assert_eq!([1, 2, 3].map(|n| recent.get(&n).copied()), [Some("a"), None, Some("c")]);
        assert_eq!(recent.len(), 2);
    }
}
