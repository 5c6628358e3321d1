//! Shows what an app asks for, and asks the admin for settings and for yes or no.

use super::{person::Person, stop::Stop};
use crate::failure::Failure;
use cloud_apps_protocol::{
    Values,
    form::{Field, FieldType, Subtype},
    install::AppView,
    manifest::Permission,
};
use secrecy::ExposeSecret;
use serde_json::Value;

/// What the admin reads before agreeing.
pub fn asks(app: &AppView) -> Vec<String> {
    let mut lines = vec![format!("{} {} ({})", app.display_name, app.version, app.id)];
    if !app.description.is_empty() {
        lines.push(format!("  {}", app.description));
    }
    lines.push("It asks to:".to_owned());
    let ask = &app.requests;
    lines.extend(ask.permissions.iter().map(|permission| format!("  • {}", may(*permission))));
    lines.extend(ask.locations.iter().map(|location| format!("  • {}", appears(location))));
    lines.extend(ask.events.iter().map(|event| {
        let must = if app.required_events.contains(event) { " (the app needs this)" } else { "" };
        format!("  • {}{must}", hears(event))
    }));
    lines.extend(
        ask.webhooks.iter().map(|path| format!("  • be called by another service, at the address {path}")),
    );
    if lines.last().is_some_and(|line| line == "It asks to:") {
        lines.pop();
        lines.push("It asks for nothing.".to_owned());
    }
    lines.push(match app.upstream.as_str() {
        "linked" => "It runs in the bundle.".to_owned(),
        "http" => "It runs elsewhere: the bundle sends it what people type, over HTTPS.".to_owned(),
        other => format!("It runs elsewhere ({other}): the bundle sends it what people type."),
    });
    lines
}

fn may(permission: Permission) -> &'static str {
    match permission {
        Permission::ActAsBot => "act as its own bot: post, and read what the bot may read",
        Permission::ActAsUser => "act as the user who uses it, with that user's rights",
        Permission::ActAsAdmin => "act as a system admin who uses it, with all rights of that admin",
    }
}

fn appears(location: &str) -> String {
    match location {
        "message_box" => "have a slash command in the teams that you choose".into(),
        "post_action" => "put buttons and menus under its posts".into(),
        "dialog" => "open dialogs".into(),
        "conversation" => "talk with users in direct messages of its bot".into(),
        "post_menu" => "appear in the menu of posts".into(),
        "channel_header" => "appear in the header of channels".into(),
        "main_menu" => "appear in the main menu".into(),
        other => format!("appear at {other}"),
    }
}

fn hears(event: &str) -> String {
    match event {
        "message_posted" => "read what is posted in the channels that it watches".into(),
        "channel_created" => "be told of new channels".into(),
        "user_created" => "be told of new users".into(),
        "user_joined_channel" => "be told who joins channels".into(),
        "user_joined_team" => "be told who joins teams".into(),
        "user_left_channel" => "be told who leaves channels".into(),
        "user_left_team" => "be told who leaves teams".into(),
        "user_updated" => "be told when users change their profiles".into(),
        other => format!("be told of {other}"),
    }
}

/// The settings: those that were given, and those that are required and are asked for. All problems of what was given are
/// reported at once.
pub async fn settings(
    app: &AppView,
    given: &[(String, String)],
    file: Values,
    person: &dyn Person,
) -> Result<Values, Stop> {
    let mut values = file;
    let mut problems = Vec::new();
    for (name, text) in given {
        match app.settings.iter().find(|field| field.name.as_str() == name) {
            Some(field) if field.subtype == Some(Subtype::Password) => problems.push(format!(
                "{name} is a password, and others can read a command line: leave it out and type it when asked, or put it in \
                 the file of --settings"
            )),
            Some(field) => match read(field, text) {
                Ok(value) => {
                    values.insert(name.clone(), value);
                }
                Err(problem) => problems.push(format!("{name}: {problem}")),
            },
            None => problems.push(unknown(app, name)),
        }
    }
    let stray = values.keys().filter(|name| !app.settings.iter().any(|field| field.name.as_str() == *name));
    problems.extend(stray.map(|name| unknown(app, name)));
    if !problems.is_empty() {
        let mut problems = problems.into_iter();
        let first = problems.next().unwrap_or_default();
        return Err(Failure::usage(first).more(problems.map(|problem| format!("       {problem}"))).into());
    }
    for field in &app.settings {
        let name = field.name.as_str();
        if !field.required || field.default.is_some() || values.contains_key(name) {
            continue;
        }
        if !person.answers() {
            let how =
                if field.subtype == Some(Subtype::Password) { "--settings FILE" } else { "--set NAME=VALUE" };
            return Err(Failure::usage(format!("{} needs the setting {name}", app.id))
                .hint(format!("give it with {how}"))
                .into());
        }
        let value = ask(field, person).await?;
        values.insert(name.to_owned(), value);
    }
    Ok(values)
}

fn unknown(app: &AppView, name: &str) -> String {
    let known: Vec<&str> = app.settings.iter().map(|field| field.name.as_str()).collect();
    let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
    format!("{} has no setting {name}; it has {known}", app.id)
}

async fn ask(field: &Field, person: &dyn Person) -> Result<Value, Stop> {
    let label = if field.label.is_empty() { field.name.as_str() } else { &field.label };
    let about =
        if field.description.is_empty() { String::new() } else { format!(" ({})", field.description) };
    loop {
        let value = if field.subtype == Some(Subtype::Password) {
            let typed = person.ask_secretly(&format!("{label}{about}, not shown:")).await?;
            read(field, typed.expose_secret())
        } else {
            read(field, &person.ask(&format!("{label}{about}:")).await?)
        };
        match value {
            Ok(value) => return Ok(value),
            Err(problem) => person.tell(&format!("  {problem}")),
        }
    }
}

/// Reads a value as somebody typed it. Here only its JSON type is checked; the bundle checks the rest. No error repeats what was
/// typed: it may be a secret.
pub fn read(field: &Field, text: &str) -> Result<Value, String> {
    if text.is_empty() {
        return Err("is empty".to_owned());
    }
    if field.multiple {
        return Ok(text.split(',').map(|item| Value::from(item.trim())).collect());
    }
    match field.r#type {
        FieldType::Number | FieldType::Json => {
            serde_json::from_str(text).map_err(|_| "is not a JSON value".to_owned())
        }
        FieldType::Bool => match text.to_ascii_lowercase().as_str() {
            "true" | "yes" | "y" | "on" => Ok(Value::Bool(true)),
            "false" | "no" | "n" | "off" => Ok(Value::Bool(false)),
            _ => Err("is neither yes nor no".to_owned()),
        },
        _ => Ok(Value::from(text)),
    }
}

/// Asks for yes or no.
pub async fn agrees(person: &dyn Person, question: &str) -> Result<bool, Stop> {
    if !person.answers() {
        return Err(Failure::usage("nobody is at the terminal to agree")
            .hint("--yes agrees to what is asked for")
            .into());
    }
    loop {
        let answer = person.ask(&format!("{question} [y/N]")).await?.to_ascii_lowercase();
        match answer.as_str() {
            "y" | "yes" => return Ok(true),
            "" | "n" | "no" => return Ok(false),
            _ => person.tell("  type y or n"),
        }
    }
}
