//! `/api/v4/channels`: channels and who is in them.

use super::{Answer, Ask, Reply, teams, users};
use crate::error::AppError;
use crate::ids::is_id;
use crate::shape;
use crate::world::{Channel, ChannelKind, World};
use http::StatusCode;
use serde::Deserialize;
use serde_json::Value;

pub(super) fn missing(world: &World, id: &str) -> AppError {
    let text = if world.version.is_11() {
        format!("Unable to find the existing channel {id}.")
    } else {
        "Unable to find the existing channel.".to_owned()
    };
    AppError::missing("app.channel.get.existing.app_error", text)
}

fn member_missing() -> AppError {
    AppError::missing(
        "app.channel.get_member.missing.app_error",
        "No channel member found for that user ID and channel ID.",
    )
}

fn find(world: &World, ask: &Ask) -> Result<Channel, AppError> {
    let id = ask.id("channel_id")?;
    world.channel(id).cloned().ok_or_else(|| missing(world, id))
}

/// The channel in the path, for its members.
pub(super) fn readable(world: &World, ask: &Ask) -> Result<Channel, AppError> {
    let channel = find(world, ask)?;
    if world.may_read(&ask.user, &channel.id) { Ok(channel) } else { Err(AppError::forbidden()) }
}

fn tell(world: &World, ask: &Ask, channel: &Channel) -> Answer {
    if world.may_see_channel(&ask.user, channel) {
        Reply::ok(shape::channel(world, channel))
    } else {
        Err(AppError::forbidden())
    }
}

/// `channels-get.http`, `bot-channel-not-member.http`
pub(super) fn get(world: &mut World, ask: &Ask) -> Answer {
    tell(world, ask, &find(world, ask)?)
}

fn named(world: &World, ask: &Ask, team_id: &str) -> Answer {
    let name = ask.path("channel_name")?;
    let found = world.channel_named(team_id, name);
    let channel = found.ok_or_else(|| {
        AppError::missing("app.channel.get_by_name.missing.app_error", "Channel does not exist.")
    })?;
    tell(world, ask, channel)
}

pub(super) fn by_name(world: &mut World, ask: &Ask) -> Answer {
    named(world, ask, ask.id("team_id")?)
}

/// `channels-get-by-name.http`
pub(super) fn by_names(world: &mut World, ask: &Ask) -> Answer {
    let team = world.team_named(ask.path("team_name")?).map(|team| team.id.clone());
    named(world, ask, &team.unwrap_or_default())
}

/// `team-channels.http`: the public ones, by title.
pub(super) fn of_team(world: &mut World, ask: &Ask) -> Answer {
    let team = teams::visible(world, ask)?;
    let channels = world.channels.iter();
    let mut public: Vec<&Channel> = channels
        .filter(|channel| channel.team_id == team && channel.kind == ChannelKind::Public)
        .filter(|channel| channel.delete_at == 0)
        .collect();
    public.sort_by(|one, other| one.display_name.cmp(&other.display_name));
    let page = ask.page(public, 60);
    Reply::ok(page.into_iter().map(|channel| shape::channel(world, channel)).collect::<Value>())
}

/// `channels-all-admin.http`: of all teams, for system admins only.
pub(super) fn list(world: &mut World, ask: &Ask) -> Answer {
    if !world.is_admin(&ask.user) {
        return Err(AppError::forbidden());
    }
    let in_team = |channel: &Channel| world.team(&channel.team_id).map(|team| (channel.clone(), team));
    let known = world.channels.iter().filter(|channel| channel.delete_at == 0);
    let mut channels: Vec<_> = known.filter_map(in_team).collect();
    channels.sort_by(|(one, _), (other, _)| one.display_name.cmp(&other.display_name));
    let page = ask.page(channels, 60);
    let shaped = page.iter().map(|(channel, team)| shape::channel_with_team(world, channel, team));
    Reply::ok(shaped.collect::<Value>())
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

/// `channels-create.http`: every member of the team may; the creator manages it.
pub(super) fn create(world: &mut World, ask: &Ask) -> Answer {
    let body: Create = ask.body("channel")?;
    let kind = match body.kind.as_str() {
        "O" => ChannelKind::Public,
        "P" => ChannelKind::Private,
        _ => return Err(AppError::bad("model.channel.is_valid.type.app_error", "Invalid type.")),
    };
    if !world.may_see_team(&ask.user, &body.team_id) {
        return Err(AppError::forbidden());
    }
    if body.name.is_empty() {
        return Err(AppError::bad_body("channel"));
    }
    if world.channel_named(&body.team_id, &body.name).is_some() {
        return Err(AppError::bad(
            "store.sql_channel.save_channel.exists.app_error",
            "A channel with that name already exists on the same team.",
        ));
    }
    let in_team =
        world.channels.iter().filter(|channel| channel.team_id == body.team_id && channel.delete_at == 0);
    if in_team.count() >= world.settings.max_channels_per_team {
        return Err(AppError::bad(
            "store.sql_channel.save_channel.limit.app_error",
            "You've reached the limit of the number of allowed channels.",
        ));
    }
    let channel = world.add_channel(&body.team_id, &body.name, &body.display_name, kind, &ask.user);
    world.join(&channel.id, &ask.user, true);
    Reply::created(shape::channel(world, &channel))
}

/// `channels-direct.http`: of the two one must be the caller.
pub(super) fn direct(world: &mut World, ask: &Ask) -> Answer {
    let ids: Vec<String> = ask.body("user_ids")?;
    let [one, other] = ids.as_slice() else { return Err(AppError::bad_body("user_ids")) };
    if !is_id(one) || !is_id(other) {
        return Err(AppError::bad_body("user_id"));
    }
    if *one != ask.user && *other != ask.user && !world.is_admin(&ask.user) {
        return Err(AppError::forbidden());
    }
    if world.user(one).is_none() || world.user(other).is_none() {
        return Err(AppError::bad(
            "api.channel.create_direct_channel.invalid_user.app_error",
            "Invalid user ID for direct channel creation.",
        ));
    }
    let name = if one < other { format!("{one}__{other}") } else { format!("{other}__{one}") };
    let known = world.channel_named("", &name).is_some();
    if world.settings.restrict_direct_message_to_team && !known && !share_team(world, one, other) {
        return Err(AppError::new(
            StatusCode::FORBIDDEN,
            "api.channel.create_channel.direct_channel.team_restricted_error",
            "A direct channel cannot be created between these users because they do not share a team in common.",
        ));
    }
    let channel = world.direct_channel(&ask.user, one, other);
    Reply::created(shape::channel(world, &channel))
}

fn share_team(world: &World, one: &str, other: &str) -> bool {
    let both =
        |team: &str| world.team_member(team, one).is_some() && world.team_member(team, other).is_some();
    world.teams.iter().any(|team| both(&team.id))
}

/// `channels-group.http`: three to eight, the caller among them.
pub(super) fn group(world: &mut World, ask: &Ask) -> Answer {
    let mut ids: Vec<String> = ask.body("user_ids")?;
    if !ids.contains(&ask.user) {
        ids.push(ask.user.clone());
    }
    ids.sort_unstable();
    ids.dedup();
    if !(3..=8).contains(&ids.len()) {
        return Err(AppError::bad(
            "api.channel.create_group.bad_size.app_error",
            "Group message channels must contain at least 3 and no more than 8 users.",
        ));
    }
    if ids.iter().any(|id| world.user(id).is_none()) {
        return Err(AppError::bad(
            "api.channel.create_group.bad_user.app_error",
            "One of the provided users does not exist.",
        ));
    }
    let channel = world.group_channel(&ids);
    Reply::created(shape::channel(world, &channel))
}

/// The channel in the path for those who are in it, not archived and with a team.
fn changeable(world: &World, ask: &Ask) -> Result<Channel, AppError> {
    let channel = find(world, ask)?;
    if !world.may_read(&ask.user, &channel.id) {
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

fn change(world: &mut World, id: &str, how: impl FnOnce(&mut Channel)) -> Answer {
    let now = world.now;
    if let Some(channel) = world.channels.iter_mut().find(|channel| channel.id == id) {
        channel.update_at = now;
        how(channel);
    }
    let channel = world.channel(id).ok_or_else(|| missing(world, id))?;
    Reply::ok(shape::channel(world, channel))
}

#[derive(Deserialize)]
struct Patch {
    name: Option<String>,
    display_name: Option<String>,
    header: Option<String>,
    purpose: Option<String>,
}

/// `channels-patch.http`: every member may.
pub(super) fn patch(world: &mut World, ask: &Ask) -> Answer {
    let patch: Patch = ask.body("channel")?;
    let channel = changeable(world, ask)?;
    if let Some(name) = &patch.name
        && world.channel_named(&channel.team_id, name).is_some_and(|other| other.id != channel.id)
    {
        return Err(AppError::bad(
            "store.sql_channel.save_channel.exists.app_error",
            "A channel with that name already exists on the same team.",
        ));
    }
    change(world, &channel.id, |channel| {
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

/// `channels-archive.http`: every member may, but not the default channel. Its outgoing webhooks go along.
pub(super) fn archive(world: &mut World, ask: &Ask) -> Answer {
    let channel = changeable(world, ask)?;
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
    let now = world.now;
    world.outgoing_webhooks.retain(|hook| hook.channel_id != channel.id);
    world.incoming_webhooks.retain(|hook| hook.channel_id != channel.id);
    change(world, &channel.id, |channel| channel.delete_at = now)?;
    Reply::done()
}

/// `channels-restore.http`: for those who manage the team.
pub(super) fn restore(world: &mut World, ask: &Ask) -> Answer {
    let channel = find(world, ask)?;
    if !world.may_manage_team(&ask.user, &channel.team_id) {
        return Err(AppError::forbidden());
    }
    if channel.delete_at == 0 {
        return Err(AppError::bad(
            "api.channel.restore_channel.restored.app_error",
            "Unable to unarchive channel. The channel is not archived.",
        ));
    }
    change(world, &channel.id, |channel| channel.delete_at = 0)
}

/// `channel-members-list.http`
pub(super) fn members(world: &mut World, ask: &Ask) -> Answer {
    let channel = readable(world, ask)?;
    let members = world.channel_members.iter().filter(|member| member.channel_id == channel.id);
    let list: Vec<Value> = members.map(|member| shape::channel_member(world.version, member)).collect();
    Reply::ok(ask.page(list, 60).into())
}

pub(super) fn member(world: &mut World, ask: &Ask) -> Answer {
    let channel = readable(world, ask)?;
    let member = world.channel_member(&channel.id, ask.user_id()?).ok_or_else(member_missing)?;
    Reply::ok(shape::channel_member(world.version, member))
}

#[derive(Deserialize)]
struct AddMember {
    #[serde(default)]
    user_id: String,
    user_ids: Option<Value>,
}

/// `channel-members-add.http`: members add others; to a public channel everybody in the team adds himself.
pub(super) fn add_member(world: &mut World, ask: &Ask) -> Answer {
    let body: AddMember = ask.body("user_id or user_ids")?;
    if body.user_ids.is_some() {
        return Err(AppError::not_served("user_ids in POST /api/v4/channels/{channel_id}/members"));
    }
    if !is_id(&body.user_id) {
        return Err(AppError::bad_body("user_id or user_ids"));
    }
    let channel = find(world, ask)?;
    if channel.kind.is_conversation() {
        return Err(AppError::bad(
            "api.channel.add_user_to_channel.type.app_error",
            "Can not add user to this channel type.",
        ));
    }
    let joins = body.user_id == ask.user && world.may_see_channel(&ask.user, &channel);
    if !joins && !world.may_read(&ask.user, &channel.id) {
        return Err(AppError::forbidden());
    }
    world.user(&body.user_id).ok_or_else(users::missing)?;
    if world.team_member(&channel.team_id, &body.user_id).is_none() {
        return Err(AppError::missing(
            "app.team.get_member.missing.app_error",
            "No team member found for that user ID and team ID.",
        ));
    }
    let member = world.join(&channel.id, &body.user_id, false);
    Reply::created(shape::channel_member(world.version, &member))
}

/// `channel-members-remove.http`: members remove others, but nobody from the default channel.
pub(super) fn remove_member(world: &mut World, ask: &Ask) -> Answer {
    let (channel, user) = (find(world, ask)?, ask.user_id()?);
    world.user(user).ok_or_else(users::missing)?;
    if channel.kind.is_conversation() {
        return Err(AppError::bad(
            "api.channel.remove_channel_member.type.app_error",
            "Unable to remove user from a channel.",
        ));
    }
    if user != ask.user && !world.may_read(&ask.user, &channel.id) {
        return Err(AppError::forbidden());
    }
    if channel.name == "town-square" {
        return Err(AppError::bad(
            "api.channel.remove.default.app_error",
            "Unable to remove user from the default channel town-square.",
        ));
    }
    world.channel_member(&channel.id, user).ok_or_else(member_missing)?;
    world.channel_members.retain(|member| member.channel_id != channel.id || member.user_id != user);
    Reply::done()
}
