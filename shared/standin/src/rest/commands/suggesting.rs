//! What a client suggests while its user types a slash command: `api4/command.go`, `app/command_autocomplete.go`.
//! A command that was registered by REST has a trigger, a hint and a description, and suggests nothing beyond
//! them. `commands-autocomplete*.http`

use super::built_in;
use crate::error::AppError;
use crate::rest::{Answer, Ask, Reply, teams};
use crate::shape;
use crate::world::{Command, World};
use serde_json::{Value, json};

/// Those of the team that its admins let be suggested.
fn shown<'a>(world: &'a World, team: &str) -> Vec<&'a Command> {
    let commands = world.commands.iter().filter(|command| command.team_id == team && command.auto_complete);
    commands.filter(|_| world.settings.enable_commands).collect()
}

/// The commands given, without their secrets, and the server's own.
fn with_built_in(world: &World, commands: &[&Command]) -> Value {
    let mut list: Vec<Value> = commands.iter().map(|command| shape::suggested_command(command)).collect();
    for known in built_in::of(world.version).iter().filter(|known| known.shown) {
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

/// All that can be suggested in a team, to its members.
pub(in crate::rest) fn autocomplete(world: &mut World, ask: &Ask) -> Answer {
    let team = teams::visible(world, ask)?;
    Reply::ok(with_built_in(world, &shown(world, &team)))
}

/// All commands of a team, of which nobody is told the secrets: those that are not suggested only to who may
/// manage them.
pub(super) fn all(world: &World, user: &str, team: &str) -> Value {
    if !world.may_integrate(user, team) {
        return with_built_in(world, &shown(world, team));
    }
    let others = !world.version.is_11() || world.may_manage_team(user, team);
    let mut own: Vec<&Command> = world.commands.iter().filter(|command| command.team_id == team).collect();
    own.retain(|command| world.settings.enable_commands && (others || command.creator_id == user));
    with_built_in(world, &own)
}

/// What fits the text so far.
pub(in crate::rest) fn suggestions(world: &mut World, ask: &Ask) -> Answer {
    let team = teams::visible(world, ask)?;
    let input = ask.query("user_input").unwrap_or_default();
    if input.is_empty() {
        return Err(AppError::bad_body("userInput"));
    }
    let typed = input.strip_prefix('/').unwrap_or(input).to_lowercase();
    if let Some((trigger, _)) = typed.split_once(' ') {
        let known = built_in::of(world.version).iter().find(|known| known.trigger == trigger);
        if known.is_some_and(|known| known.autocomplete_data.is_some()) {
            return Err(AppError::not_served(&format!("suggestions of the built-in command /{trigger}")));
        }
        return Reply::ok(json!([]));
    }
    let own = shown(world, &team);
    let mut all: Vec<(&str, &str, &str)> = own
        .iter()
        .map(|command| {
            let Command { trigger, auto_complete_hint, auto_complete_desc, .. } = *command;
            (trigger.as_str(), auto_complete_hint.as_str(), auto_complete_desc.as_str())
        })
        .collect();
    let built_in = built_in::of(world.version).iter().filter(|known| known.shown);
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
