//! The command line of chat (section 9): from a typed line to a function and its values, and help.
//!
//! `/namespace function [positional …] [--flag=value | --flag value | --bool | --no-bool]`. A line is read in three
//! steps: [`lexer`] makes words with their places, [`find`] takes the longest run of words that names a function or a
//! preset, [`bind`] gives the other words to the command's fields. Errors name the place, what was found, what was
//! expected, and the nearest word; every one ends with where help is.

mod bind;
mod dates;
mod find;
mod help;
mod lexer;
mod print;
#[cfg(test)]
mod tests;

use crate::{
    FunctionName, Manifest, Values,
    command::Mentioned,
    manifest::{CommandEntry, Preset},
    values::check_value,
};
use std::collections::BTreeMap;

/// The longest line that is read, in characters: as long as a message may be.
pub const MAX_LINE: usize = 16_383;

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
    pub fields: BTreeMap<String, String>,
}

/// What a line is read against.
pub struct Grammar<'a> {
    /// The app.
    pub manifest: &'a Manifest,
    /// Presets of the install; the manifest's own are added.
    pub presets: &'a [Preset],
    /// Whom and what the server resolved.
    pub mentioned: &'a Mentioned,
    /// Unix milliseconds, for relative dates.
    pub now: crate::Millis,
    /// The user's IANA time zone; UTC where unknown.
    pub time_zone: Option<&'a str>,
}

/// What a name stands for: a command, with the values of the preset that named it.
#[derive(Clone, Copy)]
struct Target<'g> {
    command: &'g CommandEntry,
    preset: Option<&'g Preset>,
}

impl<'a> Grammar<'a> {
    /// Reads a whole line, `/jira create issue --project=MM`, with or without the leading `/namespace`.
    pub fn line(&self, raw: &str) -> Result<Line, LineError> {
        let words = lexer::words(raw).map_err(|e| self.explain(e, None))?;
        let mut words = words.as_slice();
        if let Some((first, rest)) = words.split_first()
            && let Some(namespace) = first.plain().and_then(|text| text.strip_prefix('/'))
        {
            if !namespace.eq_ignore_ascii_case(self.manifest.namespace()) {
                let expected = format!("`/{}`", self.manifest.namespace());
                let fault = Fault::new(first.start, &first.text, expected, "is another app's command");
                return Err(self.explain(fault, None));
            }
            words = rest;
        }
        if let Some(help) = self.asked_for_help(words) {
            return Ok(Line::Help(help));
        }
        let Some((target, rest)) = find::longest(self, words) else {
            let stem = find::joined(words);
            // `/jira create` with `create_issue` and `create_epic`: say how it may go on.
            if self.names().any(|name| name.starts_with(&format!("{stem}_")))
                && find::bare(words).count() == words.len()
            {
                return Ok(Line::Help(self.help_below(&stem)));
            }
            return Err(self.unknown(words));
        };
        self.bind(target, rest)
    }

    /// Reads `rest` as the arguments of a function that is known already.
    pub fn arguments(&self, function: &str, rest: &str) -> Result<Line, LineError> {
        let words = lexer::words(rest).map_err(|e| self.explain(e, None))?;
        let target = self.target(function).ok_or_else(|| self.no_function(function))?;
        self.bind(target, &words)
    }

    /// Checks values that came encoded, from a form or an action. `function` may be a preset.
    pub fn encoded(&self, function: &str, values: &Values) -> Result<Invocation, LineError> {
        let name = crate::command::function_name(function).map_err(|_| self.no_function(function))?;
        let target = self.target(name.as_str()).ok_or_else(|| self.no_function(function))?;
        let mut given = Values::new();
        let mut warnings = Vec::new();
        let mut fields = BTreeMap::new();
        for (name, value) in values {
            let Some(field) = target.command.fields.iter().find(|f| f.name.as_str() == name) else {
                warnings.push(format!(
                    "{} has no field {}, so it was left out.",
                    code(target.command.function.as_str()),
                    code(name)
                ));
                continue;
            };
            // Dialogs of 5.37 send `null` for what was left empty, later ones nothing.
            if value.is_null() {
                continue;
            }
            match check_value(field, value) {
                Ok(value) => {
                    given.insert(name.clone(), value);
                }
                Err(message) => {
                    fields.insert(name.clone(), message);
                }
            }
        }
        if !fields.is_empty() {
            let list: Vec<String> =
                fields.iter().map(|(name, message)| format!("{}: {message}", code(name))).collect();
            return Err(LineError {
                position: 0,
                found: String::new(),
                expected: "values that fit their fields".to_owned(),
                message: format!("{} {}", list.join("; "), self.see_help(Some(target.command))),
                unknown_function: false,
                fields,
            });
        }
        Ok(Self::invocation(target, given, false, warnings))
    }

    /// Help for the app, or for what `words` name.
    pub fn help(&self, words: &[&str]) -> String {
        let stem = words.join("_").to_lowercase().replace('-', "_");
        if let Some(target) = self.target(&stem) {
            return self.help_of(target);
        }
        if !stem.is_empty() && self.names().any(|name| name.starts_with(&format!("{stem}_"))) {
            return self.help_below(&stem);
        }
        self.help_of_app()
    }

    /// Every preset: the install's own first, for they win over the manifest's of the same name.
    fn all_presets(&self) -> impl Iterator<Item = &'a Preset> {
        self.presets.iter().chain(&self.manifest.presets)
    }

    /// Every name that can be called.
    fn names(&self) -> impl Iterator<Item = &'a str> {
        let functions = self.manifest.commands.iter().map(|c| c.function.as_str());
        functions.chain(self.all_presets().map(|p| p.name.as_str()))
    }

    fn target(&self, name: &str) -> Option<Target<'a>> {
        if let Some(command) = self.manifest.command(name) {
            return Some(Target { command, preset: None });
        }
        let preset = self.all_presets().find(|p| p.name.as_str() == name)?;
        Some(Target { command: self.manifest.command(preset.function.as_str())?, preset: Some(preset) })
    }

    /// `help` first, or alone: nothing else on the line counts.
    fn asked_for_help(&self, words: &[lexer::Word]) -> Option<String> {
        let bare: Vec<&str> = find::bare(words).collect();
        let flagged = words.iter().any(|word| word.plain() == Some("--help"));
        match bare.split_first() {
            None if words.is_empty() || flagged => Some(self.help_of_app()),
            Some((first, rest)) if first.eq_ignore_ascii_case("help") && self.target("help").is_none() => {
                Some(self.help(rest))
            }
            _ => None,
        }
    }

    /// Fills in what was not given: the preset's values, then the defaults. What is still missing is named.
    fn invocation(target: Target<'_>, mut given: Values, form: bool, warnings: Vec<String>) -> Invocation {
        let mut values = Values::new();
        let mut missing = Vec::new();
        for field in &target.command.fields {
            let name = field.name.as_str();
            let preset = target.preset.and_then(|p| p.values.get(name));
            let filled = preset.or(field.default.as_ref()).and_then(|value| check_value(field, value).ok());
            match given.remove(name).or(filled) {
                Some(value) => {
                    values.insert(name.to_owned(), value);
                }
                None if field.required => missing.push(field.name.clone()),
                None => {}
            }
        }
        Invocation { function: target.command.function.clone(), values, missing, form, warnings }
    }

    fn see_help(&self, command: Option<&CommandEntry>) -> String {
        match command {
            Some(command) => format!(
                "See `/{} help {}`.",
                self.manifest.namespace(),
                find::spoken(command.function.as_str())
            ),
            None => format!("See `/{} help`.", self.manifest.namespace()),
        }
    }

    fn explain(&self, fault: Fault, command: Option<&CommandEntry>) -> LineError {
        let near = fault.near.as_ref().map(|near| format!(" Did you mean `{near}`?")).unwrap_or_default();
        let found = if fault.found.is_empty() { "The line".to_owned() } else { code(&fault.found) };
        // A value's own error says what was expected.
        let expected = if fault.value { String::new() } else { format!(" Expected {}.", fault.expected) };
        LineError {
            message: format!(
                "{found} {} (at character {}).{expected}{near} {}",
                fault.what,
                fault.position + 1,
                self.see_help(command)
            ),
            position: fault.position,
            found: fault.found,
            expected: fault.expected,
            unknown_function: false,
            fields: BTreeMap::new(),
        }
    }

    fn unknown(&self, words: &[lexer::Word]) -> LineError {
        let first = words.first();
        let stem = find::joined(words);
        // The nearest name may have fewer words than what was typed.
        let near = find::stems(&stem).find_map(|stem| crate::values::nearest(stem, self.names()));
        let position = first.map_or(0, |w| w.start);
        let found = first.map(|w| w.text.clone()).unwrap_or_default();
        let mut fault = Fault::new(
            position,
            &found,
            format!("a command of {}", self.manifest.display_name),
            "is no command",
        );
        fault.near = near.map(|near| format!("/{} {}", self.manifest.namespace(), find::spoken(near)));
        LineError { unknown_function: true, ..self.explain(fault, None) }
    }

    fn no_function(&self, function: &str) -> LineError {
        let near = crate::values::nearest(function, self.names());
        let mut fault =
            Fault::new(0, function, format!("a command of {}", self.manifest.display_name), "is no command");
        fault.near = near.map(str::to_owned);
        LineError { unknown_function: true, ..self.explain(fault, None) }
    }
}

/// What is wrong at a place of the line, before it is put into words for a person.
#[derive(Debug)]
struct Fault {
    position: usize,
    found: String,
    expected: String,
    /// Reads behind the found word.
    what: String,
    near: Option<String>,
    /// The word is a value that does not fit its field.
    value: bool,
}

impl Fault {
    fn new(position: usize, found: &str, expected: impl Into<String>, what: impl Into<String>) -> Self {
        // Somebody else's words are shown cut.
        let found = found.chars().take(60).collect();
        Self { position, found, expected: expected.into(), what: what.into(), near: None, value: false }
    }

    fn near(mut self, near: Option<String>) -> Self {
        self.near = near;
        self
    }
}

/// Text as Markdown code, whatever backticks it has: `CommonMark` wants a longer fence than any run inside.
fn code(text: &str) -> String {
    let text = text.replace(['\n', '\r'], " ");
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest + 1);
    let space = if text.starts_with('`') || text.ends_with('`') { " " } else { "" };
    format!("{fence}{space}{text}{space}{fence}")
}
