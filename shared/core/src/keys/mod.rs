//! Key rings, what is sealed with them, and the bot whose token they open.

mod bot;
mod cache;
pub mod ring;
pub mod sealed;

pub use bot::InstallBot;
pub use cache::*;
