//! `/api/v4/posts`: posts.

use super::channels;
use crate::api::{ApiRequest, ApiResult, Reply};
use crate::app_error::AppError;
use crate::blocks::{self, ACTIONS};
use crate::database::Database;
use crate::model::{Post, take_attachments};
use crate::shape;
use crate::version::Ability;
use http::StatusCode;
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
    /// The post that the body describes.
    fn draft(self, db: &mut Database, user_id: &str) -> Post {
        let mut post = Post::draft(user_id, &self.channel_id, &self.root_id, &self.message);
        let mut props = self.props.unwrap_or_default();
        post.attachments = take_attachments(&mut props, &mut db.ids);
        post.props = props;
        post.kind = self.kind;
        post.by_rest = true;
        post
    }
}

/// The props that say in whose name a post was made. Since 12 only the server itself sets them.
const IDENTITY: &[&str] = &[
    "from_webhook",
    "from_bot",
    "from_oauth_app",
    "from_plugin",
    "override_username",
    "override_icon_url",
    "override_icon_emoji",
    "webhook_display_name",
];

/// Whether the caller is an integration and not a person in a client: a bot, or a call with a personal access token
/// (`Session.IsIntegration`).
fn is_integration(db: &Database, request: &ApiRequest) -> bool {
    request.session.is_empty() || is_bot(db, &request.user)
}

fn is_bot(db: &Database, user_id: &str) -> bool {
    db.user(user_id).is_some_and(|user| user.bot.is_some())
}

/// Silently removes the props that the caller may not set.
fn keep_allowed(db: &Database, request: &ApiRequest, props: &mut Map<String, Value>) {
    if db.version.has(Ability::BlockActions) && !is_integration(db, request) {
        props.remove(ACTIONS);
    }
    if db.version.has(Ability::IdentityProps) {
        props.retain(|key, _| !IDENTITY.contains(&key.as_str()));
    }
}

/// `posts-create.http`, `posts-create-bot-not-member.http`. Since 11.10 an integration may post without a notification.
pub(super) fn create(db: &mut Database, request: &ApiRequest) -> ApiResult {
    let mut body: Body = request.body("post")?;
    let silent = request.query("silent") == Some("true") && db.version.has(Ability::SilentPosts);
    if silent && !is_bot(db, &request.user) {
        return Err(AppError::new(
            StatusCode::FORBIDDEN,
            "api.post.create_post.silent_notification.app_error",
            "Only integrations can post without a notification.",
        ));
    }
    if let Some(props) = &mut body.props {
        let reserved = IDENTITY.iter().any(|key| props.contains_key(*key));
        let hardened = db.settings.enable_hardened_mode && !db.version.has(Ability::IdentityProps);
        if hardened && reserved && !is_integration(db, request) {
            return Err(AppError::bad_body("props"));
        }
        keep_allowed(db, request, props);
    }
    if !db.may_post(&request.user, &body.channel_id) {
        return Err(AppError::forbidden());
    }
    let channel = db.channel(&body.channel_id).ok_or_else(|| AppError::bad_body("channel_id"))?;
    if channel.delete_at > 0 {
        return Err(AppError::bad(
            "api.post.create_post.can_not_post_to_deleted.error",
            "Can not post to deleted channel.",
        ));
    }
    let kept = body.kind.is_empty() || body.kind.starts_with("custom_") || body.kind == "slack_attachment";
    if !kept && !db.is_admin(&request.user) {
        return Err(AppError::bad_body("type"));
    }
    let draft = body.draft(db, &request.user);
    let post = db.add_post_for_webhooks(draft)?;
    Reply::created(shape::post(db, &post))
}

#[derive(Deserialize)]
struct Ephemeral {
    user_id: String,
    post: Body,
}

/// `posts-ephemeral.http`: only system admins may do this, so a bot gets 403, even with `system_post_all`
/// (`posts-ephemeral-bot-post-all.http`).
pub(super) fn create_ephemeral(db: &mut Database, request: &ApiRequest) -> ApiResult {
    let body: Ephemeral = request.body("body")?;
    if !db.is_admin(&request.user) {
        return Err(AppError::forbidden());
    }
    if db.user(&body.user_id).is_none() {
        return Err(AppError::bad_body("user_id"));
    }
    let draft = body.post.draft(db, &request.user);
    let post = db.add_ephemeral(&body.user_id, draft);
    Reply::created(shape::post(db, &post))
}

/// `posts-get.http`
pub(super) fn get(db: &mut Database, request: &ApiRequest) -> ApiResult {
    let post = db.post(request.id("post_id")?).ok_or_else(AppError::no_post)?;
    let seen = db.channel(&post.channel_id).is_some_and(|c| db.may_see_channel(&request.user, c));
    if !seen {
        return Err(AppError::forbidden());
    }
    Reply::ok(shape::post(db, post))
}

/// `channel-posts.http`, `channel-posts-since.http`, `channel-posts-not-member.http`
pub(super) fn of_channel(db: &mut Database, request: &ApiRequest) -> ApiResult {
    let channel = channels::readable(db, request)?;
    if let Some(unknown) = ["before", "after"].into_iter().find(|name| request.query(name).is_some()) {
        return Err(AppError::not_served(&format!("GET /api/v4/channels/{{channel_id}}/posts?{unknown}=")));
    }
    let since: Option<u64> = match request.query("since") {
        Some(text) => Some(text.parse().map_err(|_| AppError::bad_body("since"))?),
        None => None,
    };
    let newest_first = db.posts.iter().rev();
    let posts: Vec<&Post> = newest_first
        .filter(|post| post.channel_id == channel.id && post.only_for.is_none() && post.delete_at == 0)
        .filter(|post| since.is_none_or(|since| post.create_at > since))
        .collect();
    let page = if since.is_some() { posts } else { request.page(posts, 60) };
    Reply::ok(shape::post_list(db, &page, "", ""))
}

/// The post in the path, if the caller may read it.
pub(super) fn find(db: &Database, request: &ApiRequest) -> Result<Post, AppError> {
    let found = db.post(request.id("post_id")?).cloned();
    let post = found.ok_or_else(AppError::no_post)?;
    if db.may_read(&request.user, &post.channel_id) { Ok(post) } else { Err(AppError::forbidden()) }
}

fn change(db: &mut Database, id: &str, how: impl FnOnce(&mut Post)) -> Result<Post, AppError> {
    let now = db.now;
    let post = db.posts.iter_mut().find(|post| post.id == id).ok_or_else(AppError::no_post)?;
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

/// `posts-patch.http`: for the author and for system admins. What the body leaves out does not change. The registry
/// changes only if the author is an integration and sends another one.
pub(super) fn patch(db: &mut Database, request: &ApiRequest) -> ApiResult {
    let patch: Patch = request.body("post")?;
    request.id("post_id")?;
    // For a post that does not exist, the server says that the caller may not change it.
    let post = find(db, request).map_err(|_| AppError::forbidden())?;
    if post.user_id != request.user && !db.is_admin(&request.user) {
        return Err(AppError::forbidden());
    }
    let (now, version) = (db.now, db.version);
    let takes_actions =
        version.has(Ability::Blocks) && post.user_id == request.user && is_integration(db, request);
    let new = patch.props.map(|mut props| {
        keep_allowed(db, request, &mut props);
        let keeps = |key: &str| match key {
            ACTIONS => version.has(Ability::BlockActions) && !(takes_actions && props.contains_key(ACTIONS)),
            key => version.has(Ability::IdentityProps) && IDENTITY.contains(&key),
        };
        let kept: Vec<_> = post.props.iter().filter(|(key, _)| keeps(key)).collect();
        let kept: Vec<_> = kept.into_iter().map(|(key, value)| (key.clone(), value.clone())).collect();
        if version.has(Ability::BlockActions) && !takes_actions {
            props.remove(ACTIONS);
        }
        props.extend(kept);
        let body = Body { props: Some(props), ..Body::default() };
        body.draft(db, &request.user)
    });
    let post = change(db, &post.id, |post| {
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
        if version.has(Ability::BlockActions) {
            blocks::prune(&mut post.props, &post.message);
        }
    })?;
    Reply::ok(shape::post(db, &post))
}

/// `posts-delete.http`: for the author and for those who manage the team. The replies are deleted too.
pub(super) fn delete(db: &mut Database, request: &ApiRequest) -> ApiResult {
    let post = find(db, request)?;
    let team = db.channel(&post.channel_id).map(|channel| channel.team_id.clone()).unwrap_or_default();
    if post.user_id != request.user && !db.may_manage_team(&request.user, &team) {
        return Err(AppError::forbidden());
    }
    let now = db.now;
    for gone in db.posts.iter_mut().filter(|one| one.id == post.id || one.root_id == post.id) {
        gone.delete_at = now;
        gone.update_at = now;
    }
    Reply::done()
}

/// `posts-pin.http`
pub(super) fn pin(db: &mut Database, request: &ApiRequest) -> ApiResult {
    let post = find(db, request)?;
    change(db, &post.id, |post| post.is_pinned = true)?;
    Reply::done()
}

pub(super) fn unpin(db: &mut Database, request: &ApiRequest) -> ApiResult {
    let post = find(db, request)?;
    change(db, &post.id, |post| post.is_pinned = false)?;
    Reply::done()
}

/// The pinned posts of a channel, the newest first.
pub(super) fn pinned(db: &mut Database, request: &ApiRequest) -> ApiResult {
    let channel = channels::readable(db, request)?;
    let kept = db.posts.iter().rev().filter(|post| post.is_pinned && post.delete_at == 0);
    let posts: Vec<&Post> = kept.filter(|post| post.channel_id == channel.id).collect();
    Reply::ok(shape::post_list(db, &posts, "", ""))
}

/// `posts-thread.http`: the root first.
pub(super) fn thread(db: &mut Database, request: &ApiRequest) -> ApiResult {
    let post = find(db, request)?;
    let root = if post.root_id.is_empty() { post.id } else { post.root_id };
    let in_thread = db.posts.iter().filter(|one| one.id == root || one.root_id == root);
    let posts: Vec<&Post> = in_thread.filter(|one| one.only_for.is_none() && one.delete_at == 0).collect();
    let mut list = shape::post_list(db, &posts, "", "");
    if let Some(list) = list.as_object_mut().filter(|_| db.version.since_11()) {
        list.insert("has_next".to_owned(), false.into());
    }
    Reply::ok(list)
}
