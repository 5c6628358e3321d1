//! What an installation will do.

use super::bundle::Bundle;
use crate::mattermost::{Finding, Team, User};
use cloud_apps_protocol::{
    SiteUrl,
    install::{AppView, Server},
};
use serde::Serialize;

/// What was found, and what will be done.
#[derive(Debug, Clone, Serialize)]
pub struct Plan {
    /// The app.
    pub app: String,
    /// The site.
    pub site: SiteUrl,
    /// What the bundle is told of the server.
    #[serde(skip)]
    pub server: Server,
    /// The server's version.
    pub server_version: String,
    /// The bundle's version.
    pub bundle_version: String,
    /// Who installs.
    #[serde(skip)]
    pub admin: User,
    /// The bot's name.
    pub bot: String,
    /// How the bot's account was found.
    pub bot_is: BotIs,
    /// After how many days the server ends the bot's token. Absent: it does not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token_days: Option<u32>,
    /// In which teams.
    #[serde(serialize_with = "names")]
    pub teams: Vec<Team>,
    /// What is good to know and does not stand in the way.
    pub notes: Vec<Finding>,
    /// What already stands and is taken up, with a new token.
    pub takes_up: Vec<String>,
    /// What another bundle has and would lose. The admin has to agree.
    pub takes_over: Vec<String>,
    /// The admin agreed to that.
    #[serde(skip)]
    pub take_over: bool,
}

/// How the bot's account was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum BotIs {
    /// It does not exist.
    Absent,
    /// An earlier install left it, disabled.
    Disabled,
    /// An earlier install left it.
    Active,
}

/// `1 day`, `30 days`.
pub(super) fn days_in_words(days: u32) -> String {
    if days == 1 { "1 day".to_owned() } else { format!("{days} days") }
}

fn names<S: serde::Serializer>(teams: &[Team], s: S) -> Result<S::Ok, S::Error> {
    s.collect_seq(teams.iter().map(|team| &team.name))
}

impl Plan {
    /// The bot's name, and the names of its teams.
    pub fn place(&self) -> (&str, Vec<String>) {
        (&self.bot, self.teams.iter().map(|team| team.name.clone()).collect())
    }

    /// Every call that changes something, in its order, for --dry-run.
    pub fn calls(&self, app: &AppView, bundle: &Bundle) -> Vec<String> {
        let (site, base) = (&self.site, bundle.base_url());
        let mut calls = Vec::new();
        let mut at = |what: String, why: String| calls.push(format!("{why}: {what}"));
        match self.bot_is {
            BotIs::Absent => at(format!("POST {site}/api/v4/bots"), format!("make the bot @{}", self.bot)),
            BotIs::Disabled => {
                at(format!("POST {site}/api/v4/bots/…/enable"), format!("enable the bot @{}", self.bot));
            }
            BotIs::Active => {}
        }
        for team in &self.teams {
            let why = format!("add @{} to the team {}, if it is not in it", self.bot, team.name);
            at(format!("POST {site}/api/v4/teams/{}/members", team.id), why);
        }
        let life = self.token_days.map(|days| format!(" that ends after {}", days_in_words(days)));
        at(
            format!("POST {site}/api/v4/users/…/tokens"),
            format!("make a token for @{}{}", self.bot, life.unwrap_or_default()),
        );
        if self.bot_is != BotIs::Absent {
            let why = format!("revoke every other token of @{}", self.bot);
            at(format!("POST {site}/api/v4/users/tokens/revoke"), why);
        }
        if bundle.is_operator() {
            at(format!("operator of {base}"), "make an install code with the operator's rights".to_owned());
        }
        at(format!("POST {base}/install"), "hand over the bot, its token and the settings".to_owned());
        if app.requests.locations.contains("message_box") {
            for team in &self.teams {
                let why = format!("make /{} in the team {}", app.namespace, team.name);
                at(format!("POST {site}/api/v4/commands"), why);
            }
        }
        if app.requests.events.contains("message_posted") {
            at(
                format!("POST {site}/api/v4/hooks/outgoing"),
                "make a webhook for each public channel that the app watches".to_owned(),
            );
        }
        at(
            format!("POST {base}/install/…/complete"),
            "hand over what was made; the app runs from here on".to_owned(),
        );
        calls
    }
}
