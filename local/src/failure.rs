//! What the command says when it cannot do what it was asked: what happened, and what to do.

use anstyle::{AnsiColor, Style};
use std::{fmt, process::ExitCode};

/// An error for the person at the terminal.
#[derive(Debug)]
pub struct Failure {
    message: String,
    hint: Option<String>,
    code: u8,
}

impl Failure {
    /// Refused or failed: exit code 1.
    pub fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), hint: None, code: 1 }
    }

    /// The command line or the environment is wrong: exit code 2.
    pub fn usage(message: impl Into<String>) -> Self {
        Self { code: 2, ..Self::new(message) }
    }

    /// Nothing answers there: exit code 3.
    pub fn unreachable(message: impl Into<String>) -> Self {
        Self { code: 3, ..Self::new(message) }
    }

    /// Somebody pressed Ctrl-C: exit code 130, as shells have it.
    pub fn interrupted(message: impl Into<String>) -> Self {
        Self { code: 130, ..Self::new(message) }
    }

    /// Says what to do.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Prints it on standard error, coloured where that is a terminal and `NO_COLOR` is not set.
    pub fn print(&self) {
        let red = Style::new().bold().fg_color(Some(AnsiColor::Red.into()));
        let blue = Style::new().bold().fg_color(Some(AnsiColor::Cyan.into()));
        anstream::eprintln!("{red}error{red:#}: {}", self.message);
        if let Some(hint) = &self.hint {
            anstream::eprintln!("{blue}help{blue:#}: {hint}");
        }
    }

    /// What it says, with what to do, without colours.
    pub fn text(&self) -> String {
        match &self.hint {
            Some(hint) => format!("{}\nhelp: {hint}", self.message),
            None => self.message.clone(),
        }
    }

    /// The exit code that goes with it.
    pub fn exit_code(&self) -> ExitCode {
        ExitCode::from(self.code)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

/// An error of the file system, with the file and what was being done.
pub fn file(doing: &str, path: &std::path::Path) -> impl FnOnce(std::io::Error) -> Failure {
    let text = format!("cannot {doing} {}", path.display());
    move |error| Failure::new(format!("{text}: {error}"))
}
