//! Gathers everything that a check may need, once.

use crate::{
    install::{
        BundleError,
        bundle::{Bundle, Index},
    },
    mattermost::{Bot, CallError, ClientConfig, Command, Mattermost, OutgoingWebhook, Team, Token, User},
};
use cloud_apps_core::operator::{OperatorAnswer, OperatorRequest};
use cloud_apps_protocol::install::{InstallView, Registration, Server};
use std::collections::BTreeSet;

/// What is known of an install, its bundle and its server.
pub struct Facts {
    /// This machine's clock, in seconds since 1970.
    pub now: i64,
    /// The install.
    pub view: InstallView,
    /// The bundle's version and clock, or why it did not answer.
    pub bundle: Result<(Index, Option<i64>), BundleError>,
    /// The address that the install has of the bundle.
    pub base_url: String,
    /// What answers at that address.
    pub at_base: Result<Index, BundleError>,
    /// The server's settings as anybody sees them, and its clock, or why it did not answer.
    pub server: Result<(ClientConfig, Option<i64>), CallError>,
    /// How many of its jobs failed for good; `None` without an operator's rights.
    pub given_up: Option<usize>,
    /// What its admin sees; `None` if nobody logged in.
    pub admin: Option<Result<Admin, CallError>>,
}

/// What a system admin of the server sees.
pub struct Admin {
    /// Who that is.
    pub me: User,
    /// The server's settings.
    pub config: ClientConfig,
    /// What it says of itself, as an install keeps it.
    pub is: Server,
    /// Private addresses that integrations may have; `None` if the admin may not read them.
    pub allowed: Option<String>,
    /// The install's bot.
    pub bot: Option<Bot>,
    /// Its tokens.
    pub tokens: Vec<Token>,
    /// The teams in which something is registered.
    pub teams: Vec<TeamFacts>,
}

/// One team of the server.
pub struct TeamFacts {
    /// The team; `None` if it is gone.
    pub team: Option<Team>,
    /// Its id.
    pub id: String,
    /// Whether the bot is in it.
    pub bot_is_member: bool,
    /// Its slash commands; `None` if the server does not list them, for example if commands are switched off.
    pub commands: Option<Vec<Command>>,
    /// Its outgoing webhooks; `None` if the server does not list them.
    pub webhooks: Option<Vec<OutgoingWebhook>>,
}

/// Gathers the facts. Nothing is changed anywhere.
pub async fn gather(
    view: InstallView,
    bundle: &Bundle,
    at_base: Result<Index, BundleError>,
    server: &Mattermost,
    admin: Option<&Mattermost>,
    now: i64,
) -> Facts {
    let base_url = base_url(&view);
    let index = bundle.index().await;
    let seen = async { Ok((server.client_config().await?, server.ping().await?)) }.await;
    let given_up = given_up(bundle, &view).await;
    let admin = match admin {
        Some(admin) => Some(as_admin(admin, &view).await),
        None => None,
    };
    Facts { now, view, bundle: index, base_url, at_base, server: seen, given_up, admin }
}

/// How many jobs of the install failed for good. At most one page of them is counted.
async fn given_up(bundle: &Bundle, view: &InstallView) -> Option<usize> {
    let of = Some(view.install_id.clone());
    let request = OperatorRequest::DeadLetters { install_id: of, cursor: None };
    match bundle.operator("looking for jobs that were given up", &request).await {
        Ok(OperatorAnswer::DeadLetters { dead_letters, .. }) => Some(dead_letters.len()),
        _ => None,
    }
}

/// The address that the install has of the bundle.
pub fn base_url(view: &InstallView) -> String {
    view.endpoints.command.trim_end_matches("/command").to_owned()
}

async fn as_admin(server: &Mattermost, view: &InstallView) -> Result<Admin, CallError> {
    let me = server.me().await?;
    let config = server.client_config().await?;
    let settings = server.admin_settings().await.ok();
    let is = server.server(settings.as_ref()).await?;
    let allowed = settings.map(|settings| settings.allowed_connections);
    let bot = server.bot(view.bot.id.as_str()).await?;
    let tokens = if bot.is_some() { server.tokens(view.bot.id.as_str()).await? } else { Vec::new() };
    let registered = view.registered.iter().chain(&view.leftovers).filter_map(|standing| match standing {
        Registration::SlashCommand { team_id, .. } | Registration::OutgoingWebhook { team_id, .. } => {
            Some(team_id.to_string())
        }
        Registration::Bot { .. } => None,
    });
    let ids: BTreeSet<String> = registered.collect();
    let mut teams = Vec::new();
    for id in ids {
        let team = server.team(&id).await?.filter(|team| team.delete_at == 0);
        let mut facts =
            TeamFacts { bot_is_member: false, commands: None, webhooks: None, id: id.clone(), team };
        if facts.team.is_some() {
            facts.bot_is_member = server.is_member(&id, view.bot.id.as_str()).await?;
            facts.commands = server.commands(&id).await.ok();
            facts.webhooks = server.webhooks(&id).await.ok();
        }
        teams.push(facts);
    }
    Ok(Admin { me, config, is, allowed, bot, tokens, teams })
}
