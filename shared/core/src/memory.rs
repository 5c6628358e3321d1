//! Everything in memory.
