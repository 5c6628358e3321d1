//! The five functions, each as one handler: from an HTTP request to an HTTP response, or from a job to its outcome.

pub mod autocomplete;
pub mod command;
pub mod deliver;
pub mod event;
pub mod install;
