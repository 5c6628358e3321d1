//! A user types a slash command.

use super::outcome::{Executed, outcome};
use crate::api::ApiRequest;
use crate::error::StandinError;
use crate::slash;
use crate::standin::Standin;
use crate::webhook;
use serde_json::json;

impl Standin {
    /// Does what a client does when its user types a line: the same as `POST /api/v4/commands/execute`. `user` is a
    /// name or id, `channel` an id or the name of a channel in one of the user's teams.
    ///
    /// # Errors
    /// The user or channel is unknown. What goes wrong with the command is in the result.
    pub async fn execute(&self, user: &str, channel: &str, line: &str) -> Result<Executed, StandinError> {
        let (request, before) = {
            let db = self.db();
            let user = db.resolve_user(user)?;
            let own = db.team_members.iter().filter(|member| member.user_id == user);
            let teams: Vec<&str> = own.map(|member| member.team_id.as_str()).collect();
            let found = teams.iter().find_map(|team| db.resolve_channel(Some(team), channel).ok());
            let channel = found.map_or_else(|| db.resolve_channel(None, channel), Ok)?;
            let here = db.channel(&channel).map_or("", |channel| channel.team_id.as_str());
            let team = if here.is_empty() { teams.first().copied().unwrap_or_default() } else { here };
            let body = json!({"channel_id": channel, "team_id": team, "command": line});
            (ApiRequest::of(user, Vec::new(), &body), db.posts.clone())
        };
        let result = slash::execute(self, &request).await;
        webhook::deliver(self);
        Ok(outcome(&mut self.db(), &request.user, &before, result))
    }
}
