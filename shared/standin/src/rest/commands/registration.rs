//! The registration of slash commands, which the admins of a team manage: `commands-*.http`.

use super::suggestions;
use crate::api::{ApiRequest, ApiResult, Reply};
use crate::app_error::AppError;
use crate::database::Database;
use crate::ids::is_id;
use crate::model::{Command, is_http_url};
use crate::shape;
use crate::version::is_built_in;
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
fn check(db: &Database, body: &Body) -> Result<(), AppError> {
    let wrong = |id, message: &str| Err(AppError::bad(id, message));
    let trigger = &body.trigger;
    let letters = |c: char| c.is_ascii_alphanumeric() || "_./-".contains(c);
    let fits = !trigger.is_empty()
        && trigger.len() <= 128
        && !trigger.starts_with('/')
        && if db.version.since_11() { trigger.chars().all(letters) } else { !trigger.contains(' ') };
    if !fits {
        return wrong("model.command.is_valid.trigger.app_error", "Invalid trigger.");
    }
    if body.url.is_empty() || body.url.len() > 1024 {
        return wrong("model.command.is_valid.url.app_error", "Invalid URL.");
    }
    if !is_http_url(&body.url) {
        return wrong(
            "model.command.is_valid.url_http.app_error",
            "Invalid URL. Must be a valid URL and start with http:// or https://.",
        );
    }
    if !is_id(&body.team_id) {
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

/// Whether the trigger is in use in the team, by the server or by a command other than `but`.
fn in_use(db: &Database, team_id: &str, trigger: &str, but: &str) -> bool {
    let custom = db.commands.iter().filter(|command| command.team_id == team_id && command.id != but);
    is_built_in(db.version, trigger) || custom.into_iter().any(|command| command.trigger == trigger)
}

impl Body {
    /// Sets what a registration and an update both can set.
    fn write_to(self, command: &mut Command) {
        command.trigger = self.trigger.to_lowercase();
        command.method = self.method;
        command.username = self.username;
        command.icon_url = self.icon_url;
        command.auto_complete = self.auto_complete;
        command.auto_complete_desc = self.auto_complete_desc;
        command.auto_complete_hint = self.auto_complete_hint;
        command.display_name = self.display_name;
        command.description = self.description;
        command.url = self.url;
    }
}

/// `commands-create*.http`
pub(in crate::rest) fn create(db: &mut Database, request: &ApiRequest) -> ApiResult {
    let mut body: Body = request.body("command")?;
    if !db.may_integrate(&request.user, &body.team_id) {
        return Err(AppError::forbidden());
    }
    let other = db.version.since_11() && !body.creator_id.is_empty() && body.creator_id != request.user;
    if other && !db.may_manage_team(&request.user, &body.team_id) {
        return Err(AppError::forbidden());
    }
    let creator_id = if other { body.creator_id.clone() } else { request.user.clone() };
    db.user(&creator_id).ok_or_else(AppError::no_user)?;
    if !db.settings.enable_commands {
        return Err(AppError::commands_disabled());
    }
    check(db, &body)?;
    if in_use(db, &body.team_id, &body.trigger.to_lowercase(), "") {
        return Err(taken());
    }
    let mut command = Command {
        id: db.ids.next(),
        token: db.ids.next(),
        create_at: db.now,
        update_at: db.now,
        creator_id,
        team_id: body.team_id.clone(),
        ..Command::default()
    };
    let autocomplete_data = body.autocomplete_data.take();
    body.write_to(&mut command);
    let mut shape = shape::command(&command);
    // The server returns it here, but does not store it: `commands-create-autocomplete-data.http`.
    if let (Some(data), Some(shape)) = (autocomplete_data, shape.as_object_mut()) {
        shape.insert("autocomplete_data".to_owned(), data);
    }
    db.commands.push(command);
    Reply::created(shape)
}

/// `commands-list.http`. Those who manage the commands get their tokens too, but only with `custom_only=true`.
pub(in crate::rest) fn list(db: &mut Database, request: &ApiRequest) -> ApiResult {
    let team = request.query("team_id").unwrap_or_default();
    if team.is_empty() {
        return Err(AppError::bad_body("team_id"));
    }
    if !db.may_see_team(&request.user, team) {
        return Err(AppError::forbidden());
    }
    if request.query("custom_only") != Some("true") {
        return Reply::ok(suggestions::all(db, &request.user, team));
    }
    if !db.may_integrate(&request.user, team) {
        return Err(AppError::forbidden());
    }
    if !db.settings.enable_commands {
        return Err(AppError::commands_disabled());
    }
    // 5.37 also shows the commands of others.
    let all = !db.version.since_11() || db.may_manage_team(&request.user, team);
    let mut commands = db.commands.iter().filter(|command| command.team_id == team).collect::<Vec<_>>();
    commands.retain(|command| all || command.creator_id == request.user);
    Reply::ok(commands.into_iter().map(shape::command).collect::<Value>())
}

/// The position of the command in the path. Those who may not manage commands in its team get the error that it does
/// not exist, and so does everybody while commands are off.
fn find(db: &Database, request: &ApiRequest) -> Result<usize, AppError> {
    let id = request.id("command_id")?;
    let at = db.commands.iter().position(|command| command.id == id).ok_or_else(missing)?;
    let team = db.commands.get(at).map_or("", |command| command.team_id.as_str());
    let seen = db.settings.enable_commands && db.may_integrate(&request.user, team);
    if seen { Ok(at) } else { Err(missing()) }
}

/// The position of the command in the path, for its creator and for those who manage the team.
fn find_to_change(db: &Database, request: &ApiRequest) -> Result<usize, AppError> {
    let at = find(db, request)?;
    let command = db.commands.get(at).ok_or_else(missing)?;
    let own = command.creator_id == request.user;
    if own || db.may_manage_team(&request.user, &command.team_id) {
        Ok(at)
    } else {
        Err(AppError::forbidden())
    }
}

/// `commands-get.http`, `commands-get-deleted.http`
pub(in crate::rest) fn get(db: &mut Database, request: &ApiRequest) -> ApiResult {
    // 5.37 also shows the commands of others; 11 says that they do not exist.
    let at = if db.version.since_11() {
        find_to_change(db, request).map_err(|_| missing())
    } else {
        find(db, request)
    }?;
    db.commands.get(at).map(shape::command).ok_or_else(missing).and_then(Reply::ok)
}

/// `commands-update.http`: replaces the command, but not its token, creator and team.
pub(in crate::rest) fn update(db: &mut Database, request: &ApiRequest) -> ApiResult {
    let body: Body = request.body("command")?;
    if body.id != request.id("command_id")? {
        return Err(AppError::bad_body("command"));
    }
    let known = db.commands.iter().find(|command| command.id == body.id);
    let known = known.filter(|_| db.settings.enable_commands).ok_or_else(missing)?;
    if body.team_id != known.team_id {
        return Err(AppError::bad(
            "api.command.team_mismatch.app_error",
            "Unable to update commands across teams.",
        ));
    }
    let at = find_to_change(db, request)?;
    check(db, &body)?;
    let trigger = body.trigger.to_lowercase();
    // 5.37 looks for duplicates only when a command is created.
    if db.version.since_11() && in_use(db, &body.team_id, &trigger, &body.id) {
        return Err(taken());
    }
    let now = db.now;
    let command = db.commands.get_mut(at).ok_or_else(missing)?;
    command.update_at = now;
    body.write_to(command);
    Reply::ok(shape::command(command))
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Move {
    team_id: String,
}

/// `commands-move.http`: moves a command to another team, where the caller manages commands too. In 11 its creator must
/// manage commands there as well.
pub(in crate::rest) fn transfer(db: &mut Database, request: &ApiRequest) -> ApiResult {
    let body: Move = request.body("team_id")?;
    let team = db.team(&body.team_id).ok_or_else(AppError::no_team)?.id.clone();
    if !db.may_integrate(&request.user, &team) {
        return Err(AppError::forbidden());
    }
    let at = find_to_change(db, request)?;
    let command = db.commands.get(at).ok_or_else(missing)?;
    if db.version.since_11() {
        if !db.may_integrate(&command.creator_id, &team) {
            return Err(AppError::bad(
                "api.command.move_command.creator_no_permission.app_error",
                "No permission to move command",
            ));
        }
        if in_use(db, &team, &command.trigger, &command.id) {
            return Err(taken());
        }
    }
    let now = db.now;
    if let Some(command) = db.commands.get_mut(at) {
        command.team_id = team;
        command.update_at = now;
    }
    Reply::done()
}

/// `commands-delete.http`
pub(in crate::rest) fn delete(db: &mut Database, request: &ApiRequest) -> ApiResult {
    let at = find_to_change(db, request)?;
    db.commands.remove(at);
    Reply::done()
}

/// `commands-regen-token.http`
pub(in crate::rest) fn regenerate_token(db: &mut Database, request: &ApiRequest) -> ApiResult {
    let at = find_to_change(db, request)?;
    let token = db.ids.next();
    if let Some(command) = db.commands.get_mut(at) {
        command.token.clone_from(&token);
        command.update_at = db.now;
    }
    Reply::ok(json!({"token": token}))
}
