//! `cloud-apps operator register`.

use crate::{
    command::shared::{operator_client::ask, options::OperatorOptions, output::print_json},
    failure::Failure,
    terminal,
};
use cloud_apps_core::operator::{OperatorAnswer, OperatorRequest};
use std::process::ExitCode;

/// Registers the linked apps.
pub async fn run(at: &OperatorOptions) -> Result<ExitCode, Failure> {
    let answer = ask(&at.client().await?, &OperatorRequest::Register {}).await?;
    if at.json {
        return print_json(&answer);
    }
    if let OperatorAnswer::Apps { apps } = &answer {
        for app in apps {
            terminal::out(format!("{:<24}{:<12}{}", app.id.as_str(), app.version, app.display_name));
        }
        if apps.is_empty() {
            terminal::out("No app is linked into the bundle.");
        }
    }
    Ok(ExitCode::SUCCESS)
}
