//! `POST /command`: the request of section 3.

use crate::{
    AppId, BadId, ChannelId, ChannelName, FunctionName, InstallId, Millis, Namespace, PostId, TeamId,
    TeamName, UserId, Username, Values,
};
use serde::{Deserialize, Deserializer, Serialize};
use std::collections::BTreeMap;

/// A command as it arrives and as an app gets it. Unknown keys are ignored.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct CommandRequest {
    /// What is to be done.
    #[serde(deserialize_with = "or_default")]
    pub command: Command,
    /// It has `trigger_id` only. `security.token` in a body is never a credential.
    #[serde(deserialize_with = "or_default")]
    pub security: Security,
    /// Who runs the command, and where.
    #[serde(deserialize_with = "or_default")]
    pub context: Context,
    /// Filled by the bundle.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delivery: Option<Delivery>,
}

/// The function, and its values.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Command {
    /// The app's namespace. It is text here, so that the answer to a wrong one has its pointer.
    pub namespace: String,
    /// The function. Spaces, `-` and `_` are the same. Empty: `raw` has the function.
    pub function: String,
    /// The line as typed.
    pub raw: String,
    /// The values. If they are there, `raw` is not parsed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub encoded: Option<Values>,
}

/// `null` is the same as absent.
fn or_default<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de> + Default,
{
    Option::<T>::deserialize(deserializer).map(Option::unwrap_or_default)
}

/// The part of `security` that is read.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Security {
    /// A dialog can be opened with it. It is a credential: it is never logged and never given to an app.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trigger_id: Option<String>,
}

/// Where a request comes from, and what it is about. Objects may be absent, `null` or `{}`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Context {
    /// The place in the client.
    #[serde(deserialize_with = "or_default")]
    pub source: Source,
    /// The Mattermost server. The bundle always fills this from the install.
    #[serde(deserialize_with = "or_default")]
    pub config: ServerConfig,
    /// The app. The bundle always fills this.
    #[serde(skip_deserializing, skip_serializing_if = "Option::is_none")]
    pub app: Option<AppContext>,
    /// The user's language, `de`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub locale: Option<String>,
    /// The user's time zone, `Europe/Berlin`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time_zone: Option<String>,
    /// Who runs the command.
    #[serde(deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    pub acting_user: Option<User>,
    /// Where it was run.
    #[serde(deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    pub channel: Option<Channel>,
    /// The team. Absent for clicks in direct messages.
    #[serde(deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    pub team: Option<Team>,
    /// The post it was run on.
    #[serde(deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    pub post: Option<Post>,
    /// The direct parent of the post, if the server knows one.
    #[serde(deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    pub parent_post: Option<Post>,
    /// The thread.
    #[serde(deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    pub root_post: Option<Post>,
    /// The users and channels that the line mentions.
    #[serde(deserialize_with = "mentioned")]
    pub mentioned: Mentioned,
    /// The app's state from a form or an action. On the wire it is sealed.
    #[serde(skip_serializing_if = "serde_json::Value::is_null")]
    pub state: serde_json::Value,
    /// What was wanted and is missing, with the reason.
    #[serde(deserialize_with = "or_default", skip_serializing_if = "BTreeMap::is_empty")]
    pub not_expanded: BTreeMap<String, NotExpanded>,
}

/// `null` and `{}` count as absent. Anything else must be complete.
fn present<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: serde::de::DeserializeOwned,
{
    match serde_json::Value::deserialize(deserializer)? {
        serde_json::Value::Null => Ok(None),
        serde_json::Value::Object(map) if map.is_empty() => Ok(None),
        value => serde_json::from_value(value).map(Some).map_err(serde::de::Error::custom),
    }
}

/// Why something that was wanted is missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs)] // docs/protocol.md describes these words.
pub enum NotExpanded {
    Forbidden,
    NotFound,
    Unsupported,
    Timeout,
    NoToken,
}

/// The place in the client that a request comes from.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Source {
    /// `location` or `location_element`; see [`Source::location`].
    pub id: String,
    /// The client to which answers go over the WebSocket. The bundle uses it, and never gives it to an app.
    #[serde(alias = "client_or_session_id_to_send_websockets_to", skip_serializing_if = "String::is_empty")]
    pub client_id: String,
    /// Data of the client. It is never trusted.
    #[serde(deserialize_with = "or_default", skip_serializing_if = "serde_json::Map::is_empty")]
    pub props: serde_json::Map<String, serde_json::Value>,
}

/// The locations that this version knows. There may be others; an app gets those unchanged.
pub const LOCATIONS: [&str; 8] = [
    "message_box",
    "post_menu",
    "channel_header",
    "main_menu",
    "post_action",
    "dialog",
    "conversation",
    "webhook",
];

impl Source {
    /// The longest known location that `id` is or starts with, and the element after it:
    /// `post_menu_create` → (`post_menu`, `create`); anything else is (`other`, the id).
    pub fn location(&self) -> (&str, &str) {
        self.known().unwrap_or(("other", &self.id))
    }

    /// The location that must be granted for this source. For a location that this version does not know, it is the message box,
    /// which every command has. Otherwise an invented location would need no grant.
    pub fn granted_as(&self) -> &str {
        self.known().map_or("message_box", |(location, _)| location)
    }

    fn known(&self) -> Option<(&str, &str)> {
        // The longest, because one location may begin like another.
        let found = LOCATIONS.into_iter().filter_map(|location| {
            let rest = self.id.strip_prefix(location)?;
            let element = if rest.is_empty() { "" } else { rest.strip_prefix('_')? };
            Some((location, element))
        });
        found.max_by_key(|(location, _)| location.len())
    }
}

/// Settings of the Mattermost server. Other keys of a sender are dropped.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct ServerConfig {
    /// The server's address, from the install.
    pub site_url: String,
    /// The server's version, from the install: `11.6.0`.
    pub version: String,
}

/// The app and its install, filled by the bundle.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AppContext {
    /// The app.
    pub id: AppId,
    /// Its version.
    pub version: String,
    /// The install.
    pub install_id: InstallId,
    /// Its bot.
    pub bot: Bot,
    /// Its settings.
    pub settings: Values,
}

/// The app's bot account on this server.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Bot {
    /// Its user id.
    pub id: UserId,
    /// Its name.
    pub username: String,
}

/// A Mattermost object at some level of expansion. Its id is always there; everything else may be absent.
macro_rules! object {
    ($(#[$doc:meta])* $name:ident { id: $id:ty, $($(#[$attr:meta])* $field:ident: $type:ty,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
        #[allow(missing_docs)] // The names are those of Mattermost's REST API.
        pub struct $name {
            pub id: $id,
            $($(#[$attr])*
            #[serde(default, skip_serializing_if = "Option::is_none")]
            pub $field: Option<$type>,)*
        }
        impl $name {
            /// An object with its id only: level `id`.
            pub fn of(id: $id) -> Self {
                Self { id, $($field: None,)* }
            }
        }
    };
}

object!(
    /// A user at some level of expansion (section 8). There are no other keys.
    User {
        id: UserId,
        username: Username,
        first_name: String,
        last_name: String,
        nickname: String,
        position: String,
        locale: String,
        time_zone: String,
        is_bot: bool,
        roles: String,
        email: String,
        create_at: Millis,
        delete_at: Millis,
    }
);
object!(
    /// A channel at some level of expansion.
    Channel {
        id: ChannelId,
        /// Absent for direct and group messages.
        #[serde(deserialize_with = "named")]
        team_id: TeamId,
        r#type: String,
        name: ChannelName,
        display_name: String,
        header: String,
        purpose: String,
        #[serde(deserialize_with = "named")]
        creator_id: UserId,
        create_at: Millis,
        delete_at: Millis,
    }
);
object!(
    /// A team at some level of expansion.
    Team { id: TeamId, name: TeamName, display_name: String, r#type: String, description: String, }
);
object!(
    /// A post at some level of expansion.
    Post {
        id: PostId,
        #[serde(deserialize_with = "named")]
        channel_id: ChannelId,
        #[serde(deserialize_with = "named")]
        user_id: UserId,
        /// Absent for a post that begins a thread.
        #[serde(deserialize_with = "named")]
        root_id: PostId,
        message: String,
        create_at: Millis,
        r#type: String,
        props: serde_json::Map<String, serde_json::Value>,
        file_ids: Vec<String>,
        edit_at: Millis,
    }
);

/// An id. Mattermost writes an absent id as `""`.
fn named<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: std::str::FromStr<Err = BadId>,
{
    match Option::<String>::deserialize(deserializer)?.as_deref() {
        None | Some("") => Ok(None),
        Some(text) => text.parse().map(Some).map_err(serde::de::Error::custom),
    }
}

/// The users and channels that a line mentions, by name without `@` and `~`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Mentioned {
    /// `bob` → the user.
    pub users: BTreeMap<Username, User>,
    /// `town-square` → the channel.
    pub channels: BTreeMap<ChannelName, Channel>,
}

/// `mentioned` may also be an array of users, or `{}` or `null`.
fn mentioned<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Mentioned, D::Error> {
    use serde::de::Error;
    match serde_json::Value::deserialize(deserializer)? {
        serde_json::Value::Null => Ok(Mentioned::default()),
        serde_json::Value::Array(users) => {
            let mut mentioned = Mentioned::default();
            for user in users {
                let user: User = serde_json::from_value(user).map_err(D::Error::custom)?;
                if let Some(name) = user.username.clone() {
                    mentioned.users.insert(name, user);
                }
            }
            Ok(mentioned)
        }
        value => serde_json::from_value(value).map_err(D::Error::custom),
    }
}

/// The delivery of a request to an app.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Delivery {
    /// The idempotency key for the app.
    pub id: String,
    /// The attempt: 1 for the first.
    pub attempt: u32,
}

impl CommandRequest {
    /// The namespace as a type.
    pub fn namespace(&self) -> Result<Namespace, BadId> {
        Namespace::new(self.command.namespace.clone())
    }
}

/// The name of a function as people and programs write it. Spaces, `-` and `_` are the same.
pub fn function_name(text: &str) -> Result<FunctionName, BadId> {
    FunctionName::new(text.trim().to_lowercase().replace([' ', '-'], "_"))
}
