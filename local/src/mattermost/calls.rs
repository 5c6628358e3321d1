//! The calls of the REST API. The API has no idempotency keys, so only looking first makes a second try safe. That is why each kind of
//! thing has a call that looks for it.

use super::{
    client::Mattermost,
    endpoint::Endpoint,
    error::CallError,
    model::{
        AdminConfig, AdminSettings, Bot, ClientConfig, Command, Member, NewCommand, NewWebhook,
        OutgoingWebhook, Regenerated, Token, User,
    },
};
use ::http::{Method, StatusCode};
use cloud_app::mattermost::{Channel, ServerSettings, Team};
use cloud_apps_core::{http::system_now, install::DAY};
use cloud_apps_protocol::{Millis, TeamId, install::Server, server::ServerFacts};
use serde_json::{Value, json};

/// The server itself.
impl Mattermost {
    /// The time of its clock in seconds since 1970, if it tells. Needs no token.
    pub async fn ping(&self) -> Result<Option<i64>, CallError> {
        let answer =
            self.send("reach the server", Method::GET, &Endpoint::new(&["system", "ping"]), None).await?;
        let said: Value = answer.read("reach the server")?;
        match said.get("status").and_then(Value::as_str) {
            Some("OK") => Ok(answer.date()),
            _ => Err(CallError::unlike("reach the server", StatusCode::OK, "it does not answer a ping")),
        }
    }

    /// The settings that its clients are told. With a token there are more of them.
    pub async fn client_config(&self) -> Result<ClientConfig, CallError> {
        self.get("read the server's settings", &Endpoint::new(&["config", "client"]).query("format", "old"))
            .await
    }

    /// The settings that only a system admin may read.
    pub async fn admin_settings(&self) -> Result<AdminSettings, CallError> {
        let config: AdminConfig =
            self.get("read the server's configuration", &Endpoint::new(&["config"])).await?;
        Ok(config.service_settings)
    }

    /// What the server says of itself, as an install keeps it. `admin`: what only an admin may read, if it was read.
    pub async fn server(&self, admin: Option<&AdminSettings>) -> Result<Server, CallError> {
        const DOING: &str = "read what the server is";
        let path = Endpoint::new(&["config", "client"]).query("format", "old");
        let answer = self.send(DOING, Method::GET, &path, None).await?;
        let settings: ServerSettings = answer.read(DOING)?;
        let version_id = answer.headers.get("x-version-id").and_then(|id| id.to_str().ok());
        let facts = ServerFacts {
            integration_timeout: admin
                .and_then(|admin| admin.integration_timeout)
                .filter(|seconds| *seconds > 0),
            version_id: version_id.filter(|id| ServerFacts::is_version_id(id)).map(str::to_owned),
            ..settings.facts()
        };
        Ok(Server { site_url: self.site().clone(), version: settings.version, facts })
    }

    /// The user of the token.
    pub async fn me(&self) -> Result<User, CallError> {
        self.get("learn whose token this is", &Endpoint::new(&["users", "me"])).await
    }

    /// A user by id.
    pub async fn user(&self, id: &str) -> Result<Option<User>, CallError> {
        self.find("look up a user", &Endpoint::new(&["users", id])).await
    }

    /// A user by name, deactivated or not.
    pub async fn user_named(&self, name: &str) -> Result<Option<User>, CallError> {
        self.find("look up a user name", &Endpoint::new(&["users", "username", name])).await
    }
}

/// Teams.
impl Mattermost {
    /// A team by its name.
    pub async fn team_named(&self, name: &str) -> Result<Option<Team>, CallError> {
        self.find("look up a team", &Endpoint::new(&["teams", "name", name])).await
    }

    /// A team by its id.
    pub async fn team(&self, id: &str) -> Result<Option<Team>, CallError> {
        self.find("look up a team", &Endpoint::new(&["teams", id])).await
    }

    /// All teams that the caller may see. A system admin sees all.
    pub async fn teams(&self) -> Result<Vec<Team>, CallError> {
        self.pages("list the teams", &Endpoint::new(&["teams"])).await
    }

    /// The teams of a user.
    pub async fn teams_of(&self, user: &str) -> Result<Vec<Team>, CallError> {
        self.get("list the bot's teams", &Endpoint::new(&["users", user, "teams"])).await
    }

    /// Whether a user is in a team.
    pub async fn is_member(&self, team: &str, user: &str) -> Result<bool, CallError> {
        let member: Option<Member> = self
            .find("look up a member of a team", &Endpoint::new(&["teams", team, "members", user]))
            .await?;
        Ok(member.is_some_and(|member| member.user_id == user && member.delete_at == 0))
    }

    /// Adds a user to a team.
    pub async fn add_member(&self, team: &str, user: &str) -> Result<(), CallError> {
        let body = json!({ "team_id": team, "user_id": user });
        let _: Value =
            self.post("add the bot to a team", &Endpoint::new(&["teams", team, "members"]), &body).await?;
        Ok(())
    }

    /// Removes a user from a team.
    pub async fn remove_member(&self, team: &str, user: &str) -> Result<(), CallError> {
        let path = Endpoint::new(&["teams", team, "members", user]);
        self.gone("remove the bot from a team", Method::DELETE, &path, None).await
    }

    /// The team of a channel.
    pub async fn team_of_channel(&self, channel: &str) -> Result<Option<TeamId>, CallError> {
        let found: Option<Channel> =
            self.find("look up a channel", &Endpoint::new(&["channels", channel])).await?;
        Ok(found.and_then(|channel| channel.team_id))
    }
}

/// Bots and their tokens.
impl Mattermost {
    /// A bot, disabled or not.
    pub async fn bot(&self, id: &str) -> Result<Option<Bot>, CallError> {
        self.find("look up a bot", &Endpoint::new(&["bots", id]).query("include_deleted", "true")).await
    }

    /// All bots, disabled or not.
    pub async fn bots(&self) -> Result<Vec<Bot>, CallError> {
        self.pages("list the bots", &Endpoint::new(&["bots"]).query("include_deleted", "true")).await
    }

    /// Makes a bot.
    pub async fn create_bot(&self, name: &str, title: &str, description: &str) -> Result<Bot, CallError> {
        let body = json!({ "username": name, "display_name": title, "description": description });
        self.post("make the bot", &Endpoint::new(&["bots"]), &body).await
    }

    /// Changes the display name and the description of a bot.
    pub async fn update_bot(&self, bot: &Bot, title: &str, description: &str) -> Result<(), CallError> {
        let body = json!({ "username": bot.username, "display_name": title, "description": description });
        let path = Endpoint::new(&["bots", &bot.user_id]);
        let _: Value = self.json("describe the bot", Method::PUT, &path, Some(&body)).await?;
        Ok(())
    }

    /// Enables a disabled bot.
    pub async fn enable_bot(&self, id: &str) -> Result<(), CallError> {
        let path = Endpoint::new(&["bots", id, "enable"]);
        self.send("enable the bot", Method::POST, &path, None).await.map(drop)
    }

    /// Disables a bot: its tokens no longer work. The API cannot delete one.
    pub async fn disable_bot(&self, id: &str) -> Result<(), CallError> {
        self.gone("disable the bot", Method::POST, &Endpoint::new(&["bots", id, "disable"]), None).await
    }

    /// The tokens of a user, without their secrets.
    pub async fn tokens(&self, user: &str) -> Result<Vec<Token>, CallError> {
        self.pages("list the bot's tokens", &Endpoint::new(&["users", user, "tokens"])).await
    }

    /// Makes a token of a bot. If the server limits the life of such tokens, it gets the longest life that is allowed.
    pub async fn create_token(&self, bot: &str, description: &str) -> Result<Token, CallError> {
        let end = self.longest_end().await?;
        let mut body = json!({ "description": description });
        if let (Some(end), Some(body)) = (end, body.as_object_mut()) {
            body.insert("expires_at".to_owned(), end.into());
        }
        let made: Token =
            self.post("make the bot's token", &Endpoint::new(&["users", bot, "tokens"]), &body).await?;
        // A server that does not repeat the end has it all the same.
        Ok(Token { expires_at: made.end().or(end).unwrap_or_default(), ..made })
    }

    /// The last moment at which a bot's token that is made now may end. `None`: it need not end. The server compares with its own
    /// clock, so its clock counts here too.
    async fn longest_end(&self) -> Result<Option<Millis>, CallError> {
        let Some(days) = self.client_config().await?.bot_token_days() else { return Ok(None) };
        let clock = self.ping().await?.and_then(|seconds| Millis::try_from(seconds).ok());
        let now = clock.map_or_else(system_now, |seconds| seconds.saturating_mul(1_000));
        Ok(Some(now.saturating_add(Millis::from(days).saturating_mul(DAY))))
    }

    /// Revokes a token.
    pub async fn revoke_token(&self, id: &str) -> Result<(), CallError> {
        let body = json!({ "token_id": id });
        self.gone(
            "revoke a token of the bot",
            Method::POST,
            &Endpoint::new(&["users", "tokens", "revoke"]),
            Some(&body),
        )
        .await
    }
}

/// Slash commands.
impl Mattermost {
    /// The slash commands of a team that users and integrations made.
    pub async fn commands(&self, team: &str) -> Result<Vec<Command>, CallError> {
        self.get(
            "list a team's slash commands",
            &Endpoint::new(&["commands"]).query("team_id", team).query("custom_only", "true"),
        )
        .await
    }

    /// Makes a slash command.
    pub async fn create_command(&self, command: &NewCommand) -> Result<Command, CallError> {
        self.post("make a slash command", &Endpoint::new(&["commands"]), command).await
    }

    /// Fixes what differs. The id and the token stay.
    pub async fn update_command(&self, stands: &Command, wanted: &NewCommand) -> Result<(), CallError> {
        let body = serde_json::to_value(wanted.over(stands)).unwrap_or_default();
        let path = Endpoint::new(&["commands", &stands.id]);
        let _: Value = self.json("change a slash command", Method::PUT, &path, Some(&body)).await?;
        Ok(())
    }

    /// Makes a new token for a slash command. The old one ends at once.
    pub async fn regenerate_command_token(&self, id: &str) -> Result<String, CallError> {
        const DOING: &str = "make a new token for a slash command";
        let path = Endpoint::new(&["commands", id, "regen_token"]);
        let made: Regenerated = self.json(DOING, Method::PUT, &path, None).await?;
        made.whole(DOING)
    }

    /// Deletes a slash command.
    pub async fn delete_command(&self, id: &str) -> Result<(), CallError> {
        self.gone("delete a slash command", Method::DELETE, &Endpoint::new(&["commands", id]), None).await
    }
}

/// Outgoing webhooks.
impl Mattermost {
    /// The outgoing webhooks of a team.
    pub async fn webhooks(&self, team: &str) -> Result<Vec<OutgoingWebhook>, CallError> {
        self.pages(
            "list a team's outgoing webhooks",
            &Endpoint::new(&["hooks", "outgoing"]).query("team_id", team),
        )
        .await
    }

    /// Makes an outgoing webhook.
    pub async fn create_webhook(&self, webhook: &NewWebhook) -> Result<OutgoingWebhook, CallError> {
        self.post("make an outgoing webhook", &Endpoint::new(&["hooks", "outgoing"]), webhook).await
    }

    /// Fixes what differs. The id and the token stay.
    pub async fn update_webhook(
        &self,
        stands: &OutgoingWebhook,
        wanted: &NewWebhook,
    ) -> Result<(), CallError> {
        let body = serde_json::to_value(wanted.over(stands)).unwrap_or_default();
        let path = Endpoint::new(&["hooks", "outgoing", &stands.id]);
        let _: Value = self.json("change an outgoing webhook", Method::PUT, &path, Some(&body)).await?;
        Ok(())
    }

    /// Makes a new token for an outgoing webhook. The old one ends at once.
    pub async fn regenerate_webhook_token(&self, id: &str) -> Result<String, CallError> {
        const DOING: &str = "make a new token for an outgoing webhook";
        let path = Endpoint::new(&["hooks", "outgoing", id, "regen_token"]);
        let made: Regenerated = self.json(DOING, Method::POST, &path, None).await?;
        made.whole(DOING)
    }

    /// Deletes an outgoing webhook.
    pub async fn delete_webhook(&self, id: &str) -> Result<(), CallError> {
        self.gone(
            "delete an outgoing webhook",
            Method::DELETE,
            &Endpoint::new(&["hooks", "outgoing", id]),
            None,
        )
        .await
    }
}

impl Regenerated {
    /// The token. An answer without a token is an error, because the old token would be used further.
    fn whole(self, doing: &'static str) -> Result<String, CallError> {
        if self.token.is_empty() {
            return Err(CallError::unlike(doing, StatusCode::OK, "the answer has no token"));
        }
        Ok(self.token)
    }
}
