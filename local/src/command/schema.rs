//! `cloud-apps schema`.

use crate::{failure::Failure, terminal};
use std::process::ExitCode;

/// Prints the JSON Schema of a manifest on standard output.
pub fn run() -> Result<ExitCode, Failure> {
    terminal::json(&cloud_apps_protocol::manifest::schema())?;
    Ok(ExitCode::SUCCESS)
}
