//! The error of a command, as a user reads it: what happened, and what to do.

use crate::{
    store::FileError,
    terminal::{self, Line},
};
use anstyle::{AnsiColor, Style};
use std::{fmt, process::ExitCode};

/// An error for the person at the terminal.
#[derive(Debug)]
pub struct Failure {
    message: String,
    /// More lines of the message.
    more: Vec<String>,
    /// What to do, as lines.
    hint: Vec<String>,
    code: u8,
}

impl Failure {
    /// Refused or failed: exit code 1.
    pub fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), more: Vec::new(), hint: Vec::new(), code: 1 }
    }

    /// The command line or the environment is wrong: exit code 2.
    pub fn usage(message: impl Into<String>) -> Self {
        Self { code: 2, ..Self::new(message) }
    }

    /// The other side cannot be reached: exit code 3.
    pub fn unreachable(message: impl Into<String>) -> Self {
        Self { code: 3, ..Self::new(message) }
    }

    /// The user pressed Ctrl-C: exit code 130, as shells have it.
    pub fn interrupted(message: impl Into<String>) -> Self {
        Self { code: 130, ..Self::new(message) }
    }

    /// Adds lines to the message.
    #[must_use]
    pub fn more(mut self, lines: impl IntoIterator<Item = String>) -> Self {
        self.more.extend(lines);
        self
    }

    /// Says what to do. Each call adds a line.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint.push(hint.into());
        self
    }

    /// Prints it on standard error, with colours if that is a terminal and `NO_COLOR` is not set.
    pub fn print(&self) {
        let red = Style::new().bold().fg_color(Some(AnsiColor::Red.into()));
        let blue = Style::new().bold().fg_color(Some(AnsiColor::Cyan.into()));
        terminal::err(Line::new().styled(red, "error").text(&format!(": {}", self.message)));
        self.more.iter().for_each(terminal::err);
        let mut hint = self.hint.iter();
        if let Some(first) = hint.next() {
            terminal::err(Line::new().styled(blue, "help").text(&format!(": {first}")));
        }
        hint.for_each(|hint| terminal::err(format!("      {hint}")));
    }

    /// The message with what to do, without colours.
    pub fn text(&self) -> String {
        let mut lines = vec![self.message.clone()];
        lines.extend(self.more.iter().cloned());
        if !self.hint.is_empty() {
            lines.push(format!("help: {}", self.hint.join("\n")));
        }
        lines.join("\n")
    }

    /// The exit code of the program.
    pub fn exit_code(&self) -> ExitCode {
        ExitCode::from(self.code)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl From<FileError> for Failure {
    fn from(error: FileError) -> Self {
        Self::new(error.to_string())
    }
}

/// Makes a failure of an error of the file system: `cannot {doing} {path}`.
pub fn file(doing: &str, path: &std::path::Path) -> impl FnOnce(std::io::Error) -> Failure {
    let text = format!("cannot {doing} {}", path.display());
    move |error| Failure::new(format!("{text}: {error}"))
}
