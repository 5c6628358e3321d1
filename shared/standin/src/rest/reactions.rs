//! `/api/v4/reactions`: what people think of a post. `reactions-create.http`, `reactions-delete.http`

use super::{Answer, Ask, Reply, posts};
use crate::error::AppError;
use crate::world::{Reaction, World};
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

fn shape(world: &World, reaction: &Reaction) -> Value {
    let channel = world.post(&reaction.post_id).map(|post| post.channel_id.clone()).unwrap_or_default();
    let mut shape = json!({
        "user_id": reaction.user_id, "post_id": reaction.post_id, "emoji_name": reaction.emoji_name,
        "create_at": reaction.create_at, "update_at": reaction.create_at, "delete_at": 0, "remote_id": "",
    });
    if let Some(shape) = shape.as_object_mut().filter(|_| world.version.is_11()) {
        shape.insert("channel_id".to_owned(), channel.into());
    }
    shape
}

/// In one's own name only.
pub(super) fn create(world: &mut World, ask: &Ask) -> Answer {
    let body: Body = ask.body("reaction")?;
    if body.emoji_name.is_empty() || !crate::ids::is_id(&body.post_id) {
        return Err(AppError::bad("api.reaction.save_reaction.invalid.app_error", "Reaction is not valid."));
    }
    if body.user_id != ask.user {
        return Err(AppError::new(
            StatusCode::FORBIDDEN,
            "api.reaction.save_reaction.user_id.app_error",
            "You cannot save reaction for the other user.",
        ));
    }
    let post = world.post(&body.post_id).ok_or_else(posts::missing)?;
    if !world.may_read(&ask.user, &post.channel_id) {
        return Err(AppError::forbidden());
    }
    let made = Reaction {
        user_id: body.user_id,
        post_id: body.post_id,
        emoji_name: body.emoji_name,
        create_at: world.now,
    };
    world.reactions.retain(|known| !same(known, &made));
    let shape = shape(world, &made);
    world.reactions.push(made);
    Reply::ok(shape)
}

fn same(one: &Reaction, other: &Reaction) -> bool {
    one.user_id == other.user_id && one.post_id == other.post_id && one.emoji_name == other.emoji_name
}

pub(super) fn of_post(world: &mut World, ask: &Ask) -> Answer {
    let post = posts::find(world, ask)?;
    let reactions = world.reactions.iter().filter(|reaction| reaction.post_id == post.id);
    Reply::ok(reactions.map(|reaction| shape(world, reaction)).collect::<Value>())
}

pub(super) fn delete(world: &mut World, ask: &Ask) -> Answer {
    let (user, emoji) = (ask.user_id()?, ask.path("emoji_name")?);
    let post = posts::find(world, ask)?;
    if user != ask.user && !world.is_admin(&ask.user) {
        return Err(AppError::forbidden());
    }
    world
        .reactions
        .retain(|known| known.user_id != user || known.post_id != post.id || known.emoji_name != emoji);
    Reply::done()
}
