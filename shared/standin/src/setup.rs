//! Sets a stand-in up by Rust calls, which need no permissions: users, teams, channels, bots and commands.

use crate::database::Database;
use crate::error::StandinError;
use crate::model::{Bot, ChannelKind, Command, Credentials};
use crate::settings::Settings;
use crate::standin::Standin;
use crate::version::is_built_in;

/// Setting a stand-in up. A user, team or channel is given by its name or id.
impl Standin {
    /// Adds what a demo needs: team `demo`, its two channels, `admin` (a system admin), `alice`, `bob`, `carol`. Bot
    /// accounts and personal access tokens are allowed, which they are not in a fresh server.
    ///
    /// # Errors
    /// A part of it exists already.
    pub fn demo(&self) -> Result<(), StandinError> {
        self.configure(Settings::allow_integrations);
        self.add_team("demo")?;
        for name in ["admin", "alice", "bob", "carol"] {
            self.add_user(name)?;
            self.join_team(name, "demo")?;
        }
        self.add_role("admin", "system_admin")
    }

    /// Adds a user; returns the id.
    pub fn add_user(&self, username: &str) -> Result<String, StandinError> {
        let mut db = self.db();
        if db.user_named(username).is_some() {
            return Err(StandinError::taken("user", username));
        }
        Ok(db.add_user(username, None).id.clone())
    }

    /// Sets the password of a person. A person without one cannot log in.
    pub fn set_password(&self, user: &str, password: &str) -> Result<(), StandinError> {
        self.change_credentials(user, |credentials| password.clone_into(&mut credentials.password))
    }

    /// Gives a person a second factor: six digits that every login must then have. The server asks for them only
    /// while [`Settings::enable_multifactor_authentication`](crate::Settings) is on.
    pub fn set_mfa_code(&self, user: &str, code: &str) -> Result<(), StandinError> {
        self.change_credentials(user, |credentials| code.clone_into(&mut credentials.mfa_code))
    }

    fn change_credentials(
        &self,
        user: &str,
        change: impl FnOnce(&mut Credentials),
    ) -> Result<(), StandinError> {
        let mut db = self.db();
        let user_id = db.resolve_user(user)?;
        let at = db.credentials.iter().position(|known| known.user_id == user_id);
        let mut credentials = at.map(|at| db.credentials.swap_remove(at)).unwrap_or_default();
        credentials.user_id = user_id;
        change(&mut credentials);
        db.credentials.push(credentials);
        Ok(())
    }

    /// Gives a user a role, for example `system_admin`, `system_post_all`, `system_user_access_token`.
    pub fn add_role(&self, user: &str, role: &str) -> Result<(), StandinError> {
        let mut db = self.db();
        let (id, now) = (db.resolve_user(user)?, db.now);
        for user in db.users.iter_mut().filter(|user| user.id == id) {
            if !user.roles.split(' ').any(|known| known == role) {
                user.roles = format!("{} {role}", user.roles);
                user.update_at = now;
            }
        }
        Ok(())
    }

    /// Adds a team with the channels `town-square` and `off-topic`; returns the id.
    pub fn add_team(&self, name: &str) -> Result<String, StandinError> {
        let mut db = self.db();
        if db.team_named(name).is_some() {
            return Err(StandinError::taken("team", name));
        }
        Ok(db.add_team(name, name, ""))
    }

    /// Adds a user to a team and its default channels.
    pub fn join_team(&self, user: &str, team: &str) -> Result<(), StandinError> {
        let mut db = self.db();
        let (user, team) = (db.resolve_user(user)?, db.resolve_team(team)?);
        db.join_team(&team, &user);
        Ok(())
    }

    /// Makes a user an admin of a team.
    pub fn make_team_admin(&self, user: &str, team: &str) -> Result<(), StandinError> {
        self.join_team(user, team)?;
        let mut db = self.db();
        let (user, team) = (db.resolve_user(user)?, db.resolve_team(team)?);
        for member in db.team_members.iter_mut().filter(|m| m.team_id == team && m.user_id == user) {
            member.admin = true;
        }
        Ok(())
    }

    /// Adds a channel without members to a team; returns the id.
    pub fn add_channel(&self, team: &str, name: &str, kind: ChannelKind) -> Result<String, StandinError> {
        let mut db = self.db();
        let team = db.resolve_team(team)?;
        if db.channel_named(&team, name).is_some() {
            return Err(StandinError::taken("channel", name));
        }
        Ok(db.add_channel(&team, name, name, kind, "").id)
    }

    /// Adds a user to a channel.
    pub fn join(&self, user: &str, channel: &str) -> Result<(), StandinError> {
        let mut db = self.db();
        let (user, channel) = (db.resolve_user(user)?, db.resolve_channel(None, channel)?);
        db.join(&channel, &user, false);
        Ok(())
    }

    /// Removes a user from a channel.
    pub fn leave(&self, user: &str, channel: &str) -> Result<(), StandinError> {
        let mut db = self.db();
        let (user, channel) = (db.resolve_user(user)?, db.resolve_channel(None, channel)?);
        db.channel_members.retain(|member| member.user_id != user || member.channel_id != channel);
        Ok(())
    }

    /// The id of the direct channel of two users, which is added if they have none.
    pub fn direct_channel(&self, one: &str, other: &str) -> Result<String, StandinError> {
        let mut db = self.db();
        let (one, other) = (db.resolve_user(one)?, db.resolve_user(other)?);
        Ok(db.direct_channel(&one, &one, &other).id)
    }

    /// Adds a bot that is in no team; returns its user id and a token, which has the bot's description.
    pub fn add_bot(&self, username: &str, description: &str) -> Result<(String, String), StandinError> {
        self.add_bot_with_token(username, description, description)
    }

    /// Adds a bot that is in no team, with a token of this description; returns its user id and the token.
    pub fn add_bot_with_token(
        &self,
        username: &str,
        description: &str,
        token: &str,
    ) -> Result<(String, String), StandinError> {
        let mut db = self.db();
        if db.user_named(username).is_some() {
            return Err(StandinError::taken("user", username));
        }
        let bot = Bot { description: description.to_owned(), owner_id: first_admin(&db) };
        let id = db.add_user(username, Some(bot)).id.clone();
        let token = db.add_token(&id, token, 0).token.clone();
        Ok((id, token))
    }

    /// Adds a personal access token of a user; returns the token.
    pub fn add_token(&self, user: &str) -> Result<String, StandinError> {
        let mut db = self.db();
        let user = db.resolve_user(user)?;
        Ok(db.add_token(&user, "stand-in", 0).token.clone())
    }

    /// Adds a slash command to a team, which is sent by `POST`; returns its id and token.
    pub fn add_command(
        &self,
        team: &str,
        trigger: &str,
        url: &str,
    ) -> Result<(String, String), StandinError> {
        self.add_command_with_description(team, trigger, url, "")
    }

    /// Adds a slash command like [`add_command`](Self::add_command), with a description.
    pub fn add_command_with_description(
        &self,
        team: &str,
        trigger: &str,
        url: &str,
        description: &str,
    ) -> Result<(String, String), StandinError> {
        let mut db = self.db();
        let team_id = db.resolve_team(team)?;
        let trigger = trigger.trim_start_matches('/').to_lowercase();
        let taken = db.commands.iter().any(|known| known.team_id == team_id && known.trigger == trigger);
        if taken || is_built_in(db.version, &trigger) {
            return Err(StandinError::taken("command", &trigger));
        }
        let command = Command {
            id: db.ids.next(),
            token: db.ids.next(),
            create_at: db.now,
            update_at: db.now,
            creator_id: first_admin(&db),
            team_id,
            trigger,
            method: "P".to_owned(),
            auto_complete: true,
            url: url.to_owned(),
            description: description.to_owned(),
            ..Command::default()
        };
        let both = (command.id.clone(), command.token.clone());
        db.commands.push(command);
        Ok(both)
    }
}

/// The owner of what is set up here: the first admin, if there is one.
fn first_admin(db: &Database) -> String {
    db.users.iter().find(|user| db.is_admin(&user.id)).map(|user| user.id.clone()).unwrap_or_default()
}
