//! What the local bundle keeps: everything but keys in one SQLite file, and each key ring in a file of its own.
//!
//! The same conformance suite as on AWS holds both to the ports. A restart loses nothing; files are for their owner
//! only (mode 0600, folders 0700).

pub(crate) mod files;
mod key_files;
mod ledger;
mod queue;
mod registry;
mod sqlite;

pub use files::FileError;
pub use key_files::KeyFiles;
pub use sqlite::{OpenError, Sqlite};
