//! What several commands need: options, how they connect, and how they print.

#[cfg(test)]
mod advice;
pub mod connect;
pub mod help;
pub mod json_file;
pub mod lookup;
pub mod managed;
pub mod manifest_file;
pub mod operator_client;
pub mod options;
pub mod output;
pub mod runtime;
