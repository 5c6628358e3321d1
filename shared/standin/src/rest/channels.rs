//! `/api/v4/channels`: channels and who is in them.

use super::{Answer, Ask, Reply, teams, users};
use crate::error::AppError;
use crate::shape;
use crate::world::{Channel, ChannelKind, World};
use serde::Deserialize;
use serde_json::Value;

fn missing() -> AppError {
    AppError::missing("app.channel.get.existing.app_error", "Unable to find the existing channel.")
}

fn member_missing() -> AppError {
    AppError::missing(
        "app.channel.get_member.missing.app_error",
        "No channel member found for that user ID and channel ID.",
    )
}

fn find(world: &World, ask: &Ask) -> Result<Channel, AppError> {
    world.channel(ask.id("channel_id")?).cloned().ok_or_else(missing)
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
    let channel = world.add_channel(&body.team_id, &body.name, &body.display_name, kind, &ask.user);
    world.join(&channel.id, &ask.user, true);
    Reply::created(shape::channel(world, &channel))
}

/// `channels-direct.http`: of the two one must be the caller.
pub(super) fn direct(world: &mut World, ask: &Ask) -> Answer {
    let ids: Vec<String> = ask.body("user_ids")?;
    let [one, other] = ids.as_slice() else { return Err(AppError::bad_body("user_ids")) };
    if *one != ask.user && *other != ask.user && !world.is_admin(&ask.user) {
        return Err(AppError::forbidden());
    }
    if world.user(one).is_none() || world.user(other).is_none() {
        return Err(users::missing());
    }
    let channel = world.direct_channel(&ask.user, one, other);
    Reply::created(shape::channel(world, &channel))
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
}

/// `channel-members-add.http`: members add others; to a public channel everybody in the team adds himself.
pub(super) fn add_member(world: &mut World, ask: &Ask) -> Answer {
    let body: AddMember = ask.body("user_id or user_ids")?;
    let channel = find(world, ask)?;
    if channel.kind == ChannelKind::Direct {
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
    let (channel, user) = (readable(world, ask)?, ask.user_id()?);
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
