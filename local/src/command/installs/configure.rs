//! `cloud-apps configure`.

use crate::command::shared::{
    json_file,
    managed::{ManagedInstall, change},
    output::print,
};
use crate::{
    failure::Failure,
    install::{
        self, Stop,
        bundle::Bundle,
        person::{Person, Terminal},
    },
    terminal::Line,
};
use clap::Args;
use cloud_apps_protocol::{
    Field, Values,
    form::Subtype,
    install::{AppView, InstallPatch, InstallView},
};
use secrecy::ExposeSecret;
use serde_json::Value;
use std::{path::PathBuf, process::ExitCode};

/// `configure`.
#[derive(Debug, Args)]
#[command(
    after_help = "Without --set, --unset, --password and --settings, the settings are shown; at a terminal you are asked for \
each of them.\n\nThe app may refuse the settings. Then nothing is changed."
)]
pub struct Configure {
    #[command(flatten)]
    install: ManagedInstall,
    /// A setting of the app; may be repeated. Do not give a password here: a command line stays in the shell's history.
    #[arg(long, value_name = "NAME=VALUE")]
    set: Vec<String>,
    /// A setting to remove; may be repeated.
    #[arg(long, value_name = "NAME")]
    unset: Vec<String>,
    /// A setting of type password: you are asked for it, and it is not shown; may be repeated.
    #[arg(long, value_name = "NAME")]
    password: Vec<String>,
    /// Settings of the app: a file with a JSON object. Passwords may stand there.
    #[arg(long, value_name = "FILE")]
    settings: Option<PathBuf>,
}

/// Changes the settings of an install.
pub async fn run(arguments: Configure) -> Result<ExitCode, Failure> {
    let (bundle, view) = arguments.install.find().await?;
    let app = app(&bundle, &view).await?;
    let mut settings =
        arguments.settings.as_deref().map(json_file::settings).transpose()?.unwrap_or_default();
    for pair in &arguments.set {
        let (name, value) =
            pair.split_once('=').ok_or_else(|| Failure::usage(format!("--set {pair}: write NAME=VALUE")))?;
        let field = field(&app, name)?;
        if field.subtype == Some(Subtype::Password) {
            return Err(Failure::usage(format!(
                "{name} is a password, which would stay in the shell's history"
            ))
            .hint(format!("--password {name} asks for it, and --settings FILE reads it")));
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
            return show_settings(&arguments.install, &app, &view);
        }
        terminal.tell("Type nothing to keep a value.");
        for field in &app.settings {
            ask(&terminal, &app, field.name.as_str(), &mut settings).await?;
        }
    }
    let changed = change(&bundle, &view, &InstallPatch::Settings(settings)).await?;
    arguments.install.show(&changed, "")
}

async fn app(bundle: &Bundle, view: &InstallView) -> Result<AppView, Failure> {
    bundle.app(&view.app_id).await.map_err(|trouble| trouble.failure(bundle.base_url()))
}

fn show_settings(install: &ManagedInstall, app: &AppView, view: &InstallView) -> Result<ExitCode, Failure> {
    print(install.json, &view.settings, || {
        if app.settings.is_empty() {
            return vec![format!("{} has no settings.", app.id).into()];
        }
        let line = |field: &Field| {
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

fn field<'a>(app: &'a AppView, name: &str) -> Result<&'a Field, Failure> {
    app.settings.iter().find(|field| field.name.as_str() == name).ok_or_else(|| {
        let known: Vec<&str> = app.settings.iter().map(|field| field.name.as_str()).collect();
        let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
        Failure::usage(format!("{} has no setting {name}", app.id)).hint(format!("it has: {known}"))
    })
}

/// Asks for a setting. Nothing typed keeps the value.
async fn ask(person: &Terminal, app: &AppView, name: &str, settings: &mut Values) -> Result<(), Failure> {
    let field = field(app, name)?;
    if !person.answers() {
        return Err(Failure::usage(format!("nobody is at the terminal to type {name}"))
            .hint("--settings FILE reads settings from a JSON object"));
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

/// Why nothing was typed.
fn unanswered(stop: Stop) -> Failure {
    match stop {
        Stop::Here(failure) => failure,
        _ => Failure::interrupted("nothing was changed"),
    }
}
