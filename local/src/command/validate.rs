//! `cloud-apps validate`: like a compiler, every problem with its line, a caret and a hint.

use crate::{
    arguments::Validate,
    failure::{Failure, file},
    terminal,
};
use cloud_apps_protocol::Manifest;
use std::{io::Read, path::Path, process::ExitCode};

/// Checks a manifest.
pub fn run(arguments: &Validate) -> Result<ExitCode, Failure> {
    let (name, text) = read(&arguments.file)?;
    match Manifest::parse(&text) {
        Ok(manifest) => {
            terminal::out(format!(
                "{name}: {} {} is valid: {}, {}, {}.",
                manifest.id,
                manifest.version,
                count(manifest.commands.len(), "command"),
                count(manifest.events.len(), "event"),
                count(manifest.settings.len(), "setting"),
            ));
            Ok(ExitCode::SUCCESS)
        }
        Err(problems) => {
            for problem in &problems {
                terminal::problem(&name, &text, problem);
            }
            terminal::err(format!("{name}: {}.", count(problems.len(), "problem")));
            Ok(ExitCode::FAILURE)
        }
    }
}

/// A manifest's name for people, and its text.
pub(super) fn read(path: &Path) -> Result<(String, String), Failure> {
    if path.as_os_str() == "-" {
        let mut text = String::new();
        std::io::stdin()
            .read_to_string(&mut text)
            .map_err(|e| Failure::new(format!("cannot read standard input: {e}")))?;
        return Ok(("standard input".to_owned(), text));
    }
    let text = std::fs::read_to_string(path).map_err(|error| {
        file("read", path)(error)
            .hint("`cloud-apps validate mattermost-cloud-app.json`, or `-` for standard input")
    })?;
    Ok((path.display().to_string(), text))
}

pub(super) fn count(n: usize, what: &str) -> String {
    format!("{n} {what}{}", if n == 1 { "" } else { "s" })
}
