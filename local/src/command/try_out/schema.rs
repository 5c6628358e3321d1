//! `cloud-apps schema`.

use crate::{command::shared::output::print_json, failure::Failure};
use std::process::ExitCode;

/// Prints the JSON Schema of a manifest on standard output.
pub fn run() -> Result<ExitCode, Failure> {
    print_json(&cloud_apps_protocol::manifest::schema())
}
