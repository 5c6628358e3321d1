//! What each subcommand does.

pub mod app;
pub mod check;
pub mod completions;
pub mod event;
pub mod init;
pub mod install;
pub mod operator;
mod reach;
pub mod run;
pub mod schema;
pub mod serve;
pub mod sync;
pub mod uninstall;
pub mod validate;
