//! What is stored: its types, the ports through which it is read and written, the decisions that every store makes
//! alike, and the caches in front.

pub mod cache;
pub mod job;
pub mod memory;
pub mod model;
pub mod ports;
pub(crate) mod recent;
pub mod rules;
