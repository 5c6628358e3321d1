//! A user's side of a slash command: typing the line, and seeing what comes of it.

use crate::naming::{channel_id, user_id};
use crate::world::Post;
use crate::{Standin, StandinError, rest, slash, webhook};
use serde_json::Value;

/// What came of a command: what the client got, and what its user sees.
#[derive(Debug, Clone)]
pub struct Executed {
    /// The status of `POST /api/v4/commands/execute`.
    pub status: u16,
    /// Its body.
    pub body: Value,
    /// What appeared before the user while the command ran, in order.
    pub shown: Vec<Shown>,
}

/// Something that a user sees.
#[derive(Debug, Clone)]
pub enum Shown {
    /// A post in a channel that the user is in, whoever wrote it.
    Posted(Post),
    /// An ephemeral post: "Only visible to you".
    OnlyYou(Post),
    /// The client goes to this address.
    Goto(String),
    /// The red line under the input box, where the typed command stays.
    Error(String),
}

impl Executed {
    /// The texts of all that is shown, in order.
    pub fn texts(&self) -> Vec<&str> {
        self.shown.iter().map(Shown::text).collect()
    }
}

impl Shown {
    /// What can be read of it.
    pub fn text(&self) -> &str {
        match self {
            Shown::Posted(post) | Shown::OnlyYou(post) => &post.message,
            Shown::Goto(text) | Shown::Error(text) => text,
        }
    }
}

impl Standin {
    /// Does what a client does when its user types a line: the same path as `POST /api/v4/commands/execute`.
    /// `user` is a name or id, `channel` an id or the name of a channel in one of the user's teams.
    ///
    /// # Errors
    /// The user or channel is unknown. What goes wrong with the command is in the result.
    pub async fn execute(&self, user: &str, channel: &str, line: &str) -> Result<Executed, StandinError> {
        let (ask, before) = {
            let world = self.world();
            let user = user_id(&world, user)?;
            let own = world.team_members.iter().filter(|member| member.user_id == user);
            let teams: Vec<&str> = own.map(|member| member.team_id.as_str()).collect();
            let found = teams.iter().find_map(|team| channel_id(&world, Some(team), channel).ok());
            let channel = found.map_or_else(|| channel_id(&world, None, channel), Ok)?;
            let here = world.channel(&channel).map_or("", |channel| channel.team_id.as_str());
            let team = if here.is_empty() { teams.first().copied().unwrap_or_default() } else { here };
            let body = serde_json::json!({"channel_id": channel, "team_id": team, "command": line});
            let ask = rest::Ask::of(user, Vec::new(), &body);
            (ask, world.posts.len())
        };
        let answer = slash::execute(self, &ask).await;
        webhook::dispatch(self);
        let mut world = self.world();
        let seen = world.posts.iter().skip(before).filter_map(|post| match &post.only_for {
            Some(one) => (*one == ask.user).then(|| Shown::OnlyYou(post.clone())),
            None => world.channel_member(&post.channel_id, &ask.user).map(|_| Shown::Posted(post.clone())),
        });
        let mut shown: Vec<Shown> = seen.collect();
        let (status, body) = match answer {
            Ok(rest::Reply::Json(status, body)) => {
                let goto = body.get("goto_location").and_then(Value::as_str).unwrap_or_default();
                if !goto.is_empty() {
                    shown.push(Shown::Goto(goto.to_owned()));
                }
                (status, body)
            }
            Ok(rest::Reply::Text(status, text)) => (status, text.into()),
            Ok(rest::Reply::Login { user, .. }) => (http::StatusCode::OK, user),
            Ok(rest::Reply::LoggedOut) => (http::StatusCode::OK, Value::Null),
            Err(error) => {
                shown.push(Shown::Error(error.message.clone()));
                let request_id = world.ids.next();
                (error.status, error.body(&request_id))
            }
        };
        Ok(Executed { status: status.as_u16(), body, shown })
    }
}
