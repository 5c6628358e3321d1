//! What every step of an installation has at hand.

use super::{bundle::Bundle, runner::Runner, stop::Stop};
use crate::mattermost::Mattermost;
use cloud_apps_protocol::install::AppView;

/// The two sides, the app, and how steps are run.
pub struct Context<'a> {
    /// The server, as its admin.
    pub server: &'a Mattermost,
    /// The bundle.
    pub bundle: &'a Bundle,
    /// The app.
    pub app: &'a AppView,
    /// Runs the steps.
    pub runner: Runner<'a>,
}

impl Context<'_> {
    /// [`Runner::step`].
    pub async fn step<T>(&self, title: &str, step: impl AsyncFnMut() -> Result<T, Stop>) -> Result<T, Stop> {
        self.runner.step(title, step).await
    }

    /// Shows a line.
    pub fn tell(&self, line: &str) {
        self.runner.person.tell(line);
    }
}
