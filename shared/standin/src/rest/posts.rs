//! `/api/v4/posts`: what is said.

use super::{Answer, Ask, Reply, channels};
use crate::action::attachment::take;
use crate::error::AppError;
use crate::shape;
use crate::world::{Post, World};
use serde::Deserialize;
use serde_json::{Map, Value};

#[derive(Deserialize, Default)]
#[serde(default)]
struct Body {
    channel_id: String,
    root_id: String,
    message: String,
    #[serde(rename = "type")]
    kind: String,
    props: Option<Map<String, Value>>,
}

impl Body {
    /// The attachments leave the props: clients see them without their integrations.
    fn draft(self, world: &mut World, user_id: &str) -> Post {
        let mut post = Post::draft(user_id, &self.channel_id, &self.root_id, &self.message);
        let mut props = self.props.unwrap_or_default();
        post.attachments = take(&mut props, &mut world.ids);
        post.props = props;
        post.kind = self.kind;
        post.by_rest = true;
        post
    }
}

/// `posts-create.http`, `posts-create-bot-not-member.http`
pub(super) fn create(world: &mut World, ask: &Ask) -> Answer {
    let body: Body = ask.body("post")?;
    if !world.may_post(&ask.user, &body.channel_id) {
        return Err(AppError::forbidden());
    }
    let channel = world.channel(&body.channel_id).ok_or_else(|| AppError::bad_body("channel_id"))?;
    if channel.delete_at > 0 {
        return Err(AppError::bad(
            "api.post.create_post.can_not_post_to_deleted.error",
            "Can not post to deleted channel.",
        ));
    }
    let kept = body.kind.is_empty() || body.kind.starts_with("custom_") || body.kind == "slack_attachment";
    if !kept && !world.is_admin(&ask.user) {
        return Err(AppError::bad_body("type"));
    }
    let draft = body.draft(world, &ask.user);
    let post = world.say(draft)?;
    Reply::created(shape::post(world, &post))
}

#[derive(Deserialize)]
struct Ephemeral {
    user_id: String,
    post: Body,
}

/// `posts-ephemeral.http`: system admins only, so a bot gets 403, also with `system_post_all`
/// (`posts-ephemeral-bot-post-all.http`).
pub(super) fn create_ephemeral(world: &mut World, ask: &Ask) -> Answer {
    let body: Ephemeral = ask.body("body")?;
    if !world.is_admin(&ask.user) {
        return Err(AppError::forbidden());
    }
    if world.user(&body.user_id).is_none() {
        return Err(AppError::bad_body("user_id"));
    }
    let draft = body.post.draft(world, &ask.user);
    let post = world.add_ephemeral(&body.user_id, draft);
    Reply::created(shape::post(world, &post))
}

/// `posts-get.http`
pub(super) fn get(world: &mut World, ask: &Ask) -> Answer {
    let post = world.post(ask.id("post_id")?).ok_or_else(missing)?;
    let seen = world.channel(&post.channel_id).is_some_and(|c| world.may_see_channel(&ask.user, c));
    if !seen {
        return Err(AppError::forbidden());
    }
    Reply::ok(shape::post(world, post))
}

/// `channel-posts.http`, `channel-posts-since.http`, `channel-posts-not-member.http`
pub(super) fn of_channel(world: &mut World, ask: &Ask) -> Answer {
    let channel = channels::readable(world, ask)?;
    if let Some(unknown) = ["before", "after"].into_iter().find(|name| ask.query(name).is_some()) {
        return Err(AppError::not_served(&format!("GET /api/v4/channels/{{channel_id}}/posts?{unknown}=")));
    }
    let since: Option<u64> = match ask.query("since") {
        Some(text) => Some(text.parse().map_err(|_| AppError::bad_body("since"))?),
        None => None,
    };
    let newest_first = world.posts.iter().rev();
    let posts: Vec<&Post> = newest_first
        .filter(|post| post.channel_id == channel.id && post.only_for.is_none() && post.delete_at == 0)
        .filter(|post| since.is_none_or(|since| post.create_at > since))
        .collect();
    let page = if since.is_some() { posts } else { ask.page(posts, 60) };
    Reply::ok(shape::post_list(world, &page, "", ""))
}

/// A post that the caller may read. Deleted ones are gone.
pub(super) fn find(world: &World, ask: &Ask) -> Result<Post, AppError> {
    let found = world.post(ask.id("post_id")?).cloned();
    let post = found.ok_or_else(missing)?;
    if world.may_read(&ask.user, &post.channel_id) { Ok(post) } else { Err(AppError::forbidden()) }
}

pub(super) fn missing() -> AppError {
    AppError::missing("app.post.get.app_error", "Unable to get the post.")
}

fn change(world: &mut World, id: &str, how: impl FnOnce(&mut Post)) -> Result<Post, AppError> {
    let now = world.now;
    let post = world.posts.iter_mut().find(|post| post.id == id).ok_or_else(missing)?;
    post.update_at = now;
    how(post);
    Ok(post.clone())
}

#[derive(Deserialize)]
struct Patch {
    message: Option<String>,
    props: Option<Map<String, Value>>,
    is_pinned: Option<bool>,
}

/// `posts-patch.http`: the author, or a system admin. What the body leaves out stays.
pub(super) fn patch(world: &mut World, ask: &Ask) -> Answer {
    let patch: Patch = ask.body("post")?;
    ask.id("post_id")?;
    // The server says of a post that there is none that the caller may not change it.
    let post = find(world, ask).map_err(|_| AppError::forbidden())?;
    if post.user_id != ask.user && !world.is_admin(&ask.user) {
        return Err(AppError::forbidden());
    }
    let now = world.now;
    let new = patch.props.map(|props| {
        let body = Body { props: Some(props), ..Body::default() };
        body.draft(world, &ask.user)
    });
    let post = change(world, &post.id, |post| {
        if let Some(new) = new {
            post.props = new.props;
            post.attachments = new.attachments;
        }
        post.is_pinned = patch.is_pinned.unwrap_or(post.is_pinned);
        if let Some(message) = patch.message {
            if message != post.message {
                post.edit_at = now;
            }
            post.message = message;
        }
    })?;
    Reply::ok(shape::post(world, &post))
}

/// `posts-delete.http`: the author, or who manages the team; its replies go along.
pub(super) fn delete(world: &mut World, ask: &Ask) -> Answer {
    let post = find(world, ask)?;
    let team = world.channel(&post.channel_id).map(|channel| channel.team_id.clone()).unwrap_or_default();
    if post.user_id != ask.user && !world.may_manage_team(&ask.user, &team) {
        return Err(AppError::forbidden());
    }
    let now = world.now;
    for gone in world.posts.iter_mut().filter(|one| one.id == post.id || one.root_id == post.id) {
        gone.delete_at = now;
        gone.update_at = now;
    }
    Reply::done()
}

/// `posts-pin.http`
pub(super) fn pin(world: &mut World, ask: &Ask) -> Answer {
    let post = find(world, ask)?;
    change(world, &post.id, |post| post.is_pinned = true)?;
    Reply::done()
}

pub(super) fn unpin(world: &mut World, ask: &Ask) -> Answer {
    let post = find(world, ask)?;
    change(world, &post.id, |post| post.is_pinned = false)?;
    Reply::done()
}

/// The pinned posts of a channel, the newest first.
pub(super) fn pinned(world: &mut World, ask: &Ask) -> Answer {
    let channel = channels::readable(world, ask)?;
    let kept = world.posts.iter().rev().filter(|post| post.is_pinned && post.delete_at == 0);
    let posts: Vec<&Post> = kept.filter(|post| post.channel_id == channel.id).collect();
    Reply::ok(shape::post_list(world, &posts, "", ""))
}

/// `posts-thread.http`: the root first.
pub(super) fn thread(world: &mut World, ask: &Ask) -> Answer {
    let post = find(world, ask)?;
    let root = if post.root_id.is_empty() { post.id } else { post.root_id };
    let in_thread = world.posts.iter().filter(|one| one.id == root || one.root_id == root);
    let posts: Vec<&Post> = in_thread.filter(|one| one.only_for.is_none() && one.delete_at == 0).collect();
    let mut list = shape::post_list(world, &posts, "", "");
    if let Some(list) = list.as_object_mut().filter(|_| world.version.is_11()) {
        list.insert("has_next".to_owned(), false.into());
    }
    Reply::ok(list)
}
