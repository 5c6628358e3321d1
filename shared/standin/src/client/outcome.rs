//! What comes of a command, a click or a dialog for the user.

use crate::api::{ApiResult, Reply};
use crate::app_error::AppError;
use crate::database::Database;
use crate::model::{Attachment, Post};
use http::StatusCode;
use serde_json::Value;

/// What comes of a command or click: the answer that the client gets, and what its user sees.
#[derive(Debug, Clone)]
pub struct Executed {
    /// The status of the call that the client made.
    pub status: u16,
    /// The body of the answer.
    pub body: Value,
    /// What the user saw as the result, in order.
    pub shown: Vec<Shown>,
}

/// Something that a user sees.
#[derive(Debug, Clone)]
pub enum Shown {
    /// A new post in a channel that the user is in, by any author.
    Posted(Post),
    /// An ephemeral post: "Only visible to you".
    OnlyYou(Post),
    /// A post in a channel that the user is in, after a change.
    Updated(Post),
    /// The client opens this address.
    Goto(String),
    /// The red line: below the input box, which keeps the typed command; below the card whose button was clicked; or
    /// in the dialog.
    Error(String),
}

impl Executed {
    /// The texts of all that is shown, in order.
    pub fn texts(&self) -> Vec<&str> {
        self.shown.iter().map(Shown::text).collect()
    }
}

impl Shown {
    /// The attachments under the text of a post.
    pub fn attachments(&self) -> &[Attachment] {
        match self {
            Shown::Posted(post) | Shown::OnlyYou(post) | Shown::Updated(post) => &post.attachments,
            Shown::Goto(_) | Shown::Error(_) => &[],
        }
    }

    /// The text that the user reads.
    pub fn text(&self) -> &str {
        match self {
            Shown::Posted(post) | Shown::OnlyYou(post) | Shown::Updated(post) => &post.message,
            Shown::Goto(text) | Shown::Error(text) => text,
        }
    }
}

/// What a user's client got and what the user sees: all posts that differ from those before.
pub(super) fn outcome(db: &mut Database, user: &str, before: &[Post], result: ApiResult) -> Executed {
    let seen = db.posts.iter().enumerate().filter_map(|(at, post)| match (before.get(at), &post.only_for) {
        (Some(old), _) if old == post => None,
        (None, Some(one)) => (one == user).then(|| Shown::OnlyYou(post.clone())),
        (old, _) => {
            db.channel_member(&post.channel_id, user)?;
            let changed = old.is_some() && post.delete_at == 0;
            Some(if changed { Shown::Updated(post.clone()) } else { Shown::Posted(post.clone()) })
        }
    });
    let mut shown: Vec<Shown> = seen.collect();
    let (status, body) = match result {
        Ok(Reply::Json(status, body)) => {
            let goto = body.get("goto_location").and_then(Value::as_str).unwrap_or_default();
            if !goto.is_empty() {
                shown.push(Shown::Goto(goto.to_owned()));
            }
            (status, body)
        }
        Ok(Reply::Text(status, text)) => (status, text.into()),
        Ok(Reply::Login { user, .. }) => (StatusCode::OK, user),
        Ok(Reply::LoggedOut) => (StatusCode::OK, Value::Null),
        Ok(Reply::NoPage { path }) => {
            let body = AppError::no_page(&path);
            let text = body.get("message").and_then(Value::as_str);
            shown.extend(text.map(|text| Shown::Error(text.to_owned())));
            (StatusCode::NOT_FOUND, body)
        }
        Err(error) => {
            shown.push(Shown::Error(error.message.clone()));
            let request_id = db.ids.next();
            (error.status, error.body(&request_id))
        }
    };
    Executed { status: status.as_u16(), body, shown }
}
