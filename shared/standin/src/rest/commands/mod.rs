//! `/api/v4/commands`: the slash commands of a team, managed by its admins.

mod built_in;
mod suggesting;

pub(crate) use built_in::is_built_in;
pub(super) use suggesting::{autocomplete, suggestions};

use super::{Answer, Ask, Reply};
use crate::error::AppError;
use crate::shape;
use crate::world::{Command, World};
use serde::Deserialize;
use serde_json::{Value, json};

#[derive(Deserialize, Default)]
#[serde(default)]
struct Body {
    id: String,
    team_id: String,
    trigger: String,
    method: String,
    url: String,
    username: String,
    icon_url: String,
    auto_complete: bool,
    auto_complete_desc: String,
    auto_complete_hint: String,
    display_name: String,
    description: String,
    creator_id: String,
    autocomplete_data: Option<Value>,
}

fn missing() -> AppError {
    AppError::missing("store.sql_command.save.get.app_error", "Unable to get the command.")
}

fn taken() -> AppError {
    AppError::bad(
        "api.command.duplicate_trigger.app_error",
        "This trigger word is already in use. Please choose another word.",
    )
}

/// `Command.IsValid` in `model/command.go`.
fn check(world: &World, body: &Body) -> Result<(), AppError> {
    let wrong = |id, message: &str| Err(AppError::bad(id, message));
    let trigger = &body.trigger;
    let letters = |c: char| c.is_ascii_alphanumeric() || "_./-".contains(c);
    let fits = !trigger.is_empty()
        && trigger.len() <= 128
        && !trigger.starts_with('/')
        && if world.version.is_11() { trigger.chars().all(letters) } else { !trigger.contains(' ') };
    if !fits {
        return wrong("model.command.is_valid.trigger.app_error", "Invalid trigger.");
    }
    let http = body.url.starts_with("http://") || body.url.starts_with("https://");
    if body.url.is_empty() || body.url.len() > 1024 {
        return wrong("model.command.is_valid.url.app_error", "Invalid URL.");
    }
    if !http || url::Url::parse(&body.url).is_err() {
        return wrong(
            "model.command.is_valid.url_http.app_error",
            "Invalid URL. Must be a valid URL and start with http:// or https://.",
        );
    }
    if !crate::ids::is_id(&body.team_id) {
        return wrong("model.command.is_valid.team_id.app_error", "Invalid team ID.");
    }
    if body.method != "P" && body.method != "G" {
        return wrong("model.command.is_valid.method.app_error", "Invalid Method.");
    }
    if body.display_name.chars().count() > 64 {
        return wrong("model.command.is_valid.display_name.app_error", "Invalid title.");
    }
    if body.description.chars().count() > 128 {
        return wrong("model.command.is_valid.description.app_error", "Invalid description.");
    }
    Ok(())
}

/// Whether the trigger is in use in the team, by another command than `but` or by the server.
fn in_use(world: &World, team_id: &str, trigger: &str, but: &str) -> bool {
    let custom = world.commands.iter().filter(|command| command.team_id == team_id && command.id != but);
    is_built_in(world.version, trigger) || custom.into_iter().any(|command| command.trigger == trigger)
}

/// `commands-create*.http`
pub(super) fn create(world: &mut World, ask: &Ask) -> Answer {
    let mut body: Body = ask.body("command")?;
    if !world.may_integrate(&ask.user, &body.team_id) {
        return Err(AppError::forbidden());
    }
    let other = world.version.is_11() && !body.creator_id.is_empty() && body.creator_id != ask.user;
    if other && !world.may_manage_team(&ask.user, &body.team_id) {
        return Err(AppError::forbidden());
    }
    let creator_id = if other { body.creator_id.clone() } else { ask.user.clone() };
    world.user(&creator_id).ok_or_else(super::users::missing)?;
    if !world.settings.enable_commands {
        return Err(AppError::commands_disabled());
    }
    check(world, &body)?;
    body.trigger = body.trigger.to_lowercase();
    if in_use(world, &body.team_id, &body.trigger, "") {
        return Err(taken());
    }
    let command = Command {
        id: world.ids.next(),
        token: world.ids.next(),
        create_at: world.now,
        update_at: world.now,
        creator_id,
        team_id: body.team_id,
        trigger: body.trigger,
        method: body.method,
        username: body.username,
        icon_url: body.icon_url,
        auto_complete: body.auto_complete,
        auto_complete_desc: body.auto_complete_desc,
        auto_complete_hint: body.auto_complete_hint,
        display_name: body.display_name,
        description: body.description,
        url: body.url,
    };
    let mut shape = shape::command(&command);
    // Echoed once and stored nowhere: `commands-create-autocomplete-data.http`.
    if let (Some(data), Some(shape)) = (body.autocomplete_data, shape.as_object_mut()) {
        shape.insert("autocomplete_data".to_owned(), data);
    }
    world.commands.push(command);
    Reply::created(shape)
}

/// `commands-list.http`. Only with `custom_only=true` they come with their tokens, to those who manage them.
pub(super) fn list(world: &mut World, ask: &Ask) -> Answer {
    let team = ask.query("team_id").unwrap_or_default();
    if team.is_empty() {
        return Err(AppError::bad_body("team_id"));
    }
    if !world.may_see_team(&ask.user, team) {
        return Err(AppError::forbidden());
    }
    if ask.query("custom_only") != Some("true") {
        return Reply::ok(suggesting::all(world, &ask.user, team));
    }
    if !world.may_integrate(&ask.user, team) {
        return Err(AppError::forbidden());
    }
    if !world.settings.enable_commands {
        return Err(AppError::commands_disabled());
    }
    // 5.37 shows those of others too.
    let all = !world.version.is_11() || world.may_manage_team(&ask.user, team);
    let mut commands = world.commands.iter().filter(|command| command.team_id == team).collect::<Vec<_>>();
    commands.retain(|command| all || command.creator_id == ask.user);
    Reply::ok(commands.into_iter().map(shape::command).collect::<Value>())
}

/// Where the command in the path stands; to those who may not manage commands in its team it does not exist,
/// and so it is while commands are off.
fn find(world: &World, ask: &Ask) -> Result<usize, AppError> {
    let id = ask.id("command_id")?;
    let at = world.commands.iter().position(|command| command.id == id).ok_or_else(missing)?;
    let team = world.commands.get(at).map_or("", |command| command.team_id.as_str());
    let seen = world.settings.enable_commands && world.may_integrate(&ask.user, team);
    if seen { Ok(at) } else { Err(missing()) }
}

/// Of one's own, or of others for those who manage the team.
fn find_to_change(world: &World, ask: &Ask) -> Result<usize, AppError> {
    let at = find(world, ask)?;
    let command = world.commands.get(at).ok_or_else(missing)?;
    let own = command.creator_id == ask.user;
    if own || world.may_manage_team(&ask.user, &command.team_id) {
        Ok(at)
    } else {
        Err(AppError::forbidden())
    }
}

/// `commands-get.http`, `commands-get-deleted.http`
pub(super) fn get(world: &mut World, ask: &Ask) -> Answer {
    // 5.37 shows those of others too; 11 says that they do not exist.
    let at = if world.version.is_11() {
        find_to_change(world, ask).map_err(|_| missing())
    } else {
        find(world, ask)
    }?;
    world.commands.get(at).map(shape::command).ok_or_else(missing).and_then(Reply::ok)
}

/// `commands-update.http`: the whole command; its token, creator and team stay.
pub(super) fn update(world: &mut World, ask: &Ask) -> Answer {
    let body: Body = ask.body("command")?;
    if body.id != ask.id("command_id")? {
        return Err(AppError::bad_body("command"));
    }
    let known = world.commands.iter().find(|command| command.id == body.id);
    let known = known.filter(|_| world.settings.enable_commands).ok_or_else(missing)?;
    if body.team_id != known.team_id {
        return Err(AppError::bad(
            "api.command.team_mismatch.app_error",
            "Unable to update commands across teams.",
        ));
    }
    let at = find_to_change(world, ask)?;
    check(world, &body)?;
    let trigger = body.trigger.to_lowercase();
    // 5.37 looks at duplicates only when a command is made.
    if world.version.is_11() && in_use(world, &body.team_id, &trigger, &body.id) {
        return Err(taken());
    }
    let now = world.now;
    let command = world.commands.get_mut(at).ok_or_else(missing)?;
    *command = Command {
        id: command.id.clone(),
        token: command.token.clone(),
        create_at: command.create_at,
        update_at: now,
        creator_id: command.creator_id.clone(),
        team_id: command.team_id.clone(),
        trigger,
        method: body.method,
        username: body.username,
        icon_url: body.icon_url,
        auto_complete: body.auto_complete,
        auto_complete_desc: body.auto_complete_desc,
        auto_complete_hint: body.auto_complete_hint,
        display_name: body.display_name,
        description: body.description,
        url: body.url,
    };
    Reply::ok(shape::command(command))
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Move {
    team_id: String,
}

/// `commands-move.http`: to another team, whose commands the caller manages too; with 11 its creator as well.
pub(super) fn transfer(world: &mut World, ask: &Ask) -> Answer {
    let body: Move = ask.body("team_id")?;
    let team = world.team(&body.team_id).ok_or_else(super::teams::missing)?.id.clone();
    if !world.may_integrate(&ask.user, &team) {
        return Err(AppError::forbidden());
    }
    let at = find_to_change(world, ask)?;
    let command = world.commands.get(at).ok_or_else(missing)?;
    if world.version.is_11() {
        if !world.may_integrate(&command.creator_id, &team) {
            return Err(AppError::bad(
                "api.command.move_command.creator_no_permission.app_error",
                "No permission to move command",
            ));
        }
        if in_use(world, &team, &command.trigger, &command.id) {
            return Err(taken());
        }
    }
    let now = world.now;
    if let Some(command) = world.commands.get_mut(at) {
        command.team_id = team;
        command.update_at = now;
    }
    Reply::done()
}

/// `commands-delete.http`
pub(super) fn delete(world: &mut World, ask: &Ask) -> Answer {
    let at = find_to_change(world, ask)?;
    world.commands.remove(at);
    Reply::done()
}

/// `commands-regen-token.http`
pub(super) fn regenerate_token(world: &mut World, ask: &Ask) -> Answer {
    let at = find_to_change(world, ask)?;
    let token = world.ids.next();
    if let Some(command) = world.commands.get_mut(at) {
        command.token.clone_from(&token);
        command.update_at = world.now;
    }
    Reply::ok(json!({"token": token}))
}
