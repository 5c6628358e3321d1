//! Key rings, what is sealed with them, and the bot, whose token is one of these things.

mod bot;
mod cache;
pub mod ring;
pub mod sealed;

pub use bot::InstallBot;
pub use cache::{KeyCache, generate_ring};
