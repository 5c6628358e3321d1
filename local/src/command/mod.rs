//! What each subcommand does.

pub mod completions;
pub mod event;
pub mod init;
pub mod operator;
pub mod run;
pub mod schema;
pub mod serve;
pub mod validate;
