//! How each thing looks in JSON, in each version. Keys and types are those of the recordings. What the stand-in does
//! not have (statistics, schemes, policies) has the values of a fresh server.

mod integrations;

pub(crate) use integrations::{incoming_webhook, oauth_app, outgoing_webhook, session};

use crate::Version;
use crate::blocks::ACTIONS;
use crate::database::Database;
use crate::model::{
    Attachment, Audience, Channel, ChannelMember, Command, Post, Team, TeamMember, Token, User,
};
use crate::version::Ability;
use serde_json::{Map, Value, json};

/// Adds the keys that only one version has.
fn with(mut base: Value, more: Value) -> Value {
    if let (Some(base), Value::Object(more)) = (base.as_object_mut(), more) {
        base.extend(more);
    }
    base
}

/// A user, as others see it: `users-by-usernames.http`.
pub(crate) fn user(version: Version, user: &User) -> Value {
    let mut shape = json!({
        "id": user.id, "create_at": user.create_at, "update_at": user.update_at, "delete_at": user.delete_at,
        "username": user.username, "auth_data": "", "auth_service": "", "email": user.email,
        "nickname": user.nickname, "first_name": user.first_name, "last_name": user.last_name,
        "position": user.position, "roles": user.roles, "locale": user.locale,
        "timezone": {"automaticTimezone": "", "manualTimezone": "", "useAutomaticTimezone": "true"},
        "disable_welcome_email": false,
    });
    if let Some(bot) = &user.bot {
        shape = with(shape, json!({"is_bot": true, "bot_description": bot.description}));
    } else if version.since_11() {
        shape = with(shape, json!({"remote_id": ""}));
    }
    shape
}

/// A user, as it sees itself: `users-me-bot.http`.
pub(crate) fn me(version: Version, me: &User) -> Value {
    let mut notify = json!({
        "channel": "true", "comments": "never", "desktop": "mention", "desktop_sound": "true", "email": "true",
        "first_name": "false", "mention_keys": "", "push": "mention",
        "push_status": if version.since_11() { "online" } else { "away" },
    });
    let mut shape = user(version, me);
    if version.since_11() {
        notify =
            with(notify, json!({"desktop_threads": "all", "email_threads": "all", "push_threads": "all"}));
        if let Some(shape) = shape.as_object_mut() {
            shape.remove("auth_data");
        }
    }
    if me.failed_attempts > 0 {
        shape = with(shape, json!({"failed_attempts": me.failed_attempts}));
    }
    with(shape, json!({"notify_props": notify, "last_password_update": me.create_at}))
}

/// A bot account: `bots-create.http`.
pub(crate) fn bot(user: &User) -> Value {
    let (description, owner) =
        user.bot.as_ref().map_or(("", ""), |bot| (bot.description.as_str(), bot.owner_id.as_str()));
    json!({
        "user_id": user.id, "username": user.username, "display_name": user.first_name,
        "description": description, "owner_id": owner, "create_at": user.create_at,
        "update_at": user.update_at, "delete_at": user.delete_at,
    })
}

/// A personal access token. The secret is shown only when the token is created: `bot-tokens-list.http`.
pub(crate) fn token(version: Version, token: &Token, secret: bool) -> Value {
    let mut shape = json!({
        "id": token.id, "user_id": token.user_id, "description": token.description, "is_active": token.active,
    });
    if version.has(Ability::TokenExpiry) {
        shape = with(shape, json!({"expires_at": token.expires_at}));
    }
    if secret { with(shape, json!({"token": token.token})) } else { shape }
}

/// A team: `teams-get.http`. Only those who manage it see its email address.
pub(crate) fn team(version: Version, team: &Team, manager: bool) -> Value {
    let shape = json!({
        "id": team.id, "create_at": team.create_at, "update_at": team.update_at, "delete_at": team.delete_at,
        "display_name": team.display_name, "name": team.name, "description": "",
        "email": if manager { team.email.as_str() } else { "" }, "type": "O", "company_name": "",
        "allowed_domains": "", "invite_id": team.invite_id, "allow_open_invite": false, "scheme_id": null,
        "group_constrained": null, "policy_id": null,
    });
    if version.since_11() { with(shape, json!({"cloud_limits_archived": false})) } else { shape }
}

/// A member of a team: `team-members-add.http`.
pub(crate) fn team_member(member: &TeamMember) -> Value {
    json!({
        "team_id": member.team_id, "user_id": member.user_id,
        "roles": if member.admin { "team_user team_admin" } else { "team_user" }, "delete_at": 0,
        "scheme_guest": false, "scheme_user": true, "scheme_admin": member.admin, "explicit_roles": "",
    })
}

/// A channel: `channels-get.http`.
pub(crate) fn channel(db: &Database, channel: &Channel) -> Value {
    let said = db.posts.iter().filter(|post| post.channel_id == channel.id && post.only_for.is_none());
    let last = said.clone().map(|post| post.create_at).max().unwrap_or(0);
    let roots = said.clone().filter(|post| post.root_id.is_empty()).count();
    let direct = channel.team_id.is_empty();
    let shape = json!({
        "id": channel.id, "create_at": channel.create_at, "update_at": channel.update_at,
        "delete_at": channel.delete_at, "team_id": channel.team_id, "type": channel.kind.letter(),
        "display_name": channel.display_name, "name": channel.name, "header": channel.header, "purpose": channel.purpose,
        "last_post_at": last, "total_msg_count": said.count(), "extra_update_at": 0,
        "creator_id": channel.creator_id, "scheme_id": null, "props": null, "group_constrained": null,
        "shared": if direct { Value::Bool(false) } else { Value::Null }, "total_msg_count_root": roots,
        "policy_id": null,
    });
    if !db.version.since_11() {
        return shape;
    }
    with(
        shape,
        json!({
            "autotranslation": false, "last_root_post_at": last, "banner_info": null, "policy_enforced": false,
            "policy_is_active": false, "default_category_name": "",
        }),
    )
}

/// A channel with its team: `channels-all-admin.http`.
pub(crate) fn channel_with_team(db: &Database, channel: &Channel, team: &Team) -> Value {
    let team = json!({"team_display_name": team.display_name, "team_name": team.name, "team_update_at": team.update_at});
    with(self::channel(db, channel), team)
}

/// A member of a channel: `channel-members-add.http`.
pub(crate) fn channel_member(version: Version, member: &ChannelMember) -> Value {
    let mut notify = json!({
        "desktop": "default", "email": "default", "ignore_channel_mentions": "default", "mark_unread": "all",
        "push": "default",
    });
    let mut more = json!({});
    if version.since_11() {
        notify = with(notify, json!({"channel_auto_follow_threads": "off"}));
        more = json!({"urgent_mention_count": 0, "autotranslation_disabled": false});
    }
    let shape = json!({
        "channel_id": member.channel_id, "user_id": member.user_id,
        "roles": if member.admin { "channel_user channel_admin" } else { "channel_user" },
        "last_viewed_at": 0, "msg_count": 0, "mention_count": 0, "mention_count_root": 0, "msg_count_root": 0,
        "notify_props": notify, "last_update_at": member.since, "scheme_guest": false, "scheme_user": true,
        "scheme_admin": member.admin, "explicit_roles": "",
    });
    with(shape, more)
}

/// A post as clients get it, without the integrations of its buttons (`posts-get.http`) and without its registry. A post by REST has one key
/// more than a post by a command (`posts-get-attachments.http`); an ephemeral post has other keys
/// (`posts-ephemeral.http`).
pub(crate) fn post(db: &Database, post: &Post) -> Value {
    let version = db.version;
    let ephemeral = post.only_for.is_some();
    let root = post.thread_root();
    let replies = db.posts.iter().filter(|other| other.root_id == root && other.only_for.is_none()).count();
    let mut props = post.props.clone();
    // A text is the cookie of an ephemeral post.
    if version.has(Ability::BlockActions) && props.get(ACTIONS).is_some_and(|actions| !actions.is_string()) {
        props.remove(ACTIONS);
    }
    let mut metadata = Map::new();
    if !post.attachments.is_empty() {
        let audience = if ephemeral { Audience::Ephemeral } else { Audience::Stored };
        props.insert("attachments".to_owned(), attachments(version, &post.attachments, audience));
        metadata.insert("embeds".to_owned(), json!([{"type": "message_attachment"}]));
    }
    let shape = json!({
        "id": post.id, "create_at": post.create_at,
        "update_at": if ephemeral { 0 } else { post.update_at }, "edit_at": post.edit_at,
        "delete_at": post.delete_at, "is_pinned": post.is_pinned, "user_id": post.user_id, "channel_id": post.channel_id, "root_id": post.root_id,
        "original_id": "", "message": post.message, "type": post.kind, "props": props, "hashtags": "",
        "pending_post_id": "", "reply_count": replies, "last_reply_at": 0, "participants": null,
        "metadata": metadata,
    });
    let more = if !version.since_11() {
        json!({"parent_id": post.root_id})
    } else if ephemeral {
        json!({"file_ids": null})
    } else if post.by_rest {
        json!({"file_ids": [], "remote_id": ""})
    } else {
        json!({"file_ids": []})
    };
    with(shape, more)
}

/// A list of posts, the newest first: `channel-posts.http`.
pub(crate) fn post_list(db: &Database, posts: &[&Post], next: &str, prev: &str) -> Value {
    let order: Vec<&str> = posts.iter().map(|post| post.id.as_str()).collect();
    let by_id: Map<String, Value> = posts.iter().map(|one| (one.id.clone(), post(db, one))).collect();
    let shape = json!({"order": order, "posts": by_id, "next_post_id": next, "prev_post_id": prev});
    if db.version.since_11() { with(shape, json!({"first_inaccessible_post_time": 0})) } else { shape }
}

/// Attachments, as this audience sees them.
pub(crate) fn attachments(version: Version, list: &[Attachment], audience: Audience) -> Value {
    list.iter().map(|attachment| attachment.shape(version, audience)).collect()
}

/// A slash command with its token, for those who manage it: `commands-create.http`.
pub(crate) fn command(command: &Command) -> Value {
    json!({
        "id": command.id, "token": command.token, "create_at": command.create_at,
        "update_at": command.update_at, "delete_at": 0, "creator_id": command.creator_id,
        "team_id": command.team_id, "trigger": command.trigger, "method": command.method,
        "username": command.username, "icon_url": command.icon_url, "auto_complete": command.auto_complete,
        "auto_complete_desc": command.auto_complete_desc, "auto_complete_hint": command.auto_complete_hint,
        "display_name": command.display_name, "description": command.description, "url": command.url,
        "plugin_id": "",
    })
}

/// A slash command as it is suggested, without what only those who manage it may see: `Command.Sanitize`.
pub(crate) fn suggested_command(known: &Command) -> Value {
    let hidden = json!({
        "token": "", "creator_id": "", "method": "", "url": "", "username": "", "icon_url": "",
    });
    with(command(known), hidden)
}
