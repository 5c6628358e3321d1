//! `/api/v4/teams`: teams and who is in them.

use super::{Answer, Ask, Reply, users};
use crate::error::AppError;
use crate::shape;
use crate::world::{Team, World};
use serde::Deserialize;
use serde_json::{Value, json};

pub(super) fn missing() -> AppError {
    AppError::missing("app.team.get.find.app_error", "Unable to find the existing team.")
}

/// The team in the path, if the caller is in it.
pub(super) fn visible(world: &World, ask: &Ask) -> Result<String, AppError> {
    let id = ask.id("team_id")?;
    world.team(id).ok_or_else(missing)?;
    if world.may_see_team(&ask.user, id) { Ok(id.to_owned()) } else { Err(AppError::forbidden()) }
}

#[derive(Deserialize)]
struct Create {
    #[serde(default)]
    name: String,
    #[serde(default)]
    display_name: String,
}

/// `teams-create.http`: everybody may; the creator manages it.
pub(super) fn create(world: &mut World, ask: &Ask) -> Answer {
    let body: Create = ask.body("team")?;
    if body.name.len() < 2 || body.display_name.is_empty() {
        return Err(AppError::bad_body("team"));
    }
    if world.team_named(&body.name).is_some() {
        return Err(AppError::bad(
            "app.team.save.existing.app_error",
            "A team with that name already exists.",
        ));
    }
    let email = world.user(&ask.user).map(|user| user.email.clone()).unwrap_or_default();
    let id = world.add_team(&body.name, &body.display_name, &email);
    world.join_team(&id, &ask.user);
    for member in world.team_members.iter_mut().filter(|member| member.team_id == id) {
        member.admin = true;
    }
    let team = world.team(&id).ok_or_else(missing)?;
    Reply::created(shape::team(world.version, team, true))
}

/// `teams-get.http`
pub(super) fn get(world: &mut World, ask: &Ask) -> Answer {
    let id = visible(world, ask)?;
    let team = world.team(&id).ok_or_else(missing)?;
    Reply::ok(shape::team(world.version, team, world.may_manage_team(&ask.user, &id)))
}

pub(super) fn by_name(world: &mut World, ask: &Ask) -> Answer {
    let team = world.team_named(ask.path("team_name")?).ok_or_else(|| {
        AppError::missing("app.team.get_by_name.missing.app_error", "Unable to find the existing team.")
    })?;
    if !world.may_see_team(&ask.user, &team.id) {
        return Err(AppError::forbidden());
    }
    Reply::ok(shape::team(world.version, team, world.may_manage_team(&ask.user, &team.id)))
}

fn change(world: &mut World, ask: &Ask, how: impl FnOnce(&mut Team)) -> Answer {
    let id = ask.id("team_id")?;
    if !world.may_manage_team(&ask.user, id) {
        return Err(AppError::forbidden());
    }
    let (version, now) = (world.version, world.now);
    let team = world.teams.iter_mut().find(|team| team.id == id).ok_or_else(missing)?;
    team.update_at = now;
    how(team);
    Reply::ok(shape::team(version, team, true))
}

/// Archives it, for those who manage it. Commands, webhooks and members stay.
pub(super) fn archive(world: &mut World, ask: &Ask) -> Answer {
    if ask.query("permanent") == Some("true") {
        return Err(AppError::not_served("DELETE /api/v4/teams/{team_id}?permanent=true"));
    }
    let now = world.now;
    change(world, ask, |team| team.delete_at = now)?;
    Reply::done()
}

pub(super) fn restore(world: &mut World, ask: &Ask) -> Answer {
    change(world, ask, |team| team.delete_at = 0)
}

/// All teams for system admins, archived ones too, in pages; others are told those that everybody may join, and here nobody may.
pub(super) fn list(world: &mut World, ask: &Ask) -> Answer {
    if ask.query("include_total_count") == Some("true") {
        return Err(AppError::not_served("GET /api/v4/teams?include_total_count=true"));
    }
    let admin = world.is_admin(&ask.user);
    let mut teams: Vec<&Team> = world.teams.iter().filter(|_| admin).collect();
    teams.sort_by(|one, other| one.display_name.cmp(&other.display_name));
    let page = ask.page(teams, 60);
    Reply::ok(page.into_iter().map(|team| shape::team(world.version, team, true)).collect::<Value>())
}

/// `bot-teams-empty.http`: one's own teams, or anybody's for an admin.
pub(super) fn of_user(world: &mut World, ask: &Ask) -> Answer {
    let id = ask.user_id()?;
    if id != ask.user && !world.is_admin(&ask.user) {
        return Err(AppError::forbidden());
    }
    let standing = world.teams.iter().filter(|team| team.delete_at == 0);
    let teams = standing.filter(|team| world.team_member(&team.id, id).is_some());
    let shaped =
        teams.map(|team| shape::team(world.version, team, world.may_manage_team(&ask.user, &team.id)));
    Reply::ok(shaped.collect::<Value>())
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct AddMember {
    team_id: String,
    user_id: String,
}

/// `team-members-add.http`: with the default permissions every member may add others; himself only a system
/// admin, for the teams are not open.
pub(super) fn add_member(world: &mut World, ask: &Ask) -> Answer {
    let body: AddMember = ask.body("team_member")?;
    let id = ask.id("team_id")?;
    if body.team_id != id {
        return Err(AppError::bad_body("team_id"));
    }
    if !crate::ids::is_id(&body.user_id) {
        return Err(AppError::bad_body("user_id"));
    }
    let team = if body.user_id == ask.user && !world.is_admin(&ask.user) {
        world.team(id).ok_or_else(missing)?;
        return Err(AppError::forbidden());
    } else {
        visible(world, ask)?
    };
    world.user(&body.user_id).ok_or_else(|| {
        if world.version.is_11() {
            AppError::missing("api.team.user.missing_account", "Unable to find the user.")
        } else {
            users::missing()
        }
    })?;
    let members = world.team_members.iter().filter(|member| member.team_id == team);
    if world.team_member(&team, &body.user_id).is_none()
        && members.count() >= world.settings.max_users_per_team
    {
        return Err(AppError::bad(
            "app.team.join_user_to_team.save_member.max_accounts.app_error",
            "Unable to create the new team membership because the team has reached the limit of members",
        ));
    }
    Reply::created(shape::team_member(&world.join_team(&team, &body.user_id)))
}

/// The members of a team, in pages.
pub(super) fn members(world: &mut World, ask: &Ask) -> Answer {
    let team = visible(world, ask)?;
    let members = world.team_members.iter().filter(|member| member.team_id == team);
    let list: Vec<Value> = members.map(shape::team_member).collect();
    Reply::ok(ask.page(list, 60).into())
}

/// How many are in a team, and how many of them are active.
pub(super) fn stats(world: &mut World, ask: &Ask) -> Answer {
    let team = visible(world, ask)?;
    let members = world.team_members.iter().filter(|member| member.team_id == team);
    let users = members.filter_map(|member| world.user(&member.user_id));
    let active = users.clone().filter(|user| user.delete_at == 0).count();
    Reply::ok(json!({"team_id": team, "total_member_count": users.count(), "active_member_count": active}))
}

fn member_missing() -> AppError {
    AppError::missing(
        "app.team.get_member.missing.app_error",
        "No team member found for that user ID and team ID.",
    )
}

pub(super) fn member(world: &mut World, ask: &Ask) -> Answer {
    let team = visible(world, ask)?;
    let member = world.team_member(&team, ask.user_id()?).ok_or_else(member_missing)?;
    Reply::ok(shape::team_member(member))
}

/// `team-members-remove.http`: oneself, or others for those who manage the team. The channels go along.
pub(super) fn remove_member(world: &mut World, ask: &Ask) -> Answer {
    let (team, user) = (visible(world, ask)?, ask.user_id()?);
    if user != ask.user && !world.may_manage_team(&ask.user, &team) {
        return Err(AppError::forbidden());
    }
    world.user(user).ok_or_else(users::missing)?;
    world.team_member(&team, user).ok_or_else(|| {
        AppError::bad(
            "api.team.remove_user_from_team.missing.app_error",
            "The user does not appear to be part of this team.",
        )
    })?;
    world.team_members.retain(|member| member.team_id != team || member.user_id != user);
    let channels: Vec<String> =
        world.channels.iter().filter(|channel| channel.team_id == team).map(|c| c.id.clone()).collect();
    world.channel_members.retain(|member| member.user_id != user || !channels.contains(&member.channel_id));
    Reply::done()
}
