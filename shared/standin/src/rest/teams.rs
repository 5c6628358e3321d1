//! `/api/v4/teams`: teams and their members.

use crate::api::{ApiRequest, ApiResult, Reply};
use crate::app_error::AppError;
use crate::database::Database;
use crate::model::Team;
use crate::shape;
use serde::Deserialize;
use serde_json::{Value, json};

/// The id of the team in the path, if the caller is in the team.
pub(super) fn visible(db: &Database, request: &ApiRequest) -> Result<String, AppError> {
    let id = request.id("team_id")?;
    db.team(id).ok_or_else(AppError::no_team)?;
    if db.may_see_team(&request.user, id) { Ok(id.to_owned()) } else { Err(AppError::forbidden()) }
}

#[derive(Deserialize)]
struct Create {
    #[serde(default)]
    name: String,
    #[serde(default)]
    display_name: String,
}

/// `teams-create.http`: everybody can create a team, and becomes its admin.
pub(super) fn create(db: &mut Database, request: &ApiRequest) -> ApiResult {
    let body: Create = request.body("team")?;
    if body.name.len() < 2 || body.display_name.is_empty() {
        return Err(AppError::bad_body("team"));
    }
    if db.team_named(&body.name).is_some() {
        return Err(AppError::bad(
            "app.team.save.existing.app_error",
            "A team with that name already exists.",
        ));
    }
    let email = db.user(&request.user).map(|user| user.email.clone()).unwrap_or_default();
    let id = db.add_team(&body.name, &body.display_name, &email);
    db.join_team(&id, &request.user);
    for member in db.team_members.iter_mut().filter(|member| member.team_id == id) {
        member.admin = true;
    }
    let team = db.team(&id).ok_or_else(AppError::no_team)?;
    Reply::created(shape::team(db.version, team, true))
}

/// `teams-get.http`
pub(super) fn get(db: &mut Database, request: &ApiRequest) -> ApiResult {
    let id = visible(db, request)?;
    let team = db.team(&id).ok_or_else(AppError::no_team)?;
    Reply::ok(shape::team(db.version, team, db.may_manage_team(&request.user, &id)))
}

pub(super) fn by_name(db: &mut Database, request: &ApiRequest) -> ApiResult {
    let team = db.team_named(request.path("team_name")?).ok_or_else(|| {
        AppError::missing("app.team.get_by_name.missing.app_error", "Unable to find the existing team.")
    })?;
    if !db.may_see_team(&request.user, &team.id) {
        return Err(AppError::forbidden());
    }
    Reply::ok(shape::team(db.version, team, db.may_manage_team(&request.user, &team.id)))
}

fn change(db: &mut Database, request: &ApiRequest, how: impl FnOnce(&mut Team)) -> ApiResult {
    let id = request.id("team_id")?;
    if !db.may_manage_team(&request.user, id) {
        return Err(AppError::forbidden());
    }
    let (version, now) = (db.version, db.now);
    let team = db.teams.iter_mut().find(|team| team.id == id).ok_or_else(AppError::no_team)?;
    team.update_at = now;
    how(team);
    Reply::ok(shape::team(version, team, true))
}

/// Archives a team; for those who manage it. Commands, webhooks and members stay.
pub(super) fn archive(db: &mut Database, request: &ApiRequest) -> ApiResult {
    if request.query("permanent") == Some("true") {
        return Err(AppError::not_served("DELETE /api/v4/teams/{team_id}?permanent=true"));
    }
    let now = db.now;
    change(db, request, |team| team.delete_at = now)?;
    Reply::done()
}

pub(super) fn restore(db: &mut Database, request: &ApiRequest) -> ApiResult {
    change(db, request, |team| team.delete_at = 0)
}

/// In pages. System admins get all teams, also archived ones. Others get the teams that everybody can join, and the
/// stand-in has none of these.
pub(super) fn list(db: &mut Database, request: &ApiRequest) -> ApiResult {
    if request.query("include_total_count") == Some("true") {
        return Err(AppError::not_served("GET /api/v4/teams?include_total_count=true"));
    }
    let admin = db.is_admin(&request.user);
    let mut teams: Vec<&Team> = db.teams.iter().filter(|_| admin).collect();
    teams.sort_by(|one, other| one.display_name.cmp(&other.display_name));
    let page = request.page(teams, 60);
    Reply::ok(page.into_iter().map(|team| shape::team(db.version, team, true)).collect::<Value>())
}

/// `bot-teams-empty.http`: the caller's own teams; system admins can ask for the teams of anybody.
pub(super) fn of_user(db: &mut Database, request: &ApiRequest) -> ApiResult {
    let id = request.user_id()?;
    if id != request.user && !db.is_admin(&request.user) {
        return Err(AppError::forbidden());
    }
    let open = db.teams.iter().filter(|team| team.delete_at == 0);
    let teams = open.filter(|team| db.team_member(&team.id, id).is_some());
    let shaped = teams.map(|team| shape::team(db.version, team, db.may_manage_team(&request.user, &team.id)));
    Reply::ok(shaped.collect::<Value>())
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct AddMember {
    team_id: String,
    user_id: String,
}

/// `team-members-add.http`: with the default permissions every member can add others. Only a system admin can join by
/// this call, because the teams are not open.
pub(super) fn add_member(db: &mut Database, request: &ApiRequest) -> ApiResult {
    let body: AddMember = request.body("team_member")?;
    let id = request.id("team_id")?;
    if body.team_id != id {
        return Err(AppError::bad_body("team_id"));
    }
    if !crate::ids::is_id(&body.user_id) {
        return Err(AppError::bad_body("user_id"));
    }
    let team = if body.user_id == request.user && !db.is_admin(&request.user) {
        db.team(id).ok_or_else(AppError::no_team)?;
        return Err(AppError::forbidden());
    } else {
        visible(db, request)?
    };
    db.user(&body.user_id).ok_or_else(|| {
        if db.version.since_11() {
            AppError::missing("api.team.user.missing_account", "Unable to find the user.")
        } else {
            AppError::no_user()
        }
    })?;
    let members = db.team_members.iter().filter(|member| member.team_id == team);
    if db.team_member(&team, &body.user_id).is_none() && members.count() >= db.settings.max_users_per_team {
        return Err(AppError::bad(
            "app.team.join_user_to_team.save_member.max_accounts.app_error",
            "Unable to create the new team membership because the team has reached the limit of members",
        ));
    }
    Reply::created(shape::team_member(&db.join_team(&team, &body.user_id)))
}

/// The members of a team, in pages.
pub(super) fn members(db: &mut Database, request: &ApiRequest) -> ApiResult {
    let team = visible(db, request)?;
    let members = db.team_members.iter().filter(|member| member.team_id == team);
    let list: Vec<Value> = members.map(shape::team_member).collect();
    Reply::ok(request.page(list, 60).into())
}

/// How many members a team has, and how many of them are active.
pub(super) fn stats(db: &mut Database, request: &ApiRequest) -> ApiResult {
    let team = visible(db, request)?;
    let members = db.team_members.iter().filter(|member| member.team_id == team);
    let users = members.filter_map(|member| db.user(&member.user_id));
    let active = users.clone().filter(|user| user.delete_at == 0).count();
    Reply::ok(json!({"team_id": team, "total_member_count": users.count(), "active_member_count": active}))
}

pub(super) fn member(db: &mut Database, request: &ApiRequest) -> ApiResult {
    let team = visible(db, request)?;
    let member = db.team_member(&team, request.user_id()?).ok_or_else(AppError::no_team_member)?;
    Reply::ok(shape::team_member(member))
}

/// `team-members-remove.http`: every member can leave, and those who manage the team can remove others. The user also
/// leaves the channels of the team.
pub(super) fn remove_member(db: &mut Database, request: &ApiRequest) -> ApiResult {
    let (team, user) = (visible(db, request)?, request.user_id()?);
    if user != request.user && !db.may_manage_team(&request.user, &team) {
        return Err(AppError::forbidden());
    }
    db.user(user).ok_or_else(AppError::no_user)?;
    db.team_member(&team, user).ok_or_else(|| {
        AppError::bad(
            "api.team.remove_user_from_team.missing.app_error",
            "The user does not appear to be part of this team.",
        )
    })?;
    db.team_members.retain(|member| member.team_id != team || member.user_id != user);
    let channels: Vec<String> =
        db.channels.iter().filter(|channel| channel.team_id == team).map(|c| c.id.clone()).collect();
    db.channel_members.retain(|member| member.user_id != user || !channels.contains(&member.channel_id));
    Reply::done()
}
