//! What each subcommand does.

pub mod app;
pub mod change;
pub mod check;
pub mod cleanup;
pub mod completions;
pub mod dead;
pub mod doctor;
pub mod event;
pub mod init;
pub mod install;
pub mod keys;
pub mod list;
pub mod operator;
mod reach;
pub mod rotate;
pub mod run;
pub mod schema;
pub mod serve;
pub mod sync;
pub mod uninstall;
pub mod validate;
