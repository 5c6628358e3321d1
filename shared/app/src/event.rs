//! Events (section 11): the subscriptions of an app, and the event that its function gets.

use crate::mattermost::absent_when_empty;
use cloud_apps_protocol::{ChannelId, Millis, PostId, TeamId, UserId, Values, manifest::Expand};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The kinds of events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EventKind {
    /// A message was posted. [`Subscription::by_user`] or [`Subscription::in_channel`] selects messages.
    MessagePosted,
    /// A channel was made.
    ChannelCreated,
    /// A user was made.
    UserCreated,
    /// A user joined a channel.
    UserJoinedChannel,
    /// A user joined a team.
    UserJoinedTeam,
    /// A user left a channel.
    UserLeftChannel,
    /// A user left a team.
    UserLeftTeam,
    /// A user was changed.
    UserUpdated,
}

impl EventKind {
    /// Its name in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::MessagePosted => "message_posted",
            Self::ChannelCreated => "channel_created",
            Self::UserCreated => "user_created",
            Self::UserJoinedChannel => "user_joined_channel",
            Self::UserJoinedTeam => "user_joined_team",
            Self::UserLeftChannel => "user_left_channel",
            Self::UserLeftTeam => "user_left_team",
            Self::UserUpdated => "user_updated",
        }
    }

    /// A subscription to this kind. Its name is also the name of the function that is called.
    pub fn named(self, name: &str) -> Subscription {
        Subscription { name: name.to_owned(), kind: self, ..Subscription::default() }
    }
}

/// A subscription to events. Ids may be `$settings.<name>`, the value of a setting.
#[derive(Debug, Clone)]
pub struct Subscription {
    pub(crate) name: String,
    pub(crate) kind: EventKind,
    pub(crate) user_id: Option<String>,
    pub(crate) channel_id: Option<String>,
    pub(crate) team_id: Option<String>,
    pub(crate) trigger_words: Vec<String>,
    pub(crate) expand: BTreeMap<String, Expand>,
    pub(crate) required: bool,
}

impl Default for Subscription {
    fn default() -> Self {
        Self {
            name: String::new(),
            kind: EventKind::MessagePosted,
            user_id: None,
            channel_id: None,
            team_id: None,
            trigger_words: Vec::new(),
            expand: BTreeMap::new(),
            required: false,
        }
    }
}

impl Subscription {
    /// Only messages of this author.
    #[must_use]
    pub fn by_user(mut self, user_id: impl Into<String>) -> Self {
        self.user_id = Some(user_id.into());
        self
    }

    /// Only in this channel.
    #[must_use]
    pub fn in_channel(mut self, channel_id: impl Into<String>) -> Self {
        self.channel_id = Some(channel_id.into());
        self
    }

    /// Only in this team.
    #[must_use]
    pub fn in_team(mut self, team_id: impl Into<String>) -> Self {
        self.team_id = Some(team_id.into());
        self
    }

    /// Only messages that begin with one of these.
    #[must_use]
    pub fn trigger_words<W: Into<String>>(mut self, words: impl IntoIterator<Item = W>) -> Self {
        self.trigger_words = words.into_iter().map(Into::into).collect();
        self
    }

    /// How much the function needs of an object, such as `channel`.
    #[must_use]
    pub fn expand(mut self, item: &str, expand: Expand) -> Self {
        self.expand.insert(item.to_owned(), expand);
        self
    }

    /// A server that cannot deliver this kind refuses the install.
    #[must_use]
    pub fn required(mut self) -> Self {
        self.required = true;
        self
    }
}

/// An event. The function gets each event at least once, and in no fixed order.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Event {
    /// Its id, which is the same if the event comes again.
    pub id: String,
    /// Its kind. It is text, because there may be other kinds.
    pub kind: String,
    /// When it happened, in Unix milliseconds.
    pub at: Millis,
    /// The team, if there is one.
    #[serde(deserialize_with = "absent_when_empty")]
    pub team_id: Option<TeamId>,
    /// The channel, if there is one.
    #[serde(deserialize_with = "absent_when_empty")]
    pub channel_id: Option<ChannelId>,
    /// The user, if there is one.
    #[serde(deserialize_with = "absent_when_empty")]
    pub user_id: Option<UserId>,
    /// The post, if there is one.
    #[serde(deserialize_with = "absent_when_empty")]
    pub post_id: Option<PostId>,
    /// More data of this kind of event.
    pub data: Values,
}
