//! Filling the world, as its owner does: by typed calls, past all permissions.

use crate::naming::{channel_id, team_id, user_id};
use crate::world::{Bot, ChannelKind, Command, Credentials, World};
use crate::{Standin, StandinError, rest};

/// Filling the world. Users, teams and channels are named by their name or id.
impl Standin {
    /// A user; the id.
    pub fn add_user(&self, username: &str) -> Result<String, StandinError> {
        let mut world = self.world();
        if world.user_named(username).is_some() {
            return Err(StandinError::Taken { what: "user", name: username.to_owned() });
        }
        Ok(world.add_user(username, None).id.clone())
    }

    /// What a person logs in with. Who has none cannot log in.
    pub fn set_password(&self, user: &str, password: &str) -> Result<(), StandinError> {
        self.credentials(user, |credentials| password.clone_into(&mut credentials.password))
    }

    /// Gives a person a second factor: the six digits that a login must then bring, whenever it comes. It counts
    /// while [`Settings::enable_multifactor_authentication`](crate::Settings) is on.
    pub fn set_mfa_code(&self, user: &str, code: &str) -> Result<(), StandinError> {
        self.credentials(user, |credentials| code.clone_into(&mut credentials.mfa_code))
    }

    fn credentials(&self, user: &str, change: impl FnOnce(&mut Credentials)) -> Result<(), StandinError> {
        let mut world = self.world();
        let user_id = user_id(&world, user)?;
        let at = world.credentials.iter().position(|known| known.user_id == user_id);
        let mut credentials = at.map(|at| world.credentials.swap_remove(at)).unwrap_or_default();
        credentials.user_id = user_id;
        change(&mut credentials);
        world.credentials.push(credentials);
        Ok(())
    }

    /// Gives a role, as `system_admin`, `system_post_all`, `system_user_access_token`.
    pub fn add_role(&self, user: &str, role: &str) -> Result<(), StandinError> {
        let mut world = self.world();
        let (id, now) = (user_id(&world, user)?, world.now);
        for user in world.users.iter_mut().filter(|user| user.id == id) {
            if !user.roles.split(' ').any(|known| known == role) {
                user.roles = format!("{} {role}", user.roles);
                user.update_at = now;
            }
        }
        Ok(())
    }

    /// A team with `town-square` and `off-topic`; the id.
    pub fn add_team(&self, name: &str) -> Result<String, StandinError> {
        let mut world = self.world();
        if world.team_named(name).is_some() {
            return Err(StandinError::Taken { what: "team", name: name.to_owned() });
        }
        Ok(world.add_team(name, name, ""))
    }

    /// Brings a user into a team and its default channels.
    pub fn join_team(&self, user: &str, team: &str) -> Result<(), StandinError> {
        let mut world = self.world();
        let (user, team) = (user_id(&world, user)?, team_id(&world, team)?);
        world.join_team(&team, &user);
        Ok(())
    }

    /// Makes a member of a team one of its admins.
    pub fn make_team_admin(&self, user: &str, team: &str) -> Result<(), StandinError> {
        self.join_team(user, team)?;
        let mut world = self.world();
        let (user, team) = (user_id(&world, user)?, team_id(&world, team)?);
        for member in world.team_members.iter_mut().filter(|m| m.team_id == team && m.user_id == user) {
            member.admin = true;
        }
        Ok(())
    }

    /// A channel of a team, with nobody in it; the id.
    pub fn add_channel(&self, team: &str, name: &str, kind: ChannelKind) -> Result<String, StandinError> {
        let mut world = self.world();
        let team = team_id(&world, team)?;
        if world.channel_named(&team, name).is_some() {
            return Err(StandinError::Taken { what: "channel", name: name.to_owned() });
        }
        Ok(world.add_channel(&team, name, name, kind, "").id)
    }

    /// Brings a user into a channel.
    pub fn join(&self, user: &str, channel: &str) -> Result<(), StandinError> {
        let mut world = self.world();
        let (user, channel) = (user_id(&world, user)?, channel_id(&world, None, channel)?);
        world.join(&channel, &user, false);
        Ok(())
    }

    /// Takes a user out of a channel.
    pub fn leave(&self, user: &str, channel: &str) -> Result<(), StandinError> {
        let mut world = self.world();
        let (user, channel) = (user_id(&world, user)?, channel_id(&world, None, channel)?);
        world.channel_members.retain(|member| member.user_id != user || member.channel_id != channel);
        Ok(())
    }

    /// The direct channel of two users; the id.
    pub fn direct_channel(&self, one: &str, other: &str) -> Result<String, StandinError> {
        let mut world = self.world();
        let (one, other) = (user_id(&world, one)?, user_id(&world, other)?);
        Ok(world.direct_channel(&one, &one, &other).id)
    }

    /// A bot, in no team yet; its user id and a token.
    pub fn add_bot(&self, username: &str, description: &str) -> Result<(String, String), StandinError> {
        let mut world = self.world();
        if world.user_named(username).is_some() {
            return Err(StandinError::Taken { what: "user", name: username.to_owned() });
        }
        let bot = Bot { description: description.to_owned(), owner_id: an_admin(&world) };
        let id = world.add_user(username, Some(bot)).id.clone();
        let token = world.add_token(&id, description).token.clone();
        Ok((id, token))
    }

    /// A personal access token of a user.
    pub fn add_token(&self, user: &str) -> Result<String, StandinError> {
        let mut world = self.world();
        let user = user_id(&world, user)?;
        Ok(world.add_token(&user, "stand-in").token.clone())
    }

    /// A slash command of a team, sent by `POST`; its id and token.
    pub fn add_command(
        &self,
        team: &str,
        trigger: &str,
        url: &str,
    ) -> Result<(String, String), StandinError> {
        let mut world = self.world();
        let team_id = team_id(&world, team)?;
        let trigger = trigger.trim_start_matches('/').to_lowercase();
        let taken = world.commands.iter().any(|known| known.team_id == team_id && known.trigger == trigger);
        if taken || rest::is_built_in(world.version, &trigger) {
            return Err(StandinError::Taken { what: "command", name: trigger });
        }
        let command = Command {
            id: world.ids.next(),
            token: world.ids.next(),
            create_at: world.now,
            update_at: world.now,
            creator_id: an_admin(&world),
            team_id,
            trigger,
            method: "P".to_owned(),
            username: String::new(),
            icon_url: String::new(),
            auto_complete: true,
            auto_complete_desc: String::new(),
            auto_complete_hint: String::new(),
            display_name: String::new(),
            description: String::new(),
            url: url.to_owned(),
        };
        let both = (command.id.clone(), command.token.clone());
        world.commands.push(command);
        Ok(both)
    }
}

/// Whose what is filled in is: the first admin's, where there is one.
fn an_admin(world: &World) -> String {
    world.users.iter().find(|user| world.is_admin(&user.id)).map(|user| user.id.clone()).unwrap_or_default()
}
