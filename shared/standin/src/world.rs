//! The world: everything that the stand-in knows, and the rules of who may see and do what.
//!
//! Plain data without I/O. Lists instead of maps where the order matters to a client (posts) or the number
//! is small (all else): a world in a test has tens of things, and a list prints and compares well.

use crate::Version;
use crate::error::AppError;
use crate::fault::Faults;
use crate::ids::Ids;
use crate::rest::Call;
use crate::slash::answer::Attachment;
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
    /// `en`, `de`, …
    pub locale: String,
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
}

impl ChannelKind {
    pub(crate) fn letter(self) -> &'static str {
        match self {
            ChannelKind::Public => "O",
            ChannelKind::Private => "P",
            ChannelKind::Direct => "D",
        }
    }
}

#[derive(Debug, Clone)]
pub(crate) struct Channel {
    pub id: String,
    /// Empty for a direct channel.
    pub team_id: String,
    pub kind: ChannelKind,
    pub name: String,
    pub display_name: String,
    pub creator_id: String,
    pub create_at: Millis,
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
#[derive(Debug, Clone)]
pub struct Post {
    /// 26 characters.
    pub id: String,
    /// When it was made.
    pub create_at: Millis,
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
    /// `ServiceSettings.SiteURL`.
    pub site_url: String,
    /// `EnablePostUsernameOverride` and `EnablePostIconOverride`; off in a fresh server.
    pub overrides: bool,
    pub users: Vec<User>,
    pub teams: Vec<Team>,
    pub channels: Vec<Channel>,
    pub team_members: Vec<TeamMember>,
    pub channel_members: Vec<ChannelMember>,
    pub posts: Vec<Post>,
    pub tokens: Vec<Token>,
    pub commands: Vec<Command>,
    pub hooks: Vec<ResponseHook>,
    /// What came in, for assertions and a log.
    pub calls: Vec<Call>,
    pub faults: Faults,
}

/// Looking things up.
impl World {
    pub fn user(&self, id: &str) -> Option<&User> {
        self.users.iter().find(|user| user.id == id)
    }

    pub fn user_named(&self, name: &str) -> Option<&User> {
        self.users.iter().find(|user| user.username.eq_ignore_ascii_case(name))
    }

    pub fn team(&self, id: &str) -> Option<&Team> {
        self.teams.iter().find(|team| team.id == id)
    }

    pub fn team_named(&self, name: &str) -> Option<&Team> {
        self.teams.iter().find(|team| team.name == name)
    }

    pub fn channel(&self, id: &str) -> Option<&Channel> {
        self.channels.iter().find(|channel| channel.id == id)
    }

    pub fn channel_named(&self, team_id: &str, name: &str) -> Option<&Channel> {
        self.channels.iter().find(|channel| channel.team_id == team_id && channel.name == name)
    }

    pub fn team_member(&self, team_id: &str, user_id: &str) -> Option<&TeamMember> {
        self.team_members.iter().find(|member| member.team_id == team_id && member.user_id == user_id)
    }

    pub fn channel_member(&self, channel_id: &str, user_id: &str) -> Option<&ChannelMember> {
        self.channel_members
            .iter()
            .find(|member| member.channel_id == channel_id && member.user_id == user_id)
    }

    /// A stored post; ephemeral ones are stored nowhere.
    pub fn post(&self, id: &str) -> Option<&Post> {
        self.posts.iter().find(|post| post.id == id && post.only_for.is_none())
    }

    /// The user of a token that is active and whose user is too.
    pub fn session(&self, token: &str) -> Option<&User> {
        let token = self.tokens.iter().find(|known| known.active && known.token == token)?;
        self.user(&token.user_id).filter(|user| user.delete_at == 0)
    }
}

/// Who may do what: the default permissions of a fresh server (`MakeDefaultRoles` in `model/role.go`).
impl World {
    pub fn has_role(&self, user_id: &str, role: &str) -> bool {
        self.user(user_id).is_some_and(|user| user.roles.split(' ').any(|word| word == role))
    }

    pub fn is_admin(&self, user_id: &str) -> bool {
        self.has_role(user_id, "system_admin")
    }

    pub fn may_see_team(&self, user_id: &str, team_id: &str) -> bool {
        self.is_admin(user_id) || self.team_member(team_id, user_id).is_some()
    }

    pub fn may_manage_team(&self, user_id: &str, team_id: &str) -> bool {
        self.is_admin(user_id) || self.team_member(team_id, user_id).is_some_and(|member| member.admin)
    }

    /// `read_channel`: members only.
    pub fn may_read(&self, user_id: &str, channel_id: &str) -> bool {
        self.is_admin(user_id) || self.channel_member(channel_id, user_id).is_some()
    }

    /// `read_public_channel` too: the channel itself, not what is said in it.
    pub fn may_see_channel(&self, user_id: &str, channel: &Channel) -> bool {
        self.may_read(user_id, &channel.id)
            || (channel.kind == ChannelKind::Public && self.may_see_team(user_id, &channel.team_id))
    }

    /// `create_post`. The role `system_post_all` gives it everywhere (`posts-create-bot-post-all.http`).
    pub fn may_post(&self, user_id: &str, channel_id: &str) -> bool {
        self.may_read(user_id, channel_id) || self.has_role(user_id, "system_post_all")
    }
}

/// Changing things.
impl World {
    pub fn add_user(&mut self, username: &str, bot: Option<Bot>) -> &User {
        let mut letters = username.chars();
        let capital = letters.next().map(|first| first.to_uppercase().chain(letters).collect::<String>());
        let host = if bot.is_some() { "localhost" } else { "example.com" };
        self.users.push(User {
            id: self.ids.next(),
            username: username.to_owned(),
            first_name: capital.unwrap_or_default(),
            last_name: String::new(),
            nickname: String::new(),
            email: format!("{username}@{host}"),
            roles: "system_user".to_owned(),
            locale: "en".to_owned(),
            bot,
            create_at: self.now,
            update_at: self.now,
            delete_at: 0,
        });
        // `push` has just made it longer than nothing.
        let last = self.users.len() - 1;
        #[expect(clippy::indexing_slicing, reason = "the user was pushed two lines above")]
        &self.users[last]
    }

    /// A team comes with its two default channels.
    pub fn add_team(&mut self, name: &str, display_name: &str, email: &str) -> String {
        let id = self.ids.next();
        self.teams.push(Team {
            id: id.clone(),
            name: name.to_owned(),
            display_name: display_name.to_owned(),
            email: email.to_owned(),
            invite_id: self.ids.next(),
            create_at: self.now,
        });
        self.add_channel(&id, "town-square", "Town Square", ChannelKind::Public, "");
        self.add_channel(&id, "off-topic", "Off-Topic", ChannelKind::Public, "");
        id
    }

    pub fn add_channel(
        &mut self,
        team: &str,
        name: &str,
        title: &str,
        kind: ChannelKind,
        creator: &str,
    ) -> Channel {
        let channel = Channel {
            id: self.ids.next(),
            team_id: team.to_owned(),
            kind,
            name: name.to_owned(),
            display_name: title.to_owned(),
            creator_id: creator.to_owned(),
            create_at: self.now,
            delete_at: 0,
        };
        self.channels.push(channel.clone());
        channel
    }

    /// The direct channel of two users, made when they first need it. The smaller id comes first in its name.
    pub fn direct_channel(&mut self, creator: &str, one: &str, other: &str) -> Channel {
        let (first, second) = if one < other { (one, other) } else { (other, one) };
        let name = format!("{first}__{second}");
        if let Some(known) = self.channel_named("", &name) {
            return known.clone();
        }
        let channel = self.add_channel("", &name, "", ChannelKind::Direct, creator);
        self.join(&channel.id, first, false);
        self.join(&channel.id, second, false);
        channel
    }

    /// Joining a team joins its default channels.
    pub fn join_team(&mut self, team_id: &str, user_id: &str) -> TeamMember {
        if let Some(known) = self.team_member(team_id, user_id) {
            return known.clone();
        }
        let member = TeamMember { team_id: team_id.to_owned(), user_id: user_id.to_owned(), admin: false };
        self.team_members.push(member.clone());
        for name in ["town-square", "off-topic"] {
            if let Some(id) = self.channel_named(team_id, name).map(|channel| channel.id.clone()) {
                self.join(&id, user_id, false);
            }
        }
        member
    }

    pub fn join(&mut self, channel_id: &str, user_id: &str, admin: bool) -> ChannelMember {
        if let Some(known) = self.channel_member(channel_id, user_id) {
            return known.clone();
        }
        let member = ChannelMember {
            channel_id: channel_id.to_owned(),
            user_id: user_id.to_owned(),
            admin,
            since: self.now,
        };
        self.channel_members.push(member.clone());
        member
    }

    pub fn add_token(&mut self, user_id: &str, description: &str) -> &Token {
        self.tokens.push(Token {
            id: self.ids.next(),
            token: self.ids.next(),
            user_id: user_id.to_owned(),
            description: description.to_owned(),
            active: true,
        });
        let last = self.tokens.len() - 1;
        #[expect(clippy::indexing_slicing, reason = "the token was pushed two lines above")]
        &self.tokens[last]
    }

    /// Stores a post as the server does: new id, time, and the marks it puts on it. Errors as recorded in
    /// `error-message-too-long.http` and `error-reply-to-reply.http`.
    pub fn add_post(&mut self, mut post: Post) -> Result<Post, AppError> {
        if post.message.chars().count() > 16_383 {
            return Err(AppError::bad(
                "model.post.is_valid.message_length.app_error",
                "Post Message property is longer than the maximum permitted length.",
            ));
        }
        if !post.root_id.is_empty() {
            let fits = self
                .post(&post.root_id)
                .is_some_and(|root| root.root_id.is_empty() && root.channel_id == post.channel_id);
            if !fits {
                return Err(AppError::bad(
                    "api.post.create_post.root_id.app_error",
                    "Invalid RootId parameter.",
                ));
            }
        }
        post.id = self.ids.next();
        post.create_at = self.now;
        if self.user(&post.user_id).is_some_and(|user| user.bot.is_some()) {
            post.props.insert("from_bot".to_owned(), Value::from("true"));
        }
        self.posts.push(post.clone());
        Ok(post)
    }

    /// Shows a post to one user and keeps it from everybody else.
    pub fn add_ephemeral(&mut self, to: &str, mut post: Post) -> Post {
        post.id = self.ids.next();
        post.create_at = self.now;
        "system_ephemeral".clone_into(&mut post.kind);
        post.only_for = Some(to.to_owned());
        self.posts.push(post.clone());
        post
    }
}

impl Post {
    /// A plain post, not yet in the world.
    pub(crate) fn draft(user_id: &str, channel_id: &str, root_id: &str, message: &str) -> Post {
        Post {
            id: String::new(),
            create_at: 0,
            user_id: user_id.to_owned(),
            channel_id: channel_id.to_owned(),
            root_id: root_id.to_owned(),
            message: message.to_owned(),
            kind: String::new(),
            props: Map::new(),
            attachments: Vec::new(),
            by_rest: false,
            only_for: None,
        }
    }
}
