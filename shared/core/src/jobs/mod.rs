//! Jobs from the queues: how a message is read, what becomes of its job, and when a job that failed is tried again.
//!
//! A new kind of job is a variant of `JobKind` in `store/job.rs`, and what is done for it in `functions/deliver.rs`.

mod dead_letter;
mod log_line;
mod next;
mod read;
mod runner;
mod schedule;
mod server_watch;

pub use next::Next;
pub use runner::{JobRunner, Outcome, Record, Worker};
pub use schedule::delay;
pub use server_watch::ServerWatch;

pub(crate) use read::{Read, read};
