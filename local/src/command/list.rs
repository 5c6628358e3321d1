//! `cloud-apps list` and `cloud-apps show`.

use super::{
    install::print,
    operator::{date, show_install},
    reach::{Reach, Which},
};
use crate::{
    failure::Failure,
    install::bundle::{Bundle, BundleTrouble},
    terminal::{self, Line},
};
use clap::Args;
use cloud_apps_core::operator::{OperatorAnswer, OperatorRequest};
use cloud_apps_protocol::{AppId, InstallId, Millis, SiteUrl};
use serde::Serialize;
use std::process::ExitCode;

/// `list`.
#[derive(Debug, Args)]
pub struct List {
    /// Of this app only.
    pub app: Option<AppId>,
    /// Where the bundle is.
    #[command(flatten)]
    pub reach: Reach,
    /// Print the list as JSON.
    #[arg(long)]
    pub json: bool,
}

/// One line of the list.
#[derive(Debug, Serialize)]
struct Row {
    install_id: InstallId,
    app_id: AppId,
    version: String,
    state: String,
    site_url: SiteUrl,
    created_at: Millis,
    /// The version that the bundle has, where it is another.
    #[serde(skip_serializing_if = "Option::is_none")]
    offered: Option<String>,
}

/// For what an operator's rights are needed.
const LISTING: &str = "listing installs";

/// Lists installs.
pub async fn list(arguments: List) -> Result<ExitCode, Failure> {
    let bundle = arguments.reach.operator(LISTING).await?;
    let rows = rows(&bundle, arguments.app.as_ref()).await?;
    print(arguments.json, &rows, || {
        if rows.is_empty() {
            return vec!["Nothing is installed. `cloud-apps install APP --site URL` installs an app.".into()];
        }
        let line = |row: &Row| {
            let offered = row.offered.as_ref().map(|v| format!("  ({v} is here: cloud-apps upgrade)"));
            format!(
                "{}  {:<20} {:<10} {:<10} {}  {}{}",
                row.install_id,
                row.app_id.as_str(),
                row.version,
                row.state,
                date(row.created_at),
                row.site_url,
                offered.unwrap_or_default()
            )
        };
        Line::all(rows.iter().map(line).collect())
    })
}

/// The installs of a bundle, or of one app. What the bundle cannot read of its list is told beside the result.
pub(super) async fn installs(bundle: &Bundle, app: Option<&AppId>) -> Result<Vec<InstallId>, Failure> {
    let lost = |trouble: BundleTrouble| trouble.failure(bundle.base_url());
    let apps = match app {
        Some(app) => vec![app.clone()],
        None => match bundle.operator(LISTING, &OperatorRequest::Apps {}).await.map_err(lost)? {
            OperatorAnswer::Apps { apps } => apps.into_iter().map(|app| app.id).collect(),
            _ => Vec::new(),
        },
    };
    let mut found = Vec::new();
    for app in apps {
        let (listed, unread) = bundle.installs(&app).await.map_err(lost)?;
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
    for install in installs(bundle, app).await? {
        let shown = bundle.show(&install).await.map_err(|trouble| trouble.failure(bundle.base_url()))?;
        // It may be gone since it was listed.
        let Some(view) = shown else { continue };
        rows.push(Row {
            install_id: view.install_id,
            app_id: view.app_id,
            version: view.version,
            state: view.state,
            site_url: view.site_url,
            created_at: view.created_at,
            offered: view.offered.map(|offered| offered.version),
        });
    }
    Ok(rows)
}

/// `show`.
#[derive(Debug, Args)]
pub struct Show {
    /// Which install.
    #[command(flatten)]
    pub which: Which,
    /// Where the bundle is.
    #[command(flatten)]
    pub reach: Reach,
    /// Print it as JSON.
    #[arg(long)]
    pub json: bool,
}

/// Shows one install.
pub async fn show(arguments: Show) -> Result<ExitCode, Failure> {
    let bundle = arguments.reach.bundle("A manage code of the install").await?;
    let view = arguments.which.install(&bundle).await?;
    if arguments.json {
        return print(true, &view, Vec::new);
    }
    show_install(&view);
    Ok(ExitCode::SUCCESS)
}
