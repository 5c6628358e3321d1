//! What a client suggests while its user types a slash command: `api4/command.go`, `app/command_autocomplete.go`;
//! `commands-autocomplete*.http`. For a command that was registered by REST, it is only the trigger, the hint and the
//! description.

use crate::api::{ApiRequest, ApiResult, Reply};
use crate::app_error::AppError;
use crate::database::Database;
use crate::model::Command;
use crate::rest::teams;
use crate::shape;
use crate::version::built_in_commands;
use serde_json::{Value, json};

/// The commands of a team that are suggested.
fn shown<'a>(db: &'a Database, team: &str) -> Vec<&'a Command> {
    let commands = db.commands.iter().filter(|command| command.team_id == team && command.auto_complete);
    commands.filter(|_| db.settings.enable_commands).collect()
}

/// These commands without their secrets, and the built-in ones.
fn with_built_in(db: &Database, commands: &[&Command]) -> Value {
    let mut list: Vec<Value> = commands.iter().map(|command| shape::suggested_command(command)).collect();
    for known in built_in_commands(db.version).iter().filter(|known| known.shown) {
        let mut shape = json!({
            "id": "", "token": "", "create_at": 0, "update_at": 0, "delete_at": 0, "creator_id": "", "team_id": "",
            "trigger": known.trigger, "method": "", "username": "", "icon_url": "", "auto_complete": true,
            "auto_complete_desc": known.description, "auto_complete_hint": known.hint,
            "display_name": known.display_name, "description": "", "url": "", "plugin_id": "",
        });
        if let (Some(shape), Some(data)) = (shape.as_object_mut(), &known.autocomplete_data) {
            shape.insert("autocomplete_data".to_owned(), data.clone());
        }
        list.push(shape);
    }
    list.into()
}

/// All commands that are suggested in a team, for its members.
pub(in crate::rest) fn autocomplete(db: &mut Database, request: &ApiRequest) -> ApiResult {
    let team = teams::visible(db, request)?;
    Reply::ok(with_built_in(db, &shown(db, &team)))
}

/// All commands of a team without their secrets. Only those who may manage commands get those that are not suggested.
pub(super) fn all(db: &Database, user: &str, team: &str) -> Value {
    if !db.may_integrate(user, team) {
        return with_built_in(db, &shown(db, team));
    }
    let others = !db.version.since_11() || db.may_manage_team(user, team);
    let mut own: Vec<&Command> = db.commands.iter().filter(|command| command.team_id == team).collect();
    own.retain(|command| db.settings.enable_commands && (others || command.creator_id == user));
    with_built_in(db, &own)
}

/// What is suggested for the text that was typed so far.
pub(in crate::rest) fn suggestions(db: &mut Database, request: &ApiRequest) -> ApiResult {
    let team = teams::visible(db, request)?;
    let input = request.query("user_input").unwrap_or_default();
    if input.is_empty() {
        return Err(AppError::bad_body("userInput"));
    }
    let typed = input.strip_prefix('/').unwrap_or(input).to_lowercase();
    if let Some((trigger, _)) = typed.split_once(' ') {
        let known = built_in_commands(db.version).iter().find(|known| known.trigger == trigger);
        if known.is_some_and(|known| known.autocomplete_data.is_some()) {
            return Err(AppError::not_served(&format!("suggestions of the built-in command /{trigger}")));
        }
        return Reply::ok(json!([]));
    }
    let own = shown(db, &team);
    let mut all: Vec<(&str, &str, &str)> = own
        .iter()
        .map(|command| {
            let Command { trigger, auto_complete_hint, auto_complete_desc, .. } = *command;
            (trigger.as_str(), auto_complete_hint.as_str(), auto_complete_desc.as_str())
        })
        .collect();
    let built_in = built_in_commands(db.version).iter().filter(|known| known.shown);
    all.extend(
        built_in.map(|known| (known.trigger.as_str(), known.hint.as_str(), known.description.as_str())),
    );
    all.retain(|(trigger, ..)| trigger.starts_with(&typed));
    all.sort_unstable();
    let shaped = all.into_iter().map(|(trigger, hint, description)| {
        json!({
            "Complete": trigger, "Suggestion": trigger, "Hint": hint, "Description": description, "IconData": "",
        })
    });
    Reply::ok(shaped.collect::<Value>())
}
