//! The queues' consumer, and what becomes of its jobs.

mod consumer;
mod log_line;
mod next;
mod read;
mod schedule;

pub use consumer::{Delivery, Outcome, Record, Worker};
pub use next::Next;
pub use schedule::delay;

pub(crate) use read::{Read, read};
