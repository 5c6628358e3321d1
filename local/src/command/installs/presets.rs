//! `cloud-apps presets`.

use crate::command::shared::{
    json_file,
    managed::{ManagedInstall, change},
    output::print,
};
use crate::{failure::Failure, terminal::Line};
use clap::{Args, Subcommand};
use cloud_apps_protocol::{FunctionName, install::InstallPatch, manifest::Preset};
use serde_json::Value;
use std::{
    path::{Path, PathBuf},
    process::ExitCode,
};

/// `presets`.
#[derive(Debug, Args)]
pub struct Presets {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// List the presets of the app and of its admin.
    List {
        #[command(flatten)]
        install: ManagedInstall,
    },
    /// Replace all presets of the admin.
    Replace {
        #[command(flatten)]
        install: ManagedInstall,
        /// A file with a JSON array of presets. Each has name, label, function, values and locations.
        #[arg(long, value_name = "FILE")]
        file: PathBuf,
    },
    /// Add a preset, or replace the admin's preset of the same name.
    Add {
        #[command(flatten)]
        install: ManagedInstall,
        /// A file with a preset as a JSON object: name, label, function, values and locations.
        #[arg(long, value_name = "FILE")]
        file: PathBuf,
    },
    /// Remove one of the admin's presets.
    Remove {
        #[command(flatten)]
        install: ManagedInstall,
        /// The preset's name.
        #[arg(long, value_name = "NAME")]
        preset: FunctionName,
    },
}

/// Lists and changes the presets of an install.
pub async fn run(arguments: Presets) -> Result<ExitCode, Failure> {
    match arguments.command {
        Command::List { install } => list(&install).await,
        Command::Replace { install, file } => {
            let presets = read(&file)?;
            let (bundle, view) = install.find().await?;
            install.show(&change(&bundle, &view, &InstallPatch::Presets(presets)).await?, "")
        }
        Command::Add { install, file } => {
            let new = read(&file)?;
            let (bundle, view) = install.find().await?;
            let mut presets = view.own_presets.clone();
            presets.retain(|old| new.iter().all(|new| new.name != old.name));
            presets.extend(new);
            install.show(&change(&bundle, &view, &InstallPatch::Presets(presets)).await?, "")
        }
        Command::Remove { install, preset } => {
            let (bundle, view) = install.find().await?;
            let mut presets = view.own_presets.clone();
            presets.retain(|old| old.name != preset);
            if presets.len() == view.own_presets.len() {
                return Err(Failure::new(format!("the admin has no preset {preset}"))
                    .hint("`cloud-apps presets list` shows them; those of the app itself stay"));
            }
            install.show(&change(&bundle, &view, &InstallPatch::Presets(presets)).await?, "")
        }
    }
}

async fn list(install: &ManagedInstall) -> Result<ExitCode, Failure> {
    let (_, view) = install.find().await?;
    print(install.json, &view.presets, || {
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

fn read(file: &Path) -> Result<Vec<Preset>, Failure> {
    let value = json_file::value(file)?;
    let list = if value.is_array() { value } else { Value::Array(vec![value]) };
    serde_json::from_value(list).map_err(|error| {
        Failure::usage(format!("{} holds no presets: {error}", file.display()))
            .hint("a preset has name, label, function, values and locations")
    })
}
