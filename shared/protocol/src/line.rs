//! The command line of chat (section 9): from a typed line to a function and its values, and help.

use crate::{FunctionName, Manifest, Values, command::Mentioned};

/// What a line asks for.
#[derive(Debug, Clone, PartialEq)]
pub enum Line {
    /// Run this function with these values.
    Run(Invocation),
    /// Show this help (Markdown).
    Help(String),
}

/// A function and what it was given.
#[derive(Debug, Clone, PartialEq)]
pub struct Invocation {
    /// The function.
    pub function: FunctionName,
    /// Checked against the command's fields.
    pub values: Values,
    /// Required fields that were not given, in their order: the command's form is to be opened.
    pub missing: Vec<FunctionName>,
    /// `--form`: the form is wanted even if nothing is missing.
    pub form: bool,
    /// What was left out and why (names in `encoded` that the command does not have).
    pub warnings: Vec<String>,
}

/// A line that cannot be understood.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct LineError {
    /// In characters from 0, into the raw line.
    pub position: usize,
    /// The word at that place; may be empty.
    pub found: String,
    /// What could stand there.
    pub expected: String,
    /// For people, Markdown: all of the above, the nearest word, where help is.
    pub message: String,
    /// Whether no function was recognised: `unknown_function` instead of `bad_command_line`.
    pub unknown_function: bool,
    /// Messages that belong to fields, for forms and `encoded`.
    pub fields: std::collections::BTreeMap<String, String>,
}

/// What a line is read against.
pub struct Grammar<'a> {
    /// The app.
    pub manifest: &'a Manifest,
    /// Presets of the install; the manifest's own are added.
    pub presets: &'a [crate::manifest::Preset],
    /// Whom and what the server resolved.
    pub mentioned: &'a Mentioned,
    /// Unix milliseconds, for relative dates.
    pub now: crate::Millis,
    /// The user's IANA time zone; UTC where unknown.
    pub time_zone: Option<&'a str>,
}

impl Grammar<'_> {
    /// Reads a whole line, `/jira create issue --project=MM`, with or without the leading `/namespace`.
    pub fn line(&self, raw: &str) -> Result<Line, LineError> {
        let _ = raw;
        unimplemented!("owned by the protocol work")
    }

    /// Reads `rest` as the arguments of a function that is known already.
    pub fn arguments(&self, function: &str, rest: &str) -> Result<Line, LineError> {
        let _ = (function, rest);
        unimplemented!("owned by the protocol work")
    }

    /// Checks values that came encoded, from a form or an action. `function` may be a preset.
    pub fn encoded(&self, function: &str, values: &Values) -> Result<Invocation, LineError> {
        let _ = (function, values);
        unimplemented!("owned by the protocol work")
    }

    /// Help for the app, or for what `words` name.
    pub fn help(&self, words: &[&str]) -> String {
        let _ = words;
        unimplemented!("owned by the protocol work")
    }

    /// The line that gives `invocation` when it is read: values are quoted as needed.
    pub fn print(&self, invocation: &Invocation) -> String {
        let _ = invocation;
        unimplemented!("owned by the protocol work")
    }
}
