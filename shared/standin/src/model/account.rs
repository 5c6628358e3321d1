//! Users and bots, and what they log in and call with.

use super::Millis;

/// A person or a bot.
#[derive(Debug, Clone)]
pub struct User {
    /// 26 characters.
    pub id: String,
    /// The name after the `@`.
    pub username: String,
    /// As shown in the profile.
    pub first_name: String,
    /// As shown in the profile.
    pub last_name: String,
    /// As shown in the profile.
    pub nickname: String,
    /// `name@example.com`; a bot has `name@localhost`.
    pub email: String,
    /// The names of roles, separated by spaces: `system_user system_admin`.
    pub roles: String,
    /// The job title, as shown in the profile.
    pub position: String,
    /// `en`, `de`, …
    pub locale: String,
    /// How many wrong passwords came since the last right one.
    pub failed_attempts: u32,
    /// For a bot, its description and owner.
    pub bot: Option<Bot>,
    /// When it was created.
    pub create_at: Millis,
    /// When it was last changed.
    pub update_at: Millis,
    /// When it was deactivated; 0 while it is active.
    pub delete_at: Millis,
}

/// What makes a user a bot.
#[derive(Debug, Clone)]
pub struct Bot {
    /// As shown in the profile.
    pub description: String,
    /// The user who created it.
    pub owner_id: String,
}

/// A personal access token. It has no `Debug`, because it holds a secret.
#[expect(clippy::struct_field_names, reason = "the names of the API")]
pub(crate) struct Token {
    pub id: String,
    pub token: String,
    pub user_id: String,
    pub description: String,
    pub active: bool,
    /// When it ends; 0 for never. Only servers since 11.9 have this.
    pub expires_at: Millis,
}

/// The session that a login creates. It has no `Debug`, because it holds a secret.
#[derive(Clone)]
pub(crate) struct Session {
    pub id: String,
    pub token: String,
    pub user_id: String,
    pub create_at: Millis,
    pub expires_at: Millis,
}

/// What a person logs in with. It has no `Debug`, because it holds secrets.
#[derive(Clone, Default)]
pub(crate) struct Credentials {
    pub user_id: String,
    pub password: String,
    /// The code that the person's authenticator shows; empty without one.
    pub mfa_code: String,
}

/// Who calls the API.
#[derive(Clone, Default)]
pub(crate) struct Caller {
    /// Empty without a session.
    pub user_id: String,
    /// The id of the session; empty for a personal access token, which a logout does not end.
    pub session_id: String,
}
