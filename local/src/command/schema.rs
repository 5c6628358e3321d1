//! `cloud-apps schema`.

use crate::failure::Failure;
use std::process::ExitCode;

/// Prints the JSON Schema of a manifest on standard output.
pub fn run() -> Result<ExitCode, Failure> {
    let text = serde_json::to_string_pretty(&cloud_apps_protocol::manifest::schema())
        .map_err(|e| Failure::new(format!("the schema cannot be printed: {e}")))?;
    anstream::println!("{text}");
    Ok(ExitCode::SUCCESS)
}
