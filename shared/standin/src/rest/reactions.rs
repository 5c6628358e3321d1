//! `/api/v4/reactions`: reactions to posts: `reactions-create.http`, `reactions-delete.http`.

use super::posts;
use crate::api::{ApiRequest, ApiResult, Reply};
use crate::app_error::AppError;
use crate::database::Database;
use crate::model::Reaction;
use http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};

#[derive(Deserialize, Default)]
#[serde(default)]
struct Body {
    user_id: String,
    post_id: String,
    emoji_name: String,
}

fn shape(db: &Database, reaction: &Reaction) -> Value {
    let channel = db.post(&reaction.post_id).map(|post| post.channel_id.clone()).unwrap_or_default();
    let mut shape = json!({
        "user_id": reaction.user_id, "post_id": reaction.post_id, "emoji_name": reaction.emoji_name,
        "create_at": reaction.create_at, "update_at": reaction.create_at, "delete_at": 0, "remote_id": "",
    });
    if let Some(shape) = shape.as_object_mut().filter(|_| db.version.since_11()) {
        shape.insert("channel_id".to_owned(), channel.into());
    }
    shape
}

/// Adds a reaction of the caller.
pub(super) fn create(db: &mut Database, request: &ApiRequest) -> ApiResult {
    let body: Body = request.body("reaction")?;
    if body.emoji_name.is_empty() || !crate::ids::is_id(&body.post_id) {
        return Err(AppError::bad("api.reaction.save_reaction.invalid.app_error", "Reaction is not valid."));
    }
    if body.user_id != request.user {
        return Err(AppError::new(
            StatusCode::FORBIDDEN,
            "api.reaction.save_reaction.user_id.app_error",
            "You cannot save reaction for the other user.",
        ));
    }
    let post = db.post(&body.post_id).ok_or_else(AppError::no_post)?;
    if !db.may_read(&request.user, &post.channel_id) {
        return Err(AppError::forbidden());
    }
    let made = Reaction {
        user_id: body.user_id,
        post_id: body.post_id,
        emoji_name: body.emoji_name,
        create_at: db.now,
    };
    db.reactions.retain(|known| !same(known, &made));
    let shape = shape(db, &made);
    db.reactions.push(made);
    Reply::ok(shape)
}

fn same(one: &Reaction, other: &Reaction) -> bool {
    one.user_id == other.user_id && one.post_id == other.post_id && one.emoji_name == other.emoji_name
}

pub(super) fn of_post(db: &mut Database, request: &ApiRequest) -> ApiResult {
    let post = posts::find(db, request)?;
    let reactions = db.reactions.iter().filter(|reaction| reaction.post_id == post.id);
    Reply::ok(reactions.map(|reaction| shape(db, reaction)).collect::<Value>())
}

pub(super) fn delete(db: &mut Database, request: &ApiRequest) -> ApiResult {
    let (user, emoji) = (request.user_id()?, request.path("emoji_name")?);
    let post = posts::find(db, request)?;
    if user != request.user && !db.is_admin(&request.user) {
        return Err(AppError::forbidden());
    }
    db.reactions
        .retain(|known| known.user_id != user || known.post_id != post.id || known.emoji_name != emoji);
    Reply::done()
}
