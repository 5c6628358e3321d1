//! What an admin wants installed.

use cloud_apps_protocol::{AppId, SiteUrl, Values};

/// What an admin wants installed.
#[derive(Debug, Clone)]
pub struct Request {
    /// Which app.
    pub app: AppId,
    /// On which server.
    pub site: SiteUrl,
    /// In which teams.
    pub teams: Teams,
    /// The bot's name, if it is not the app's own name.
    pub bot: Option<String>,
    /// Settings as typed: name and value.
    pub set: Vec<(String, String)>,
    /// Settings from a file. There may be passwords among them.
    pub settings: Values,
    /// The admin agrees to what the app asks for.
    pub agreed: bool,
    /// If the run fails, what was made is kept.
    pub keep: bool,
    /// The admin agrees to take over what another bundle has for this app on this server.
    pub take_over: bool,
}

/// The teams in which an app gets its commands.
#[derive(Debug, Clone)]
pub enum Teams {
    /// The teams of these names. Without names: the server's only team.
    Named(Vec<String>),
    /// All teams.
    All,
}
