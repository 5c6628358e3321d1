//! The world: everything that the stand-in knows, and the rules of who may see and do what.
//!
//! Plain data without I/O. Lists instead of maps where the order matters to a client (posts) or the number
//! is small (all else): a world in a test has tens of things, and a list prints and compares well.

mod changes;
mod integrations;
mod rules;

pub(crate) use changes::LONGEST_MESSAGE;
pub(crate) use integrations::{Caller, Credentials, IncomingWebhook, OAuthApp, OutgoingWebhook, Session};

use crate::Version;
use crate::action::attachment::Attachment;
use crate::action::cookie::CookieKey;
use crate::dialog::{OpenDialog, Told};
use crate::fault::Faults;
use crate::ids::Ids;
use crate::rest::Call;
use crate::settings::Settings;
use crate::webhook::Firing;
use serde_json::{Map, Value};

/// Milliseconds since 1970, as everywhere in Mattermost's API.
pub type Millis = u64;

/// A person or a bot.
#[derive(Debug, Clone)]
pub struct User {
    /// 26 characters.
    pub id: String,
    /// The name behind the `@`.
    pub username: String,
    /// As shown in the profile.
    pub first_name: String,
    /// As shown in the profile.
    pub last_name: String,
    /// As shown in the profile.
    pub nickname: String,
    /// `name@example.com`; a bot has `name@localhost`.
    pub email: String,
    /// Words of roles with spaces between: `system_user system_admin`.
    pub roles: String,
    /// As shown in the profile: the title of a job.
    pub position: String,
    /// `en`, `de`, …
    pub locale: String,
    /// Wrong passwords since the last right one.
    pub failed_attempts: u32,
    /// For a bot, its description and owner.
    pub bot: Option<Bot>,
    /// When it was made.
    pub create_at: Millis,
    /// When it was changed last.
    pub update_at: Millis,
    /// When it was deactivated; 0 while active.
    pub delete_at: Millis,
}

/// What makes a user a bot.
#[derive(Debug, Clone)]
pub struct Bot {
    /// Shown in the profile.
    pub description: String,
    /// The user who made it.
    pub owner_id: String,
}

#[derive(Debug, Clone)]
pub(crate) struct Team {
    pub id: String,
    pub name: String,
    pub display_name: String,
    pub email: String,
    pub invite_id: String,
    pub create_at: Millis,
    pub update_at: Millis,
    /// When it was archived; 0 until then.
    pub delete_at: Millis,
}

/// Who may find a channel. The letters are Mattermost's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChannelKind {
    /// `O`: everybody in the team.
    Public,
    /// `P`: its members.
    Private,
    /// `D`: the two in it.
    Direct,
    /// `G`: the three to eight in it.
    Group,
}

impl ChannelKind {
    pub(crate) fn letter(self) -> &'static str {
        match self {
            ChannelKind::Public => "O",
            ChannelKind::Private => "P",
            ChannelKind::Direct => "D",
            ChannelKind::Group => "G",
        }
    }

    /// A conversation without a team.
    pub(crate) fn is_conversation(self) -> bool {
        matches!(self, ChannelKind::Direct | ChannelKind::Group)
    }
}

#[derive(Debug, Clone)]
pub(crate) struct Channel {
    pub id: String,
    /// Empty for a direct channel and a group.
    pub team_id: String,
    pub kind: ChannelKind,
    pub name: String,
    pub display_name: String,
    pub header: String,
    pub purpose: String,
    pub creator_id: String,
    pub create_at: Millis,
    pub update_at: Millis,
    /// When it was archived; 0 until then.
    pub delete_at: Millis,
}

#[derive(Debug, Clone)]
pub(crate) struct TeamMember {
    pub team_id: String,
    pub user_id: String,
    pub admin: bool,
}

#[derive(Debug, Clone)]
pub(crate) struct ChannelMember {
    pub channel_id: String,
    pub user_id: String,
    pub admin: bool,
    pub since: Millis,
}

/// A message in a channel, or an ephemeral one that a single user sees.
#[derive(Debug, Clone, PartialEq)]
pub struct Post {
    /// 26 characters.
    pub id: String,
    /// When it was made.
    pub create_at: Millis,
    /// When it was changed last, also by replies; `create_at` until then.
    pub update_at: Millis,
    /// When its text was changed last; 0 until then.
    pub edit_at: Millis,
    /// When it was deleted; 0 until then.
    pub delete_at: Millis,
    /// It is pinned to its channel.
    pub is_pinned: bool,
    /// The author.
    pub user_id: String,
    /// Where it stands.
    pub channel_id: String,
    /// The first post of the thread; empty outside one.
    pub root_id: String,
    /// The text, in Markdown.
    pub message: String,
    /// Empty, `slack_attachment`, `custom_…`, `system_…`.
    pub kind: String,
    /// All props but the attachments.
    pub props: Map<String, Value>,
    /// The attachments, with the integrations of their actions, which no client is told.
    pub attachments: Vec<Attachment>,
    /// It came by `POST /api/v4/posts`. Version 11 tells such posts from those of commands by a `remote_id`.
    pub by_rest: bool,
    /// The one user who sees an ephemeral post.
    pub only_for: Option<String>,
}

/// What somebody thinks of a post.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Reaction {
    pub user_id: String,
    pub post_id: String,
    pub emoji_name: String,
    pub create_at: Millis,
}

/// A personal access token. No `Debug`: it holds the token.
#[expect(clippy::struct_field_names, reason = "the names of the API")]
pub(crate) struct Token {
    pub id: String,
    pub token: String,
    pub user_id: String,
    pub description: String,
    pub active: bool,
}

/// A slash command of a team. No `Debug`: it holds the token.
#[derive(Clone)]
pub(crate) struct Command {
    pub id: String,
    pub token: String,
    pub create_at: Millis,
    pub update_at: Millis,
    pub creator_id: String,
    pub team_id: String,
    pub trigger: String,
    /// `P` or `G`.
    pub method: String,
    pub username: String,
    pub icon_url: String,
    pub auto_complete: bool,
    pub auto_complete_desc: String,
    pub auto_complete_hint: String,
    pub display_name: String,
    pub description: String,
    pub url: String,
}

/// What stands behind a `response_url`. No `Debug`: the id is the secret.
#[derive(Clone)]
pub(crate) struct ResponseHook {
    pub id: String,
    pub create_at: Millis,
    pub command_id: String,
    pub user_id: String,
    pub channel_id: String,
    pub root_id: String,
    pub uses: u32,
}

/// Everything the stand-in knows.
pub(crate) struct World {
    pub version: Version,
    /// The time of the call in hand.
    pub now: Millis,
    pub ids: Ids,
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
    pub hooks: Vec<ResponseHook>,
    pub outgoing_webhooks: Vec<OutgoingWebhook>,
    pub incoming_webhooks: Vec<IncomingWebhook>,
    pub oauth_apps: Vec<OAuthApp>,
    /// Dialogs that were opened and neither sent nor closed.
    pub dialogs: Vec<OpenDialog>,
    /// The last trigger id that each client was told.
    pub told: Vec<Told>,
    /// Seals the integrations of ephemeral posts.
    pub cookie_key: CookieKey,
    /// Webhooks that were fired and not yet sent.
    pub firings: Vec<Firing>,
    /// What came in, for assertions and a log.
    pub calls: Vec<Call>,
    pub faults: Faults,
}
