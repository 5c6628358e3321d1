//! A manifest in a file.

use super::output::count;
use crate::{
    failure::{Failure, file},
    terminal,
};
use cloud_apps_protocol::manifest::Problem;
use std::{
    io::{ErrorKind, Read},
    path::Path,
};

/// A manifest's text, and how people know the file.
pub struct ManifestFile {
    /// The path, or "standard input".
    pub name: String,
    /// What the file holds.
    pub text: String,
}

impl ManifestFile {
    /// Reads a file; `-` is standard input.
    pub fn read(path: &Path) -> Result<Self, Failure> {
        if path.as_os_str() == "-" {
            let mut text = String::new();
            std::io::stdin()
                .read_to_string(&mut text)
                .map_err(|error| Failure::new(format!("cannot read standard input: {error}")))?;
            return Ok(Self { name: "standard input".to_owned(), text });
        }
        let text = std::fs::read_to_string(path).map_err(|error| {
            let hint = match error.kind() {
                ErrorKind::InvalidData => "save the file as UTF-8",
                _ => "name the manifest, usually mattermost-cloud-app.json, or `-` for standard input",
            };
            file("read", path)(error).hint(hint)
        })?;
        Ok(Self { name: path.display().to_string(), text })
    }

    /// Shows problems at their places; how many there are, in words.
    pub fn show_problems(&self, problems: &[Problem]) -> String {
        for problem in problems {
            terminal::problem(&self.name, &self.text, problem);
        }
        count(problems.len(), "problem")
    }
}
