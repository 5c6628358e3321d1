//! A user's side: typing a slash command, and seeing what comes of what one does.

use crate::error::AppError;
use crate::naming::{channel_id, user_id};
use crate::world::{Post, World};
use crate::{Standin, StandinError, rest, slash, webhook};
use serde_json::Value;

/// What came of a command, of a click, or of a dialog: what the client got, and what its user sees.
#[derive(Debug, Clone)]
pub struct Executed {
    /// The status of the call that the client made.
    pub status: u16,
    /// Its body.
    pub body: Value,
    /// What appeared before the user meanwhile, in order.
    pub shown: Vec<Shown>,
}

/// Something that a user sees.
#[derive(Debug, Clone)]
pub enum Shown {
    /// A post in a channel that the user is in, whoever wrote it.
    Posted(Post),
    /// An ephemeral post: "Only visible to you".
    OnlyYou(Post),
    /// A post in a channel that the user is in, as it is now that it was changed.
    Updated(Post),
    /// The client goes to this address.
    Goto(String),
    /// The red line: under the input box, where the typed command stays; under the card whose button was
    /// clicked; in the dialog.
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
            Shown::Posted(post) | Shown::OnlyYou(post) | Shown::Updated(post) => &post.message,
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
            (rest::Ask::of(user, Vec::new(), &body), world.posts.clone())
        };
        let answer = slash::execute(self, &ask).await;
        webhook::dispatch(self);
        Ok(outcome(&mut self.world(), &ask.user, &before, answer))
    }
}

/// What came of what a user did, and what he sees of it: all that differs from the posts before.
pub(crate) fn outcome(world: &mut World, user: &str, before: &[Post], answer: rest::Answer) -> Executed {
    let seen =
        world.posts.iter().enumerate().filter_map(|(at, post)| match (before.get(at), &post.only_for) {
            (Some(old), _) if old == post => None,
            (None, Some(one)) => (one == user).then(|| Shown::OnlyYou(post.clone())),
            (old, _) => {
                world.channel_member(&post.channel_id, user)?;
                let changed = old.is_some() && post.delete_at == 0;
                Some(if changed { Shown::Updated(post.clone()) } else { Shown::Posted(post.clone()) })
            }
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
        Ok(rest::Reply::NoPage { path }) => {
            let body = AppError::no_page(&path);
            shown.extend(
                body.get("message").and_then(Value::as_str).map(|text| Shown::Error(text.to_owned())),
            );
            (http::StatusCode::NOT_FOUND, body)
        }
        Err(error) => {
            shown.push(Shown::Error(error.message.clone()));
            let request_id = world.ids.next();
            (error.status, error.body(&request_id))
        }
    };
    Executed { status: status.as_u16(), body, shown }
}
