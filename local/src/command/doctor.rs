//! `cloud-apps doctor`.

use super::{
    install::print,
    reach::{Reach, Which, given_admin_token, means},
};
use crate::{
    doctor,
    failure::Failure,
    install::{
        ADMIN_TOKEN,
        bundle::{Bundle, Rights},
        interrupt::Interrupt,
        person::Terminal,
    },
    mattermost::{Mattermost, TIMEOUT},
    terminal::Line,
};
use clap::Args;
use cloud_apps_core::http::system_now;
use cloud_apps_protocol::SiteUrl;
use std::{process::ExitCode, sync::Arc};

/// `doctor`.
#[derive(Debug, Args)]
#[command(after_help = format!("{ADMIN_TOKEN} holds a personal access token of a system admin of the server; without it the bot, its \
token, commands and webhooks are not looked at. Nothing is changed.\n\nExit codes: 0 nothing is wrong · 1 something is."))]
pub struct Doctor {
    /// Which install.
    #[command(flatten)]
    which: Which,
    /// Where the bundle is.
    #[command(flatten)]
    reach: Reach,
    /// Print what was found as JSON.
    #[arg(long)]
    json: bool,
}

/// Looks at an install from both ends.
pub async fn run(arguments: Doctor) -> Result<ExitCode, Failure> {
    let person: Arc<Terminal> = Arc::default();
    let bundle = arguments.reach.bundle("A manage code of the install").await?;
    let view = arguments.which.install(&bundle).await?;
    let at_base = at(&doctor::base_url(&view)).await;
    let site =
        if given_admin_token().is_some() { arguments.which.site(&bundle, &view)? } else { &view.site_url }
            .clone();
    let means = means(&arguments.reach, bundle, &site, &*person, Interrupt::never())?;
    let admin: Option<Mattermost> = means.token.clone().map(|token| means.server.with_token(token));
    let now = i64::try_from(system_now() / 1_000).unwrap_or(i64::MAX);
    let facts = doctor::gather(view, &means.bundle, at_base, &means.server, admin.as_ref(), now).await;
    let report = doctor::check(&facts);
    print(arguments.json, &report, || Line::all(report.lines()))?;
    Ok(if report.wrong.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// What answers at an address, as nobody in particular.
async fn at(address: &str) -> Result<crate::install::bundle::Index, String> {
    let url = SiteUrl::new(address).map_err(|error| error.to_string())?;
    let nobody = Rights::Code(String::new().into());
    let bundle = Bundle::new(url, nobody, TIMEOUT).map_err(|trouble| trouble.to_string())?;
    bundle.index().await.map(|(index, _)| index).map_err(|trouble| trouble.to_string())
}
