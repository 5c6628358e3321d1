//! What an integration registers on a server: slash commands, webhooks and OAuth apps. None of these types has
//! `Debug`, because each holds a secret.

use super::Millis;

/// A slash command of a team.
#[derive(Clone, Default)]
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

/// A `response_url` that was given to the integration of a slash command. Its id is the secret.
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

/// A webhook that sends the posts of public channels to an integration.
#[derive(Clone, Default)]
pub(crate) struct OutgoingWebhook {
    pub id: String,
    pub token: String,
    pub create_at: Millis,
    pub update_at: Millis,
    pub creator_id: String,
    /// Empty for all public channels of the team.
    pub channel_id: String,
    pub team_id: String,
    pub trigger_words: Vec<String>,
    /// 0: the first word of the post is a trigger word. 1: the first word starts with a trigger word.
    pub trigger_when: u8,
    pub callback_urls: Vec<String>,
    pub display_name: String,
    pub description: String,
    /// `application/json`, or anything else for a form.
    pub content_type: String,
    pub username: String,
    pub icon_url: String,
}

/// A webhook by which anybody who knows its id posts to a channel.
#[derive(Clone)]
pub(crate) struct IncomingWebhook {
    pub id: String,
    pub create_at: Millis,
    pub update_at: Millis,
    pub user_id: String,
    pub channel_id: String,
    pub team_id: String,
    pub display_name: String,
    pub description: String,
    pub username: String,
    pub icon_url: String,
    pub channel_locked: bool,
}

/// An application that acts for users by OAuth 2.
#[derive(Clone)]
pub(crate) struct OAuthApp {
    pub id: String,
    /// Empty for a public client.
    pub client_secret: String,
    pub creator_id: String,
    pub create_at: Millis,
    pub update_at: Millis,
    pub name: String,
    pub description: String,
    pub icon_url: String,
    pub callback_urls: Vec<String>,
    pub homepage: String,
    pub is_trusted: bool,
}

/// `IsValidHTTPURL` in `model/utils.go`.
pub(crate) fn is_http_url(text: &str) -> bool {
    (text.starts_with("http://") || text.starts_with("https://")) && url::Url::parse(text).is_ok()
}
