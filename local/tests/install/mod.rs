//! Whole installs, syncs and removals through the command's own code: the stand-in listens on loopback, the bundle is
//! the local one over its real store, and whatever lies between fails where a test orders it to.

mod code;
mod endless;
mod enumeration;
mod findings;
mod killed;
mod life;
mod moves;
mod others;
pub mod program;
mod rig;
mod server;
mod token_ends;
mod upkeep;
mod whole;
