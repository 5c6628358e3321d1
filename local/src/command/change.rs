//! What changes an install at the bundle alone: `configure`, `presets`, `enable`, `disable`, `upgrade`.

use super::{
    install::print,
    operator::show_install,
    reach::{Reach, Which, unanswered},
};
use crate::{
    failure::Failure,
    install::{
        self,
        bundle::Bundle,
        person::{Person, Terminal},
    },
    terminal::{self, Line},
};
use clap::{Args, Subcommand};
use cloud_apps_protocol::{
    FunctionName, Values,
    form::Subtype,
    install::{AppView, Granted, InstallChanged, InstallPatch, InstallView, Upgrade},
    manifest::Preset,
};
use secrecy::ExposeSecret;
use serde_json::Value;
use std::{path::Path, process::ExitCode};

/// What all of these are told: which install, where, and how to answer.
#[derive(Debug, Args)]
pub struct At {
    /// Which install.
    #[command(flatten)]
    pub which: Which,
    /// Where the bundle is.
    #[command(flatten)]
    pub reach: Reach,
    /// Print the install as JSON afterwards.
    #[arg(long)]
    pub json: bool,
}

impl At {
    async fn find(&self) -> Result<(Bundle, InstallView), Failure> {
        let bundle = self.reach.bundle("A manage code of the install").await?;
        let view = self.which.install(&bundle).await?;
        Ok((bundle, view))
    }

    fn done(&self, changed: &InstallChanged, note: &str) -> Result<ExitCode, Failure> {
        if self.json {
            return print(true, changed, Vec::new);
        }
        show_install(&changed.install);
        if !note.is_empty() {
            terminal::err(note);
        }
        Ok(ExitCode::SUCCESS)
    }
}

async fn change(
    bundle: &Bundle,
    view: &InstallView,
    patch: &InstallPatch,
) -> Result<InstallChanged, Failure> {
    bundle.change(&view.install_id, patch).await.map_err(|trouble| trouble.failure(bundle.base_url()))
}

async fn app(bundle: &Bundle, view: &InstallView) -> Result<AppView, Failure> {
    bundle.app(&view.app_id).await.map_err(|trouble| trouble.failure(bundle.base_url()))
}

/// `configure`.
#[derive(Debug, Args)]
#[command(
    after_help = "Without any of --set, --unset, --password and --file the settings are shown, and asked for at a \
terminal.\nThe app may refuse them; then nothing is changed."
)]
pub struct Configure {
    #[command(flatten)]
    at: At,
    /// A setting; may be repeated. No password: what stands on a command line stays in the shell's history.
    #[arg(long, value_name = "NAME=VALUE")]
    set: Vec<String>,
    /// A setting that is to be unset; may be repeated.
    #[arg(long, value_name = "NAME")]
    unset: Vec<String>,
    /// A setting of type password that is asked for, not shown; may be repeated.
    #[arg(long, value_name = "NAME")]
    password: Vec<String>,
    /// Settings as a JSON object, passwords too.
    #[arg(long, value_name = "FILE")]
    file: Option<std::path::PathBuf>,
}

/// Sets what an admin sets.
pub async fn configure(arguments: Configure) -> Result<ExitCode, Failure> {
    let (bundle, view) = arguments.at.find().await?;
    let app = app(&bundle, &view).await?;
    let mut settings = arguments.file.as_deref().map(object).transpose()?.unwrap_or_default();
    for pair in &arguments.set {
        let (name, value) =
            pair.split_once('=').ok_or_else(|| Failure::usage(format!("--set {pair}: write NAME=VALUE")))?;
        let field = field(&app, name)?;
        if field.subtype == Some(Subtype::Password) {
            return Err(Failure::usage(format!(
                "{name} is a password, which would stay in the shell's history"
            ))
            .hint(format!("--password {name} asks for it, and --file reads it")));
        }
        let read = install::read_setting(field, value);
        settings.insert(name.to_owned(), read.map_err(|why| Failure::usage(format!("--set {name}: {why}")))?);
    }
    for name in &arguments.unset {
        settings.insert(field(&app, name)?.name.to_string(), Value::Null);
    }
    let terminal = Terminal;
    for name in &arguments.password {
        ask(&terminal, &app, name, &mut settings).await?;
    }
    if settings.is_empty() {
        if !terminal.answers() || app.settings.is_empty() {
            return show_settings(&arguments.at, &app, &view);
        }
        terminal.tell("Empty keeps what is set.");
        for field in &app.settings {
            ask(&terminal, &app, field.name.as_str(), &mut settings).await?;
        }
    }
    let changed = change(&bundle, &view, &InstallPatch::Settings(settings)).await?;
    arguments.at.done(&changed, "")
}

fn show_settings(at: &At, app: &AppView, view: &InstallView) -> Result<ExitCode, Failure> {
    print(at.json, &view.settings, || {
        if app.settings.is_empty() {
            return vec![format!("{} has no settings.", app.id).into()];
        }
        let line = |field: &cloud_apps_protocol::Field| {
            let name = field.name.as_str();
            let value = match view.settings.get(name) {
                _ if field.subtype == Some(Subtype::Password) => "(a password: never shown)".to_owned(),
                Some(value) => value.to_string(),
                None => "(not set)".to_owned(),
            };
            let what = if field.description.is_empty() { &field.label } else { &field.description };
            Line::from(format!("{name:<20} {value:<30} {what}").trim_end())
        };
        app.settings.iter().map(line).collect()
    })
}

fn field<'a>(app: &'a AppView, name: &str) -> Result<&'a cloud_apps_protocol::Field, Failure> {
    app.settings.iter().find(|field| field.name.as_str() == name).ok_or_else(|| {
        let known: Vec<&str> = app.settings.iter().map(|field| field.name.as_str()).collect();
        let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
        Failure::usage(format!("{} has no setting {name}", app.id)).hint(format!("it has: {known}"))
    })
}

/// Asks for a setting; nothing typed keeps what is set.
async fn ask(person: &Terminal, app: &AppView, name: &str, settings: &mut Values) -> Result<(), Failure> {
    let field = field(app, name)?;
    if !person.answers() {
        return Err(Failure::usage(format!("nobody is here to type {name}"))
            .hint("--file reads settings from a JSON object"));
    }
    loop {
        let typed = if field.subtype == Some(Subtype::Password) {
            person.ask_secretly(&format!("{name}, not shown:")).await.map_err(unanswered)?
        } else {
            person.ask(&format!("{name}:")).await.map_err(unanswered)?.into()
        };
        if typed.expose_secret().is_empty() {
            return Ok(());
        }
        match install::read_setting(field, typed.expose_secret()) {
            Ok(value) => {
                settings.insert(name.to_owned(), value);
                return Ok(());
            }
            Err(why) => person.tell(&format!("  {name} {why}")),
        }
    }
}

fn object(file: &Path) -> Result<Values, Failure> {
    match json(file)? {
        Value::Object(values) => Ok(values),
        _ => Err(Failure::usage(format!("{} is not a JSON object", file.display()))),
    }
}

fn json(file: &Path) -> Result<Value, Failure> {
    let text = std::fs::read_to_string(file)
        .map_err(|error| Failure::usage(format!("cannot read {}: {error}", file.display())))?;
    serde_json::from_str(&text).map_err(|error| {
        // Without the text: it may hold a password.
        let (line, column) = (error.line(), error.column());
        Failure::usage(format!("{} is not JSON (line {line}, column {column})", file.display()))
    })
}

/// `presets`.
#[derive(Debug, Args)]
pub struct Presets {
    /// What to do.
    #[command(subcommand)]
    what: PresetsCommand,
}

/// What is done with an admin's presets.
#[derive(Debug, Subcommand)]
enum PresetsCommand {
    /// List the presets of the app and of its admin.
    List(At),
    /// Replace the admin's presets by the list in a JSON file.
    Replace {
        #[command(flatten)]
        at: At,
        /// A JSON array of presets: name, label, function, values, locations.
        #[arg(long, value_name = "FILE")]
        file: std::path::PathBuf,
    },
    /// Add a preset, or replace the one of its name.
    Add {
        #[command(flatten)]
        at: At,
        /// A JSON object: name, label, function, values, locations.
        #[arg(long, value_name = "FILE")]
        file: std::path::PathBuf,
    },
    /// Remove one of the admin's presets.
    Remove {
        #[command(flatten)]
        at: At,
        /// Its name.
        #[arg(long, value_name = "NAME")]
        preset: FunctionName,
    },
}

/// Lists and changes an admin's presets.
pub async fn presets(arguments: Presets) -> Result<ExitCode, Failure> {
    let read = |file: &Path, value: Value| -> Result<Vec<Preset>, Failure> {
        let list = if value.is_array() { value } else { Value::Array(vec![value]) };
        serde_json::from_value(list).map_err(|error| {
            Failure::usage(format!("{} holds no presets: {error}", file.display()))
                .hint("a preset has name, label, function, values and locations")
        })
    };
    match arguments.what {
        PresetsCommand::List(at) => {
            let (_, view) = at.find().await?;
            print(at.json, &view.presets, || {
                let line = |preset: &Preset| {
                    let whose = if view.own_presets.contains(preset) { "the admin's" } else { "the app's" };
                    format!(
                        "{:<20} {:<12} {} {}  {}",
                        preset.name.as_str(),
                        whose,
                        preset.function,
                        Value::Object(preset.values.clone()),
                        preset.label
                    )
                };
                let lines: Vec<_> = view.presets.iter().map(line).collect();
                if lines.is_empty() { vec!["There are no presets.".into()] } else { Line::all(lines) }
            })
        }
        PresetsCommand::Replace { at, file } => {
            let presets = read(&file, json(&file)?)?;
            let (bundle, view) = at.find().await?;
            at.done(&change(&bundle, &view, &InstallPatch::Presets(presets)).await?, "")
        }
        PresetsCommand::Add { at, file } => {
            let new = read(&file, json(&file)?)?;
            let (bundle, view) = at.find().await?;
            let mut presets = view.own_presets.clone();
            presets.retain(|old| new.iter().all(|new| new.name != old.name));
            presets.extend(new);
            at.done(&change(&bundle, &view, &InstallPatch::Presets(presets)).await?, "")
        }
        PresetsCommand::Remove { at, preset } => {
            let (bundle, view) = at.find().await?;
            let mut presets = view.own_presets.clone();
            presets.retain(|old| old.name != preset);
            if presets.len() == view.own_presets.len() {
                return Err(Failure::new(format!("there is no preset {preset} of the admin's"))
                    .hint("`cloud-apps presets list` shows them; those of the app itself stay"));
            }
            at.done(&change(&bundle, &view, &InstallPatch::Presets(presets)).await?, "")
        }
    }
}

/// `enable`, `disable`.
#[derive(Debug, Args)]
pub struct Switch {
    #[command(flatten)]
    at: At,
}

/// Switches an install on or off.
pub async fn switch(arguments: Switch, enabled: bool) -> Result<ExitCode, Failure> {
    let (bundle, view) = arguments.at.find().await?;
    let changed = change(&bundle, &view, &InstallPatch::Enabled(enabled)).await?;
    let note = if enabled {
        "It serves again everywhere as soon as caches are over: the stack's InstallCacheSeconds, 60 unless set."
    } else {
        "It is refused everywhere as soon as caches are over: the stack's InstallCacheSeconds, 60 unless set. What it keeps stays."
    };
    arguments.at.done(&changed, note)
}

/// `upgrade`.
#[derive(Debug, Args)]
pub struct UpgradeTo {
    #[command(flatten)]
    at: At,
    /// Agree to what the new version asks for.
    #[arg(long)]
    yes: bool,
}

/// Moves an install to the version that the bundle has.
pub async fn upgrade(arguments: UpgradeTo) -> Result<ExitCode, Failure> {
    let (bundle, view) = arguments.at.find().await?;
    let Some(offered) = &view.offered else {
        return print(arguments.at.json, &view, || {
            let what = format!("{} {} is what the bundle has", view.app_id, view.version);
            vec![format!("{what}: there is nothing to upgrade to.").into()]
        });
    };
    let more = beyond(&offered.requests, &view.granted);
    let person = Terminal;
    if !more.is_empty() {
        person.tell(&format!("{} {} asks for more than was agreed to:", view.app_id, offered.version));
        for one in &more {
            person.tell(&format!("  {one}"));
        }
        if !arguments.yes {
            let agreed = install::agrees(&person, "Agree, and upgrade?").await;
            let agreed = agreed.map_err(|_| {
                Failure::usage("nobody is here to agree").hint("--yes agrees to what is listed above")
            })?;
            if !agreed {
                person.tell(&format!("It stays at {}, with what was agreed to.", view.version));
                return Ok(ExitCode::FAILURE);
            }
        }
    }
    let upgrade = Upgrade { version: offered.version.clone(), granted: offered.requests.clone() };
    let changed = change(&bundle, &view, &InstallPatch::Upgrade(upgrade)).await?;
    arguments.at.done(&changed, "`cloud-apps sync` brings its commands on the server up to date.")
}

/// What is asked for and was not agreed to, in words.
fn beyond(asked: &Granted, held: &Granted) -> Vec<String> {
    let permissions = asked.permissions.difference(&held.permissions);
    let permissions = permissions.map(|one| format!("permission {}", super::operator::words([one])));
    let locations = asked.locations.difference(&held.locations).map(|one| format!("location {one}"));
    let events = asked.events.difference(&held.events).map(|one| format!("event {one}"));
    let webhooks = asked.webhooks.difference(&held.webhooks).map(|one| format!("webhook {one}"));
    permissions.chain(locations).chain(events).chain(webhooks).collect()
}
