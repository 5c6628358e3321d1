//! What an integration leaves in a server beside commands and bots: webhooks and OAuth apps; and the sessions
//! of those who log in to make them. None has `Debug`: each holds a secret.

use super::Millis;

/// A webhook that sends what is said in public channels to an integration.
#[derive(Clone)]
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
    /// 0: the first word is a trigger word. 1: it begins with one.
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

/// What a login makes.
#[derive(Clone)]
pub(crate) struct Session {
    pub id: String,
    pub token: String,
    pub user_id: String,
    pub create_at: Millis,
    pub expires_at: Millis,
}

/// What a person logs in with.
#[derive(Clone, Default)]
pub(crate) struct Credentials {
    pub user_id: String,
    pub password: String,
    /// What the person's authenticator shows; empty without one.
    pub mfa_code: String,
}

/// Who calls.
#[derive(Clone, Default)]
pub(crate) struct Caller {
    /// Empty without a session.
    pub user_id: String,
    /// The id of the session; empty for a personal access token, which no logout ends.
    pub session_id: String,
}
