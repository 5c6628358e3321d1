//! `cloud-apps operator code`, `manage-code` and `revoke-codes`.

use crate::{
    command::shared::{
        operator_client::ask,
        options::OperatorOptions,
        output::{date, print_json, show_install},
    },
    failure::Failure,
    terminal,
};
use clap::Args;
use cloud_apps_core::operator::{OperatorAnswer, OperatorRequest};
use cloud_apps_protocol::{AppId, InstallId, Millis, SiteUrl};
use std::process::ExitCode;

/// For how long a code is valid.
#[derive(Debug, Args)]
struct Validity {
    /// For how many minutes the code is valid, at most 1440.
    #[arg(long = "valid", value_name = "MINUTES", default_value_t = 15, value_parser = clap::value_parser!(u64).range(1..=1440))]
    minutes: u64,
}

/// `operator code`.
#[derive(Debug, Args)]
pub struct InstallCode {
    /// The app's id.
    app: AppId,
    /// The Mattermost server: `https://chat.example.com`
    #[arg(long, value_name = "URL")]
    site: SiteUrl,
    /// The bundle's address, as that server reaches it. Without it: the address of the local bundle, or the stack's output
    /// `BaseUrl`.
    #[arg(long, value_name = "URL")]
    base_url: Option<SiteUrl>,
    #[command(flatten)]
    valid: Validity,
    /// The code may replace the install that the server has: for a server that was rebuilt.
    #[arg(long)]
    replace: bool,
}

/// `operator manage-code`.
#[derive(Debug, Args)]
pub struct ManageCode {
    /// The install's id.
    install: InstallId,
    #[command(flatten)]
    valid: Validity,
}

/// `operator revoke-codes`.
#[derive(Debug, Args)]
pub struct RevokeCodes {
    /// The install's id.
    install: InstallId,
}

/// Makes an install code. The code alone goes to standard output, so that a script can take it.
pub async fn install_code(at: &OperatorOptions, code: &InstallCode) -> Result<ExitCode, Failure> {
    let client = at.client().await?;
    let base_url = if let Some(given) = &code.base_url { given.clone() } else { client.base_url().await? };
    let (app, site, minutes) = (&code.app, &code.site, code.valid.minutes);
    let request = OperatorRequest::Code {
        app: app.clone(),
        site_url: site.clone(),
        base_url: base_url.clone(),
        valid_seconds: minutes * 60,
        replace: code.replace,
    };
    let answer = ask(&client, &request).await?;
    if at.json {
        return print_json(&answer);
    }
    let (code, until) = made(&answer)?;
    terminal::err(format!(
        "Install code for {app} on {site}. It is shown once, works once, and is valid for {minutes} minutes, until {}:",
        date(until)
    ));
    terminal::out(code);
    terminal::err(format!(
        "Next: an admin of {site} runs `cloud-apps install {app} --site {site} --bundle {base_url}` and types the code when \
         asked."
    ));
    Ok(ExitCode::SUCCESS)
}

/// Makes a manage code.
pub async fn manage_code(at: &OperatorOptions, code: &ManageCode) -> Result<ExitCode, Failure> {
    let (install, minutes) = (&code.install, code.valid.minutes);
    let request = OperatorRequest::ManageCode { install_id: install.clone(), valid_seconds: minutes * 60 };
    let answer = ask(&at.client().await?, &request).await?;
    if at.json {
        return print_json(&answer);
    }
    let (code, until) = made(&answer)?;
    terminal::err(format!(
        "Manage code for the install {install}. It is shown once, and is valid for {minutes} minutes, until {}:",
        date(until)
    ));
    terminal::out(code);
    terminal::err(format!(
        "Next: an admin of the server runs `cloud-apps show`, `configure`, `presets`, `sync`, `rotate bot-token`, `upgrade` or \
         `uninstall` with the install's id, --bundle with the bundle's address and --site with the server's address, and types \
         the code when asked. `cloud-apps operator revoke-codes {install}` revokes it."
    ));
    Ok(ExitCode::SUCCESS)
}

/// Revokes the manage codes of an install.
pub async fn revoke(at: &OperatorOptions, codes: &RevokeCodes) -> Result<ExitCode, Failure> {
    let request = OperatorRequest::RevokeManageCodes { install_id: codes.install.clone() };
    let answer = ask(&at.client().await?, &request).await?;
    if at.json {
        return print_json(&answer);
    }
    if let OperatorAnswer::Install(install) = &answer {
        show_install(install);
        terminal::err("No manage code of this install is valid any more.");
    }
    Ok(ExitCode::SUCCESS)
}

fn made(answer: &OperatorAnswer) -> Result<(&str, Millis), Failure> {
    match answer {
        OperatorAnswer::Code { code, expires_at } => Ok((code, *expires_at)),
        _ => Err(Failure::new("the bundle's answer is not a code")
            .hint("use the `cloud-apps` of the version that is deployed")),
    }
}
