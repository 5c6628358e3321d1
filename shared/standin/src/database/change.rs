//! Changes what is stored, with all that a server does along with a change.

use super::Database;
use crate::app_error::AppError;
use crate::ids;
use crate::model::{
    Bot, Channel, ChannelKind, ChannelMember, ClientState, Millis, Post, Team, TeamMember, Token, User,
};
use serde_json::Value;

/// The channels that every team has, and that a user joins together with the team: name and title.
const DEFAULT_CHANNELS: [(&str, &str); 2] = [("town-square", "Town Square"), ("off-topic", "Off-Topic")];

impl Database {
    /// Adds a person, or a bot.
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
            position: String::new(),
            locale: "en".to_owned(),
            failed_attempts: 0,
            bot,
            create_at: self.now,
            update_at: self.now,
            delete_at: 0,
        });
        let last = self.users.len() - 1;
        #[expect(clippy::indexing_slicing, reason = "the user was pushed two lines above")]
        &self.users[last]
    }

    /// Adds a team with its default channels; returns its id.
    pub fn add_team(&mut self, name: &str, display_name: &str, email: &str) -> String {
        let id = self.ids.next();
        self.teams.push(Team {
            id: id.clone(),
            name: name.to_owned(),
            display_name: display_name.to_owned(),
            email: email.to_owned(),
            invite_id: self.ids.next(),
            create_at: self.now,
            update_at: self.now,
            delete_at: 0,
        });
        for (name, title) in DEFAULT_CHANNELS {
            self.add_channel(&id, name, title, ChannelKind::Public, "");
        }
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
            header: String::new(),
            purpose: String::new(),
            creator_id: creator.to_owned(),
            create_at: self.now,
            update_at: self.now,
            delete_at: 0,
        };
        self.channels.push(channel.clone());
        channel
    }

    /// The direct channel of two users, which is added if they have none. The smaller id comes first in its name.
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

    /// The group channel of some users, which is added if they have none. Its name is a digest of their ids.
    pub fn group_channel(&mut self, users: &[String]) -> Channel {
        let mut ids: Vec<&str> = users.iter().map(String::as_str).collect();
        ids.sort_unstable();
        let name = ids::digest(&ids.concat());
        if let Some(known) = self.channel_named("", &name) {
            return known.clone();
        }
        let mut names: Vec<&str> =
            users.iter().filter_map(|id| self.user(id)).map(|user| user.username.as_str()).collect();
        names.sort_unstable();
        let title = names.join(", ");
        let channel = self.add_channel("", &name, &title, ChannelKind::Group, "");
        for user in users {
            self.join(&channel.id, user, false);
        }
        channel
    }

    /// Counts a login that failed. A login that did not fail sets the count to zero.
    pub fn count_login(&mut self, user_id: &str, failed: bool) {
        for user in self.users.iter_mut().filter(|user| user.id == user_id) {
            user.failed_attempts = if failed { user.failed_attempts + 1 } else { 0 };
        }
    }

    /// Adds a user to a team and its default channels.
    pub fn join_team(&mut self, team_id: &str, user_id: &str) -> TeamMember {
        if let Some(known) = self.team_member(team_id, user_id) {
            return known.clone();
        }
        let member = TeamMember { team_id: team_id.to_owned(), user_id: user_id.to_owned(), admin: false };
        self.team_members.push(member.clone());
        for (name, _) in DEFAULT_CHANNELS {
            if let Some(id) = self.channel_named(team_id, name).map(|channel| channel.id.clone()) {
                self.join(&id, user_id, false);
            }
        }
        member
    }

    /// Adds a user to a channel.
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

    /// Adds a personal access token. It ends at `expires_at`; 0 for never.
    pub fn add_token(&mut self, user_id: &str, description: &str, expires_at: Millis) -> &Token {
        self.tokens.push(Token {
            id: self.ids.next(),
            token: self.ids.next(),
            user_id: user_id.to_owned(),
            description: description.to_owned(),
            active: true,
            expires_at,
        });
        let last = self.tokens.len() - 1;
        #[expect(clippy::indexing_slicing, reason = "the token was pushed two lines above")]
        &self.tokens[last]
    }

    /// Adds a post that can trigger outgoing webhooks: by a person or bot, or the answer to a command.
    pub fn add_post_for_webhooks(&mut self, post: Post) -> Result<Post, AppError> {
        let post = self.add_post(post)?;
        self.posts_for_webhooks.push(post.clone());
        Ok(post)
    }

    /// Adds a post as the server does: with a new id, the time, and a mark on the posts of bots. Its errors were
    /// recorded: `error-message-too-long.http`, `error-reply-to-reply.http`.
    pub fn add_post(&mut self, mut post: Post) -> Result<Post, AppError> {
        self.check_message(&post.message)?;
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
        post.update_at = self.now;
        if self.user(&post.user_id).is_some_and(|user| user.bot.is_some()) {
            post.props.insert("from_bot".to_owned(), Value::from("true"));
        }
        self.posts.push(post.clone());
        Ok(post)
    }

    /// Adds an ephemeral post, which only one user sees.
    pub fn add_ephemeral(&mut self, to: &str, mut post: Post) -> Post {
        post.id = self.ids.next();
        post.create_at = self.now;
        "system_ephemeral".clone_into(&mut post.kind);
        post.only_for = Some(to.to_owned());
        self.cookie_key.put_into(self.version, &mut post);
        self.posts.push(post.clone());
        post
    }

    /// Holds the text of a post to the server's limit.
    pub fn check_message(&self, text: &str) -> Result<(), AppError> {
        let fits = text.chars().count() <= self.settings.max_post_size;
        if fits { Ok(()) } else { Err(AppError::message_too_long()) }
    }

    /// Remembers what the answer to a command or click told the user's client.
    pub fn set_client_state(&mut self, state: ClientState) {
        self.clients.retain(|known| known.user_id != state.user_id);
        self.clients.push(state);
    }
}
