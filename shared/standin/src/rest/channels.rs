//! `/api/v4/channels`: channels and their members.

use super::teams;
use crate::api::{ApiRequest, ApiResult, Reply};
use crate::app_error::AppError;
use crate::database::Database;
use crate::ids::is_id;
use crate::model::{Channel, ChannelKind};
use crate::shape;
use http::StatusCode;
use serde::Deserialize;
use serde_json::Value;

fn member_missing() -> AppError {
    AppError::missing(
        "app.channel.get_member.missing.app_error",
        "No channel member found for that user ID and channel ID.",
    )
}

fn find(db: &Database, request: &ApiRequest) -> Result<Channel, AppError> {
    let id = request.id("channel_id")?;
    db.channel(id).cloned().ok_or_else(|| AppError::no_channel(db.version, id))
}

/// The channel in the path, if the caller is a member.
pub(super) fn readable(db: &Database, request: &ApiRequest) -> Result<Channel, AppError> {
    let channel = find(db, request)?;
    if db.may_read(&request.user, &channel.id) { Ok(channel) } else { Err(AppError::forbidden()) }
}

/// Answers with a channel, if the caller may see it.
fn show(db: &Database, request: &ApiRequest, channel: &Channel) -> ApiResult {
    if db.may_see_channel(&request.user, channel) {
        Reply::ok(shape::channel(db, channel))
    } else {
        Err(AppError::forbidden())
    }
}

/// `channels-get.http`, `bot-channel-not-member.http`
pub(super) fn get(db: &mut Database, request: &ApiRequest) -> ApiResult {
    show(db, request, &find(db, request)?)
}

fn named(db: &Database, request: &ApiRequest, team_id: &str) -> ApiResult {
    let name = request.path("channel_name")?;
    let found = db.channel_named(team_id, name);
    let channel = found.ok_or_else(|| {
        AppError::missing("app.channel.get_by_name.missing.app_error", "Channel does not exist.")
    })?;
    show(db, request, channel)
}

pub(super) fn by_name(db: &mut Database, request: &ApiRequest) -> ApiResult {
    named(db, request, request.id("team_id")?)
}

/// `channels-get-by-name.http`
pub(super) fn by_names(db: &mut Database, request: &ApiRequest) -> ApiResult {
    let team = db.team_named(request.path("team_name")?).map(|team| team.id.clone());
    named(db, request, &team.unwrap_or_default())
}

/// `team-channels.http`: the public channels, sorted by title.
pub(super) fn of_team(db: &mut Database, request: &ApiRequest) -> ApiResult {
    let team = teams::visible(db, request)?;
    let channels = db.channels.iter();
    let mut public: Vec<&Channel> = channels
        .filter(|channel| channel.team_id == team && channel.kind == ChannelKind::Public)
        .filter(|channel| channel.delete_at == 0)
        .collect();
    public.sort_by(|one, other| one.display_name.cmp(&other.display_name));
    let page = request.page(public, 60);
    Reply::ok(page.into_iter().map(|channel| shape::channel(db, channel)).collect::<Value>())
}

/// `channels-all-admin.http`: the channels of all teams, for system admins.
pub(super) fn list(db: &mut Database, request: &ApiRequest) -> ApiResult {
    if !db.is_admin(&request.user) {
        return Err(AppError::forbidden());
    }
    let in_team = |channel: &Channel| db.team(&channel.team_id).map(|team| (channel.clone(), team));
    let known = db.channels.iter().filter(|channel| channel.delete_at == 0);
    let mut channels: Vec<_> = known.filter_map(in_team).collect();
    channels.sort_by(|(one, _), (other, _)| one.display_name.cmp(&other.display_name));
    let page = request.page(channels, 60);
    let shaped = page.iter().map(|(channel, team)| shape::channel_with_team(db, channel, team));
    Reply::ok(shaped.collect::<Value>())
}

fn name_taken() -> AppError {
    AppError::bad(
        "store.sql_channel.save_channel.exists.app_error",
        "A channel with that name already exists on the same team.",
    )
}

#[derive(Deserialize)]
struct Create {
    #[serde(default)]
    team_id: String,
    #[serde(default)]
    name: String,
    #[serde(default)]
    display_name: String,
    #[serde(default, rename = "type")]
    kind: String,
}

/// `channels-create.http`: every member of the team can create a channel, and becomes its admin.
pub(super) fn create(db: &mut Database, request: &ApiRequest) -> ApiResult {
    let body: Create = request.body("channel")?;
    let kind = match body.kind.as_str() {
        "O" => ChannelKind::Public,
        "P" => ChannelKind::Private,
        _ => return Err(AppError::bad("model.channel.is_valid.type.app_error", "Invalid type.")),
    };
    if !db.may_see_team(&request.user, &body.team_id) {
        return Err(AppError::forbidden());
    }
    if body.name.is_empty() {
        return Err(AppError::bad_body("channel"));
    }
    if db.channel_named(&body.team_id, &body.name).is_some() {
        return Err(name_taken());
    }
    let in_team =
        db.channels.iter().filter(|channel| channel.team_id == body.team_id && channel.delete_at == 0);
    if in_team.count() >= db.settings.max_channels_per_team {
        return Err(AppError::bad(
            "store.sql_channel.save_channel.limit.app_error",
            "You've reached the limit of the number of allowed channels.",
        ));
    }
    let channel = db.add_channel(&body.team_id, &body.name, &body.display_name, kind, &request.user);
    db.join(&channel.id, &request.user, true);
    Reply::created(shape::channel(db, &channel))
}

/// `channels-direct.http`: the caller must be one of the two.
pub(super) fn direct(db: &mut Database, request: &ApiRequest) -> ApiResult {
    let ids: Vec<String> = request.body("user_ids")?;
    let [one, other] = ids.as_slice() else { return Err(AppError::bad_body("user_ids")) };
    if !is_id(one) || !is_id(other) {
        return Err(AppError::bad_body("user_id"));
    }
    if *one != request.user && *other != request.user && !db.is_admin(&request.user) {
        return Err(AppError::forbidden());
    }
    if db.user(one).is_none() || db.user(other).is_none() {
        return Err(AppError::bad(
            "api.channel.create_direct_channel.invalid_user.app_error",
            "Invalid user ID for direct channel creation.",
        ));
    }
    let name = if one < other { format!("{one}__{other}") } else { format!("{other}__{one}") };
    let known = db.channel_named("", &name).is_some();
    if db.settings.restrict_direct_message_to_team && !known && !share_team(db, one, other) {
        return Err(AppError::new(
            StatusCode::FORBIDDEN,
            "api.channel.create_channel.direct_channel.team_restricted_error",
            "A direct channel cannot be created between these users because they do not share a team in common.",
        ));
    }
    let channel = db.direct_channel(&request.user, one, other);
    Reply::created(shape::channel(db, &channel))
}

fn share_team(db: &Database, one: &str, other: &str) -> bool {
    let both = |team: &str| db.team_member(team, one).is_some() && db.team_member(team, other).is_some();
    db.teams.iter().any(|team| both(&team.id))
}

/// `channels-group.http`: for three to eight users, with the caller.
pub(super) fn group(db: &mut Database, request: &ApiRequest) -> ApiResult {
    let mut ids: Vec<String> = request.body("user_ids")?;
    if !ids.contains(&request.user) {
        ids.push(request.user.clone());
    }
    ids.sort_unstable();
    ids.dedup();
    if !(3..=8).contains(&ids.len()) {
        return Err(AppError::bad(
            "api.channel.create_group.bad_size.app_error",
            "Group message channels must contain at least 3 and no more than 8 users.",
        ));
    }
    if ids.iter().any(|id| db.user(id).is_none()) {
        return Err(AppError::bad(
            "api.channel.create_group.bad_user.app_error",
            "One of the provided users does not exist.",
        ));
    }
    let channel = db.group_channel(&ids);
    Reply::created(shape::channel(db, &channel))
}

/// The channel in the path, if the caller is a member and it is not archived.
fn changeable(db: &Database, request: &ApiRequest) -> Result<Channel, AppError> {
    let channel = find(db, request)?;
    if !db.may_read(&request.user, &channel.id) {
        return Err(AppError::forbidden());
    }
    if channel.delete_at > 0 {
        return Err(AppError::bad(
            "api.channel.delete_channel.deleted.app_error",
            "The channel has been archived or deleted.",
        ));
    }
    Ok(channel)
}

fn change(db: &mut Database, id: &str, how: impl FnOnce(&mut Channel)) -> ApiResult {
    let now = db.now;
    if let Some(channel) = db.channels.iter_mut().find(|channel| channel.id == id) {
        channel.update_at = now;
        how(channel);
    }
    let channel = db.channel(id).ok_or_else(|| AppError::no_channel(db.version, id))?;
    Reply::ok(shape::channel(db, channel))
}

#[derive(Deserialize)]
struct Patch {
    name: Option<String>,
    display_name: Option<String>,
    header: Option<String>,
    purpose: Option<String>,
}

/// `channels-patch.http`: for all members.
pub(super) fn patch(db: &mut Database, request: &ApiRequest) -> ApiResult {
    let patch: Patch = request.body("channel")?;
    let channel = changeable(db, request)?;
    if let Some(name) = &patch.name
        && db.channel_named(&channel.team_id, name).is_some_and(|other| other.id != channel.id)
    {
        return Err(name_taken());
    }
    change(db, &channel.id, |channel| {
        for (new, old) in [
            (patch.name, &mut channel.name),
            (patch.display_name, &mut channel.display_name),
            (patch.header, &mut channel.header),
            (patch.purpose, &mut channel.purpose),
        ] {
            if let Some(new) = new {
                *old = new;
            }
        }
    })
}

/// `channels-archive.http`: for all members, but not for the default channel. Its webhooks are deleted.
pub(super) fn archive(db: &mut Database, request: &ApiRequest) -> ApiResult {
    let channel = changeable(db, request)?;
    if channel.kind.is_conversation() {
        return Err(AppError::bad(
            "api.channel.delete_channel.type.invalid",
            "Unable to delete direct or group message channels",
        ));
    }
    if channel.name == "town-square" {
        return Err(AppError::bad(
            "api.channel.delete_channel.cannot.app_error",
            "Unable to delete the default channel town-square.",
        ));
    }
    let now = db.now;
    db.outgoing_webhooks.retain(|hook| hook.channel_id != channel.id);
    db.incoming_webhooks.retain(|hook| hook.channel_id != channel.id);
    change(db, &channel.id, |channel| channel.delete_at = now)?;
    Reply::done()
}

/// `channels-restore.http`: for those who manage the team.
pub(super) fn restore(db: &mut Database, request: &ApiRequest) -> ApiResult {
    let channel = find(db, request)?;
    if !db.may_manage_team(&request.user, &channel.team_id) {
        return Err(AppError::forbidden());
    }
    if channel.delete_at == 0 {
        return Err(AppError::bad(
            "api.channel.restore_channel.restored.app_error",
            "Unable to unarchive channel. The channel is not archived.",
        ));
    }
    change(db, &channel.id, |channel| channel.delete_at = 0)
}

/// `channel-members-list.http`
pub(super) fn members(db: &mut Database, request: &ApiRequest) -> ApiResult {
    let channel = readable(db, request)?;
    let members = db.channel_members.iter().filter(|member| member.channel_id == channel.id);
    let list: Vec<Value> = members.map(|member| shape::channel_member(db.version, member)).collect();
    Reply::ok(request.page(list, 60).into())
}

pub(super) fn member(db: &mut Database, request: &ApiRequest) -> ApiResult {
    let channel = readable(db, request)?;
    let member = db.channel_member(&channel.id, request.user_id()?).ok_or_else(member_missing)?;
    Reply::ok(shape::channel_member(db.version, member))
}

#[derive(Deserialize)]
struct AddMember {
    #[serde(default)]
    user_id: String,
    user_ids: Option<Value>,
}

/// `channel-members-add.http`: members can add others, and everybody in the team can join a public channel.
pub(super) fn add_member(db: &mut Database, request: &ApiRequest) -> ApiResult {
    let body: AddMember = request.body("user_id or user_ids")?;
    if body.user_ids.is_some() {
        return Err(AppError::not_served("user_ids in POST /api/v4/channels/{channel_id}/members"));
    }
    if !is_id(&body.user_id) {
        return Err(AppError::bad_body("user_id or user_ids"));
    }
    let channel = find(db, request)?;
    if channel.kind.is_conversation() {
        return Err(AppError::bad(
            "api.channel.add_user_to_channel.type.app_error",
            "Can not add user to this channel type.",
        ));
    }
    let joins = body.user_id == request.user && db.may_see_channel(&request.user, &channel);
    if !joins && !db.may_read(&request.user, &channel.id) {
        return Err(AppError::forbidden());
    }
    db.user(&body.user_id).ok_or_else(AppError::no_user)?;
    if db.team_member(&channel.team_id, &body.user_id).is_none() {
        return Err(AppError::no_team_member());
    }
    let member = db.join(&channel.id, &body.user_id, false);
    Reply::created(shape::channel_member(db.version, &member))
}

/// `channel-members-remove.http`: members can remove others, but not from the default channel.
pub(super) fn remove_member(db: &mut Database, request: &ApiRequest) -> ApiResult {
    let (channel, user) = (find(db, request)?, request.user_id()?);
    db.user(user).ok_or_else(AppError::no_user)?;
    if channel.kind.is_conversation() {
        return Err(AppError::bad(
            "api.channel.remove_channel_member.type.app_error",
            "Unable to remove user from a channel.",
        ));
    }
    if user != request.user && !db.may_read(&request.user, &channel.id) {
        return Err(AppError::forbidden());
    }
    if channel.name == "town-square" {
        return Err(AppError::bad(
            "api.channel.remove.default.app_error",
            "Unable to remove user from the default channel town-square.",
        ));
    }
    db.channel_member(&channel.id, user).ok_or_else(member_missing)?;
    db.channel_members.retain(|member| member.channel_id != channel.id || member.user_id != user);
    Reply::done()
}
