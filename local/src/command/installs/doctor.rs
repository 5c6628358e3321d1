//! `cloud-apps doctor`.

use crate::{
    certificates::Authorities,
    command::shared::{
        connect::{given_admin_token, installer},
        managed::ManagedInstall,
        output::print,
    },
    doctor,
    failure::Failure,
    install::{
        ADMIN_TOKEN, BundleError,
        bundle::{Bundle, Index, Rights},
        person::Terminal,
    },
    mattermost::{Mattermost, TIMEOUT},
    terminal::Line,
};
use clap::Args;
use cloud_apps_core::http::system_now;
use cloud_apps_protocol::SiteUrl;
use std::{process::ExitCode, sync::Arc};
use tokio_util::sync::CancellationToken;

/// `doctor`.
#[derive(Debug, Args)]
#[command(after_help = format!("{ADMIN_TOKEN} holds a personal access token of a system admin of the server. Without it, the bot, its \
tokens, commands and webhooks are not checked. Nothing is changed.\n\nThe exit code is 0 if nothing is wrong, and 1 if something is."))]
pub struct Doctor {
    #[command(flatten)]
    install: ManagedInstall,
}

/// Checks an install in Mattermost and in the bundle.
pub async fn run(arguments: Doctor) -> Result<ExitCode, Failure> {
    let person: Arc<Terminal> = Arc::default();
    let (bundle, view) = arguments.install.find().await?;
    let at_base = at(&doctor::base_url(&view), &arguments.install.at.authorities).await;
    let site = if given_admin_token().is_some() {
        arguments.install.which.site(&bundle, &view)?
    } else {
        &view.site_url
    }
    .clone();
    let installer = installer(&arguments.install.at, bundle, &site, &*person, CancellationToken::new())?;
    let admin: Option<Mattermost> =
        installer.admin.token.clone().map(|token| installer.admin.server.with_token(token));
    let now = i64::try_from(system_now() / 1_000).unwrap_or(i64::MAX);
    let facts =
        doctor::gather(view, &installer.bundle, at_base, &installer.admin.server, admin.as_ref(), now).await;
    let report = doctor::check(&facts);
    print(arguments.install.json, &report, || Line::all(report.lines()))?;
    Ok(if report.wrong.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// What answers at an address. It is asked without any credential.
async fn at(address: &str, authorities: &Authorities) -> Result<Index, BundleError> {
    let url = SiteUrl::new(address).map_err(|error| BundleError::Lost { what: error.to_string() })?;
    let nobody = Rights::Code(String::new().into());
    let bundle = Bundle::new(url, nobody, TIMEOUT, authorities)
        .map_err(|trouble| BundleError::Lost { what: trouble.to_string() })?;
    bundle.index().await.map(|(index, _)| index)
}
