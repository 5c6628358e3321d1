//! What the local bundle keeps: each key ring in its own file, and everything else in one SQLite file.
//!
//! The same conformance suite as for AWS tests both. A restart loses nothing. Files are for their owner only (mode 0600, folders
//! 0700).

pub(crate) mod files;
mod installs;
mod key_files;
mod ledger;
mod queue;
mod registry;
mod sqlite;
mod tables;
#[cfg(test)]
mod tests;

pub use files::FileError;
pub use key_files::KeyFiles;
pub use sqlite::{OpenError, Sqlite};
