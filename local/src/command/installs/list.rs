//! `cloud-apps list`.

use crate::command::shared::{
    options::BundleOptions,
    output::{date, print},
};
use crate::{
    failure::Failure,
    install::{BundleError, bundle::Bundle},
    terminal::{self, Line},
};
use clap::Args;
use cloud_apps_core::{
    http::system_now,
    install::TokenEnd,
    operator::{OperatorAnswer, OperatorRequest},
};
use cloud_apps_protocol::{AppId, InstallId, Millis, SiteUrl};
use serde::Serialize;
use std::process::ExitCode;

/// `list`.
#[derive(Debug, Args)]
#[command(after_help = "Only an operator of the bundle can list its installs.")]
pub struct List {
    /// Only the installs of this app.
    app: Option<AppId>,
    #[command(flatten)]
    at: BundleOptions,
    /// Print the list as JSON.
    #[arg(long)]
    json: bool,
}

/// One install of the list.
#[derive(Debug, Serialize)]
struct Row {
    install_id: InstallId,
    app_id: AppId,
    version: String,
    state: String,
    site_url: SiteUrl,
    created_at: Millis,
    /// When the server ends the bot's token, if it does.
    #[serde(skip_serializing_if = "Option::is_none")]
    bot_token_expires_at: Option<Millis>,
    /// The version that the bundle offers, if it is another one.
    #[serde(skip_serializing_if = "Option::is_none")]
    offered: Option<String>,
}

/// What needs an operator's rights.
const LISTING: &str = "listing installs";

/// Lists installs.
pub async fn run(arguments: List) -> Result<ExitCode, Failure> {
    let bundle = arguments.at.operator(LISTING).await?;
    let rows = rows(&bundle, arguments.app.as_ref()).await?;
    print(arguments.json, &rows, || {
        if rows.is_empty() {
            return vec!["Nothing is installed. `cloud-apps install APP --site URL` installs an app.".into()];
        }
        Line::all(rows.iter().map(Row::line).collect())
    })
}

impl Row {
    fn line(&self) -> String {
        let offered = self
            .offered
            .as_ref()
            .map(|version| format!("  (`cloud-apps upgrade {}` moves it to {version})", self.install_id));
        let end = self
            .bot_token_expires_at
            .map(|end| format!("  (the bot's token {})", TokenEnd(end).words(system_now())));
        format!(
            "{}  {:<20} {:<10} {:<10} {}  {}{}{}",
            self.install_id,
            self.app_id.as_str(),
            self.version,
            self.state,
            date(self.created_at),
            self.site_url,
            end.unwrap_or_default(),
            offered.unwrap_or_default()
        )
    }
}

/// The installs of one app, or of all. Entries that the bundle cannot read are reported on standard error.
pub async fn install_ids(bundle: &Bundle, app: Option<&AppId>) -> Result<Vec<InstallId>, Failure> {
    let failure = |trouble: BundleError| trouble.failure(bundle.base_url());
    let apps = match app {
        Some(app) => vec![app.clone()],
        None => match bundle.operator(LISTING, &OperatorRequest::Apps {}).await.map_err(failure)? {
            OperatorAnswer::Apps { apps } => apps.into_iter().map(|app| app.id).collect(),
            _ => Vec::new(),
        },
    };
    let mut found = Vec::new();
    for app in apps {
        let (listed, unread) = bundle.installs(&app).await.map_err(failure)?;
        for line in unread {
            terminal::err(format!(
                "What the bundle stores of {app} on {} cannot be read, so that install is left out: {}",
                line.site, line.why
            ));
        }
        found.extend(listed.into_iter().map(|listed| listed.install_id));
    }
    Ok(found)
}

async fn rows(bundle: &Bundle, app: Option<&AppId>) -> Result<Vec<Row>, Failure> {
    let mut rows = Vec::new();
    for install in install_ids(bundle, app).await? {
        let shown = bundle.show(&install).await.map_err(|trouble| trouble.failure(bundle.base_url()))?;
        // It may have been removed since it was listed.
        let Some(view) = shown else { continue };
        rows.push(Row {
            install_id: view.install_id,
            app_id: view.app_id,
            version: view.version,
            state: view.state,
            site_url: view.site_url,
            created_at: view.created_at,
            bot_token_expires_at: view.bot_token_expires_at,
            offered: view.offered.map(|offered| offered.version),
        });
    }
    Ok(rows)
}
