//! With what apps are installed, kept right and removed: the admin of the server, and the bundle.

use super::{admin::Admin, bundle::Bundle, context::Context, stop::Stop};
use crate::mattermost::Mattermost;
use cloud_apps_protocol::{AppId, install::AppView};
use std::path::PathBuf;

/// Installs apps, keeps them right and removes them.
pub struct Installer<'a> {
    /// The admin of the server.
    pub admin: Admin<'a>,
    /// The bundle.
    pub bundle: Bundle,
    /// The folder of the journals.
    pub journals: PathBuf,
}

impl Installer<'_> {
    /// The app, with all that it asks for.
    pub async fn app(&self, app: &AppId) -> Result<AppView, Stop> {
        let ask = async || Ok(self.bundle.app(app).await?);
        self.admin.runner().step(&format!("asked {} for {app}", self.bundle.base_url()), ask).await
    }

    /// What the steps have at hand.
    pub fn context<'a>(&'a self, server: &'a Mattermost, app: &'a AppView) -> Context<'a> {
        Context { server, bundle: &self.bundle, app, runner: self.admin.runner() }
    }
}
