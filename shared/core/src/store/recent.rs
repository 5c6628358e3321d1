//! A map of bounded size that forgets what was not used for longest.

use lru::LruCache;
use std::hash::Hash;

/// The entries that were used last, at most so many. It is bounded on insertion: an [`LruCache`] with a bound takes its
/// room when it is made, and a function starts cold.
pub(crate) struct Recent<K: Hash + Eq, V> {
    entries: LruCache<K, V>,
    room: usize,
}

impl<K: Hash + Eq, V> Recent<K, V> {
    /// An empty map with room for so many entries.
    pub fn new(room: usize) -> Self {
        Self { entries: LruCache::unbounded(), room }
    }

    /// The value at a key, which is used now.
    pub fn get(&mut self, key: &K) -> Option<&V> {
        self.entries.get(key)
    }

    /// The same, to change it.
    pub fn get_mut(&mut self, key: &K) -> Option<&mut V> {
        self.entries.get_mut(key)
    }

    /// Puts a value at a key, in the place of what was not used for longest where there is no room.
    pub fn put(&mut self, key: K, value: V) {
        self.entries.put(key, value);
        if self.entries.len() > self.room {
            self.entries.pop_lru();
        }
    }

    /// Forgets what is at a key.
    pub fn forget(&mut self, key: &K) {
        self.entries.pop(key);
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        self.entries.clear();
    }

    /// All entries, without using them.
    pub fn iter(&self) -> impl Iterator<Item = (&K, &V)> {
        self.entries.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_not_used_for_longest_goes_first() {
        let mut recent = Recent::new(2);
        recent.put(1, "a");
        recent.put(2, "b");
        assert_eq!(recent.get(&1), Some(&"a"));
        recent.put(3, "c");
        assert_eq!([1, 2, 3].map(|n| recent.get(&n).copied()), [Some("a"), None, Some("c")]);
        assert_eq!(recent.iter().count(), 2);
    }
}
