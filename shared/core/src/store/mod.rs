//! What is stored: the types, the ports through which they are read and written, the decisions that all stores make in the
//! same way, and the caches in front of the stores.

pub mod cache;
pub mod document;
pub mod install_cache;
pub mod job;
pub mod memory;
pub mod model;
pub mod page;
pub mod ports;
pub(crate) mod recent;
pub mod rules;
