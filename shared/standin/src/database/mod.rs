//! Everything that the server stores, as plain data without I/O.
//!
//! It uses lists instead of maps. For posts the order matters to a client; of all else a test has tens, and a list
//! prints and compares well.

mod change;
mod lookup;
mod permission;
mod resolve;

use crate::Version;
use crate::ids::Ids;
use crate::keys::CookieKey;
use crate::model::{
    Channel, ChannelMember, ClientState, Command, Credentials, IncomingWebhook, Millis, OAuthApp, OpenDialog,
    OutgoingWebhook, Post, Reaction, ResponseHook, Session, Team, TeamMember, Token, User,
};
use crate::settings::Settings;

/// What the server stores, and what it needs to change it.
pub(crate) struct Database {
    pub version: Version,
    /// The time of the current call.
    pub now: Millis,
    pub ids: Ids,
    /// Seals the integrations of ephemeral posts.
    pub cookie_key: CookieKey,
    pub settings: Settings,
    pub users: Vec<User>,
    pub teams: Vec<Team>,
    pub channels: Vec<Channel>,
    pub team_members: Vec<TeamMember>,
    pub channel_members: Vec<ChannelMember>,
    pub posts: Vec<Post>,
    pub reactions: Vec<Reaction>,
    pub tokens: Vec<Token>,
    pub sessions: Vec<Session>,
    pub credentials: Vec<Credentials>,
    pub commands: Vec<Command>,
    pub response_hooks: Vec<ResponseHook>,
    pub outgoing_webhooks: Vec<OutgoingWebhook>,
    pub incoming_webhooks: Vec<IncomingWebhook>,
    pub oauth_apps: Vec<OAuthApp>,
    /// Dialogs that were opened, and were not yet sent or closed.
    pub dialogs: Vec<OpenDialog>,
    /// One for each user whose client got a trigger id.
    pub clients: Vec<ClientState>,
    /// New posts for which nobody has looked yet whether they trigger outgoing webhooks.
    pub posts_for_webhooks: Vec<Post>,
}

impl Database {
    /// A database without users, with the settings of a fresh server.
    pub fn new(version: Version, ids: Ids) -> Database {
        Database {
            version,
            now: 0,
            ids,
            cookie_key: CookieKey::new(),
            settings: Settings::fresh(version),
            users: Vec::new(),
            teams: Vec::new(),
            channels: Vec::new(),
            team_members: Vec::new(),
            channel_members: Vec::new(),
            posts: Vec::new(),
            reactions: Vec::new(),
            tokens: Vec::new(),
            sessions: Vec::new(),
            credentials: Vec::new(),
            commands: Vec::new(),
            response_hooks: Vec::new(),
            outgoing_webhooks: Vec::new(),
            incoming_webhooks: Vec::new(),
            oauth_apps: Vec::new(),
            dialogs: Vec::new(),
            clients: Vec::new(),
            posts_for_webhooks: Vec::new(),
        }
    }
}
