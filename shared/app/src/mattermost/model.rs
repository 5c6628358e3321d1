//! The objects of Mattermost's REST API v4, with the keys that apps need. Other keys are ignored.

use cloud_apps_protocol::{
    Attachment, ChannelId, Millis, PostId, TeamId, UserId, Username, server::ServerFacts,
};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value, json};

/// What a server says of itself (`GET /config/client?format=old`).
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(default)]
pub struct ServerSettings {
    /// Its version: `11.6.0`.
    #[serde(rename = "Version")]
    pub version: String,
    /// The most characters of a post. Absent without a session.
    #[serde(rename = "MaxPostSize")]
    pub max_post_size: Option<String>,
    /// Whether Mattermost Blocks are on: `true`. Absent before 11.10.
    #[serde(rename = "FeatureFlagMmBlocksEnabled")]
    pub mm_blocks_enabled: Option<String>,
    /// The header `X-Version-Id` of the answer.
    #[serde(skip)]
    pub version_id: Option<String>,
}

impl ServerSettings {
    /// What an install keeps of it.
    pub fn facts(&self) -> ServerFacts {
        ServerFacts {
            mm_blocks: Some(self.mm_blocks_enabled.as_deref() == Some("true")),
            max_post_size: self
                .max_post_size
                .as_deref()
                .and_then(|text| text.parse().ok())
                .filter(|size| *size > 0),
            version_id: self.version_id.clone(),
            ..ServerFacts::default()
        }
    }
}

/// A user, with what the token's user may see.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[allow(missing_docs)] // The names of the REST API.
pub struct User {
    pub id: UserId,
    pub username: Username,
    #[serde(default)]
    pub first_name: String,
    #[serde(default)]
    pub last_name: String,
    #[serde(default)]
    pub nickname: String,
    #[serde(default)]
    pub position: String,
    /// Empty if the token's user may not see it.
    #[serde(default)]
    pub email: String,
    #[serde(default)]
    pub locale: String,
    #[serde(default)]
    pub roles: String,
    #[serde(default)]
    pub is_bot: bool,
    /// Unix milliseconds; 0 for an active user.
    #[serde(default)]
    pub delete_at: Millis,
}

impl User {
    /// Whether this is a guest, who sees the members of their own channels and nobody else.
    pub fn is_guest(&self) -> bool {
        self.roles.split(' ').any(|role| role == "system_guest")
    }

    /// First and last name. Empty if there is neither.
    pub fn full_name(&self) -> String {
        format!("{} {}", self.first_name, self.last_name).trim().to_owned()
    }
}

/// A channel.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[allow(missing_docs)] // The names of the REST API.
pub struct Channel {
    pub id: ChannelId,
    /// Absent for direct and group messages.
    #[serde(default, deserialize_with = "absent_when_empty")]
    pub team_id: Option<TeamId>,
    /// `O` public, `P` private, `D` direct, `G` group.
    #[serde(default)]
    pub r#type: String,
    #[serde(default)]
    pub name: String,
    #[serde(default)]
    pub display_name: String,
    #[serde(default)]
    pub header: String,
    #[serde(default)]
    pub purpose: String,
    /// Unix milliseconds; 0 for an active channel.
    #[serde(default)]
    pub delete_at: Millis,
}

/// A member of a channel.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[allow(missing_docs)] // The names of the REST API.
pub struct ChannelMember {
    pub channel_id: ChannelId,
    pub user_id: UserId,
    #[serde(default)]
    pub roles: String,
}

/// A team.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[allow(missing_docs)] // The names of the REST API.
pub struct Team {
    pub id: TeamId,
    #[serde(default)]
    pub name: String,
    #[serde(default)]
    pub display_name: String,
    #[serde(default)]
    pub r#type: String,
    /// Unix milliseconds; 0 unless it is archived.
    #[serde(default)]
    pub delete_at: Millis,
}

/// A post.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[allow(missing_docs)] // The names of the REST API.
pub struct Post {
    pub id: PostId,
    pub channel_id: ChannelId,
    #[serde(default, deserialize_with = "absent_when_empty")]
    pub user_id: Option<UserId>,
    #[serde(default, deserialize_with = "absent_when_empty")]
    pub root_id: Option<PostId>,
    #[serde(default)]
    pub message: String,
    #[serde(default)]
    pub create_at: Millis,
    #[serde(default)]
    pub props: Map<String, Value>,
}

/// A new post.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct NewPost {
    /// The channel.
    pub channel_id: ChannelId,
    /// The thread.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub root_id: Option<PostId>,
    /// Mattermost Markdown.
    pub message: String,
    /// More properties of the post.
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub props: Map<String, Value>,
}

impl NewPost {
    /// A message in a channel.
    pub fn new(channel_id: ChannelId, message: impl Into<String>) -> Self {
        Self { channel_id, root_id: None, message: message.into(), props: Map::new() }
    }

    /// The same in the thread of this post.
    #[must_use]
    pub fn in_thread(mut self, root: PostId) -> Self {
        self.root_id = Some(root);
        self
    }

    /// The same with message attachments.
    #[must_use]
    pub fn attachments(mut self, attachments: &[Attachment]) -> Self {
        self.props.insert("attachments".to_owned(), json!(attachments));
        self
    }
}

/// Mattermost writes an absent id as `""`.
pub(crate) fn absent_when_empty<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: std::str::FromStr<Err: std::fmt::Display>,
{
    match Option::<String>::deserialize(deserializer)?.as_deref() {
        None | Some("") => Ok(None),
        Some(text) => text.parse().map(Some).map_err(serde::de::Error::custom),
    }
}
