//! The five functions, each as one handler, which makes an HTTP response from a request, or an outcome from a job.

pub mod autocomplete;
pub mod command;
pub mod deliver;
pub mod event;
pub mod install;
