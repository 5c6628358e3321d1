//! What a [`Memory`](super::Memory) was asked.

use std::collections::BTreeMap;

/// How often a [`Memory`] did each operation (`Installs.find`, `Ledger.once` …).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Counts {
    /// Reads of `Installs`, `Apps` and `Registry`.
    pub reads: BTreeMap<&'static str, u64>,
    /// Operations that change something, or would.
    pub writes: BTreeMap<&'static str, u64>,
    /// Reads of key rings.
    pub secrets: BTreeMap<&'static str, u64>,
}

impl Counts {
    /// How many reads.
    pub fn reads(&self) -> u64 {
        self.reads.values().sum()
    }

    /// How many writes.
    pub fn writes(&self) -> u64 {
        self.writes.values().sum()
    }

    /// How many reads of key rings.
    pub fn secrets(&self) -> u64 {
        self.secrets.values().sum()
    }
}
